wmic /node:server1 os get caption
sc \\server1 query spooler
schtasks /query /s server1
robocopy C:\build \\server1\share\build /mir
