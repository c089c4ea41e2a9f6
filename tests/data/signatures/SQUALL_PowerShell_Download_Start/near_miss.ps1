Invoke-WebRequest https://www.example.net/report.csv -OutFile report.csv
Start-Process notepad.exe report.csv
(New-Object Net.WebClient).DownloadFile('https://www.example.net/setup.exe', 'setup.exe')
Get-FileHash setup.exe
