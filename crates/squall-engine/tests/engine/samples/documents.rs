//! Makes mails, documents and scripts, each with one file in it.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::archives::{cab, gzip, program, tar, zip, zlib};

/// Base64 in lines.
fn encoded(content: &[u8]) -> String {
    let text = STANDARD.encode(content).into_bytes();
    let lines = text.chunks(76).map(String::from_utf8_lossy);
    lines.fold(String::new(), |text, line| text + &line + "\r\n")
}

pub(super) fn hex(content: &[u8]) -> String {
    content.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("memory");
        text
    })
}

pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

pub(super) fn len32(content: &[u8]) -> [u8; 4] {
    u32::try_from(content.len()).expect("small").to_le_bytes()
}

fn mail_text(content: &[u8]) -> String {
    format!(
        "From: a@example.org\r\nTo: b@example.org\r\nSubject: an offer\r\n\
         Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n--=_b\r\n\
         Content-Type: text/plain\r\n\r\nsee there\r\n--=_b\r\n\
         Content-Type: application/octet-stream\r\n\
         Content-Disposition: attachment; filename=\"evil.txt\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}--=_b--\r\n",
        encoded(content)
    )
}

pub(super) fn mail(content: &[u8]) -> Vec<u8> {
    mail_text(content).into_bytes()
}

/// A mail whose attachment is not encoded, and no text.
pub(super) fn binary_mail(content: &[u8]) -> Vec<u8> {
    let head = "From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=limit\r\n\r\n\
        --limit\r\nContent-Type: application/octet-stream; name=evil.txt\r\n\
        Content-Disposition: attachment; filename=evil.txt\r\n\
        Content-Transfer-Encoding: binary\r\n\r\n";
    let binary = b"\0\x01\x02\x03".repeat(500);
    [head.as_bytes(), &binary, content, b"\r\n--limit--\r\n"].concat()
}

/// A web page saved with what it needs, which is not encoded.
pub(super) fn saved_page(content: &[u8]) -> Vec<u8> {
    let head = "From: <Saved by Blink>\r\nSnapshot-Content-Location: https://a.example/\r\n\
        Subject: x\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/related; type=\"text/html\"; boundary=limit\r\n\r\n\
        --limit\r\nContent-Type: image/png; name=evil.txt\r\n\
        Content-Transfer-Encoding: binary\r\n\r\n";
    let binary = b"\0\x01\x02\x03".repeat(500);
    [head.as_bytes(), &binary, content, b"\r\n--limit--\r\n"].concat()
}

pub(super) fn mailbox(content: &[u8]) -> Vec<u8> {
    format!(
        "From a@b Mon Jan  1 00:00:00 2024\r\n{}\r\nFrom a@b Mon Jan  1 00:00:01 2024\r\n{}",
        mail_text(b"nothing"),
        mail_text(content)
    )
    .into_bytes()
}

/// An OLE compound file of these streams.
pub(super) fn compound(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).expect("file");
    for (path, content) in streams {
        if let Some((storage, _)) = path.rsplit_once('/') {
            file.create_storage_all(format!("/{storage}"))
                .expect("storage");
        }
        let mut stream = file.create_stream(format!("/{path}")).expect("stream");
        stream.write_all(content).expect("content");
    }
    file.flush().expect("memory");
    file.into_inner().into_inner()
}

pub(super) fn outlook(content: &[u8]) -> Vec<u8> {
    let body = utf16("hello");
    let name = utf16("evil.txt");
    compound(&[
        ("__properties_version1.0", b"x"),
        ("__substg1.0_1000001F", &body),
        ("__attach_version1.0_#00000000/__substg1.0_3707001F", &name),
        (
            "__attach_version1.0_#00000000/__substg1.0_37010102",
            content,
        ),
    ])
}

pub(super) fn tnef(content: &[u8]) -> Vec<u8> {
    let mut stream = b"\x78\x9f\x3e\x22\x01\0".to_vec();
    for (id, data) in [
        (0x0006_9002_u32, &[0; 14][..]),
        (0x0001_8010, b"evil.txt\0"),
        (0x0006_800f, content),
    ] {
        stream.push(2);
        stream.extend(id.to_le_bytes());
        stream.extend(len32(data));
        stream.extend(data);
        let sum = data
            .iter()
            .fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
        stream.extend(sum.to_le_bytes());
    }
    stream
}

/// Compresses as MS-OVBA does when nothing repeats.
fn macro_compressed(text: &[u8]) -> Vec<u8> {
    let mut bytes = vec![1];
    for chunk in text.chunks(3600) {
        let mut data = Vec::new();
        for literals in chunk.chunks(8) {
            data.push(0);
            data.extend(literals);
        }
        let header = u16::try_from(data.len() - 1).expect("small") | 0xb000;
        bytes.extend(header.to_le_bytes());
        bytes.extend(data);
    }
    bytes
}

/// A VBA project's list of modules, and its only module with this in its
/// source.
fn macro_project(content: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut list = Vec::new();
    for (id, data) in [
        (0x19_u16, &b"M"[..]),
        (0x1a, b"M"),
        (0x31, &[0; 4]),
        (0x2b, b""),
    ] {
        list.extend(id.to_le_bytes());
        list.extend(len32(data));
        list.extend(data);
    }
    let source = [b"Attribute VB_Name = \"M\"\r\n", content].concat();
    (macro_compressed(&list), macro_compressed(&source))
}

/// A Word document with this in the source of its macro.
pub(super) fn macros(content: &[u8]) -> Vec<u8> {
    let (list, source) = macro_project(content);
    compound(&[
        ("WordDocument", &[0; 5000]),
        ("Macros/VBA/dir", &list),
        ("Macros/VBA/M", &source),
    ])
}

/// An Excel workbook with this in the source of its macro.
pub(super) fn macros_of_workbook(content: &[u8]) -> Vec<u8> {
    // Its first and its last record, and nothing that would be read.
    let mut workbook = b"\x09\x08\x04\0\0\x06\x05\0\x0a\0\0\0".to_vec();
    workbook.resize(5000, 0);
    let (list, source) = macro_project(content);
    compound(&[
        ("Workbook", &workbook),
        ("_VBA_PROJECT_CUR/VBA/dir", &list),
        ("_VBA_PROJECT_CUR/VBA/M", &source),
    ])
}

fn ole_package(content: &[u8]) -> Vec<u8> {
    let mut data = b"\x02\0evil.txt\0C:\\x\0\0\0\x03\0\x02\0\0\0x\0".to_vec();
    data.extend(len32(content));
    data.extend(content);
    data
}

/// The stream of an embedded file.
fn ole_native(content: &[u8]) -> Vec<u8> {
    let data = ole_package(content);
    [&len32(&data)[..], &data].concat()
}

/// A Word document with this file embedded.
pub(super) fn embedded(content: &[u8]) -> Vec<u8> {
    compound(&[
        ("WordDocument", &[0; 5000]),
        ("ObjectPool/_1/\u{1}Ole10Native", &ole_native(content)),
    ])
}

/// A record of a PowerPoint presentation.
fn presentation_record(head: u16, kind: u16, content: &[u8]) -> Vec<u8> {
    let mut record = [head.to_le_bytes(), kind.to_le_bytes()].concat();
    record.extend(len32(content));
    record.extend(content);
    record
}

/// A PowerPoint presentation with this compound file among its records.
fn presentation(storage: &[u8]) -> Vec<u8> {
    const CONTAINER: u16 = 0xf;
    const COMPRESSED: u16 = 0x10;
    let packed = [&len32(storage)[..], &zlib(storage)].concat();
    let text = presentation_record(0, 0x0fa8, b"a talk");
    let records = [
        presentation_record(CONTAINER, 0x03e8, &text),
        presentation_record(COMPRESSED, 0x1011, &packed),
    ];
    compound(&[
        ("Current User", &[0; 20]),
        ("PowerPoint Document", &records.concat()),
    ])
}

/// A PowerPoint presentation with this file embedded.
pub(super) fn embedded_in_presentation(content: &[u8]) -> Vec<u8> {
    presentation(&compound(&[("\u{1}Ole10Native", &ole_native(content))]))
}

/// A PowerPoint presentation with this in the source of its macro.
pub(super) fn macros_of_presentation(content: &[u8]) -> Vec<u8> {
    let (list, source) = macro_project(content);
    presentation(&compound(&[("VBA/dir", &list), ("VBA/M", &source)]))
}

/// An installer for Windows with this in its cabinet.
pub(super) fn installer(content: &[u8]) -> Vec<u8> {
    const CLASS: &[u8] = b"\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46";
    const CLASS_AT: usize = 80;
    let cabinet = cab(cab::CompressionType::MsZip, content);
    let mut file = compound(&[("disk1.cab", &cabinet)]);
    // Only the class of the root tells what it is.
    let name = utf16("Root Entry");
    let root = file.windows(name.len()).position(|bytes| bytes == name);
    let class_at = root.expect("root") + CLASS_AT;
    file[class_at..class_at + CLASS.len()].copy_from_slice(CLASS);
    file
}

pub(super) fn rtf(content: &[u8]) -> Vec<u8> {
    let data = ole_package(content);
    let mut object = vec![1, 5, 0, 0, 2, 0, 0, 0];
    object.extend(len32(b"Package\0"));
    object.extend(b"Package\0");
    object.extend([0; 8]);
    object.extend(len32(&data));
    object.extend(data);
    let digits = hex(&object);
    format!("{{\\rtf1 text{{\\object\\objemb{{\\*\\objdata {digits}}}}}}}").into_bytes()
}

/// A PDF document with this in an embedded file.
pub(super) fn pdf(content: &[u8]) -> Vec<u8> {
    let name = "<< /F (evil.txt) /EF << /F 7 0 R >> /Type /Filespec >>";
    pdf_of(name, "/Type /EmbeddedFile ", content)
}

/// The same in a stream of another kind.
pub(super) fn pdf_stream(content: &[u8]) -> Vec<u8> {
    pdf_of("<< /Contents 7 0 R >>", "", content)
}

fn pdf_of(reference: &str, entries: &str, content: &[u8]) -> Vec<u8> {
    let packed = zlib(content);
    let mut file = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n".to_vec();
    file.extend(format!("2 0 obj\n{reference}\nendobj\n").as_bytes());
    let len = packed.len();
    let head = format!("7 0 obj\n<< {entries}/Filter /FlateDecode /Length {len} >>\nstream\r\n");
    file.extend(head.as_bytes());
    file.extend(packed);
    file.extend(b"\nendstream\nendobj\ntrailer << /Root 1 0 R >>\nstartxref\n0\n%%EOF\n");
    file
}

/// A shortcut that starts a program with an argument, and what is behind it.
fn shortcut_of(argument: &str, behind: &[u8]) -> Vec<u8> {
    const HAS_ARGUMENTS_IN_UTF16: u32 = 0x20 | 0x80;
    let mut file = vec![0x4c, 0, 0, 0];
    file.extend(b"\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46");
    file.extend(HAS_ARGUMENTS_IN_UTF16.to_le_bytes());
    file.resize(0x4c, 0);
    let text = utf16(argument);
    file.extend(u16::try_from(text.len() / 2).expect("short").to_le_bytes());
    file.extend(text);
    file.extend([0; 4]);
    file.extend(behind);
    file
}

/// A shortcut with the beginning of this as its argument.
pub(super) fn shortcut(content: &[u8]) -> Vec<u8> {
    let argument = String::from_utf8_lossy(&content[..content.len().min(0xffff)]);
    shortcut_of(&argument, b"")
}

/// A shortcut with this behind it.
pub(super) fn shortcut_with_overlay(content: &[u8]) -> Vec<u8> {
    shortcut_of("/c x", content)
}

pub(super) fn onenote(content: &[u8]) -> Vec<u8> {
    let mut section = b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3".to_vec();
    section.resize(1024, 0);
    section.extend(b"\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac");
    section.extend((content.len() as u64).to_le_bytes());
    section.extend([0; 12]);
    section.extend(content);
    section.extend([0; 64]);
    section
}

/// A script that carries a program in base64.
pub(super) fn base64_script(content: &[u8]) -> Vec<u8> {
    format!("$x = \"{}\"\n", STANDARD.encode(program(content))).into_bytes()
}

/// The same in hexadecimal digits.
pub(super) fn hex_script(content: &[u8]) -> Vec<u8> {
    format!("$x = '{}'\n", hex(&program(content))).into_bytes()
}

/// A shell script with an archive behind it.
pub(super) fn batch_with_archive(content: &[u8]) -> Vec<u8> {
    const SCRIPT: &[u8] = b"@echo off\r\nset x=%TEMP%\\x\r\ntar -xf \"%~f0\" -C %x%\r\nexit /b\r\n";
    [SCRIPT, &zip(content)].concat()
}

pub(super) fn script_with_archive(content: &[u8]) -> Vec<u8> {
    const SCRIPT: &[u8] = b"#!/bin/sh\ntail -n +4 \"$0\" | tar xz\nexit 0\n";
    [SCRIPT, &gzip(&tar(content))].concat()
}
