powershell.exe -NoProfile -ExecutionPolicy RemoteSigned -File C:\Scripts\Backup.ps1 -Encoding UTF8
powershell -Command "Get-Content list.txt -Encoding Unicode"
