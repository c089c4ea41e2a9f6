/*
    Files that pretend to be something else: the content says one thing, the
    name under which the sender has it another.
*/

rule SQUALL_Disguise_Program_As_Document : DISGUISE T1036_008 {
    meta:
        description = "Windows program under the extension of a document, picture or archive"
        author = "Squall project"
        date = "2026-11-24"
        score = 82
        reference = "https://attack.mitre.org/techniques/T1036/008/"
        id = "0983ad46-7a43-51f5-95ee-818cf117129e"
        falsepositive = "Programs renamed to pass a mail filter"
    condition:
        uint16(0) == 0x5A4D and uint32(uint32(0x3C)) == 0x00004550
        and extension matches /^\.(pdf|docx?|docm|rtf|xlsx?|xlsm|pptx?|odt|ods|txt|csv|jpe?g|png|gif|bmp|ico|svg|webp|mp3|mp4|avi|mov|wav|zip|rar|7z|gz|html?|xml|json|css|log|eml|msg|lnk|ttf|woff2?)$/
}

rule SQUALL_Disguise_Program_Double_Extension : DISGUISE T1036_007 {
    meta:
        description = "Windows program whose name ends in the extension of a document and that of a program"
        author = "Squall project"
        date = "2026-11-24"
        score = 84
        reference = "https://attack.mitre.org/techniques/T1036/007/"
        id = "940caed5-9d81-5ba1-9923-d844b0d2d568"
    condition:
        uint16(0) == 0x5A4D
        and filename matches /\.(pdf|docx?|docm|rtf|xlsx?|xlsm|pptx?|odt|txt|csv|jpe?g|png|gif|bmp|mp3|mp4|avi|mov|wav|zip|rar|html?|xml|eml)[\s_]{0,200}\.(exe|scr|com|pif|cpl|bat|cmd)$/i
}

rule SQUALL_Disguise_Script_Double_Extension : DISGUISE T1036_007 {
    meta:
        description = "Script or shortcut whose name ends in the extension of a document and that of a script"
        author = "Squall project"
        date = "2026-11-24"
        score = 72
        reference = "https://attack.mitre.org/techniques/T1036/007/"
        id = "6693f5e4-7c32-5b2f-aaf7-b5125cfa47bc"
        falsepositive = "Templates of scripts that are named after the file they make"
    condition:
        uint16(0) != 0x5A4D
        and filename matches /\.(pdf|docx?|docm|rtf|xlsx?|xlsm|pptx?|odt|jpe?g|png|gif|bmp|mp3|mp4|avi|mov|wav|zip|rar|eml)[\s_]{0,200}\.(js|jse|vbs|vbe|wsf|wsh|hta|ps1|bat|cmd|lnk|scr|pif|url|jar)$/i
}

rule SQUALL_Disguise_Many_Spaces_Before_Extension : DISGUISE T1036 {
    meta:
        description = "File name that pushes its real extension out of sight with blanks"
        author = "Squall project"
        date = "2026-11-24"
        score = 76
        reference = "https://attack.mitre.org/techniques/T1036/"
        id = "3e3fc37a-414c-5488-b4ca-702601f9a162"
    condition:
        filename matches /\s{12,200}\.(exe|scr|com|pif|cpl|bat|cmd|js|jse|vbs|vbe|wsf|hta|ps1|lnk|jar|msi)$/i
}

rule SQUALL_Disguise_Reversed_Name : DISGUISE T1036_002 {
    meta:
        description = "File name with a character that reverses the letters behind it on the screen"
        author = "Squall project"
        date = "2026-11-24"
        score = 76
        reference = "https://attack.mitre.org/techniques/T1036/002/"
        id = "c6efbf53-c750-5dd9-aca8-1c8b11252a04"
        falsepositive = "Names in right-to-left writing"
    condition:
        // U+202E in UTF-8.
        filename contains "\xE2\x80\xAE"
}

rule SQUALL_Disguise_UPX_Odd_Name : DISGUISE PACKER T1027_002 {
    meta:
        description = "Windows program packed with UPX under an extension that is not one of a program"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1027/002/"
        id = "f4ee6f9f-9c8d-5342-8dcd-c899bbfe5c1c"
    strings:
        $first = "UPX0" fullword
        $second = "UPX1" fullword
        $mark = "UPX!"
    condition:
        uint16(0) == 0x5A4D and uint32(uint32(0x3C)) == 0x00004550
        and $first in (0..2048) and $second in (0..2048) and $mark in (0..4096)
        and not extension matches /^\.(exe|dll|ocx|sys|cpl|scr|com|ax|efi|pyd|node|mui|drv|tsp|bpl|xll|addin)?$/
}

rule SQUALL_Disguise_UPX_System_Name : DISGUISE PACKER T1036_005 T1027_002 {
    meta:
        description = "Windows program packed with UPX under the name of a program of the system"
        author = "Squall project"
        date = "2026-11-24"
        score = 80
        reference = "https://attack.mitre.org/techniques/T1036/005/"
        id = "32d11a86-a69a-5763-b6be-42dfbb728507"
    strings:
        $first = "UPX0" fullword
        $second = "UPX1" fullword
    condition:
        uint16(0) == 0x5A4D and $first in (0..2048) and $second in (0..2048)
        and filename matches /^(svchost|lsass|lsm|csrss|smss|wininit|winlogon|services|spoolsv|explorer|taskhost|taskhostw|taskmgr|rundll32|dllhost|conhost|dwm|ctfmon|wuauclt|msiexec|sihost|runtimebroker|searchindexer|msmpeng)\.exe$/i
}

rule SQUALL_Disguise_System_Name_Wrong_Folder : DISGUISE T1036_005 {
    meta:
        description = "Windows program with the name of a system process outside the folder of the system"
        author = "Squall project"
        date = "2026-11-24"
        score = 72
        reference = "https://attack.mitre.org/techniques/T1036/005/"
        id = "a7e8b9b9-01e7-577a-87de-66849939d9d6"
        falsepositive = "Copies of system files in backups and images"
    condition:
        uint16(0) == 0x5A4D
        and filename matches /^(svchost|lsass|lsm|csrss|smss|wininit|winlogon|services|spoolsv|taskhost|taskhostw|dllhost|dwm|sihost|lsaiso|wuauclt)\.exe$/i
        and filepath matches /^[a-z]:\\/i
        and not filepath matches /\\(system32|syswow64|sysarm32|winsxs|servicing|system32\\dllcache|softwaredistribution|servicepackfiles|\$windows\.~bt|windows\.old|i386|installer)(\\|$)/i
}

rule SQUALL_Disguise_ELF_As_Document : DISGUISE LINUX T1036_008 {
    meta:
        description = "Linux program under the extension of a document, picture or log"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1036/008/"
        id = "64ac9aec-dc04-5f2f-92ef-c1c29c967aa5"
    condition:
        uint32be(0) == 0x7F454C46
        and extension matches /^\.(pdf|docx?|rtf|xlsx?|pptx?|odt|txt|csv|jpe?g|png|gif|bmp|ico|svg|webp|mp3|mp4|avi|mov|wav|zip|rar|html?|xml|json|css|js|php|log|eml|conf|ini|ttf|woff2?)$/
}

rule SQUALL_Disguise_ELF_Hidden_Temporary : DISGUISE LINUX T1564_001 {
    meta:
        description = "Linux program in a hidden place of a folder anybody can write to"
        author = "Squall project"
        date = "2026-11-24"
        score = 76
        reference = "https://attack.mitre.org/techniques/T1564/001/"
        id = "dc16d75e-d367-577b-9ef6-0ce5b5ed87e0"
        falsepositive = "Build tools that unpack programs there"
    condition:
        uint32be(0) == 0x7F454C46
        and filepath matches /^(\/tmp|\/var\/tmp|\/dev\/shm|\/run\/shm|\/dev\/mqueue)(\/|$)/
        and (filename matches /^\.[^\/]/ or filepath matches /\/(\.|\.\.\.|\. )[^\/]{0,60}$/)
        and not filepath matches /\/\.(mount_|org\.chromium|X11-unix|ICE-unix)/
}

rule SQUALL_Disguise_Kernel_Thread_Name : DISGUISE LINUX T1036_004 {
    meta:
        description = "Linux program with the name of a kernel thread"
        author = "Squall project"
        date = "2026-11-24"
        score = 80
        reference = "https://attack.mitre.org/techniques/T1036/004/"
        id = "923a8ffb-9673-5ef6-b65d-55893400ca0b"
    condition:
        uint32be(0) == 0x7F454C46
        and filename matches /^(\[[a-z][\w:.\-]{2,40}\]|(kworkerds?|ksoftirqds?|kthreadd[ik]?|kdevtmpfsi|kauditd0?|rcu_sched|kswapd\d{0,2}|kthrotlds?|ksmd|khugepageds?|watchdogd)([:\-][\w:.\-]{0,20})?)$/
}

rule SQUALL_Disguise_Script_As_Media : DISGUISE WEBSHELL T1036_008 {
    meta:
        description = "Script under the extension of a picture, font or style sheet"
        author = "Squall project"
        date = "2026-11-24"
        score = 74
        reference = "https://attack.mitre.org/techniques/T1036/008/"
        id = "41301ade-9267-5d4c-afd0-e4755b21c72b"
        falsepositive = "Style sheets that are made by a script"
    strings:
        $php = /<\?(php\s|=\s{0,4}[\$`@])/ nocase
        $asp = /<%@?\s{0,4}(page|language|eval|execute|response|dim)\b/ nocase
    condition:
        filesize < 5MB
        and extension matches /^\.(jpe?g|png|gif|bmp|ico|webp|ttf|woff2?|eot|mp3|mp4|avi)$/
        and ($php in (0..64) or $asp in (0..64) or uint32be(0) == 0x23212F62 or uint32be(0) == 0x23212F75)
}

rule SQUALL_Disguise_Program_Behind_Picture : DISGUISE T1027_003 {
    meta:
        description = "Picture file that carries a Windows program"
        author = "Squall project"
        date = "2026-11-24"
        score = 72
        reference = "https://attack.mitre.org/techniques/T1027/003/"
        id = "dc426314-71ba-5176-aa97-7216fe2a879c"
        falsepositive = "Firmware and installer images"
    strings:
        $program = /MZ[\x00-\xff]{76}This program cannot be run in DOS mode/
        $program_short = /MZ[\x00-\xff]{62,200}!This program cannot be run in DOS mode/
    condition:
        filesize < 100MB and any of them
        and (uint32be(0) == 0x89504E47 or uint32be(0) == 0x47494638 or (uint16be(0) == 0xFFD8 and uint8(2) == 0xFF))
}
