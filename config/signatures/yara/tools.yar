/*
    Tools and commands of an intruder inside a network: machine code that every
    framework shares, looking around, moving on, tunnels, taking data out; and
    traces of attacks in logs.
*/

rule SQUALL_Tool_Shellcode_Start : SHELLCODE T1055 {
    meta:
        description = "First bytes of machine code that finds functions of Windows by hash, as attack frameworks generate it"
        author = "Squall project"
        date = "2026-11-24"
        score = 80
        reference = "https://attack.mitre.org/techniques/T1055/"
        id = "726c580f-ee02-5008-9079-dce316565f15"
        falsepositive = "Detection rules and test data of security software"
    strings:
        $x86 = { FC E8 ( 82 | 86 | 89 | 8F ) 00 00 00 60 ( 89 E5 31 ( C0 | D2 | DB | FF ) | 31 ( C0 | D2 ) 89 E5 ) 64 8B ( 50 | 52 | 5? ) 30 }
        $x64 = { FC 48 83 E4 F0 E8 ( C0 | C8 | CC | D0 | D4 ) 00 00 00 41 51 41 50 52 }
        $hex_list = /0xfc\s{0,2},\s{0,2}(0xe8\s{0,2},\s{0,2}0x(82|86|89|8f)\s{0,2},\s{0,2}0x00\s{0,2},\s{0,2}0x00|0x48\s{0,2},\s{0,2}0x83\s{0,2},\s{0,2}0xe4\s{0,2},\s{0,2}0xf0\s{0,2},\s{0,2}0xe8)\s{0,2},/ nocase ascii wide
        $escaped = /\\xfc(\\xe8\\x(82|86|89|8f)\\x00\\x00\\x00|\\x48\\x83\\xe4\\xf0\\xe8)/ nocase ascii wide
        $digits = /\bfc(e8(82|86|89|8f)0000006089e531|4883e4f0e8(c0|c8|cc)00000041514150)/ nocase ascii wide
        $encoded = /\/(EiD5PDo(wAAA|yAAA|zAAA)|OiCAAAAYInl|OiPAAAAYInl|OiJAAAAYInl)/ ascii wide
    condition:
        filesize < 20MB and any of them
}

rule SQUALL_Tool_Reflective_Library : INJECTION T1620 {
    meta:
        description = "Library of Windows that loads itself from memory"
        author = "Squall project"
        date = "2026-11-24"
        score = 76
        reference = "https://attack.mitre.org/techniques/T1620/"
        id = "60e54db7-eb88-5bac-8a2e-08f9886b3259"
    strings:
        $export = /\x00(_?ReflectiveLoader(@4)?|ReflectiveDllMain)\x00/
    condition:
        filesize < 20MB and uint16(0) == 0x5A4D and $export
}

rule SQUALL_Tool_Domain_Discovery : DISCOVERY T1482 T1087_002 {
    meta:
        description = "Script or history with several commands that explore a Windows domain"
        author = "Squall project"
        date = "2026-11-24"
        score = 64
        reference = "https://attack.mitre.org/techniques/T1482/"
        id = "460e30bb-a873-5031-9ec4-6adee4069a6d"
        falsepositive = "Inventory scripts of administrators"
    strings:
        $trust = /\bnltest(\.exe)?\s{1,4}[\/-](domain_trusts|dclist)/ nocase ascii wide
        $group = /\bnet1?(\.exe)?\s{1,4}group\s{1,4}["']?(domain admins|enterprise admins|domain controllers|domain computers)["']?\s{1,4}\/dom/ nocase ascii wide
        $adfind = /\badfind(\.exe)?\s[^\r\n]{0,40}-f\s{1,4}["']?\(?(objectcategory|name=)|\badfind(\.exe)?\s[^\r\n]{0,20}-(sc|subnets|gcb)\b/ nocase ascii wide
        $dsquery = /\bdsquery(\.exe)?\s{1,4}(user|computer|group|subnet|\*)\s/ nocase ascii wide
        $whoami = /\bwhoami(\.exe)?\s{1,4}\/(all|groups|priv)\b/ nocase ascii wide
        $spn = /\bsetspn(\.exe)?\s{1,4}-T\s[^\r\n]{0,40}-Q\s{1,4}\*\/\*/ nocase ascii wide
        $session = /\b(quser|qwinsta|query\s{1,4}user)\b/ nocase ascii wide
        $view = /\bnet1?(\.exe)?\s{1,4}view\s{1,4}\/(all|domain)\b/ nocase ascii wide
        $hound = /\bsharphound(\.exe|\.ps1)?\b[^\r\n]{0,60}-(c|-?collectionmethods?)\b/ nocase ascii wide
    condition:
        filesize < 1MB and uint16(0) != 0x5A4D and 3 of them
}

rule SQUALL_Tool_Remote_Command_Batch : LATERAL T1570 T1047 T1569_002 {
    meta:
        description = "Script that copies a program to other machines and starts it there"
        author = "Squall project"
        date = "2026-11-24"
        score = 70
        reference = "https://attack.mitre.org/techniques/T1570/"
        id = "1bb00435-92b9-5e51-86f9-2f2016e74d33"
        falsepositive = "Software deployment scripts of administrators"
    strings:
        $psexec = /\bpsexec(64)?(\.exe)?["']?\s[^\r\n]{0,60}(@[\w.:\\]{1,80}\.txt|\\\\(\*|%%?\w|[\w.\-]{1,60}))[^\r\n]{0,120}(\s-(c|s|d|h|f|u|accepteula)\b)[^\r\n]{0,160}\.(exe|bat|cmd|dll|ps1)\b/ nocase ascii wide
        $wmic = /\bwmic(\.exe)?["']?\s{1,4}\/node:\s{0,2}[^\r\n]{1,160}\bprocess\s{1,4}call\s{1,4}create\b/ nocase ascii wide
        $loop = /\bfor\s[^\r\n]{0,40}\s(in|do)\s[^\r\n]{0,80}\bcopy\s[^\r\n]{0,60}\\\\%%?\w{1,12}%?\\(c\$|admin\$)\\/ nocase ascii wide
        $service = /\bsc(\.exe)?\s{1,4}\\\\[\w.%\-]{1,60}\s{1,4}create\s[^\r\n]{0,80}binpath=/ nocase ascii wide
        $task = /\bschtasks(\.exe)?\s[^\r\n]{0,40}\/s\s{1,4}[\w.%\-\\]{1,60}\s[^\r\n]{0,160}\/ru\s{1,4}["']?(system|nt authority)/ nocase ascii wide
    condition:
        filesize < 1MB and uint16(0) != 0x5A4D and any of them
}

rule SQUALL_Tool_Tunnel : TUNNEL T1572 T1090 {
    meta:
        description = "Command or configuration that makes an inner service reachable from outside through a tunnel"
        author = "Squall project"
        date = "2026-11-24"
        score = 62
        reference = "https://attack.mitre.org/techniques/T1572/"
        id = "fe8f34fd-a276-530c-91da-d3cf6eca145e"
        falsepositive = "Remote maintenance set up by administrators"
    strings:
        $plink = /\b(plink|klink)(\.exe)?["']?\s[^\r\n]{0,160}-R\s{0,2}[\w.:*]{0,60}:?\d{1,5}:[\w.\-]{1,60}:(3389|445|22|5985|1433)\b/ nocase ascii wide
        $chisel = /\bchisel(\.exe)?["']?\s{1,4}client\s[^\r\n]{0,160}\bR:(socks|[\w.:]{1,60}:\d{1,5})/ nocase ascii wide
        $ngrok = /\bngrok(\.exe)?["']?\s{1,4}tcp\s[^\r\n]{0,40}\b(3389|445|22|5900)\b/ nocase ascii wide
        $ligolo = /\b(ligolo|agent)(\.exe)?\s[^\r\n]{0,60}-connect\s{1,4}[\w.\-]{3,80}:\d{1,5}\s[^\r\n]{0,40}-ignore-cert\b/ nocase ascii wide
        $portproxy = /\bnetsh(\.exe)?\s{1,4}interface\s{1,4}portproxy\s{1,4}add\s{1,4}v4tov4\s[^\r\n]{0,160}connectaddress\s{0,2}=/ nocase ascii wide
        $frp1 = /(^|[\r\n])\s{0,4}server_addr\s{0,2}=\s{0,2}["']?[\w.\-]{4,80}/
        $frp2 = /(^|[\r\n])\s{0,4}(local_port\s{0,2}=\s{0,2}["']?(3389|445|22|5985)\b|plugin\s{0,2}=\s{0,2}["']?socks5)/
        $frp3 = /(^|[\r\n])\s{0,4}remote_port\s{0,2}=\s{0,2}["']?\d{2,5}/
    condition:
        filesize < 1MB and uint16(0) != 0x5A4D and ($plink or $chisel or $ngrok or $ligolo or $portproxy or all of ($frp*))
}

rule SQUALL_Tool_Data_Collection : EXFILTRATION T1560_001 T1567_002 {
    meta:
        description = "Command that packs whole shares with a password or copies them to a cloud storage"
        author = "Squall project"
        date = "2026-11-24"
        score = 66
        reference = "https://attack.mitre.org/techniques/T1567/002/"
        id = "7ccd3c7d-b7cb-54a5-8fa6-17ad38cd6cb0"
        falsepositive = "Backup scripts of administrators"
    strings:
        $rar = /\b(rar|winrar)(\.exe)?["']?\s{1,4}a\s[^\r\n]{0,80}-hp[^\s\r\n]{4,60}[^\r\n]{0,160}(\\\\|[a-z]:\\(users|share|data|\*)|\/home\/|\/srv\/|\/var\/)/ nocase ascii wide
        $seven = /\b7z[ar]?(\.exe)?["']?\s{1,4}a\s[^\r\n]{0,80}-mhe(=on)?\b[^\r\n]{0,160}/ nocase ascii wide
        $rclone = /\brclone(\.exe)?["']?\s[^\r\n]{0,60}\b(copy|sync|move)\s[^\r\n]{1,160}\b(mega|pcloud|dropbox|onedrive|b2|s3|ftp|sftp|remote)\d{0,3}:[^\r\n]{0,200}(--(max-age|transfers|multi-thread-streams|no-check-certificate|ignore-existing|include|exclude|bwlimit|auto-confirm))/ nocase ascii wide
        $megacmd = /\b(megasync|megacmd|mega-put)(\.exe)?\s[^\r\n]{0,80}\.(zip|7z|rar)\b/ nocase ascii wide
        $transfer = /\bcurl(\.exe)?\s[^\r\n]{0,120}(--upload-file|-T)\s[^\r\n]{0,120}https?:\/\/(transfer\.sh|file\.io|bashupload\.com|temp\.sh|oshi\.at|gofile\.io|anonfiles\.com)/ nocase ascii wide
    condition:
        filesize < 1MB and uint16(0) != 0x5A4D and ($rar or $rclone or $megacmd or $transfer or #seven > 1)
}

rule SQUALL_Tool_Log4j_Request : EXPLOIT LOG T1190 {
    meta:
        description = "Request that makes a vulnerable Java logger load code, as found in logs"
        author = "Squall project"
        date = "2026-11-24"
        score = 66
        reference = "https://attack.mitre.org/techniques/T1190/"
        id = "33440d6b-8547-53de-b942-0c9e1d0fe4b8"
        falsepositive = "Logs of vulnerability scanners, detection rules"
    strings:
        $plain = /\$(\{|%7b)jndi:(ldaps?|rmi|dns|iiop|corba|nis):[\/\\]{0,2}[^\s"'\}]{3,200}/ nocase
        $nested = /\$\{(\$\{[^}\r\n]{1,30}\}|[jndi]){2,12}:/ nocase
        $lower = /\$\{(lower|upper|::-|env:[^}\r\n]{1,30}:-):?[jndi]{1,4}\}[^\r\n]{0,120}(ldap|rmi|dns|\$\{)/ nocase
        $log = /\b(GET|POST|HEAD|User-Agent|HTTP\/1\.[01]|X-Api-Version|Referer)\b/
    condition:
        filesize < 200MB and uint16(0) != 0x5A4D and ($plain or $nested or $lower) and $log
}

rule SQUALL_Tool_Web_Command_In_Log : EXPLOIT LOG WEBSHELL T1505_003 {
    meta:
        description = "Web server log with requests that carry system commands to a script"
        author = "Squall project"
        date = "2026-11-24"
        score = 66
        reference = "https://attack.mitre.org/techniques/T1505/003/"
        id = "7b95946e-90b9-5de8-96de-0736db5e14d3"
        falsepositive = "Logs of vulnerability scanners"
    strings:
        $request = /"(GET|POST)\s[^"\s]{1,160}\.(php\d?|phtml|jspx?|aspx?|ashx|cfm)\?[^"\s]{0,60}=[^"\s]{0,40}(whoami|cat(%20|\+)(%2F|\/)etc(%2F|\/)passwd|net(%20|\+)user|ipconfig|ifconfig|uname(%20|\+)-a|cmd(\.exe)?(%20|\+)(%2F|\/)c|(wget|curl)(%20|\+)http)[^"]{0,200}HTTP\/\d/ nocase
        $answer = /HTTP\/\d(\.\d)?"\s200\s\d{1,8}/
    condition:
        filesize < 500MB and $request and $answer
}

rule SQUALL_Tool_Phishing_Kit : PHISHING PHP T1566 T1056_003 {
    meta:
        description = "PHP page that sends the passwords typed into it to a mailbox or chat"
        author = "Squall project"
        date = "2026-11-24"
        score = 70
        reference = "https://attack.mitre.org/techniques/T1056/003/"
        id = "ec53841e-ec00-5dbf-a2bd-bf3627c467b4"
        falsepositive = "Contact forms that mail a password field"
    strings:
        $php = "<?php" nocase
        $password = /\$_(POST|REQUEST)\s{0,2}\[\s{0,2}["'](pass|passwd|password|pwd|passw|cvv|pin|otp)\w{0,8}["']\s{0,2}\]/ nocase
        $send1 = /\bmail\s{0,4}\(\s{0,4}\$\w{1,20}\s{0,4},/ nocase
        $send2 = "api.telegram.org/bot" nocase
        $address1 = "REMOTE_ADDR"
        $address2 = "HTTP_USER_AGENT"
        $text = /(\|\s{0,4}-{2,}|-{3,}|={3,}|\+{3,})[^\r\n]{0,40}(log(in|s)?|result|rezult|victim|full ?z|bank|card|account|created by|info)/ nocase
        $go = /header\s{0,4}\(\s{0,4}["']Location:/ nocase
    condition:
        filesize < 256KB and $php and $password and any of ($send*) and $address1 and ($text or $address2) and $go
}

rule SQUALL_Tool_Keylogger_Script : COLLECTION T1056_001 {
    meta:
        description = "Script that records the keys of the user"
        author = "Squall project"
        date = "2026-11-24"
        score = 70
        reference = "https://attack.mitre.org/techniques/T1056/001/"
        id = "d64f685b-2edb-5630-9f4f-d488dbae33ce"
        falsepositive = "Shortcut and accessibility programs"
    strings:
        $state = /\bGetAsyncKeyState\b/ nocase ascii wide
        $hook1 = /\bSetWindowsHookEx\b/ nocase ascii wide
        $script1 = "Add-Type" nocase ascii wide
        $script2 = "[DllImport(" nocase ascii wide
        $script3 = /\bctypes\.windll\b/ ascii wide
        $loop = /\b(while|for)\s{0,2}\(?[^\r\n]{0,40}(\$true|1|True|-le\s{1,2}254|255)/ nocase ascii wide
        $store1 = /\b(Out-File|AppendAllText|Add-Content|StreamWriter)\b/ nocase ascii wide
        $store2 = /\bopen\s{0,2}\([^\r\n]{1,80}["']a[+b]{0,2}["']/ ascii wide
    condition:
        filesize < 1MB and uint16(0) != 0x5A4D and ($state or $hook1) and any of ($script*) and $loop and any of ($store*)
}
