Set-MpPreference -DisableRealtimeMonitoring $false
Add-MpPreference -ExclusionPath "D:\SQLData"
Get-MpPreference | Select-Object ExclusionPath
sc query WinDefend
