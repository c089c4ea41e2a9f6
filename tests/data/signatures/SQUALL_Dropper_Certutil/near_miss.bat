certutil -hashfile setup.exe SHA256
certutil -addstore Root example.cer
certutil -decode mail.b64 mail.txt
certutil -urlcache *
