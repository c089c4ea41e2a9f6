reg add "HKLM\Software\Microsoft\Windows\CurrentVersion\Run" /v Example /t REG_SZ /d "\"C:\Program Files\Example\tray.exe\"" /f
reg query HKCU\Software\Microsoft\Windows\CurrentVersion\Run
