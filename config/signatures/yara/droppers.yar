/*
    Droppers and downloaders: files that bring the next stage, and commands
    that fetch it with programs every system has.
*/

rule SQUALL_Dropper_LNK_Script : DROPPER LNK T1204_002 T1059 {
    meta:
        description = "Shortcut that starts a script host with code or an address in its arguments"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1204/002/"
        id = "16bfb27c-2700-502d-85ee-9c0b195ac2f4"
        falsepositive = "Shortcuts made by administrators for scripts"
    strings:
        $host = /\b(powershell|pwsh|mshta|wscript|cscript|cmd|rundll32|regsvr32|conhost|forfiles|msiexec|curl)(\.exe)?\b/ nocase ascii wide
        $action1 = /https?:\/\/[\w.\-]{3}/ nocase wide
        $action2 = /[-\/]e(nc|c|ncodedcommand)?\s{1,4}[A-Za-z0-9+\/]{40}/ nocase wide
        $action3 = /[-\/]w[a-z]{0,10}\s{1,4}(hidden|1)\b/ nocase wide
        $action4 = "FromBase64String" nocase wide
        $action5 = "DownloadString" nocase wide
        $action6 = /\b(javascript|vbscript):/ nocase wide
        $action7 = /%(temp|tmp|appdata|public)%\\[\w\-]{1,40}\.(exe|dll|js|jse|vbs|vbe|hta|ps1|bat|cmd|scr)/ nocase wide
        $action8 = /\bfindstr\b[^\r\n]{0,120}\.lnk/ nocase wide
        $action9 = /\\\\[\w.\-]{4,60}@?(80|443|SSL)?\\[\w\-$\\]{1,60}\.(exe|dll|js|vbs|hta|ps1|bat|cmd)/ nocase wide
    condition:
        // Header size and class identifier of a shell link.
        filesize < 20MB and uint32(0) == 0x4C and uint32(4) == 0x00021401 and $host and any of ($action*)
}

rule SQUALL_Dropper_LNK_Payload : DROPPER LNK T1027_009 {
    meta:
        description = "Shortcut that carries a program or archive behind its own data"
        author = "Squall project"
        date = "2026-11-24"
        score = 76
        reference = "https://attack.mitre.org/techniques/T1027/009/"
        id = "21497198-c74e-5116-b020-200cf5721893"
    strings:
        $pe = "This program cannot be run in DOS mode"
        $pe_encoded = "This program cannot be run in DOS mode" base64
        $zip = { 50 4B 03 04 14 00 }
        $cab = { 4D 53 43 46 00 00 00 00 }
        $hta = "<hta:application" nocase
    condition:
        filesize > 2KB and filesize < 100MB and uint32(0) == 0x4C and uint32(4) == 0x00021401 and any of them
}

rule SQUALL_Dropper_HTA : DROPPER HTA T1218_005 {
    meta:
        description = "HTML application that runs a hidden command or stores a download"
        author = "Squall project"
        date = "2026-11-24"
        score = 76
        reference = "https://attack.mitre.org/techniques/T1218/005/"
        id = "9cae3148-0e30-5486-bb2e-9775c6457f22"
        falsepositive = "Installers and logon scripts made as HTML applications"
    strings:
        $tag = "<hta:application" nocase
        $script = /<script\b/ nocase
        $object1 = "wscript.shell" nocase
        $object2 = "shell.application" nocase
        $object3 = "winmgmts:" nocase
        $hostile1 = /powershell[^\r\n]{0,120}(-w[a-z]{0,10}\s{1,4}hidden|-e(nc|c)?\b|bypass|downloadstring|\biex\b)/ nocase
        $hostile2 = "adodb.stream" nocase
        $hostile3 = /\b(bitsadmin|certutil|mshta|regsvr32)\b[^\r\n]{0,80}https?:/ nocase
        $hostile4 = /(msxml2\.(server)?xmlhttp|microsoft\.xmlhttp|winhttp\.winhttprequest)/ nocase
        $hostile5 = /cmd(\.exe)?\s{1,4}\/c[^\r\n]{0,160}(https?:|%temp%|%appdata%)/ nocase
    condition:
        filesize < 5MB and ($tag or extension == ".hta") and $script and any of ($object*) and any of ($hostile*)
}

rule SQUALL_Dropper_Script_Download_Run : DROPPER JAVASCRIPT VBSCRIPT T1059_005 T1059_007 T1105 {
    meta:
        description = "Windows script that downloads a file, stores it and runs it"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1105/"
        id = "9f9d4efb-da5b-5e60-b944-181399eeb27e"
        falsepositive = "Software deployment scripts of administrators"
    strings:
        $http = /(msxml2\.(server)?xmlhttp|microsoft\.xmlhttp|winhttp\.winhttprequest)/ nocase ascii wide
        $stream = "adodb.stream" nocase ascii wide
        $save = /\.\s{0,2}savetofile\b/ nocase ascii wide
        $run = /\.\s{0,2}(run|exec|shellexecute)\s{0,2}[\(\s"']/ nocase ascii wide
        $shell = /(wscript\.shell|shell\.application)/ nocase ascii wide
    condition:
        filesize < 5MB and uint16(0) != 0x5A4D and all of them
}

rule SQUALL_Dropper_Scriptlet : DROPPER SCT T1218_010 {
    meta:
        description = "Component script that starts a program when it is registered"
        author = "Squall project"
        date = "2026-11-24"
        score = 76
        reference = "https://attack.mitre.org/techniques/T1218/010/"
        id = "7ac1bcc7-3c36-57d2-8f54-54ef5905aca6"
        falsepositive = "Component scripts of old applications"
    strings:
        $root = /<scriptlet\b/ nocase ascii wide
        $registration = /<registration\b/ nocase ascii wide
        $object = /(activexobject|createobject)\s{0,2}\(\s{0,2}["'](wscript\.shell|shell\.application|msxml2\.|scripting\.filesystemobject)/ nocase ascii wide
        $run = /\.\s{0,2}(run|exec|shellexecute)\s{0,2}\(/ nocase ascii wide
    condition:
        filesize < 1MB and all of them
}

rule SQUALL_Dropper_Certutil : DROPPER LOLBIN T1105 T1140 {
    meta:
        description = "Command line that downloads or decodes a program with certutil"
        author = "Squall project"
        date = "2026-11-24"
        score = 72
        reference = "https://attack.mitre.org/techniques/T1105/"
        id = "1f9160da-3d5e-55c1-8a0b-a7e75baf53f1"
        falsepositive = "Administrators who know the trick"
    strings:
        $download = /\bcertutil(\.exe)?["']?\s[^\r\n]{0,60}[-\/](urlcache|verifyctl)\s[^\r\n]{0,80}(https?|ftp):\/\// nocase ascii wide
        $decode = /\bcertutil(\.exe)?["']?\s[^\r\n]{0,40}[-\/]decode(hex)?\s[^\r\n]{0,200}\.(exe|dll|scr|bat|cmd|vbs|js|ps1|hta)\b/ nocase ascii wide
    condition:
        filesize < 5MB and any of them
}

rule SQUALL_Dropper_Bitsadmin : DROPPER LOLBIN T1197 {
    meta:
        description = "Command line that downloads a program with bitsadmin"
        author = "Squall project"
        date = "2026-11-24"
        score = 68
        reference = "https://attack.mitre.org/techniques/T1197/"
        id = "392488cb-ce4f-5a05-9701-b701ba78e22f"
        falsepositive = "Software deployment scripts"
    strings:
        $transfer = /\bbitsadmin(\.exe)?["']?\s[^\r\n]{0,80}[-\/](transfer|addfile)\s[^\r\n]{0,120}https?:\/\/[^\r\n]{0,200}\.(exe|dll|scr|bat|cmd|vbs|js|ps1|hta|zip|txt|jpg|png|dat|bin)\b/ nocase ascii wide
        $notify = /\bbitsadmin(\.exe)?["']?\s[^\r\n]{0,80}[-\/]setnotifycmdline\s/ nocase ascii wide
    condition:
        filesize < 5MB and any of them
}

rule SQUALL_Dropper_Signed_Program_Abuse : DROPPER LOLBIN T1218 {
    meta:
        description = "Command line that makes a program of Windows run a script from the network or from its arguments"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1218/"
        id = "ec69a86f-a7e3-5e60-9e45-34f101bbc147"
        falsepositive = "Detection rules and reports"
    strings:
        $regsvr32 = /\bregsvr32(\.exe)?["']?\s[^\r\n]{0,60}[-\/]i:["']?(https?|ftp):\/\/[^\r\n]{0,200}scrobj/ nocase ascii wide
        $mshta = /\bmshta(\.exe)?["']?\s{1,4}["']?(https?:\/\/|vbscript:|javascript:|about:["']?<script)/ nocase ascii wide
        $rundll32 = /\brundll32(\.exe)?["']?\s{1,4}["']?javascript:/ nocase ascii wide
        $rundll32_url = /\brundll32(\.exe)?["']?\s{1,4}[^\r\n]{0,40}(url\.dll,\s{0,2}(FileProtocolHandler|OpenURL)|ieframe\.dll,\s{0,2}OpenURL)[^\r\n]{1,60}\.(exe|hta|js|vbs|url)\b/ nocase ascii wide
        $wmic = /\bwmic(\.exe)?["']?\s[^\r\n]{0,60}[-\/]format\s{0,2}:\s{0,2}["']?(https?|ftp):\/\// nocase ascii wide
        $msiexec = /\bmsiexec(\.exe)?["']?\s[^\r\n]{0,40}[-\/]q[a-z]{0,2}\b[^\r\n]{0,40}[-\/]i\s{1,4}["']?https?:\/\/\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}/ nocase ascii wide
        $installutil = /\binstallutil(\.exe)?["']?\s[^\r\n]{0,60}[-\/]logfile=\s[^\r\n]{0,60}[-\/]u\s/ nocase ascii wide
    condition:
        filesize < 5MB and any of them
}

rule SQUALL_Dropper_Shell_From_Address : DROPPER LINUX T1105 T1059_004 {
    meta:
        description = "Command line that fetches a script from a bare network address and runs it"
        author = "Squall project"
        date = "2026-11-24"
        score = 72
        reference = "https://attack.mitre.org/techniques/T1105/"
        id = "3a3fca36-51f1-5c37-8188-b3e24f0b12a7"
        falsepositive = "Laboratory and provisioning scripts"
    strings:
        $pipe = /\b(curl|wget|lwp-download|fetch)\s[^\r\n|;]{0,120}\b(https?:\/\/)?\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(:\d{1,5})?\/[^\r\n|;]{0,160}\|\s{0,4}(sudo\s{1,4})?(\/bin\/|\/usr\/bin\/)?((ba|da|z|k)?sh|python[23]?|perl)\b/
        $chain = /\b(curl|wget)\s[^\r\n|;]{0,120}\b(https?:\/\/)?\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(:\d{1,5})?\/[^\r\n|;]{0,160}(;|&&)[^\r\n]{0,80}\bchmod\s{1,4}(\+x|a\+x|[0-7]?7[0-7]{2})[^\r\n]{0,120}(;|&&)\s{0,4}\.?\/?[\w.\-\/]{1,60}/
        $onion = /\b(curl|wget)\s[^\r\n]{0,160}\.onion(\.\w{2,6})?\/[^\r\n]{0,160}\|\s{0,4}(ba|da)?sh\b/
    condition:
        filesize < 2MB and any of them
}

rule SQUALL_Dropper_Many_Architectures : DROPPER LINUX BOTNET T1105 {
    meta:
        description = "Shell script that fetches and tries one program for many processor types"
        author = "Squall project"
        date = "2026-11-24"
        score = 84
        reference = "https://attack.mitre.org/techniques/T1105/"
        id = "2faf0a08-6f88-55cc-90de-227874d24b46"
    strings:
        $fetch = /\b(wget|curl|tftp|ftpget)\s/
        $mode = /\bchmod\s{1,4}(\+x|a\+x|[0-7]?7[0-7]{2})/
        $cpu1 = /[\/.](mipsel|mpsl)\b/
        $cpu2 = /[\/.]mips\b/
        $cpu3 = /[\/.](arm[4-7]?|arm[4-7]l|armv[4-7]l)\b/
        $cpu4 = /[\/.](sh4|superh)\b/
        $cpu5 = /[\/.](ppc|powerpc)\b/
        $cpu6 = /[\/.](m68k|sparc|spc)\b/
        $cpu7 = /[\/.](x86|i[4-6]86|x86_64)\b/
        $cleanup = /\brm\s{1,4}-[rf]{1,2}\s/
    condition:
        filesize < 64KB and #fetch > 3 and #mode > 2 and 4 of ($cpu*) and $cleanup
}

rule SQUALL_Dropper_HTML_Smuggling : DROPPER HTML T1027_006 {
    meta:
        description = "Web page that builds a program or archive from a literal and stores it without a download"
        author = "Squall project"
        date = "2026-11-24"
        score = 76
        reference = "https://attack.mitre.org/techniques/T1027/006/"
        id = "9c15b8a3-eb95-5399-9bc5-eba011952fc8"
        falsepositive = "Web applications that export archives"
    strings:
        $blob = /new\s{1,4}Blob\s{0,2}\(/
        $save1 = "msSaveOrOpenBlob"
        $save2 = "createObjectURL"
        $name = /\.\s{0,2}download\s{0,2}=|\bdownload\s{0,2}=\s{0,2}["']|setAttribute\s{0,2}\(\s{0,2}["']download["']/
        $decode = /\batob\s{0,2}\(|charCodeAt\s{0,2}\(|Uint8Array\.from/
        // Base64 of the first bytes of EXE, ZIP, OLE, RAR, 7z and ISO-like files.
        $literal = /["'`](TVqQ|TVpQ|TVoA|UEsDB|0M8R4KGx|UmFyI|N3q8r|TVNDRg)[A-Za-z0-9+\/]{60}/
    condition:
        filesize < 50MB and $blob and any of ($save*) and $name and $decode and $literal
}

rule SQUALL_Dropper_Encoded_Program : DROPPER OBFUSCATION T1027 {
    meta:
        description = "Script or text that carries a Windows program in base64"
        author = "Squall project"
        date = "2026-11-24"
        score = 62
        reference = "https://attack.mitre.org/techniques/T1027/009/"
        id = "fba876c4-8e47-5f43-bce8-cf7044004c71"
        falsepositive = "Installers and build tools that embed programs"
    strings:
        $program = /TV(qQAAMAAAAEAAAA\/\/8AALgA|pQAAIAAAAEAA8A\/\/8AALgA|oAAAAAAAAAAAAA)[A-Za-z0-9+\/]{200}/ ascii wide
    condition:
        // Mail wraps its lines, which this pattern does not allow: attachments
        // are unpacked and looked at themselves.
        filesize < 50MB and uint16(0) != 0x5A4D and uint32be(0) != 0x7F454C46 and $program
}

rule SQUALL_Dropper_Reversed_Program : DROPPER OBFUSCATION T1027 {
    meta:
        description = "Script or text that carries a Windows program in reversed base64 or in hex digits"
        author = "Squall project"
        date = "2026-11-24"
        score = 70
        reference = "https://attack.mitre.org/techniques/T1027/"
        id = "dbd0a186-7a4d-56f5-a1d7-fb76b5a78282"
    strings:
        $reversed = /[A-Za-z0-9+\/]{200}AgLAA8\/\/AAAAEAAAAMAAQqVT/ ascii wide
        $hex = /\b(0x)?4d5a90000300000004000000ffff0000b8[0-9a-f]{200}/ nocase ascii wide
    condition:
        filesize < 50MB and uint16(0) != 0x5A4D and uint32be(0) != 0x7F454C46 and any of them
}

rule SQUALL_Dropper_OneNote : DROPPER ONENOTE T1204_002 {
    meta:
        description = "OneNote notebook page with an embedded script or program"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1204/002/"
        id = "70fa5437-814b-5cfb-9e67-1374c28ae1b6"
        falsepositive = "Notebooks with attached scripts"
    strings:
        // Header of an embedded file: its identifier, 20 bytes of lengths, the content.
        $program = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC [20] 4D 5A }
        $html = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC [20-64] 3C ( 68 74 61 3A | 73 63 72 69 70 74 | 48 54 41 3A | 21 44 4F 43 54 | 68 74 6D 6C ) }
        $batch = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC [20-64] 40 ( 65 63 68 6F | 45 43 48 4F | 73 65 74 | 69 66 ) }
        $shortcut = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC [20] 4C 00 00 00 01 14 02 00 }
        $host = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC [20-512] ( 70 6F 77 65 72 73 68 65 6C 6C | 57 53 63 72 69 70 74 2E ) }
    condition:
        uint32be(0) == 0xE4525C7B and uint32be(4) == 0x8CD8A74D and any of them
}

rule SQUALL_Dropper_Internet_Shortcut : DROPPER URL T1204_001 T1187 {
    meta:
        description = "Internet shortcut to a program on a remote share or with an icon that sends the user's credentials"
        author = "Squall project"
        date = "2026-11-24"
        score = 68
        reference = "https://attack.mitre.org/techniques/T1187/"
        id = "111d5924-4104-5dff-a0ee-d8469b0e4da2"
        falsepositive = "Shortcuts to programs on the file server of the organisation"
    strings:
        $section = "[InternetShortcut]" nocase ascii wide
        $share = /\bURL\s{0,2}=\s{0,2}(file:)?[\\\/]{2,5}[\w.\-]{3,80}(@(80|443|8080|SSL))?[\\\/][^\r\n]{1,200}\.(exe|hta|js|jse|vbs|vbe|lnk|cmd|bat|scr|cpl|msi|wsf|url|zip|jar)\b/ nocase ascii wide
        $icon = /\bIconFile\s{0,2}=\s{0,2}(file:)?[\\\/]{2,5}\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(@\w{2,5})?[\\\/]/ nocase ascii wide
    condition:
        filesize < 64KB and $section and any of ($share, $icon)
}

rule SQUALL_Dropper_RTF_Object : DROPPER RTF T1203 {
    meta:
        description = "RTF document with an object that loads by itself or belongs to the Equation Editor"
        author = "Squall project"
        date = "2026-11-24"
        score = 76
        reference = "https://attack.mitre.org/techniques/T1203/"
        id = "ad161b40-dee4-5cb2-9982-46ad5addc419"
        falsepositive = "Documents with linked objects"
    strings:
        $object = "\\objdata"
        $update = "\\objupdate"
        // `Equation.3` and `equation.3` in hex digits, and its class identifier.
        $equation = /4571756174696f6e2e33|6571756174696f6e2e33|02ce020000000000c000000000000046/ nocase
        $package = /5061636b61676500/ nocase
    condition:
        filesize < 50MB and uint32be(0) == 0x7B5C7274 and $object and ($equation or ($update and $package) or ($update and #object > 1))
}

rule SQUALL_Dropper_PDF_Launch : DROPPER PDF T1204_002 {
    meta:
        description = "PDF document that starts a program or unpacks an attachment when it is opened"
        author = "Squall project"
        date = "2026-11-24"
        score = 76
        reference = "https://attack.mitre.org/techniques/T1204/002/"
        id = "090376e0-02c1-5062-a061-12b711512d45"
    strings:
        $launch = /\/S\s{0,4}\/Launch\b/
        $program = /\/(F|P|Unix|Win)\s{0,4}[\(<][^)>]{0,200}(cmd|powershell|mshta|wscript|cscript|rundll32|\.exe|\.hta|\.vbs|\.js|\/bin\/)/ nocase
        $export = /exportDataObject\s{0,2}\([^)]{0,120}nLaunch\s{0,2}:\s{0,2}[12]/
    condition:
        filesize < 100MB and uint32be(0) == 0x25504446 and (($launch and $program) or $export)
}

rule SQUALL_Dropper_PDF_Script : DROPPER PDF T1203 {
    meta:
        description = "PDF document that runs obfuscated script code when it is opened"
        author = "Squall project"
        date = "2026-11-24"
        score = 66
        reference = "https://attack.mitre.org/techniques/T1203/"
        id = "fd8b9e09-4db7-53c9-8ed3-f47edc20c7b0"
        falsepositive = "Interactive forms"
    strings:
        $open = /\/(OpenAction|AA)\b/
        $script = /\/(JavaScript|JS)\b/
        $code1 = /\bunescape\s{0,2}\(\s{0,2}["']%u[0-9a-f]{4}/ nocase
        $code2 = /\beval\s{0,2}\(\s{0,2}(String\.fromCharCode|unescape|this\.info|app\.doc)/ nocase
        $code3 = /(util\.printf|Collab\.(collectEmailInfo|getIcon)|media\.newPlayer)\s{0,2}\(/
    condition:
        filesize < 100MB and uint32be(0) == 0x25504446 and $open and $script and any of ($code*)
}

rule SQUALL_Dropper_Shell_Decode_Run : DROPPER LINUX OBFUSCATION T1027 T1059_004 {
    meta:
        description = "Shell command that decodes a literal and runs it"
        author = "Squall project"
        date = "2026-11-24"
        score = 70
        reference = "https://attack.mitre.org/techniques/T1027/"
        id = "6ac40c2d-7019-5417-8945-2facae627029"
        falsepositive = "Self-extracting installation scripts"
    strings:
        $echo = /\becho\s{1,4}(-n\s{1,4})?["']?[A-Za-z0-9+\/]{24,4000}={0,2}["']?\s{0,4}\|\s{0,4}(base64\s{1,4}(-d|-D|--decode)|openssl\s{1,4}(enc\s{1,4}-)?base64\s{1,4}-d|xxd\s{1,4}-r\s{1,4}-p)\s{0,4}\|\s{0,4}(sudo\s{1,4})?(\/bin\/)?((ba|da|z|k)?sh|python[23]?|perl)\b/
        $eval = /\beval\s{1,4}["']?(\$\(|`)\s{0,4}echo\s{1,4}(-n\s{1,4})?["']?[A-Za-z0-9+\/]{24,4000}={0,2}["']?\s{0,4}\|\s{0,4}base64\s{1,4}(-d|-D|--decode)/
        $here = /\bbase64\s{1,4}(-d|-D|--decode)\s{0,4}<<<\s{0,4}["']?[A-Za-z0-9+\/]{24,4000}={0,2}["']?\s{0,4}\|\s{0,4}(ba|da|z)?sh\b/
        $brace = /\{echo,[A-Za-z0-9+\/=]{16,4000}\}\s{0,4}\|\s{0,4}\{base64,(-d|-D|--decode)\}/
        $python = /\bpython[23]?\s{1,4}-c\s{1,4}["'][^\r\n]{0,80}\bexec\s{0,2}\(\s{0,2}(__import__\s{0,2}\(\s{0,2}["']base64["']\s{0,2}\)|base64|zlib|codecs)[^\r\n]{0,60}decode/
    condition:
        filesize < 5MB and any of them
}

rule SQUALL_Dropper_Python_Encoded_Exec : DROPPER PYTHON OBFUSCATION T1027 T1059_006 {
    meta:
        description = "Python code that decodes or decompresses a literal and executes it"
        author = "Squall project"
        date = "2026-11-24"
        score = 70
        reference = "https://attack.mitre.org/techniques/T1027/"
        id = "aea53292-593e-5abe-af47-987bbed4a78a"
        falsepositive = "Self-extracting installers and protected code"
    strings:
        $exec = /\b(exec|eval)\s{0,2}\(\s{0,2}((compile|marshal\.loads|zlib\.decompress|gzip\.decompress|lzma\.decompress|bz2\.decompress|codecs\.decode|bytes\.fromhex|__import__\s{0,2}\(\s{0,2}["'](base64|zlib|marshal|codecs)["']\s{0,2}\)\s{0,2}\.\s{0,2}\w{4,16})\s{0,2}\(\s{0,2}){0,5}(base64\s{0,2}\.\s{0,2})?((b64|b85|b32|a85|b16)decode\s{0,2}\(\s{0,2}|__import__\s{0,2}\(\s{0,2}["']base64["']\s{0,2}\)\s{0,2}\.\s{0,2}(b64|b85|b32)decode\s{0,2}\(\s{0,2})(codecs\.\w{1,10}\(["'][\w\-]{1,10}["']\)\(?)?b?["'][A-Za-z0-9+\/=!-~]{40}/
    condition:
        filesize < 5MB and $exec
}

rule SQUALL_Dropper_Python_Remote_Exec : DROPPER PYTHON T1059_006 T1105 {
    meta:
        description = "Python code that executes what it fetches from the network"
        author = "Squall project"
        date = "2026-11-24"
        score = 74
        reference = "https://attack.mitre.org/techniques/T1059/006/"
        id = "c40d0d11-1447-50e1-8c09-48da5638095e"
        falsepositive = "Installation scripts of old packages"
    strings:
        $direct = /\b(exec|eval)\s{0,2}\(\s{0,2}(compile\s{0,2}\(\s{0,2})?((urllib\.request|urllib2|urllib|request)\s{0,2}\.\s{0,2})?(urlopen|requests\s{0,2}\.\s{0,2}get)\s{0,2}\([^\r\n]{1,200}(\.\s{0,2}read\s{0,2}\(|\.\s{0,2}(text|content)\b)/
        $import = /\b(exec|eval)\s{0,2}\(\s{0,2}__import__\s{0,2}\(\s{0,2}["'](urllib\.request|urllib2|urllib|requests)["'][^\r\n]{1,200}(\.\s{0,2}read\s{0,2}\(|\.\s{0,2}(text|content)\b)/
    condition:
        filesize < 2MB and any of them
}
