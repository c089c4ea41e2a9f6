bitsadmin /list /allusers /verbose
bitsadmin /reset
bitsadmin /util /getieproxy localsystem
