netsh advfirewall set allprofiles state on
netsh advfirewall firewall add rule name="Example" dir=in action=allow program="C:\Program Files\Example\e.exe"
reg query "HKLM\System\CurrentControlSet\Control\Terminal Server" /v fDenyTSConnections
