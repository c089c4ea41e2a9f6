wevtutil qe Security /c:5 /f:text
wevtutil epl Application app.evtx
wevtutil cl ExampleVendor/Operational
