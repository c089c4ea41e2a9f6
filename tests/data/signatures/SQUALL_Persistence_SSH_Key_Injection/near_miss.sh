ssh-keygen -t ed25519 -f ~/.ssh/id_ed25519
ssh-copy-id -i ~/.ssh/id_ed25519.pub backup@example.net
cat deploy.pub >> ~/.ssh/authorized_keys
