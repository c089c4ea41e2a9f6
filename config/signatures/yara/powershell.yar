/*
    PowerShell used the way intruders use it: hidden, encoded, fetched from
    the network, or tampering with the protections around it.

    `wide` everywhere: scripts and event logs of Windows are often UTF-16.
*/

rule SQUALL_PowerShell_Encoded_Command : POWERSHELL OBFUSCATION T1059_001 T1027 {
    meta:
        description = "PowerShell started with an encoded command"
        author = "Squall project"
        date = "2026-11-24"
        score = 70
        reference = "https://attack.mitre.org/techniques/T1059/001/"
        id = "cec6e04b-4d42-57f8-ad95-f90c55dfe7ec"
        falsepositive = "Management agents and installers that encode their commands"
    strings:
        // A blank pipeline variable, function call or assignment in UTF-16 begins with these letters.
        $command = /\b(powershell|pwsh)(\.exe)?["']?\s[^\r\n]{0,200}[-\/]e(nc?|nco|ncod|ncode|ncoded|c|ncodedc[a-z]{0,6})?\s{1,4}["']?(JA|SQ|aQ|UwB|cwB|VwB|IA|ZgB|KA|WwB|YwB|dAB|IgB|JgB|CgA|DQA)[A-Za-z0-9+\/]{32}/ nocase ascii wide
    condition:
        filesize < 20MB and $command
}

rule SQUALL_PowerShell_Hidden_Bypass : POWERSHELL T1059_001 T1564_003 {
    meta:
        description = "PowerShell started without a window and without its execution policy, to run code from the command line or network"
        author = "Squall project"
        date = "2026-11-24"
        score = 70
        reference = "https://attack.mitre.org/techniques/T1564/003/"
        id = "0c16700c-6667-59e5-886e-ab2970617a2e"
        falsepositive = "Management agents and installers"
    strings:
        $call = /\b(powershell|pwsh)(\.exe)?["']?\s[^\r\n]{0,120}[-\/]w(i|in|ind|indo|indow|indows|indowst|indowsty|indowstyl|indowstyle)?\s{1,4}["']?(h|hi|hid|hidd|hidde|hidden|1)\b/ nocase ascii wide
        $bypass1 = /[-\/](ep|ex|exec|executionpolicy)\s{1,4}["']?(bypass|unrestricted)\b/ nocase ascii wide
        $bypass2 = /[-\/]nop(rofile)?\b/ nocase ascii wide
        $action1 = /\b(iex|invoke-expression)\b/ nocase ascii wide
        $action2 = "DownloadString" nocase ascii wide
        $action3 = "DownloadFile" nocase ascii wide
        $action4 = "DownloadData" nocase ascii wide
        $action5 = "FromBase64String" nocase ascii wide
        $action6 = "Start-BitsTransfer" nocase ascii wide
    condition:
        filesize < 5MB and $call and any of ($bypass*) and any of ($action*)
}

rule SQUALL_PowerShell_Download_Execute : POWERSHELL DOWNLOADER T1059_001 T1105 {
    meta:
        description = "PowerShell code that runs a script straight from the network"
        author = "Squall project"
        date = "2026-11-24"
        score = 70
        reference = "https://attack.mitre.org/techniques/T1105/"
        id = "685bf7dc-c239-5e48-b8d0-33b719b7c408"
        falsepositive = "Installers that are started from a web page"
    strings:
        $direct = /\b(iex|invoke-expression)\b[\s("'&{]{0,10}[^\r\n]{0,60}(\.\s{0,2}["']?download(string|data)["']?|\b(iwr|irm|curl|wget|invoke-webrequest|invoke-restmethod)\s)[^\r\n]{0,20}https?:\/\//  nocase ascii wide
        $piped = /(\.\s{0,2}["']?download(string|data)["']?\s{0,2}\(|\b(iwr|irm|invoke-webrequest|invoke-restmethod)\s)[^\r\n|]{0,200}https?:\/\/[^\r\n|]{0,200}\|\s{0,4}(iex|invoke-expression)\b/ nocase ascii wide
        // Installers of package managers use the same form; only they are named here.
        $known = /https:\/\/(community\.chocolatey\.org\/install\.ps1|chocolatey\.org\/install\.ps1|get\.scoop\.sh|raw\.githubusercontent\.com\/scoopinstaller\/|get\.pnpm\.io\/install\.ps1|deno\.land\/|bun\.sh\/install|boxstarter\.org\/bootstrapper\.ps1|astral\.sh\/uv\/)/ nocase ascii wide
    condition:
        filesize < 5MB and #direct + #piped > #known
}

rule SQUALL_PowerShell_Download_Start : POWERSHELL DOWNLOADER T1059_001 T1105 {
    meta:
        description = "PowerShell command that downloads a program and starts it"
        author = "Squall project"
        date = "2026-11-24"
        score = 66
        reference = "https://attack.mitre.org/techniques/T1105/"
        id = "0548ce2d-d530-533b-88aa-81cc331d9e30"
        falsepositive = "Software deployment scripts"
    strings:
        $web = /\.\s{0,2}["']?DownloadFile["']?\s{0,2}\([^\r\n;]{0,200}https?:\/\/[^\r\n;]{1,300}\.(exe|dll|scr|bat|cmd|vbs|js|hta|msi|ps1)["'][^;\r\n]{0,60}[;\r\n&|]\s{0,4}[^\r\n]{0,40}\b(start-process|saps|start|invoke-item|ii|rundll32|cmd|&)\s/ nocase ascii wide
        $request = /\b(iwr|invoke-webrequest|curl|wget|start-bitstransfer)\s[^\r\n;]{0,120}https?:\/\/[^\r\n;]{1,200}-(o|ou|out|outf|outfi|outfil|outfile|destination)\s[^\r\n;]{1,120}\.(exe|dll|scr|bat|cmd|vbs|js|hta|ps1)["']?\s{0,4}[;\r\n&|]\s{0,4}[^\r\n]{0,40}\b(start-process|saps|invoke-item|ii|rundll32)\s/ nocase ascii wide
    condition:
        filesize < 2MB and any of them
}

rule SQUALL_PowerShell_Compressed_Loader : POWERSHELL OBFUSCATION T1059_001 T1027 {
    meta:
        description = "PowerShell code that decodes, decompresses and runs a literal"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1027/"
        id = "d3e77fa7-ff37-592e-bab7-9ae7e55a1749"
        falsepositive = "Self-extracting installation scripts"
    strings:
        $decode = "FromBase64String" nocase ascii wide
        $inflate1 = "IO.Compression.GzipStream" nocase ascii wide
        $inflate2 = "IO.Compression.DeflateStream" nocase ascii wide
        $mode = /CompressionMode\]?\s{0,2}::\s{0,2}Decompress/ nocase ascii wide
        $run1 = /\b(iex|invoke-expression)\b/ nocase ascii wide
        $run2 = /&\s{0,2}\(\s{0,2}\[scriptblock\]::create/ nocase ascii wide
        $run3 = /\[scriptblock\]::create\s{0,2}\(/ nocase ascii wide
        $run4 = /\[(System\.)?Reflection\.Assembly\]::Load\s{0,2}\(/ nocase ascii wide
    condition:
        filesize < 10MB and $decode and any of ($inflate*) and $mode and any of ($run*)
}

rule SQUALL_PowerShell_AMSI_Bypass : POWERSHELL EVASION T1562_001 {
    meta:
        description = "PowerShell code that switches off the scan interface of the system"
        author = "Squall project"
        date = "2026-11-24"
        score = 85
        reference = "https://attack.mitre.org/techniques/T1562/001/"
        id = "74a58baf-166d-502d-aafb-3d706cb00bf2"
        falsepositive = "Detection rules and reports"
    strings:
        $field = /amsi(InitFailed|Context|Session)["']/ nocase ascii wide
        $reflect = /\.GetField\s{0,2}\(|\[Ref\]\.Assembly\.GetType/ nocase ascii wide
        $set = /\.SetValue\s{0,2}\(|WriteInt(Ptr|32)\s{0,2}\(/ nocase ascii wide
        $types = /\.GetTypes\s{0,2}\(\s{0,2}\)/ nocase ascii wide
        $like = /-(like|match)\s{1,4}["'][*.]{1,2}(amsi|msi|si|i)Utils["']/ nocase ascii wide
        $buffer = /Amsi(ScanBuffer|OpenSession|ScanString)["']/ nocase ascii wide
        $patch1 = "VirtualProtect" nocase ascii wide
        $patch2 = /Marshal\]?(::|\.)Copy/ nocase ascii wide
    condition:
        filesize < 5MB and uint16(0) != 0x5A4D and (($field and $reflect and $set) or ($types and $like) or ($buffer and all of ($patch*)))
}

rule SQUALL_PowerShell_Shellcode_Runner : POWERSHELL INJECTION T1059_001 T1055 {
    meta:
        description = "PowerShell code that copies machine code into memory and starts it"
        author = "Squall project"
        date = "2026-11-24"
        score = 82
        reference = "https://attack.mitre.org/techniques/T1055/"
        id = "50d611df-155f-5521-bafa-a84b5038fcba"
        falsepositive = "Offensive training material"
    strings:
        $alloc = /\bVirtualAlloc(Ex)?\b/ ascii wide nocase
        $copy1 = /Marshal\]?(::|\.)Copy/ nocase ascii wide
        $copy2 = "WriteProcessMemory" ascii wide nocase
        $copy3 = /\bmemset\b/ ascii wide nocase
        $start1 = /\bCreateThread\b/ ascii wide nocase
        $start2 = "CreateRemoteThread" ascii wide nocase
        $start3 = "GetDelegateForFunctionPointer" ascii wide nocase
        $bytes1 = /\[byte\[\]\]\s{0,2}\$?\w{0,20}\s{0,2}=?\s{0,2}(@\(\s{0,2})?\(?\s{0,2}0x[0-9a-f]{2}\s{0,2},/ nocase ascii wide
        $bytes2 = "FromBase64String" nocase ascii wide
        $script1 = "Add-Type" nocase ascii wide
        $script2 = "[DllImport(" nocase ascii wide
        $script3 = "function " nocase ascii wide
        $script4 = "[System.Runtime.InteropServices" nocase ascii wide
    condition:
        filesize < 5MB and uint16(0) != 0x5A4D and $alloc and any of ($copy*) and any of ($start*)
        and any of ($bytes*) and any of ($script*)
}

rule SQUALL_PowerShell_Split_Command_Names : POWERSHELL OBFUSCATION T1027_010 {
    meta:
        description = "PowerShell code that spells command names in pieces"
        author = "Squall project"
        date = "2026-11-24"
        score = 68
        reference = "https://attack.mitre.org/techniques/T1027/010/"
        id = "6c928024-5f32-58e7-9aac-4b202472776a"
        falsepositive = "Code protected by an obfuscator"
    strings:
        $tick = /\b(i`e`?x|ie`x|in`?v`?o`?k`?e`?-`?e`xpression|d`?ow`nload`?s`?tring|new-`?ob`ject|ne`w-`?object)\b/ nocase ascii wide
        $format = /&?\s{0,2}\(\s{0,2}["']\{\d\}\{\d\}(\{\d\}){0,12}["']\s{0,2}-f\s{0,2}["'][^"'\r\n]{1,12}["']\s{0,2},\s{0,2}["'][^"'\r\n]{1,12}["']/ nocase ascii wide
        $plus = /&\s{0,2}\(\s{0,2}["']i["']\s{0,2}\+\s{0,2}["'](e["']\s{0,2}\+\s{0,2}["']x|ex)["']\s{0,2}\)/ nocase ascii wide
        $char = /(\[char\]\s{0,2}(0x)?[0-9a-f]{2,3}\s{0,2}\+\s{0,2}){8}/ nocase ascii wide
        $environment = /\$(env:comspec|pshome|shellid|verbosepreference)[^\r\n]{0,20}\[\s{0,2}\d{1,2}\s{0,2}(,|\]\s{0,2}\+)[^\r\n]{0,60}(-join|["']x["'])/ nocase ascii wide
    condition:
        filesize < 5MB and ($tick or $plus or $char or $environment or #format > 4)
}

rule SQUALL_PowerShell_Encoded_Keywords : POWERSHELL OBFUSCATION T1059_001 T1027 {
    meta:
        description = "Base64 of PowerShell code that downloads or runs something"
        author = "Squall project"
        date = "2026-11-24"
        score = 65
        reference = "https://attack.mitre.org/techniques/T1027/"
        id = "1353a670-8b93-5d75-bb41-7d28e1c2a158"
        falsepositive = "Management agents that encode their commands"
    strings:
        $keyword1 = "DownloadString" wide base64
        $keyword2 = "Net.WebClient" wide base64
        $keyword3 = "Invoke-Expression" wide base64
        $keyword4 = "DownloadFile" wide base64
        $keyword5 = "Reflection.Assembly" wide base64
        $keyword6 = "FromBase64String" wide base64
        $keyword7 = "IO.MemoryStream" wide base64
        $keyword8 = "Invoke-WebRequest" wide base64
        $keyword9 = "Start-Process" wide base64
    condition:
        filesize < 20MB and 2 of them
}

rule SQUALL_PowerShell_Offensive_Function : POWERSHELL HACKTOOL T1059_001 {
    meta:
        description = "Names of functions from public PowerShell attack toolkits"
        author = "Squall project"
        date = "2026-11-24"
        score = 76
        reference = "https://attack.mitre.org/techniques/T1059/001/"
        id = "258bab32-5285-5d91-b656-581be1c69fb6"
        falsepositive = "Detection rules, reports and training material"
    strings:
        $name1 = "Invoke-Mimikatz" nocase ascii wide
        $name2 = "Invoke-ReflectivePEInjection" nocase ascii wide
        $name3 = "Invoke-Kerberoast" nocase ascii wide
        $name4 = "Invoke-BloodHound" nocase ascii wide
        $name5 = "Invoke-DCSync" nocase ascii wide
        $name6 = "Invoke-TokenManipulation" nocase ascii wide
        $name7 = "Invoke-Shellcode" nocase ascii wide
        $name8 = "Get-GPPPassword" nocase ascii wide
        $name9 = "Invoke-PowerShellTcp" nocase ascii wide
        $name10 = "Invoke-AllChecks" nocase ascii wide
        $name11 = "Invoke-SMBExec" nocase ascii wide
        $name12 = "Invoke-NinjaCopy" nocase ascii wide
        $call = /\b(function|iex|import-module|powershell)\b/ nocase ascii wide
        $direct = /\bInvoke-(Mimikatz|DCSync)\s{1,4}-(DumpCreds|DumpCerts|Command|PWDumpFormat|AllData|ComputerName)\b/ nocase ascii wide
    condition:
        filesize < 5MB and ($direct or $call) and ($direct or 2 of ($name*) or for any of ($name1, $name2, $name5, $name7, $name9, $name11) : (# > 1))
}
