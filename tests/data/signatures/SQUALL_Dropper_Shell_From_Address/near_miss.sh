curl -fsS http://127.0.0.1:8080/health | grep -q ok
curl --proto "=https" -sSf https://sh.example.net/install | sh
wget -q http://192.0.2.7/list.txt -O list.txt
