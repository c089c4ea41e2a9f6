getenforce
iptables -L -n
ufw status
systemctl status apparmor auditd
setenforce 1
