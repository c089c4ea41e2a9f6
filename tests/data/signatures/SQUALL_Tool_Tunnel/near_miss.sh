ssh -L 5432:db.example.net:5432 jump.example.net
ngrok http 8080
plink -ssh alice@server.example.net
