echo | openssl s_client -connect www.example.net:443 -servername www.example.net 2>/dev/null | openssl x509 -noout -dates
