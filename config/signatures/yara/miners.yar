/*
    Programs that mine a currency on somebody else's machine.
*/

rule SQUALL_Miner_Configuration : MINER T1496 {
    meta:
        description = "Configuration of a program that mines a currency"
        author = "Squall project"
        date = "2026-11-24"
        score = 70
        reference = "https://attack.mitre.org/techniques/T1496/"
        id = "2baaf135-ca95-5123-81a6-a6f9a5fb070c"
        falsepositive = "Miners that the owner of the machine runs"
    strings:
        $donate = /"donate-level"\s{0,2}:\s{0,2}\d{1,3}/
        $pools = /"pools"\s{0,2}:\s{0,2}\[/
        $address = /"url"\s{0,2}:\s{0,2}"(stratum\+(tcp|ssl):\/\/)?[\w.\-]{3,80}:\d{2,5}"/
        $user = /"user"\s{0,2}:\s{0,2}"[^"\r\n]{1,160}"/
        $other1 = /"(randomx|rx|cn|cn-heavy|argon2)"\s{0,2}:/
        $other2 = /"(huge-pages|max-cpu-usage|cpu-affinity|nicehash|rig-id|coin|algo)"\s{0,2}:/
    condition:
        filesize < 1MB and $pools and $address and $user and ($donate or all of ($other*))
}

rule SQUALL_Miner_Command : MINER T1496 {
    meta:
        description = "Command line or script that starts a program that mines a currency"
        author = "Squall project"
        date = "2026-11-24"
        score = 72
        reference = "https://attack.mitre.org/techniques/T1496/"
        id = "077b160e-e702-5f98-8ed2-da71d6f6894f"
        falsepositive = "Miners that the owner of the machine runs"
    strings:
        $stratum = /\s(-o|--url[= ]|-a\s{1,4}[\w\/\-]{2,20}\s{1,4}-o)\s{0,4}["']?(stratum\+)?(tcp|ssl|tls)?(:\/\/)?[\w.\-]{3,80}:\d{2,5}["']?\s{1,4}[^\r\n]{0,40}(-u|--user[= ])\s{0,4}["']?(4[0-9AB][1-9A-HJ-NP-Za-km-z]{93}|[13bc][a-km-zA-HJ-NP-Z1-9]{25,60}|\$\w{1,20})/
        $named = /\b(xmrig|xmr-stak|minerd|cpuminer|ccminer|nbminer|t-rex|lolminer|ethminer)(\.exe)?["']?\s[^\r\n]{0,80}(-o|--url|--pool|-P)[= ]\s{0,4}["']?[\w+:\/.\-]{4,80}:\d{2,5}/ nocase
        $donate = /--donate-level(=|\s{1,4})\d{1,3}\b/
        $pool = /\bstratum\+(tcp|ssl|tls):\/\/[\w.\-@]{3,120}:\d{2,5}/
        $run = /\b(nohup|setsid|chmod|systemctl|schtasks|Start-Process|start\s{1,4}\/b)\b/ nocase
    condition:
        filesize < 2MB and uint16(0) != 0x5A4D and uint32be(0) != 0x7F454C46
        and ($stratum or $named or ($donate and $pool) or ($pool and $run))
}

rule SQUALL_Miner_Competitor_Removal : MINER LINUX T1496 T1489 {
    meta:
        description = "Shell script that ends the miners of others before it starts its own"
        author = "Squall project"
        date = "2026-11-24"
        score = 78
        reference = "https://attack.mitre.org/techniques/T1496/"
        id = "c7d3b21a-e85b-55d0-a374-bf959d6c17dd"
        falsepositive = "Cleaning scripts of administrators"
    strings:
        $kill = /\b(pkill|killall|kill)\s{1,4}-(9|f|KILL|9f)\b|\bxargs\s{1,4}(-I\s{0,2}\S{1,4}\s{1,4})?kill\s{1,4}-9\b/
        $name1 = "kdevtmpfsi"
        $name2 = "kinsing"
        $name3 = "xmrig"
        $name4 = "minerd"
        $name5 = "cryptonight"
        $name6 = "kworkerds"
        $name7 = "watchbog"
        $name8 = "ddgs"
        $name9 = "sysrv"
        $name10 = "stratum"
        $name11 = "xmr-stak"
        $fetch = /\b(curl|wget)\s[^\r\n]{0,120}(https?:\/\/|\$\w)/
    condition:
        filesize < 512KB and uint32be(0) != 0x7F454C46 and #kill > 3 and 4 of ($name*) and $fetch
}

rule SQUALL_Miner_Web_Page : MINER JAVASCRIPT T1496 {
    meta:
        description = "Web page that lets the browsers of its visitors mine a currency"
        author = "Squall project"
        date = "2026-11-24"
        score = 66
        reference = "https://attack.mitre.org/techniques/T1496/"
        id = "4f133dd6-25ff-52da-84f6-18092924e3c3"
    strings:
        $start = /new\s{1,4}(CoinHive|CoinImp|CryptoLoot|Client)\.(Anonymous|User|Token)\s{0,2}\(\s{0,2}["'][\w]{16,80}["']/
        $throttle = /\bthrottle\s{0,2}:\s{0,2}0?\.\d/
        $run = /\.\s{0,2}start\s{0,2}\(\s{0,2}/
    condition:
        filesize < 2MB and all of them
}
