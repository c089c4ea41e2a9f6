regsvr32 /s "C:\Program Files\Example\example.ocx"
wmic os get caption /format:list
msiexec /i setup.msi /qn
rundll32 printui.dll,PrintUIEntry /il
mshta C:\Tools\inventory.hta
