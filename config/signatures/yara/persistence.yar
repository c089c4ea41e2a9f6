/*
    Persistence: what makes a program come back after a restart or lets an
    intruder return.
*/

rule SQUALL_Persistence_Cron_Download : PERSISTENCE LINUX T1053_003 T1105 {
    meta:
        description = "Cron entry that fetches a script and runs it"
        author = "Squall project"
        date = "2026-11-24"
        score = 76
        reference = "https://attack.mitre.org/techniques/T1053/003/"
        id = "e55d92a5-5ce1-581e-8f54-1acdb5a43124"
        falsepositive = "Self-made update jobs"
    strings:
        $times = /(^|[\r\n"'`(]|echo -e )\s{0,4}[0-9*][0-9*\/,\-]{0,20}(\s{1,4}[0-9*][0-9*\/,\-]{0,20}){3}\s{1,4}[0-9*a-zA-Z][0-9*\/,\-a-zA-Z]{0,20}\s{1,4}[^\r\n]{0,80}\b(curl|wget|lynx|wd1|cd1)\s[^\r\n]{0,200}(\|\s{0,4}(sudo\s{1,4})?(\/bin\/|\/usr\/bin\/)?(ba|da|z|k)?sh\b|;\s{0,4}(ba|da)?sh\s|&&\s{0,4}(ba|da)?sh\s|chmod\s{1,4}(\+x|a\+x|[0-7]?7[0-7]{2}))/
        $named = /@(reboot|hourly|daily|weekly)\s{1,4}[^\r\n]{0,80}\b(curl|wget)\s[^\r\n]{0,200}(\|\s{0,4}(sudo\s{1,4})?(\/bin\/|\/usr\/bin\/)?(ba|da|z|k)?sh\b|;\s{0,4}(ba|da)?sh\s|chmod\s{1,4}(\+x|a\+x|[0-7]?7[0-7]{2}))/
    condition:
        filesize < 1MB and any of them
}

rule SQUALL_Persistence_Cron_Hidden_Program : PERSISTENCE LINUX T1053_003 T1564_001 {
    meta:
        description = "Cron entry that runs a program from a hidden place in a folder anybody can write to"
        author = "Squall project"
        date = "2026-11-24"
        score = 70
        reference = "https://attack.mitre.org/techniques/T1053/003/"
        id = "8d9c7e38-f530-54c6-a879-ed46de020270"
    strings:
        $times = /(^|[\r\n"'`(]|echo -e )\s{0,4}[0-9*][0-9*\/,\-]{0,20}(\s{1,4}[0-9*][0-9*\/,\-]{0,20}){3}\s{1,4}[0-9*a-zA-Z][0-9*\/,\-a-zA-Z]{0,20}\s{1,4}([a-z_][a-z0-9_\-]{0,31}\s{1,4})?((ba|da)?sh\s{1,4}|nohup\s{1,4}|\/bin\/(ba|da)?sh\s{1,4})?(\/dev\/shm\/[\w.\-]|(\/var)?\/tmp\/([\w.\-\/]{0,60}\/)?\.[\w\-.])/
        $named = /@(reboot|hourly|daily)\s{1,4}([a-z_][a-z0-9_\-]{0,31}\s{1,4})?((ba|da)?sh\s{1,4}|nohup\s{1,4})?(\/dev\/shm\/[\w.\-]|(\/var)?\/tmp\/([\w.\-\/]{0,60}\/)?\.[\w\-.])/
    condition:
        filesize < 1MB and any of them
}

rule SQUALL_Persistence_Schtasks_Command : PERSISTENCE T1053_005 {
    meta:
        description = "Command line that makes a scheduled task run a script host with code from the user's folders or the network"
        author = "Squall project"
        date = "2026-11-24"
        score = 72
        reference = "https://attack.mitre.org/techniques/T1053/005/"
        id = "f0af3316-3205-52c1-aa2f-46dd5b36621d"
        falsepositive = "Software deployment scripts"
    strings:
        $task = /\bschtasks(\.exe)?["']?\s[^\r\n]{0,160}[-\/]tr\s{1,4}[^\r\n]{0,80}((powershell|pwsh)[^\r\n]{0,120}(-e(nc|c)?\b|hidden|https?:|\biex\b|download|frombase64)|mshta[^\r\n]{0,40}(https?:|javascript:|vbscript:)|\b(w|c)script[^\r\n]{0,80}(appdata|\\temp\\|%temp%|\\users\\public\\|\\programdata\\)|regsvr32[^\r\n]{0,60}\/i:|rundll32[^\r\n]{0,80}(appdata|\\temp\\|%temp%|\\users\\public\\|javascript:)|\\users\\public\\|%appdata%|%temp%|\\appdata\\roaming\\[\w\-]{1,30}\.(exe|bat|vbs|js|ps1))/ nocase ascii wide
        $create = /[-\/]create\b/ nocase ascii wide
    condition:
        filesize < 2MB and all of them
}

rule SQUALL_Persistence_Task_Definition : PERSISTENCE T1053_005 {
    meta:
        description = "Scheduled task definition that runs a script host hidden, encoded or from the user's folders"
        author = "Squall project"
        date = "2026-11-24"
        score = 70
        reference = "https://attack.mitre.org/techniques/T1053/005/"
        id = "414a74cd-5535-57bc-8c23-51a6bac4654c"
        falsepositive = "Management agents and update programs"
    strings:
        $schema = "http://schemas.microsoft.com/windows/2004/02/mit/task" ascii wide
        $command = /<Command>[^<]{0,160}(powershell|pwsh|mshta|wscript|cscript|rundll32|regsvr32|\bcmd)(\.exe)?["']?\s{0,4}<\/Command>/ nocase ascii wide
        $arguments = /<Arguments>[^<]{0,400}(-w[a-z]{0,10}\s{1,4}(hidden|1)\b|\s-e(nc|c)?[a-z]{0,12}\s{1,4}[A-Za-z0-9+\/]{40}|https?:\/\/|\\AppData\\|%appdata%|%temp%|\\Temp\\|\\Users\\Public\\|FromBase64String|javascript:|vbscript:)/ nocase ascii wide
    condition:
        filesize < 256KB and all of them
}

rule SQUALL_Persistence_Run_Key : PERSISTENCE T1547_001 {
    meta:
        description = "Autostart entry of the registry that runs a script host or a program from the user's folders"
        author = "Squall project"
        date = "2026-11-24"
        score = 66
        reference = "https://attack.mitre.org/techniques/T1547/001/"
        id = "7ffddcb2-0a09-507c-a685-19e2889fa927"
        falsepositive = "Installers of per-user programs"
    strings:
        $command = /\breg(\.exe)?["']?\s{1,4}add\s{1,4}["']?(hkcu|hklm|hkey_current_user|hkey_local_machine)\\software\\(wow6432node\\)?microsoft\\windows\\currentversion\\run(once)?\b[^\r\n]{0,200}(powershell|pwsh|mshta|wscript|cscript|rundll32|regsvr32|%temp%|\\temp\\|\\users\\public\\|%appdata%\\[\w\-]{1,30}\.|\\appdata\\roaming\\[\w\-]{1,30}\.)/ nocase ascii wide
        $file = /\[(hkey_current_user|hkey_local_machine)\\software\\(wow6432node\\)?microsoft\\windows\\currentversion\\run(once)?\][\r\n]{1,4}["'][^"'\r\n]{1,80}["']\s{0,2}=\s{0,2}["'][^\r\n]{0,80}(powershell|pwsh|mshta|wscript|cscript|rundll32|regsvr32|\\\\temp\\\\|\\\\users\\\\public\\\\)/ nocase ascii wide
        $script = /(Set|New)-ItemProperty\s[^\r\n]{0,80}\\software\\microsoft\\windows\\currentversion\\run(once)?\b[^\r\n]{0,200}(powershell|mshta|wscript|rundll32|regsvr32|\\temp\\|\$env:temp|\\users\\public\\)/ nocase ascii wide
    condition:
        filesize < 2MB and any of them
}

rule SQUALL_Persistence_WMI_Subscription : PERSISTENCE T1546_003 {
    meta:
        description = "Script that makes the management service of Windows run a command on an event"
        author = "Squall project"
        date = "2026-11-24"
        score = 68
        reference = "https://attack.mitre.org/techniques/T1546/003/"
        id = "f692b5cf-0223-5adb-a08f-2f12e22995a5"
        falsepositive = "Monitoring products"
    strings:
        $filter = "__EventFilter" nocase ascii wide
        $binding = "__FilterToConsumerBinding" nocase ascii wide
        $consumer1 = "CommandLineEventConsumer" nocase ascii wide
        $consumer2 = "ActiveScriptEventConsumer" nocase ascii wide
        $command = /\b(powershell|cmd(\.exe)?\s{0,2}\/c|mshta|wscript|cscript|rundll32|regsvr32|ScriptText)\b/ nocase ascii wide
    condition:
        filesize < 512KB and uint16(0) != 0x5A4D and $filter and $binding and any of ($consumer*) and $command
}

rule SQUALL_Persistence_Accessibility_Replacement : PERSISTENCE T1546_008 T1546_012 {
    meta:
        description = "Command that puts a shell behind a program of the logon screen"
        author = "Squall project"
        date = "2026-11-24"
        score = 82
        reference = "https://attack.mitre.org/techniques/T1546/008/"
        id = "823b1169-342c-5fcc-a17e-678fa0576024"
        falsepositive = "Password recovery instructions"
    strings:
        $debugger = /image file execution options\\(sethc|utilman|osk|magnify|narrator|displayswitch|atbroker)\.exe[^\r\n]{0,60}debugger/ nocase ascii wide
        $copy = /\b(copy|xcopy|move|ren)\s[^\r\n]{0,80}\b(cmd|powershell)\.exe["']?\s{1,4}[^\r\n]{0,80}\b(sethc|utilman|osk|magnify|narrator|displayswitch|atbroker)\.exe/ nocase ascii wide
    condition:
        filesize < 2MB and any of them
}

rule SQUALL_Persistence_Admin_Account : PERSISTENCE T1136_001 {
    meta:
        description = "Script that creates an account and makes it an administrator"
        author = "Squall project"
        date = "2026-11-24"
        score = 62
        reference = "https://attack.mitre.org/techniques/T1136/001/"
        id = "82d1475c-463a-5634-8684-eb07db26f703"
        falsepositive = "Installation scripts of administrators"
    strings:
        $user = /\bnet1?(\.exe)?\s{1,4}user\s{1,4}[^\s\/]{1,40}\s{1,4}[^\r\n]{0,60}\/add\b/ nocase ascii wide
        $group = /\bnet1?(\.exe)?\s{1,4}localgroup\s{1,4}["']?(administrators|administrateurs|administratoren|administradores|remote desktop users)["']?\s{1,4}[^\r\n]{1,60}\/add\b/ nocase ascii wide
    condition:
        filesize < 1MB and all of them
}

rule SQUALL_Persistence_Root_Account : PERSISTENCE LINUX T1136_001 {
    meta:
        description = "Command that adds a second account with the rights of root"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1136/001/"
        id = "040c6ccd-d9df-54b8-b3fd-2126d8350de8"
    strings:
        $line = /\becho\s{1,4}(-e\s{1,4})?["']?[a-z_][\w\-]{0,31}:[^:\s]{0,120}:0:0:[^:\r\n]{0,60}:[^:\r\n]{0,60}:[^\s"']{0,40}["']?\s{0,4}>>\s{0,4}\/etc\/passwd/
        $useradd = /\buseradd\s[^\r\n]{0,60}(-o\s{1,4}-u\s{0,4}0|-u\s{0,4}0\s{1,4}-o|-ou\s{0,4}0)\b/
    condition:
        filesize < 1MB and any of them
}

rule SQUALL_Persistence_SSH_Key_Injection : PERSISTENCE LINUX T1098_004 {
    meta:
        description = "Script that adds a fixed key to the list of keys allowed to log in"
        author = "Squall project"
        date = "2026-11-24"
        score = 66
        reference = "https://attack.mitre.org/techniques/T1098/004/"
        id = "94b6fbd5-ded7-5b51-a287-adae7964463f"
        falsepositive = "Provisioning scripts of administrators"
    strings:
        $append = /\becho\s{1,4}(-e\s{1,4})?["']?(ssh-(rsa|ed25519|dss)|ecdsa-sha2-nistp\d{3})\s{1,4}AAAA[^\r\n>]{20,900}>{1,2}\s{0,4}["']?(~|\/root|\/home|\$HOME|\$\{HOME\})?[^\s"']{0,80}authorized_keys/
        $command = /command="[^"\r\n]{0,160}(\/dev\/(tcp|udp)\/|\|\s{0,4}(ba)?sh\b|\bnc\s|base64\s{1,4}(-d|--decode))[^"\r\n]{0,160}"[^\r\n]{0,60}(ssh-(rsa|ed25519|dss)|ecdsa-sha2)/
    condition:
        filesize < 1MB and any of them
}

rule SQUALL_Persistence_Preload_Script : PERSISTENCE LINUX ROOTKIT T1574_006 {
    meta:
        description = "Script that puts a library in front of every program"
        author = "Squall project"
        date = "2026-11-24"
        score = 72
        reference = "https://attack.mitre.org/techniques/T1574/006/"
        id = "4e13e792-3fdd-599d-908f-95553076f37a"
        falsepositive = "Performance and compatibility libraries"
    strings:
        $write = /[^\s"'>]{1,80}\.so[\w.]{0,20}["']?\s{0,4}>{1,2}\s{0,4}["']?\/etc\/ld\.so\.preload/
        $tee = /\.so[\w.]{0,20}["']?\s{0,4}\|\s{0,4}(sudo\s{1,4})?tee\s{1,4}(-a\s{1,4})?["']?\/etc\/ld\.so\.preload/
        $protect = /\bchattr\s[^\r\n]{0,80}\/etc\/ld\.so\.preload/
    condition:
        filesize < 1MB and any of them
}

rule SQUALL_Persistence_Preload_Rootkit : PERSISTENCE LINUX ROOTKIT T1574_006 T1014 {
    meta:
        description = "Library that replaces functions for listing files and processes to hide some of them"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1014/"
        id = "6f6ee460-caf0-54bb-a055-2c456ccf4583"
        falsepositive = "Sandboxes and tracing libraries"
    strings:
        $preload = "/etc/ld.so.preload"
        $list1 = "readdir64" fullword
        $list2 = "readdir" fullword
        $next = "dlsym" fullword
        $stat1 = "__lxstat64" fullword
        $stat2 = "__xstat" fullword
        $stat3 = "lstat" fullword
        $process1 = "/proc/self/fd/%d"
        $process2 = "/proc/%s/stat"
        $process3 = "/proc/net/tcp"
        $process4 = "/proc/%d/"
        $process5 = "/proc/%s/cmdline"
    condition:
        filesize < 2MB and uint32be(0) == 0x7F454C46 and uint8(16) == 3
        and $preload and $next and any of ($list*) and any of ($stat*) and any of ($process*)
}

rule SQUALL_Persistence_Systemd_Unit : PERSISTENCE LINUX T1543_002 {
    meta:
        description = "Service definition that runs a program from a folder anybody can write to, or code from the network"
        author = "Squall project"
        date = "2026-11-24"
        score = 70
        reference = "https://attack.mitre.org/techniques/T1543/002/"
        id = "55e5cc8a-d604-5666-9122-f70c087702af"
        falsepositive = "Tests of service managers"
    strings:
        $section = "[Service]"
        $hidden = /Exec(Start|StartPre|Stop|Reload)\s{0,2}=\s{0,2}[-@+!]{0,3}((\/usr)?\/bin\/(env\s{1,4})?(ba|da)?sh\s{1,4}(-c\s{1,4})?["']?)?(\/dev\/shm\/[\w.\-]|(\/var)?\/tmp\/[\w.\-])/
        $network = /Exec(Start|StartPre|Stop|Reload)\s{0,2}=[^\r\n]{0,80}(\/dev\/(tcp|udp)\/[\w.]|\b(curl|wget)\s[^\r\n]{0,200}\|\s{0,4}(\/bin\/)?(ba|da)?sh\b|base64\s{1,4}(-d|--decode)[^\r\n]{0,40}\|\s{0,4}(ba)?sh\b)/
    condition:
        filesize < 64KB and $section and any of ($hidden, $network)
}

rule SQUALL_Persistence_Shell_Profile : PERSISTENCE LINUX T1546_004 {
    meta:
        description = "Start file of a login shell that runs code from the network or from a hidden place"
        author = "Squall project"
        date = "2026-11-24"
        score = 72
        reference = "https://attack.mitre.org/techniques/T1546/004/"
        id = "47608756-83d0-5e85-b914-3379d988fad5"
    strings:
        $network = /\b(curl|wget)\s[^\r\n|]{0,200}\|\s{0,4}(\/bin\/)?(ba|da|z)?sh\b/
        $socket = /\/dev\/(tcp|udp)\/[\w.\-]{1,80}\/\d{1,5}/
        $decode = /\bbase64\s{1,4}(-d|--decode|-D)\b[^\r\n|]{0,60}\|\s{0,4}(\/bin\/)?(ba|da|z)?sh\b/
        $hidden = /(nohup\s{1,4}|\(\s{0,2}|;\s{0,2}|[\r\n])(\/dev\/shm\/[\w.\-]|(\/var)?\/tmp\/\.[\w\-])[^\r\n]{0,100}&/
    condition:
        filesize < 512KB and any of them
        and (filename matches /^\.?(bashrc|bash_profile|bash_login|bash_logout|bash_aliases|profile|zshrc|zprofile|zshenv|zlogin|bash\.bashrc|kshrc)$/
            or (extension == ".sh" and filepath endswith "profile.d"))
}

rule SQUALL_Persistence_SUID_Shell : PERSISTENCE LINUX T1548_001 {
    meta:
        description = "Command that leaves a copy of a shell with the rights of root"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1548/001/"
        id = "37e3f75d-400c-5c11-96c2-d61df701773d"
        falsepositive = "Training material"
    strings:
        $copy = /\b(cp|install|mv)\s[^\r\n;&]{0,40}\/bin\/(ba|da|z|k)?sh\s{1,4}[^\s;&]{1,80}\s{0,4}(;|&&|[\r\n]{1,2})\s{0,4}[^\r\n]{0,60}\bchmod\s{1,4}([0-7]?[4-7]7[0-7]{2}|[ugo]{0,3}\+[rwx]{0,3}s)/
        $install = /\binstall\s[^\r\n;&]{0,20}-m\s{0,4}=?0?[46]7[0-7]{2}\s[^\r\n;&]{0,40}\/bin\/(ba|da|z|k)?sh\b/
        $direct = /\bchmod\s{1,4}([46]7[0-7]{2}|u?g?\+s)\s{1,4}(\/usr)?\/bin\/(ba|da|z|k)?sh\b/
    condition:
        filesize < 1MB and any of them
}
