$u = Add-Type -MemberDefinition '[DllImport("user32.dll")] public static extern bool SetForegroundWindow(IntPtr h);' -Name U -Namespace W -PassThru
while ($true) { Get-Process | Out-File p.txt; Start-Sleep 60 }
