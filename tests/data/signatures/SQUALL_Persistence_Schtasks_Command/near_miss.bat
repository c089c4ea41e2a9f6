schtasks /create /tn "Nightly backup" /tr "powershell -File C:\Scripts\Backup.ps1" /sc daily /st 02:00 /ru backup
schtasks /query /fo csv
schtasks /delete /tn "Old job" /f
