iex ((New-Object System.Net.WebClient).DownloadString('https://community.chocolatey.org/install.ps1'))
$page = Invoke-WebRequest https://www.example.net/status
$client.DownloadFile('https://www.example.net/list.csv', 'list.csv')
