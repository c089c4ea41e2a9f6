/*
    Ransomware: notes to the victim, and what is done to a machine before its
    files are encrypted.
*/

rule SQUALL_Ransomware_Note : RANSOMWARE T1486 {
    meta:
        description = "Text that demands a payment for the decryption of files"
        author = "Squall project"
        date = "2026-11-24"
        score = 80
        reference = "https://attack.mitre.org/techniques/T1486/"
        id = "577c1f30-e3b9-525e-984f-e6d7d99111c8"
        falsepositive = "Articles and training material that quote such notes"
    strings:
        $done = /\b(your|all)\s[^.\r\n]{0,60}(files|data|documents|databases|network|servers|systems|computers|infrastructure)[^.\r\n]{0,60}\b(encrypted|locked|crypted|exfiltrated|stolen)\b/ nocase ascii wide
        $undo = /\bdecrypt(ion|or|er)?\b/ nocase ascii wide
        $pay1 = /\b(bitcoins?|btc|monero|xmr)\b/ nocase ascii wide
        $pay2 = /[a-z2-7]{16,56}\.onion/ nocase ascii wide
        $pay3 = /\btor browser\b/ nocase ascii wide
        $pay4 = /\b(pay|payment|ransom)\b/ nocase ascii wide
        $urge1 = /\bdo(n't| not)\s{1,4}(try to\s{1,4})?(rename|modify|move|delete|edit|recover|shut ?down|turn off)/ nocase ascii wide
        $urge2 = /third[- ]party (software|tools|program|recovery)/ nocase ascii wide
        $urge3 = /\b(publish|leak|sell|release)(ed)?\b[^.\r\n]{0,60}\b(data|files|documents|information|blog|darknet)\b/ nocase ascii wide
        $urge4 = /\b(private|unique|secret|decryption)\s(decryption\s)?key\b/ nocase ascii wide
        $urge5 = /\b(your|personal|client|victim|unique)\s{1,2}(personal\s{1,2})?(id|identifier|code)\b\s{0,4}[:=\-]/ nocase ascii wide
        $urge6 = /\b(decrypt|restore)[^.\r\n]{0,30}\b(one|two|three|1|2|3|a few|several)\b[^.\r\n]{0,20}files?[^.\r\n]{0,40}\b(free|proof|test|guarantee)/ nocase ascii wide
        $urge7 = /\b(24|48|72|96)\s{1,2}hours\b|\b(3|5|7|10)\s{1,2}days\b/ nocase ascii wide
        $urge8 = /@(protonmail|proton|tutanota|tuta|onionmail|cock|airmail|mailfence|keemail|aol)\.(com|me|ch|io|org|li|cc)\b/ nocase ascii wide
    condition:
        filesize < 128KB and $done and $undo and 2 of ($pay*) and 3 of ($urge*)
}

rule SQUALL_Ransomware_Note_Name : RANSOMWARE T1486 {
    meta:
        description = "File named like a ransom note with words of one"
        author = "Squall project"
        date = "2026-11-24"
        score = 55
        reference = "https://attack.mitre.org/techniques/T1486/"
        id = "4694d733-7104-5b20-b4e2-febfb4968776"
        falsepositive = "Instructions of encryption programs"
    strings:
        $word1 = /\bdecrypt/ nocase ascii wide
        $word2 = /\bencrypted\b/ nocase ascii wide
        $word3 = /\b(bitcoins?|btc|monero|xmr|tor browser|\w{16,56}\.onion)\b/ nocase ascii wide
        $word4 = /\bransom\b/ nocase ascii wide
    condition:
        filesize < 128KB and 2 of them
        and filename matches /(readme|read_?me|how[ _-]?to|restore|recover|decrypt|unlock)[\w !#\-]{0,40}(files?|data|decrypt|restore|recover|instructions?|note|now|me|back|unlock)[\w !#\-]{0,20}\.(txt|html?|hta|rtf|url)$/i
}

rule SQUALL_Ransomware_Shadow_Copy_Deletion : RANSOMWARE T1490 {
    meta:
        description = "Command line that deletes the saved states of the disks"
        author = "Squall project"
        date = "2026-11-24"
        score = 74
        reference = "https://attack.mitre.org/techniques/T1490/"
        id = "1b3971b1-8218-5c7f-be7f-8dad5cc03d9b"
        falsepositive = "Backup products and disk cleaning scripts"
    strings:
        $vssadmin = /\bvssadmin(\.exe)?["']?\s{1,4}delete\s{1,4}shadows\b[^\r\n]{0,40}\/(all|quiet|for=)/ nocase ascii wide
        $resize = /\bvssadmin(\.exe)?["']?\s{1,4}resize\s{1,4}shadowstorage\b[^\r\n]{0,60}maxsize=(401|402|300)MB/ nocase ascii wide
        $wmic = /\bwmic(\.exe)?["']?\s{1,4}shadowcopy\s{1,4}(where\s[^\r\n]{0,60}\s)?(\/nointeractive\s{1,4})?delete\b/ nocase ascii wide
        $powershell = /win32_shadowcopy\b[^\r\n]{0,80}(\.delete\s{0,2}\(|remove-wmiobject|remove-ciminstance)/ nocase ascii wide
        $diskshadow = /\bdelete\s{1,4}shadows\s{1,4}all\b/ nocase ascii wide
    condition:
        filesize < 20MB and any of them
}

rule SQUALL_Ransomware_Recovery_Inhibition : RANSOMWARE T1490 {
    meta:
        description = "Several commands against the recovery of a system in one file"
        author = "Squall project"
        date = "2026-11-24"
        score = 82
        reference = "https://attack.mitre.org/techniques/T1490/"
        id = "050ac04b-4b1d-52fd-acb7-c75844714e6f"
        falsepositive = "Detection rules and reports"
    strings:
        $shadows = /\b(delete\s{1,4}shadows|shadowcopy\s{1,4}delete|win32_shadowcopy)\b/ nocase ascii wide
        $boot1 = /\bbcdedit(\.exe)?["']?\s[^\r\n]{0,40}recoveryenabled\s{1,4}["']?(no|off)\b/ nocase ascii wide
        $boot2 = /\bbcdedit(\.exe)?["']?\s[^\r\n]{0,40}bootstatuspolicy\s{1,4}["']?ignoreallfailures\b/ nocase ascii wide
        $catalog = /\bwbadmin(\.exe)?["']?\s{1,4}delete\s{1,4}(catalog|systemstatebackup|backup)\b/ nocase ascii wide
        $restore = /\b(DisableSR|Disable-ComputerRestore)\b/ nocase ascii wide
        $journal = /\bfsutil(\.exe)?["']?\s{1,4}usn\s{1,4}deletejournal\b/ nocase ascii wide
        $environment = /\breagentc(\.exe)?["']?\s{1,4}[-\/]disable\b/ nocase ascii wide
    condition:
        filesize < 20MB and 3 of them
}

rule SQUALL_Ransomware_Service_Stop_List : RANSOMWARE T1489 {
    meta:
        description = "Script that stops the services of backups, databases and protection one after the other"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1489/"
        id = "d489fabe-a041-5c71-99dd-aad64310ae44"
        falsepositive = "Maintenance scripts of administrators"
    strings:
        $stop = /\b(net1?(\.exe)?\s{1,4}stop|sc(\.exe)?\s{1,4}(stop|config)|taskkill(\.exe)?\s{1,4}\/f?|Stop-Service|Stop-Process)\s/ nocase ascii wide
        $name1 = /\bveeam/ nocase ascii wide
        $name2 = /\b(sql(writer|server|agent|browser)|mssql\w{0,20}|mysql\w{0,6}|oracle\w{0,12})\b/ nocase ascii wide
        $name3 = /\b(backupexec\w{0,20}|acronis\w{0,12}|arcserve\w{0,12})\b/ nocase ascii wide
        $name4 = /\b(sophos\w{0,12}|mcafee\w{0,12}|symantec\w{0,12}|kaspersky\w{0,8}|ekrn|avp|sepmaster\w{0,12}|windefend|mbamservice)\b/ nocase ascii wide
        $name5 = /\b(msexchange\w{0,20}|exchange\w{0,12})\b/ nocase ascii wide
        $name6 = /\b(vss|swprv|wbengine|sdrsvc)\b/ nocase ascii wide
        $name7 = /\b(outlook|winword|excel|thebat|firefox)\.exe\b/ nocase ascii wide
    condition:
        filesize < 5MB and #stop > 8 and 4 of ($name*)
}

rule SQUALL_Ransomware_ESXi_Script : RANSOMWARE LINUX T1486 T1489 {
    meta:
        description = "Script that stops virtual machines and looks for their disks"
        author = "Squall project"
        date = "2026-11-24"
        score = 80
        reference = "https://attack.mitre.org/techniques/T1489/"
        id = "2527305b-c7f4-58b9-85b8-f787c5e893cf"
        falsepositive = "Maintenance scripts of virtualisation hosts"
    strings:
        $list = /\besxcli\s[^\r\n]{0,60}\bvm\s{1,4}process\s{1,4}list\b/
        $kill1 = /\besxcli\s[^\r\n]{0,60}\bvm\s{1,4}process\s{1,4}kill\b/
        $kill2 = /\bvim-cmd\s{1,4}vmsvc\/power\.off\b/
        $snapshot = /\bvim-cmd\s{1,4}vmsvc\/snapshot\.removeall\b/
        $disk1 = /\.vmdk\b/
        $disk2 = /\/vmfs\/volumes\b/
        $change1 = /\b(chmod\s{1,4}[0-7+x]{2,4}|nohup)\s{1,4}[^\r\n]{1,80}/
        $change2 = /\b(encrypt|crypt|lock)\w{0,8}\b/ nocase
    condition:
        filesize < 5MB and (any of ($kill*)) and ($list or $snapshot) and all of ($disk*) and all of ($change*)
}
