netsh wlan show profiles
netsh wlan show interfaces
echo the key is clear now
