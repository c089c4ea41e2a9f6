/*
    Credential theft: dumpers, their output, and the commands that copy the
    places where an operating system keeps its secrets.
*/

rule SQUALL_Credentials_Mimikatz_Strings : CREDENTIALS MIMIKATZ T1003_001 {
    meta:
        description = "Several commands or messages of the credential dumper Mimikatz in one file"
        author = "Squall project"
        date = "2026-11-24"
        score = 88
        reference = "https://attack.mitre.org/techniques/T1003/001/"
        id = "87bbf9fa-22ef-562a-8e45-65325953ec80"
        falsepositive = "Detection rules, training material and reports about the tool"
    strings:
        $command1 = "sekurlsa::logonpasswords" nocase ascii wide
        $command2 = "sekurlsa::pth" nocase ascii wide
        $command3 = "sekurlsa::minidump" nocase ascii wide
        $command4 = "lsadump::dcsync" nocase ascii wide
        $command5 = "lsadump::sam" nocase ascii wide
        $command6 = "lsadump::lsa" nocase ascii wide
        $command7 = "kerberos::golden" nocase ascii wide
        $command8 = "kerberos::ptt" nocase ascii wide
        $command9 = "privilege::debug" nocase ascii wide
        $command10 = "token::elevate" nocase ascii wide
        $command11 = "misc::skeleton" nocase ascii wide
        $command12 = "dpapi::masterkey" nocase ascii wide
        $message1 = "ERROR kuhl_m_" ascii wide
        $message2 = "ERROR_KUHL" ascii wide
        $message3 = "mimikatz # " ascii wide
        $message4 = "mimikatz(commandline) # " ascii wide
        $message5 = "kuhl_m_sekurlsa" ascii wide
    condition:
        filesize < 20MB and (3 of ($command*) or 2 of ($message*) or (any of ($command*) and any of ($message*)))
}

rule SQUALL_Credentials_Mimikatz_Command : CREDENTIALS MIMIKATZ T1003_001 {
    meta:
        description = "Command of the credential dumper Mimikatz"
        author = "Squall project"
        date = "2026-11-24"
        score = 62
        reference = "https://attack.mitre.org/techniques/T1003/001/"
        id = "853691ec-5b5a-5bfc-b920-b015a594a794"
        falsepositive = "Detection rules, training material and reports about the tool"
    strings:
        $command = /\b(sekurlsa::(logonpasswords|pth|minidump|tickets|ekeys|wdigest|msv)|lsadump::(dcsync|sam|lsa|secrets|cache|trust|dcshadow)|kerberos::(golden|ptt|list)|misc::(skeleton|memssp))\b/ nocase ascii wide
    condition:
        filesize < 20MB and $command
}

rule SQUALL_Credentials_Mimikatz_Output : CREDENTIALS MIMIKATZ T1003_001 {
    meta:
        description = "Saved output of a dump of logon sessions with password hashes"
        author = "Squall project"
        date = "2026-11-24"
        score = 90
        reference = "https://attack.mitre.org/techniques/T1003/001/"
        id = "9350933e-c6ed-506c-999e-3d9e28f67c9d"
        falsepositive = "Reports and training material that quote such output"
    strings:
        $session = /Authentication Id\s{1,6}: \d{1,5} ; \d{1,12} \([0-9a-f]{8}:[0-9a-f]{8}\)/ ascii wide
        $hash = /\* (NTLM|SHA1)\s{1,6}: [0-9a-f]{32}/ ascii wide
        $user = /\* Username\s{0,6}: / ascii wide
        $package1 = "wdigest :" ascii wide
        $package2 = "kerberos :" ascii wide
        $package3 = "tspkg :" ascii wide
        $package4 = "credman :" ascii wide
    condition:
        filesize < 50MB and $session and $user and ($hash or 3 of ($package*))
}

rule SQUALL_Credentials_LSASS_Procdump : CREDENTIALS LSASS T1003_001 {
    meta:
        description = "Command line that writes the memory of the process lsass to a file"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1003/001/"
        id = "611986b4-80a0-5260-8d95-12f77efada57"
        falsepositive = "Support instructions of software vendors"
    strings:
        $full = /[ \t][-\/]m[ap]\s{1,4}([-\/]accepteula\s{1,4}|[-\/]r\s{1,4}|[-\/]o\s{1,4}){0,3}["']?lsass(\.exe)?\b/ nocase ascii wide
        $named = /procdump(64|64a)?(\.exe)?["']?\s[^\r\n]{0,60}\blsass(\.exe)?\b/ nocase ascii wide
        $filter = /\b(Get-Process|tasklist|pgrep|pidof)\s[^\r\n]{0,30}lsass[^\r\n]{0,120}(MiniDump|procdump|createdump|rdrleakdiag|sqldumper)/ nocase ascii wide
    condition:
        filesize < 10MB and any of them
}

rule SQUALL_Credentials_LSASS_Comsvcs : CREDENTIALS LSASS LOLBIN T1003_001 T1218_011 {
    meta:
        description = "Command line that dumps process memory through comsvcs.dll"
        author = "Squall project"
        date = "2026-11-24"
        score = 82
        reference = "https://attack.mitre.org/techniques/T1003/001/"
        id = "4aedc808-8e9d-53f9-9361-d24af0484923"
    strings:
        $named = /comsvcs(\.dll)?["']?\s{0,4},?\s{0,4}["']?(MiniDump|#-?0{0,6}24|#\+0{0,6}24|#65560)\b/ nocase ascii wide
    condition:
        filesize < 10MB and $named
}

rule SQUALL_Credentials_LSASS_Dumper_Program : CREDENTIALS LSASS T1003_001 {
    meta:
        description = "Program that takes the debug privilege and writes a memory dump of lsass"
        author = "Squall project"
        date = "2026-11-24"
        score = 72
        reference = "https://attack.mitre.org/techniques/T1003/001/"
        id = "5f68eedb-6f07-5d3c-a267-c76985aeb8bc"
        falsepositive = "Debugging and crash reporting tools"
    strings:
        $lsass = "lsass.exe" nocase ascii wide
        $privilege = "SeDebugPrivilege" ascii wide
        $dump1 = "MiniDumpWriteDump" ascii wide
        $dump2 = "PssCaptureSnapshot" ascii wide
        $dump3 = "NtReadVirtualMemory" ascii wide
        $open1 = "OpenProcess" ascii
        $open2 = "NtOpenProcess" ascii
    condition:
        filesize < 5MB and uint16(0) == 0x5A4D and $lsass and $privilege and any of ($dump*) and any of ($open*)
}

rule SQUALL_Credentials_LSASS_Dump_File : CREDENTIALS LSASS T1003_001 {
    meta:
        description = "Memory dump of the process lsass"
        author = "Squall project"
        date = "2026-11-24"
        score = 80
        reference = "https://attack.mitre.org/techniques/T1003/001/"
        id = "6bf585ea-17d2-57e0-854c-f9ff46258438"
        falsepositive = "Crash dumps requested by support"
    strings:
        $lsasrv = "\\lsasrv.dll" wide nocase
        $process = "\\lsass.exe" wide nocase
        $package1 = "\\wdigest.dll" wide nocase
        $package2 = "\\samsrv.dll" wide nocase
        $package3 = "\\tspkg.dll" wide nocase
        $package4 = "\\msv1_0.dll" wide nocase
    condition:
        uint32be(0) == 0x4D444D50 and $lsasrv and $process and any of ($package*)
}

rule SQUALL_Credentials_Registry_Hive_Save : CREDENTIALS T1003_002 T1003_004 {
    meta:
        description = "Command line that copies the registry hives with account secrets"
        author = "Squall project"
        date = "2026-11-24"
        score = 76
        reference = "https://attack.mitre.org/techniques/T1003/002/"
        id = "d728d5c8-4951-512d-87be-4a1c21df92a2"
        falsepositive = "Backup scripts of administrators"
    strings:
        $save = /\breg(\.exe)?["']?\s{1,4}save\s{1,4}["']?(hklm|hkey_local_machine)\\(sam|security)\b/ nocase ascii wide
        $shadow = /HarddiskVolumeShadowCopy\d{1,3}\\Windows\\System32\\config\\(sam|security)\b/ nocase ascii wide
        $raw = /esentutl(\.exe)?\s[^\r\n]{0,60}\/vss\s[^\r\n]{0,60}\\config\\(sam|security)\b/ nocase ascii wide
    condition:
        filesize < 5MB and any of them
}

rule SQUALL_Credentials_NTDS_Extraction : CREDENTIALS T1003_003 {
    meta:
        description = "Command line that copies the Active Directory database"
        author = "Squall project"
        date = "2026-11-24"
        score = 82
        reference = "https://attack.mitre.org/techniques/T1003/003/"
        id = "c680eb4c-4d1d-5673-a6c6-0546a3489335"
        falsepositive = "Installation media for domain controllers made by administrators"
    strings:
        $ifm = /ntdsutil(\.exe)?["']?\s[^\r\n]{0,80}\bifm\b[^\r\n]{0,40}\bcreate\s{1,4}full\b/ nocase ascii wide
        $shadow = /HarddiskVolumeShadowCopy\d{1,3}\\[^\r\n"']{0,60}\\ntds\.dit\b/ nocase ascii wide
        $esentutl = /esentutl(\.exe)?\s[^\r\n]{0,80}\\ntds\.dit\b/ nocase ascii wide
    condition:
        filesize < 5MB and any of them
}

rule SQUALL_Credentials_Hash_Dump_Output : CREDENTIALS T1003_002 T1003_003 {
    meta:
        description = "List of account names with NT password hashes"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1003/002/"
        id = "9b33f133-4915-5494-afdc-2e42c1688e61"
        falsepositive = "Password audits and the test data of such tools"
    strings:
        // Name, number, the hash of an empty LM password, then the NT hash.
        $empty_lm = /:\d{3,10}:aad3b435b51404eeaad3b435b51404ee:[0-9a-f]{32}:::/ nocase ascii wide
    condition:
        filesize < 100MB and #empty_lm > 1
}

rule SQUALL_Credentials_Kerberos_Hash_Output : CREDENTIALS T1558_003 T1558_004 {
    meta:
        description = "Kerberos tickets in the notation of password crackers"
        author = "Squall project"
        date = "2026-11-24"
        score = 75
        reference = "https://attack.mitre.org/techniques/T1558/003/"
        id = "115b2749-7d4a-56db-9afb-17070d42af2d"
        falsepositive = "Test data of password crackers"
    strings:
        $tgs = /\$krb5tgs\$(17|18|23)\$[^\r\n]{3,200}\$[0-9a-f]{32}\$[0-9a-f]{200}/ nocase ascii wide
        $asrep = /\$krb5asrep\$(23\$)?[^\r\n:]{1,100}[:$][0-9a-f]{32}\$[0-9a-f]{200}/ nocase ascii wide
    condition:
        filesize < 100MB and any of them
}

rule SQUALL_Credentials_Kerberos_Abuse_Command : CREDENTIALS T1558 {
    meta:
        description = "Command line of a Kerberos attack tool"
        author = "Squall project"
        date = "2026-11-24"
        score = 76
        reference = "https://attack.mitre.org/techniques/T1558/"
        id = "56c549d4-8af3-5a2a-8ec5-a4bc2710e599"
        falsepositive = "Training material and reports"
    strings:
        $rubeus = /\brubeus(\.exe)?["']?\s{1,4}(kerberoast|asreproast|asktgt|asktgs|s4u|ptt|dump|triage|monitor|harvest|tgtdeleg|golden|silver)\b/ nocase ascii wide
        $impacket = /\b(impacket-)?(GetUserSPNs|GetNPUsers|secretsdump|ticketer)(\.py)?\s{1,4}[^\r\n]{0,120}(-request|-hashes|-dc-ip|-just-dc|-nthash|-no-pass)\b/ ascii wide
    condition:
        filesize < 5MB and any of them
}

rule SQUALL_Credentials_Shadow_File_Copy : CREDENTIALS LINUX T1003_008 {
    meta:
        description = "Password hashes of a Unix machine outside the file they belong to"
        author = "Squall project"
        date = "2026-11-24"
        score = 62
        reference = "https://attack.mitre.org/techniques/T1003/008/"
        id = "3fcf600b-d854-5b3e-881b-53ce0a656ad6"
        falsepositive = "Backups of system configuration"
    strings:
        $root = /root:\$(1|5|6|y|2[aby]|gy|7)\$[^:\r\n]{20,200}:\d{1,6}:\d{0,6}:\d{0,6}:\d{0,6}:/
        $daemon = /(daemon|bin|nobody|www-data|sshd):[*!x]{1,2}:\d{1,6}:\d{0,6}:\d{0,6}:\d{0,6}:/
    condition:
        filesize < 1MB and $root and $daemon and not (filename matches /^(g?shadow-?)$/ and filepath endswith "etc")
}

rule SQUALL_Credentials_Browser_Theft_Script : CREDENTIALS STEALER T1555_003 {
    meta:
        description = "Script that reads and decrypts saved browser passwords"
        author = "Squall project"
        date = "2026-11-24"
        score = 70
        reference = "https://attack.mitre.org/techniques/T1555/003/"
        id = "2f7c31bb-8f67-54cf-8de7-304d0cb53c65"
        falsepositive = "Password export and forensic tools"
    strings:
        $store1 = "Login Data" ascii wide
        $store2 = "Local State" ascii wide
        $store3 = "logins.json" ascii wide
        $query = /select\s{1,4}[^\r\n]{0,80}password_value[^\r\n]{0,80}from\s{1,4}logins/ nocase ascii wide
        $decrypt1 = "CryptUnprotectData" ascii wide
        $decrypt2 = "os_crypt" ascii wide
        $decrypt3 = "encrypted_key" ascii wide
        $send1 = "api.telegram.org/bot" ascii wide
        $send2 = "discord.com/api/webhooks" ascii wide
        $send3 = "discordapp.com/api/webhooks" ascii wide
        $send4 = "smtplib" ascii wide
        $send5 = "requests.post" ascii wide
        $send6 = "UploadFile" ascii wide
    condition:
        filesize < 10MB and any of ($store*) and $query and any of ($decrypt*) and any of ($send*)
}

rule SQUALL_Credentials_WiFi_Key_Export : CREDENTIALS T1552_001 {
    meta:
        description = "Command line that shows saved wireless network keys in clear text"
        author = "Squall project"
        date = "2026-11-24"
        score = 50
        reference = "https://attack.mitre.org/techniques/T1552/001/"
        id = "ea7df2b8-adb1-5baf-8943-f24a869b0dc2"
        falsepositive = "Help pages for users who forgot a key"
    strings:
        $show = /netsh(\.exe)?\s{1,4}wlan\s{1,4}(show|export)\s{1,4}profiles?\b[^\r\n]{0,120}key\s{0,2}=\s{0,2}clear/ nocase ascii wide
    condition:
        filesize < 5MB and $show
}
