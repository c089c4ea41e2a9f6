Add-Type -MemberDefinition '[DllImport("user32.dll")] public static extern bool LockWorkStation();' -Name U -Namespace W
[Byte[]]$bom = 0xEF,0xBB,0xBF
[System.Runtime.InteropServices.Marshal]::Copy($bom, 0, $buffer, 3)
[W.U]::LockWorkStation()
