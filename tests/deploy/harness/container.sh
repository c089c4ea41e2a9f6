# Runs a command in the root $1 as a container engine would with the options of
# `compose.yml`: the root read-only, user $2:$3 without a capability, /tmp in
# memory, and for every further argument up to `--` a writable volume below $4.
# Run in mount and process namespaces of its own; what it mounts goes with it.
set -e
root=$1 uid=$2 gid=$3 volumes=$4
shift 4
mount --make-rprivate /
mount --bind "$root" "$root"
while [ "$1" != -- ]; do
  mount --bind "$volumes$1" "$root$1"
  shift
done
shift
mount -o remount,bind,ro "$root"
cd "$root"
mount -t proc proc proc
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for node in null:3 zero:5 random:8 urandom:9; do mknod -m 666 "dev/${node%:*}" c 1 "${node#*:}"; done
# The old root stays reachable for nobody: it is unmounted before the command begins.
pivot_root . mnt
umount -l mnt
cd "$WORKDIR"
exec env -u WORKDIR setpriv --reuid="$uid" --regid="$gid" --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs "$@"
