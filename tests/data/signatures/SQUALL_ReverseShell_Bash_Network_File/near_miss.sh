#!/bin/bash
# waits until the database listens
until (echo > /dev/tcp/db/5432) 2>/dev/null; do sleep 1; done
exec 3<>/dev/tcp/www.example.net/80
printf "HEAD / HTTP/1.0\r\n\r\n" >&3
head -1 <&3
