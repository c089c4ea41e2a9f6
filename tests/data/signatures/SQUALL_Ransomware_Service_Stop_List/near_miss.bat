@echo off
rem maintenance of the database
net stop MSSQLSERVER
robocopy D:\Data E:\Backup /mir
net start MSSQLSERVER
net stop spooler
net start spooler
