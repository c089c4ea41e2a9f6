# rotates the logs of the application
find /var/log/example -name "*.gz" -mtime +30 -delete
HISTSIZE=10000
history | tail -20
grep sshd /var/log/auth.log > report.txt
