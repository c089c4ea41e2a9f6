# nightly backup
7z a -mhe=on -p"$KEY" /backup/home.7z /home
rclone version
rclone lsd backup:
