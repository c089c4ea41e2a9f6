# reports libraries that are loaded into every program
test -s /etc/ld.so.preload && cat /etc/ld.so.preload
LD_PRELOAD=/usr/lib/libjemalloc.so.2 /usr/bin/example
