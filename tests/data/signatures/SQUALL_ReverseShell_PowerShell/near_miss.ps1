# Asks a mail server for its greeting.
$c = New-Object System.Net.Sockets.TCPClient("mail.example.net", 25)
$r = New-Object IO.StreamReader($c.GetStream())
$r.ReadLine()
$w = New-Object IO.StreamWriter($c.GetStream()); $w.WriteLine("QUIT"); $c.Close()
