/*
    Files made to show that a scanner works. All of them are harmless.

    The test strings stand here in two parts, so that neither these rules nor
    a program that embeds them carries a whole one.
*/

rule SQUALL_Test_EICAR : TESTFILE EICAR {
    meta:
        description = "EICAR antivirus test file"
        author = "Squall project"
        date = "2026-11-24"
        score = 95
        reference = "https://www.eicar.org/download-anti-malware-testfile/"
        id = "b6c613eb-d5c0-54df-b91d-d38212188525"
        falsepositive = "Anti-malware test files placed on purpose"
    strings:
        $start = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$"
        $name = "EICAR-STANDARD-ANTIVIRUS"
    condition:
        // Its definition allows blanks behind the 68 bytes, up to 128 in all;
        // some editors put a byte order mark in front.
        filesize <= 160 and $start in (0..3) and $name at @start[1] + 28
}

rule SQUALL_Test_EICAR_Embedded : TESTFILE EICAR {
    meta:
        description = "EICAR antivirus test string inside a larger file"
        author = "Squall project"
        date = "2026-11-24"
        score = 50
        reference = "https://www.eicar.org/download-anti-malware-testfile/"
        id = "af3edd85-a83d-5ff7-a337-0a0922549d39"
        falsepositive = "Documentation and test suites of security software"
    strings:
        $start = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$"
        $name = "EICAR-STANDARD-ANTIVIRUS"
    condition:
        filesize > 160 and $name and for any place in (1..8) : ($name at @start[place] + 28)
}

rule SQUALL_Test_GTUBE : TESTFILE SPAM {
    meta:
        description = "GTUBE spam filter test string"
        author = "Squall project"
        date = "2026-11-24"
        score = 45
        reference = "https://spamassassin.apache.org/gtube/"
        id = "42168f11-1711-518e-8bac-187174b7c905"
        falsepositive = "Documentation and test suites of mail filters"
    strings:
        $start = "XJS*C4JDBQADN1.NSBN3*2IDNEN*"
        $name = "GTUBE-STANDARD-ANTI-UBE"
    condition:
        $name and for any place in (1..8) : ($name at @start[place] + 28)
}

rule SQUALL_Test_Self_Test : TESTFILE {
    meta:
        description = "Squall self-test file: a harmless text that antivirus programs leave alone"
        author = "Squall project"
        date = "2026-11-24"
        score = 90
        reference = "https://www.amtso.org/security-features-check/"
        id = "aee6d623-23ca-5fa4-ad75-390075df592d"
        falsepositive = "Files made to test this service"
    strings:
        $text = "SQUALL-SELF-TEST-FILE"
    condition:
        filesize < 1KB and $text in (0..3)
}
