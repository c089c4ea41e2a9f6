powershell -NoProfile -WindowStyle Hidden -File "C:\Program Files\Example\update.ps1"
powershell -WindowStyle Normal -ExecutionPolicy Bypass -File install.ps1
