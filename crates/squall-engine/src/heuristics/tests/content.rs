//! Content that is not what the extension promises.

use super::{BATCH, HTA, JS, PHP, POWERSHELL, TEXT, VBS, elf, exe, file, lnk, zip};

#[test]
fn programs_with_harmless_extensions_are_found() {
    for name in [
        "report.pdf",
        "report.DOCX",
        "photo.jpg",
        "icon.ico",
        "notes.txt",
        "server.log",
        "song.mp3",
        "page.html",
        "style.css",
        "data.json",
        "backup.zip",
        "font.ttf",
    ] {
        file(name, exe()).expect(&["Executable_Disguised"]);
        file(name, elf()).expect(&["Executable_Disguised"]);
    }
}

#[test]
fn programs_with_their_own_or_no_extension_are_not_meant() {
    for name in [
        "setup.exe",
        "lib.dll",
        "saver.scr",
        "driver.sys",
        "control.ocx",
        "a.bin",
        "a.dat",
        "a.tmp",
        "a.cfg",
        "a.bak",
        "a",
        "a.mui",
        "libc.so.6",
        "a.out",
        "font.fon",
        "a.12",
        "file.exe.txt.bak",
    ] {
        file(name, exe()).expect(&[]);
        file(name, elf()).expect(&[]);
    }
    // Too short to be one.
    file("a.txt", b"MZ".to_vec()).expect(&[]);
}

#[test]
fn scripts_with_harmless_extensions_are_found() {
    for (name, content) in [
        ("invoice.pdf", &lnk()[..]),
        ("invoice.txt", &lnk()),
        ("invoice.zip", &lnk()),
        ("invoice.doc", &lnk()),
        ("invoice.pdf", HTA),
        ("invoice.xls", HTA),
        ("invoice.docx", VBS),
        ("invoice.pdf", POWERSHELL),
        ("photo.jpg", PHP),
        ("favicon.ico", PHP),
        ("photo.png", JS),
        ("song.mp3", BATCH),
        ("report.pdf", PHP),
        ("notes.txt", b"#@~^EgAAAA==\\ko$K6,J_VsGJ@#@&"),
    ] {
        file(name, content).expect(&["Script_Disguised"]);
    }
}

#[test]
fn scripts_where_they_are_usual_are_not_meant() {
    for (name, content) in [
        ("a.lnk", &lnk()[..]),
        ("a.hta", HTA),
        ("a.html", HTA),
        ("a.vbs", VBS),
        ("a.txt", VBS),
        ("manual.doc", VBS),
        ("a.ps1", POWERSHELL),
        ("a.txt", POWERSHELL),
        ("a.log", BATCH),
        ("a.php", PHP),
        ("a.inc", PHP),
        ("a.html", PHP),
        ("a.txt", PHP),
        ("a.js", JS),
        ("a.json", JS),
        ("a", JS),
        ("a.dat", JS),
        ("a.docx.bak", VBS),
    ] {
        file(name, content).expect(&[]);
    }
}

/// The header of a process dump.
fn dump() -> Vec<u8> {
    let mut content = b"MDMP\x93\xa7\0\0\x01\0\0\0\x20\0\0\0".to_vec();
    content.resize(200, 0);
    content
}

const RTF: &[u8] = b"{\\rtf1\\ansi\\deff0 {\\fonttbl}{\\object\\objdata 01050000}}";
const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0";

#[test]
fn unmistakable_mismatches_are_found() {
    for (name, content) in [
        ("photo.jpg", &zip()[..]),
        ("song.mp3", &zip()),
        ("font.woff", &zip()),
        ("notes.txt", &zip()),
        ("server.log", &zip()),
        ("report.pdf", &zip()),
        ("photo.png", PDF),
        ("photo.png", RTF),
        ("report.docx", RTF),
        ("report.xls", RTF),
        ("photo.png", &dump()),
        ("notes.txt", &dump()),
        ("backup.zip", &dump()),
        ("report.docx", &dump()),
    ] {
        file(name, content).expect(&["Type_Extension_Mismatch"]);
    }
}

#[test]
fn everyday_mixes_are_not_meant() {
    for (name, content) in [
        ("report.docx", &zip()[..]),
        ("report.doc", &zip()),
        ("book.epub", &zip()),
        ("a.zip", &zip()),
        ("a.jar", &zip()),
        ("a.cfg", &zip()),
        ("a.dat", &zip()),
        ("a.tmp", &zip()),
        ("a", &zip()),
        ("a.7z", &zip()),
        ("photo.jpg", PNG),
        ("report.pdf", PNG),
        ("report.doc", RTF),
        ("report.rtf", RTF),
        ("report.doc", PDF),
        ("a.ai", PDF),
        ("photo.jpg", b"<html><body>404 Not Found</body></html>"),
        ("report.pdf", b"<html><body>404 Not Found</body></html>"),
        ("a.cfg", TEXT),
        ("photo.jpg", TEXT),
        ("photo.jpg", b""),
        ("page.html", b"\x1f\x8b\x08\0\0\0\0\0\0\x03"),
        ("server.log", b"\x1f\x8b\x08\0\0\0\0\0\0\x03"),
        ("lsass.dmp", &dump()),
        ("core.dat", &dump()),
    ] {
        file(name, content).expect(&[]);
    }
}
