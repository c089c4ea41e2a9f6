reg save HKLM\Software\Example C:\Backup\example.hiv /y
reg query HKLM\SAM
reg export HKCU\Software\Example settings.reg
