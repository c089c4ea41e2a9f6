# ends a miner that was found on the machine
pkill -9 kinsing
rm -f /tmp/kinsing
crontab -l | grep -v kinsing | crontab -
curl -fsS https://hc.example.net/cleaned
