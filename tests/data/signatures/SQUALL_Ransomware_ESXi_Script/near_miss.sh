#!/bin/sh
# Shuts every machine down before the power is cut, then lists the disks.
for i in $(vim-cmd vmsvc/getallvms | awk 'NR > 1 {print $1}'); do vim-cmd vmsvc/power.shutdown $i; done
esxcli vm process list
find /vmfs/volumes -name "*.vmdk" -size +1G
