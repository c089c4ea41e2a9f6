# Registers an AMSI provider and shows the result of AmsiScanBuffer in the event log.
Get-WinEvent -LogName 'Microsoft-Antimalware-Scan-Interface/Operational' | Select-Object -First 5
$field = $type.GetField('Name').GetValue($null)
