# adds a system account for the service
useradd --system -u 990 -d /var/lib/example -s /usr/sbin/nologin example
grep ":0:0:" /etc/passwd
echo "root:x:0:0:root:/root:/bin/bash" > /srv/chroot/etc/passwd
