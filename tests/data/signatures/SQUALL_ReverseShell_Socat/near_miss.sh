# forwards a port to the database, and a serial line to a terminal
socat TCP-LISTEN:5432,fork,reuseaddr TCP:db.example.net:5432
socat -d -d pty,raw,echo=0 pty,raw,echo=0
