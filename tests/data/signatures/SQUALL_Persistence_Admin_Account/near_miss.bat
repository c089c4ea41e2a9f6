net user
net localgroup administrators
net localgroup "Print Operators" alice /add
net user alice /active:no
