//! Markup, mail, configuration, keys and encodings.

use super::check;

#[test]
fn markup() {
    check(&[
        (b"<!DOCTYPE html><html></html>", "HTML"),
        (b"<html><head></head></html>", "HTML"),
        (b"<!-- saved --><HTML>", "HTML"),
        (b"<script>alert(1)</script>", "HTML"),
        (b"<iframe src=x></iframe>", "HTML"),
        (b"some words\n<html>\nx\n</html>", "HTML"),
        (b"<?xml version=\"1.0\"?><note><to>x</to></note>", "XML"),
        (b"<note><to>x</to></note>", "XML"),
        (b"<!DOCTYPE node [\n<!ENTITY a \"<b>\">\n]>\n<node>\n", "XML"),
        (b"<?xml version=\"1.0\"?><!-- cut off in a comm", "XML"),
        (b"<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>", "SVG"),
        (b"<?xml version=\"1.0\"?><rss version=\"2.0\"></rss>", "RSS"),
        (b"<?xml version=\"1.0\"?><!DOCTYPE plist PUBLIC \"x\"><plist></plist>", "PLIST"),
        (b"<?xml version=\"1.0\"?><xsl:stylesheet version=\"1.0\"></xsl:stylesheet>", "XSL"),
        (b"<?xml version=\"1.0\"?><Task xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\"></Task>", "SCHEDULED TASK"),
        (b"<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup/></Project>", "MSBUILD"),
        (b"<?xml version=\"1.0\"?><?mso-application progid=\"Word.Document\"?><w:wordDocument/>", "OFFICE XML"),
        (b"<soap:Envelope xmlns:soap=\"x\"></soap:Envelope>", "SOAP"),
    ]);
}

#[test]
fn mail() {
    check(&[
        (b"Received: from x by y; Mon, 1 Jan 2024\r\nFrom: a@b.c\r\nSubject: x\r\n\r\nbody", "EMAIL"),
        (b"From: a@b.c\nTo: d@e.f\nSubject: x\nDate: Mon, 1 Jan 2024\n\nbody", "EMAIL"),
        (b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nx", "EMAIL"),
        (b"From a@b.c Mon Jan  1 00:00:00 2024\nReceived: from x\nFrom: a@b.c\nSubject: x\n\nbody", "MBOX"),
        (b"From: <Saved by Browser>\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\n", "MHTML"),
        (b"BEGIN:VCARD\r\nVERSION:3.0\r\n", "VCARD"),
        (b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "ICALENDAR"),
        (b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n", "HTTP"),
        (b"GET /x HTTP/1.1\r\nHost: y\r\n\r\n", "HTTP"),
    ]);
}

#[test]
fn structured_text() {
    check(&[
        (b"{\"a\": 1, \"b\": [true, null]}", "JSON"),
        (b"[{\"a\": 1}, {\"a\": 2}]\n", "JSON"),
        (b"{\"a\":1}\n{\"a\":2}\n", "JSON"),
        (b"---\nname: x\nlist:\n  - a\n  - b\n", "YAML"),
        (b"version: 3\nservices:\n  web:\n    image: x\n", "YAML"),
        (b"; c\n[main]\nkey=value\nother = 2\n", "INI"),
        (
            b"[Version]\r\nSignature=\"$Windows NT$\"\r\n[DefaultInstall]\r\nCopyFiles=x\r\n",
            "INF",
        ),
        (
            b"[Unit]\nDescription=x\n[Service]\nExecStart=/bin/x\n",
            "SYSTEMD UNIT",
        ),
        (b"[InternetShortcut]\r\nURL=http://x/\r\n", "URL"),
        (b"[Desktop Entry]\nExec=x\n", "DESKTOP ENTRY"),
        (b"Windows Registry Editor Version 5.00\r\n", "REG"),
        (b"REGEDIT4\r\n", "REG"),
        (b"a,b,c\n1,2,3\n4,5,6\n", "CSV"),
        (b"name;age\nx;1\ny;2\n", "CSV"),
        (b"\\documentclass{article}\n", "LATEX"),
        (b"%!PS-Adobe-3.0\n", "POSTSCRIPT"),
        (b"#EXTM3U\n#EXTINF:1\n", "M3U"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\n", "WEBVTT"),
        (b"diff --git a/x b/x\n", "DIFF"),
        (b"ID;PWXL;N;E\r\n", "SYLK"),
        (b"WEB\r\n1\r\nhttp://x/y.dat\r\n", "IQY"),
    ]);
}

#[test]
fn keys_and_encodings() {
    let base64 = b"TVqQAAMAAAAEAAAA//8AALgAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nAAAAgAAAAA4fug4AtAnNIbgBTM0hVGhpcyBwcm9ncmFtIGNhbm5vdCBiZSBydW4gaW4gRE9TIG1v\nZGUuDQ0KJAAAAAAAAA==\n";
    let hex = b"4d5a90000300000004000000ffff0000b8000000".repeat(10);
    check(&[
        (b"-----BEGIN CERTIFICATE-----\nMIIB\n", "CERT"),
        (b"-----BEGIN RSA PRIVATE KEY-----\nMIIB\n", "PRIVATE KEY"),
        (b"-----BEGIN PUBLIC KEY-----\nMIIB\n", "PUBLIC KEY"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n", "SSH KEY"),
        (b"ssh-rsa AAAAB3NzaC1yc2E x@y\n", "SSH KEY"),
        (b"PuTTY-User-Key-File-2: ssh-rsa\n", "SSH KEY"),
        (b"-----BEGIN PGP MESSAGE-----\n\nhQ\n", "PGP"),
        (b"-----BEGIN PKCS7-----\nMIIB\n", "PKCS7"),
        (b"age-encryption.org/v1\n-> X25519 x\n", "AGE"),
        (base64, "Base64"),
        (&hex, "HEX"),
        (
            b"begin 644 x.exe\nM35J0``,````$````__\\``+@`````````\n",
            "UUENCODE",
        ),
        (b"=ybegin line=128 size=1 name=x\n", "YENC"),
        (
            b":10010000214601360121470136007EFE09D2190140\n",
            "INTEL HEX",
        ),
    ]);
}

#[test]
fn plain_text() {
    let latin1 = "Gr\u{fc}\u{df}e aus M\u{fc}nchen"
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect::<Vec<_>>();
    let cyrillic = b"\xcf\xf0\xe8\xe2\xe5\xf2 \xec\xe8\xf0 ".repeat(10);
    check(&[
        (b"hello\n", "TEXT"),
        (b"x", "TEXT"),
        (b"   \n\t", "TEXT"),
        ("\u{65e5}\u{672c}\u{8a9e}\n".as_bytes(), "TEXT"),
        (&latin1, "TEXT"),
        (&cyrillic, "TEXT"),
        (
            b"2024-01-01 00:00:01 INFO started\n2024-01-01 00:00:02 WARN slow\n",
            "TEXT",
        ),
        (
            b"# Title\n\nA paragraph of a readme file.\n\n- one\n- two\n",
            "TEXT",
        ),
        (b"\x1b[31mred\x1b[0m\n", "TEXT"),
    ]);
}
