/*
    Evasion: switching off protections, clearing traces, getting more rights.
*/

rule SQUALL_Evasion_Defender_Disable : EVASION T1562_001 {
    meta:
        description = "Command that switches off Microsoft Defender or makes it ignore a folder"
        author = "Squall project"
        date = "2026-11-24"
        score = 74
        reference = "https://attack.mitre.org/techniques/T1562/001/"
        id = "d5744ea6-5da6-503d-86af-aaf0f8a1452e"
        falsepositive = "Installation scripts of other antivirus programs"
    strings:
        $preference = /\bSet-MpPreference\s[^\r\n]{0,120}-Disable(RealtimeMonitoring|BehaviorMonitoring|IOAVProtection|ScriptScanning|BlockAtFirstSeen|IntrusionPreventionSystem)\s{1,4}["']?(\$true|1|true)\b/ nocase ascii wide
        $exclusion = /\b(Add|Set)-MpPreference\s[^\r\n]{0,60}-Exclusion(Path|Extension|Process)\s{1,4}["']?([a-z]:\\?["']?(\s|;|$)|[^\r\n]{0,60}(\\temp|\\appdata|\\users\\public|\\programdata|%temp%|\$env:(temp|appdata|public|programdata))|["']?\.?(exe|dll|ps1|vbs|js)\b)/ nocase ascii wide
        $registry = /\breg(\.exe)?["']?\s{1,4}add\s[^\r\n]{0,100}\\Windows Defender\b[^\r\n]{0,120}\b(DisableAntiSpyware|DisableAntiVirus|DisableRealtimeMonitoring|DisableBehaviorMonitoring|DisableOnAccessProtection)\b/ nocase ascii wide
        $definitions = /\bMpCmdRun(\.exe)?["']?\s[^\r\n]{0,20}-RemoveDefinitions\s{1,4}-All\b/ nocase ascii wide
        $service = /\bsc(\.exe)?["']?\s{1,4}(stop|delete|config)\s{1,4}["']?WinDefend\b/ nocase ascii wide
    condition:
        filesize < 10MB and uint16(0) != 0x5A4D and any of them
}

rule SQUALL_Evasion_Event_Log_Clearing : EVASION T1070_001 {
    meta:
        description = "Command that clears the event logs of Windows"
        author = "Squall project"
        date = "2026-11-24"
        score = 66
        reference = "https://attack.mitre.org/techniques/T1070/001/"
        id = "cd92351d-ab68-5c19-8571-02bca0ae12e8"
        falsepositive = "Preparation of system images"
    strings:
        $wevtutil = /\bwevtutil(\.exe)?["']?\s{1,4}(cl|clear-log)\s{1,4}["']?(security|system|application|%%?\w|\$\w|microsoft-windows-(powershell|sysmon|windows defender)|windows powershell)/ nocase ascii wide
        $powershell = /\b(Clear-EventLog\s[^\r\n]{0,40}(security|system|application)|Remove-EventLog\s[^\r\n]{0,40}(security|system))\b/ nocase ascii wide
        $service = /\b(sc(\.exe)?\s{1,4}(stop|config)|net\s{1,4}stop|Stop-Service)\s[^\r\n]{0,30}\beventlog\b/ nocase ascii wide
    condition:
        filesize < 5MB and any of them
}

rule SQUALL_Evasion_UAC_Bypass : EVASION T1548_002 {
    meta:
        description = "Script that gets administrator rights by replacing the command of a trusted program"
        author = "Squall project"
        date = "2026-11-24"
        score = 80
        reference = "https://attack.mitre.org/techniques/T1548/002/"
        id = "d90a8784-a4e5-5a34-9c62-04d33df2d3b9"
        falsepositive = "Detection rules and reports"
    strings:
        $key1 = /software\\classes\\(ms-settings|mscfile|exefile|folder|launcher\.systemsettings)\\shell\\(open|runas)\\command/ nocase ascii wide
        $key2 = "DelegateExecute" nocase ascii wide
        $program = /\b(fodhelper|computerdefaults|eventvwr|sdclt|slui|wsreset|changepk)(\.exe)?\b/ nocase ascii wide
        $variable = /\bHKCU\\Environment\b[^\r\n]{0,80}\bwindir\b[^\r\n]{0,160}(cmd|powershell)/ nocase ascii wide
        $cleanup = /\bschtasks(\.exe)?\s[^\r\n]{0,60}\\Microsoft\\Windows\\DiskCleanup\\SilentCleanup/ nocase ascii wide
    condition:
        filesize < 5MB and uint16(0) != 0x5A4D and (($key1 and $program) or ($key1 and $key2) or ($variable and $cleanup))
}

rule SQUALL_Evasion_Windows_Firewall_Off : EVASION T1562_004 {
    meta:
        description = "Command that switches off the firewall of Windows or opens remote access"
        author = "Squall project"
        date = "2026-11-24"
        score = 62
        reference = "https://attack.mitre.org/techniques/T1562/004/"
        id = "d0ec12a0-9133-50d3-a1f7-00c2df42f153"
        falsepositive = "Installation scripts and laboratory machines"
    strings:
        $profiles = /\bnetsh(\.exe)?\s{1,4}advfirewall\s{1,4}set\s{1,4}(allprofiles|currentprofile|publicprofile|domainprofile)\s{1,4}state\s{1,4}off\b/ nocase ascii wide
        $old = /\bnetsh(\.exe)?\s{1,4}firewall\s{1,4}set\s{1,4}opmode\s[^\r\n]{0,20}disable\b/ nocase ascii wide
        $powershell = /\bSet-NetFirewallProfile\s[^\r\n]{0,80}-Enabled\s{1,4}(\$?false|0)\b/ nocase ascii wide
        $desktop = /\bfDenyTSConnections\b[^\r\n]{0,60}(\/d\s{1,4}["']?(0x)?0{1,8}\b|-Value\s{1,4}0\b)/ nocase ascii wide
        $clear_text = /\bUseLogonCredential\b[^\r\n]{0,60}(\/d\s{1,4}["']?(0x)?0{0,7}1\b|-Value\s{1,4}1\b)/ nocase ascii wide
    condition:
        filesize < 5MB and any of them
}

rule SQUALL_Evasion_Linux_Traces : EVASION LINUX T1070_002 T1070_003 {
    meta:
        description = "Shell script that clears the command history and the logs of a machine"
        author = "Squall project"
        date = "2026-11-24"
        score = 68
        reference = "https://attack.mitre.org/techniques/T1070/003/"
        id = "d9289d43-ec36-556b-98bf-d3e85c742571"
        falsepositive = "Preparation of system images"
    strings:
        $history1 = /\bunset\s{1,4}HIST(FILE|SIZE|SAVE|LOG)\b/
        $history2 = /\bhistory\s{1,4}-[cw]{1,2}\b/
        $history3 = /\bHISTFILE(SIZE)?\s{0,2}=\s{0,2}(\/dev\/null|0)\b/
        $history4 = /(ln\s{1,4}-[sf]{1,3}\s{1,4}\/dev\/null|rm\s{1,4}-[rf]{1,2}|>|truncate\s[^\r\n]{0,12}|shred\s[^\r\n]{0,12})\s{0,4}[^\s;]{0,40}\.(bash|zsh|sh)_history\b/
        $log1 = /(>|rm\s{1,4}-[rf]{1,2}|truncate\s[^\r\n]{0,12}|shred\s[^\r\n]{0,12}|cat\s{1,4}\/dev\/null\s{0,4}>)\s{0,4}\/var\/log\/(wtmp|btmp|lastlog|auth\.log|secure|messages|syslog|audit\/audit\.log)\b/
        $log2 = /\brm\s{1,4}-[rf]{1,2}\s{1,4}\/var\/log(\/\*)?(\s|;|[\r\n]|$)/
    condition:
        filesize < 1MB and any of ($history*) and any of ($log*)
}

rule SQUALL_Evasion_Linux_Protection_Off : EVASION LINUX T1562_001 T1562_004 {
    meta:
        description = "Shell script that switches off several protections of a Linux machine"
        author = "Squall project"
        date = "2026-11-24"
        score = 68
        reference = "https://attack.mitre.org/techniques/T1562/001/"
        id = "1210e20d-ad8d-5247-b2dd-55cd5c5ce8f6"
        falsepositive = "Installation scripts of old products"
    strings:
        $selinux = /\bsetenforce\s{1,4}0\b|SELINUX=disabled/
        $firewall1 = /\b(iptables|ip6tables)\s{1,4}-F\b/
        $firewall2 = /\b(ufw\s{1,4}disable|systemctl\s{1,4}(stop|disable)\s{1,4}(--now\s{1,4})?(firewalld|ufw|nftables|iptables))\b/
        $apparmor = /\b(systemctl\s{1,4}(stop|disable)|service)\s{1,4}(--now\s{1,4})?(apparmor|auditd|falcon-sensor|clamav-daemon)\b/
        $agent = /\b(aliyun|aegis|AliYunDun|qcloud|YunJing|cloudmonitor|bcm-agent)\b[^\r\n]{0,80}\b(uninstall|stop|kill|remove)/ nocase
        $watchdog = /kernel\.nmi_watchdog\s{0,2}=\s{0,2}0|>\s{0,2}\/proc\/sys\/kernel\/nmi_watchdog/
    condition:
        filesize < 1MB and uint32be(0) != 0x7F454C46 and 3 of them
}
