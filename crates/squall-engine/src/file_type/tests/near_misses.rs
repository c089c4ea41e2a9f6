//! Texts that only mention what a signature looks for.

use super::check;

#[test]
fn words_that_are_also_signatures_stay_text() {
    check(&[
        (b"MZ is the magic of an executable", "TEXT"),
        (b"BMW builds cars", "TEXT"),
        (b"regf is the magic of a registry hive", "TEXT"),
        (b"OTTO was an emperor", "TEXT"),
        (b"RIFF is a container for sound", "TEXT"),
        (b"MSCF is what a cabinet starts with", "TEXT"),
        (b"GGUF and PAR1 are formats", "TEXT"),
        (b"FWS stands for something", "TEXT"),
        (b"true stories from the sea", "TEXT"),
        (b"solid advice for beginners", "TEXT"),
        (b"free bananas for everyone", "TEXT"),
        (b"x^2 + y^2 = z^2", "TEXT"),
        (b"0707012345 is my phone number", "TEXT"),
        (b"AMV is a format for films", "TEXT"),
        (b"ID3 tags are written in front", "TEXT"),
        (b"MDMP is how a minidump of lsass.exe begins", "TEXT"),
        (b"KDMV, COWD and conectix are magics", "TEXT"),
        (b"begin 2024 with a smile", "TEXT"),
        (b"GET ready for the weekend", "TEXT"),
        (b"From dusk till dawn, 1996\nA film.\n", "TEXT"),
        (b"The specification says %PDF-1.4 comes first.", "TEXT"),
        (
            b"Chapter: one\nSubject: the sea\nIt was a dark night.\n",
            "TEXT",
        ),
    ]);
}

#[test]
fn prose_about_code_stays_text() {
    check(&[
        (b"Use <?php to open the tag and ?> to close it.", "TEXT"),
        (b"# PHP\n\nA script starts so:\n\n```php\n<?php echo 1;\n```\n", "TEXT"),
        (b"The shell was `<%eval request(\"x\")%>` and was found in the logs.", "TEXT"),
        (b"import duties rise again this year", "TEXT"),
        (b"from abroad import duties are rising", "TEXT"),
        (b"function follows form, said the architect of the house", "TEXT"),
        (b"set the table and echo the call of the wild", "TEXT"),
        (b"Dim light filled the room as she was sleeping", "TEXT"),
        (b"if you are lost, then go to the end of the street:", "TEXT"),
        (b"class is over; let us use the time we have left", "TEXT"),
        (b"The attacker used CreateObject(\"WScript.Shell\") and then Get-ChildItem to list the files that were on the disk. It was run with IEX.", "TEXT"),
        (b"You can call Invoke-Expression or Write-Host from the console, but it has to be enabled to do so by the administrator of the domain.", "TEXT"),
        (b"all: x\n\t@echo building of x\n\t$(MAKE) -C t\n", "TEXT"),
        (b"# Manual\n\nHow to do it:\n\n```js\nvar x = require('fs');\nmodule.exports = x;\n```\n\nThat is all.\n", "TEXT"),
        (b"select a seat from the plan and pay at the desk", "TEXT"),
        (b"create table reservations early in the season", "TEXT"),
        (b"package holidays are cheap in spring", "TEXT"),
        (b"using public transport is easy here", "TEXT"),
        (b"for more details, do read the manual; done is done", "TEXT"),
        (b"echo is the nymph of a story", "TEXT"),
        (b"REM sleep is when we dream", "TEXT"),
        (b"The set-top box is read-only, start-up is slow", "TEXT"),
        (b"print is dead, long live print (they say)", "TEXT"),
        (b"rule number one: never talk about the condition: it hurts", "TEXT"),
    ]);
}

#[test]
fn text_that_only_looks_structured_stays_text() {
    let words = b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
    let hashes = b"d41d8cd98f00b204e9800998ecf8427e\n".repeat(20);
    check(&[
        (b"{not json at all}", "TEXT"),
        (b"[1] Smith, On Things, 1999\n", "TEXT"),
        (b"[note] remember the milk", "TEXT"),
        (b"<John> hello there", "TEXT"),
        (b"<3 you", "TEXT"),
        (b"a < b and b > c", "TEXT"),
        (b"Dear all,\nthanks, really,\nbye, then,\n", "TEXT"),
        (b"To do: buy milk\nCall mother\n", "TEXT"),
        (words, "TEXT"),
        (&hashes, "TEXT"),
        (b"#! is called a shebang", "TEXT"),
        (b"#hashtag of the day", "TEXT"),
        (b"-----BEGIN OF A STORY-----\n", "TEXT"),
        (b"ssh-rsa is a kind of key", "TEXT"),
    ]);
}

#[test]
fn binary_data_that_mentions_code_stays_what_it_is() {
    check(&[
        (b"MZ\x90\0\x03\0\0\0<?php eval($x); ?>", "EXE"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF<?php eval($x); ?>", "JPEG"),
        (b"%PDF-1.4\n<script>alert(1)</script>", "PDF"),
        (b"GIF89a\x01\0\x01\0\x80\0\0<?php echo 1; ?>", "GIF"),
    ]);
}
