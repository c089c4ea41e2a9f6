reg add "HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Image File Execution Options\example.exe" /v Debugger /d vsjitdebugger.exe
start osk.exe
copy C:\tools\cmd.exe D:\tools\
