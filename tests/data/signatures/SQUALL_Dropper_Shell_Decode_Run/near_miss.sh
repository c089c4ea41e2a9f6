#!/bin/sh
echo "$ENCODED_CERTIFICATE" | base64 -d > server.pem
echo ZWNobyBpbmVydCB0ZXN0IGZpbGUsIG5vdGhpbmcgZWxzZQ== | base64 -d > message.txt
openssl base64 -d -in a.b64 -out a.bin
