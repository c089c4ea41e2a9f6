@echo off
rem full dump of the web server for the vendor
procdump64.exe -accepteula -ma w3wp.exe C:\dumps\web.dmp
tasklist /m lsasrv.dll
