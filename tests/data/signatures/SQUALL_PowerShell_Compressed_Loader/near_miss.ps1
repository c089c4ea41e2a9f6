# Reads a compressed log.
$file = [IO.File]::OpenRead("C:\Logs\web.log.gz")
$plain = New-Object IO.Compression.GzipStream($file, [IO.Compression.CompressionMode]::Decompress)
$reader = New-Object IO.StreamReader($plain)
while ($line = $reader.ReadLine()) { if ($line -match "500") { $line } }
