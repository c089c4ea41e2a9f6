//! Whole documents.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, ZlibEncoder};
use squall_types::IncompleteReason;

use super::unpack;
use crate::unpack::UnpackLimits;
use crate::unpack::trial::{Opened, open, open_within, survives_damage};

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A file of these objects; a stream gets its length written.
#[derive(Default)]
struct Pdf(Vec<u8>);

impl Pdf {
    fn new() -> Self {
        Self(b"%PDF-1.7\n".to_vec())
    }

    fn object(mut self, number: u32, value: &str) -> Self {
        write!(self.0, "{number} 0 obj\n{value}\nendobj\n").unwrap();
        self
    }

    fn stream(mut self, number: u32, entries: &str, content: &[u8]) -> Self {
        let len = content.len();
        write!(
            self.0,
            "{number} 0 obj\n<< {entries} /Length {len} >>\nstream\r\n"
        )
        .unwrap();
        self.0.extend(content);
        self.0.extend(b"\nendstream\nendobj\n");
        self
    }

    fn end(mut self, trailer: &str) -> Vec<u8> {
        write!(
            self.0,
            "trailer << /Root 1 0 R {trailer} >>\nstartxref\n0\n%%EOF\n"
        )
        .unwrap();
        self.0
    }
}

fn document() -> Vec<u8> {
    let inner = "<< /JS (app.alert\\(1\\)) /S /JavaScript >> << /F (in.exe) /EF << /F 8 0 R >> >>";
    let objects = format!("20 0 21 {} {inner}", inner.find(">> <<").unwrap() + 3);
    let first = objects.find('<').unwrap();
    Pdf::new()
        .object(
            1,
            "<< /Type /Catalog /OpenAction << /S /JavaScript /JS 5 0 R >> >>",
        )
        .object(
            2,
            "<< /Type /Filespec /UF <feff0061002e007a> /EF << /F 7 0 R >> >>",
        )
        .object(
            3,
            "<< /S /JavaScript /#4aS (this.exportDataObject\\({}\\)) >>",
        )
        .stream(5, "/Filter /FlateDecode", &deflated(b"eval(unescape('x'))"))
        .stream(
            7,
            "/Type /EmbeddedFile /Filter [/ASCIIHexDecode /Fl]",
            &hex(&deflated(b"PK zip")),
        )
        .stream(8, "", b"MZ program")
        .stream(
            9,
            &format!("/Type /ObjStm /N 2 /First {first} /Filter /FlateDecode"),
            &deflated(objects.as_bytes()),
        )
        .stream(10, "/Subtype /Image /Filter /DCTDecode", b"jpeg")
        .stream(11, "/Filter /FlateDecode", &deflated(b"q 1 0 0 1 0 0 cm"))
        .end("")
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    let mut text: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| format!("{byte:02x}").into_bytes())
        .collect();
    text.push(b'>');
    text
}

fn content_of(opened: &Opened, name: &str) -> String {
    String::from_utf8_lossy(opened.member(name)).into_owned()
}

#[test]
fn files_scripts_and_streams_are_members() {
    let opened = open(unpack, &document());
    assert_eq!(
        opened.names(),
        [
            "javascript-3.js",
            "javascript-20.js",
            "javascript-5.js",
            "a.z",
            "in.exe",
            "obj-9",
            "obj-11",
        ]
    );
    assert_eq!(
        content_of(&opened, "javascript-3.js"),
        "this.exportDataObject({})"
    );
    assert_eq!(content_of(&opened, "javascript-20.js"), "app.alert(1)");
    assert_eq!(
        content_of(&opened, "javascript-5.js"),
        "eval(unescape('x'))"
    );
    assert_eq!(content_of(&opened, "a.z"), "PK zip");
    assert_eq!(content_of(&opened, "in.exe"), "MZ program");
    assert_eq!(content_of(&opened, "obj-11"), "q 1 0 0 1 0 0 cm");
    assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
}

#[test]
fn wrong_lengths_and_checksums_are_overcome() {
    let mut stream = deflated(b"hidden");
    let last = stream.len() - 1;
    stream[last] ^= 0xff;
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::best());
    raw.write_all(b"no header").unwrap();
    let file = Pdf::new()
        .stream(1, "/Length 3 /Filter /FlateDecode", &stream)
        .stream(
            2,
            "/Length 99999 /Filter /FlateDecode",
            &raw.finish().unwrap(),
        )
        .end("");
    let opened = open(unpack, &file);
    assert_eq!(opened.member("obj-1"), b"hidden");
    assert_eq!(opened.member("obj-2"), b"no header");
    assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
}

#[test]
fn filters_may_be_objects_of_their_own() {
    let file = Pdf::new()
        .object(1, "/FlateDecode")
        .object(2, "[/AHx 1 0 R]")
        .stream(3, "/Filter 2 0 R", &hex(&deflated(b"hidden")))
        .stream(4, "/Filter 9 0 R", &deflated(b"deflated"))
        .stream(5, "/Filter 9 0 R", b"something")
        .end("");
    let opened = open(unpack, &file);
    assert_eq!(opened.member("obj-3"), b"hidden");
    assert_eq!(opened.member("obj-4"), b"deflated");
    assert_eq!(opened.reasons(), [IncompleteReason::Unsupported]);
}

#[test]
fn an_object_that_never_ends_hides_no_other() {
    let script = deflated(b"hidden");
    for decoy in [
        "% 90 0 obj (",
        "90 0 obj << /A [",
        "90 0 obj << /Length 400 >> stream\n",
    ] {
        let mut file = format!("%PDF-1.7\n{decoy}\n").into_bytes();
        let real = Pdf::new()
            .stream(1, "/Filter /FlateDecode", &script)
            .end("");
        file.extend(&real[9..]);
        file.resize(file.len().max(500), b' ');
        file.extend(b"\nendstream endobj\n");
        assert_eq!(open(unpack, &file).member("obj-1"), b"hidden", "{decoy}");
    }
}

#[test]
fn a_damaged_stream_is_recorded_with_what_is_left() {
    let text = b"0123456789abcdefghijklmnopqrstuvwxyz".repeat(9);
    let stream = deflated(&text);
    let file = Pdf::new()
        .stream(1, "/Filter /FlateDecode", &stream[..stream.len() - 12])
        .stream(2, "/Filter /Strange", b"x")
        .end("");
    let opened = open(unpack, &file);
    assert_eq!(
        opened.reasons(),
        [IncompleteReason::Corrupt, IncompleteReason::Unsupported]
    );
    assert!(opened.member("obj-1").starts_with(b"0123"));
}

/// Files that qpdf encrypted, with the empty password or another.
const ENCRYPTED: [(&str, &[u8]); 5] = [
    ("RC4, 40 bits", include_bytes!("crypt/samples/r2rc4.pdf")),
    ("RC4, 128 bits", include_bytes!("crypt/samples/r3rc4.pdf")),
    ("AES, 128 bits", include_bytes!("crypt/samples/r4aes.pdf")),
    ("AES, 256 bits", include_bytes!("crypt/samples/r5aes.pdf")),
    (
        "`infected`",
        include_bytes!("crypt/samples/r6aes-infected.pdf"),
    ),
];

#[test]
fn known_passwords_open_encrypted_files() {
    for (what, file) in ENCRYPTED {
        let opened = open(unpack, file);
        assert!(
            opened.incomplete.is_empty(),
            "{what}: {:?}",
            opened.incomplete
        );
        let scripts: Vec<_> = opened
            .members
            .iter()
            .filter(|(name, _)| name.starts_with("javascript-"))
            .map(|(_, content)| String::from_utf8_lossy(content))
            .collect();
        assert_eq!(
            scripts,
            [
                "app.alert('a string')",
                "eval(app.viewerVersion); // hidden script"
            ],
            "{what}"
        );
    }
}

#[test]
fn an_unknown_password_is_recorded() {
    let file = include_bytes!("crypt/samples/r6aes-unknown.pdf");
    let opened = open(unpack, file);
    assert_eq!(opened.reasons(), [IncompleteReason::Encrypted]);
    assert!(opened.members.is_empty());
}

#[test]
fn a_claim_of_encryption_hides_nothing() {
    let text = b"hidden, but not encrypted: a stream that is long enough to see";
    let by_trailer = Pdf::new()
        .stream(1, "/Filter /FlateDecode", &deflated(text))
        .stream(2, "/Filter /FlateDecode", b"noise that does not inflate")
        .end("/Encrypt 9 0 R");
    let by_stream = Pdf::new()
        .stream(1, "/Filter /FlateDecode", &deflated(text))
        .stream(3, "/Type /XRef /Encrypt << /V 9 >>", b"noise")
        .end("");
    for file in [by_trailer, by_stream] {
        let opened = open(unpack, &file);
        assert_eq!(opened.reasons(), [IncompleteReason::Encrypted]);
        assert_eq!(opened.names(), ["obj-1"]);
        assert_eq!(opened.member("obj-1"), text);
    }
}

#[test]
fn what_follows_the_end_is_a_member() {
    let mut file = document();
    file.extend(b"\nMZ and the rest of a program");
    assert!(
        open(unpack, &file)
            .member("trailing")
            .starts_with(b"MZ and")
    );
}

#[test]
fn a_bomb_reaches_a_limit() {
    let limits = UnpackLimits {
        bytes_max: 1_000_000,
        ..UnpackLimits::default()
    };
    let twice = deflated(&deflated(&vec![0; 5_000_000]));
    let file = Pdf::new().stream(1, "/Filter [/Fl /Fl]", &twice).end("");
    let opened = open_within(&limits, unpack, &file);
    assert_eq!(opened.reasons(), [IncompleteReason::Limit]);
    assert!(opened.member("obj-1").len() <= 1_000_000);
    let filters = format!("/Filter [{}]", "/Fl ".repeat(100));
    let file = Pdf::new().stream(1, &filters, b"x").end("");
    assert_eq!(
        open(unpack, &file).reasons(),
        [IncompleteReason::Unsupported]
    );
}

#[test]
fn countless_streams_reach_a_limit() {
    let stream = deflated(b"x");
    let mut pdf = Pdf::new();
    for number in 0..3500 {
        pdf = pdf.stream(number, "/Filter /FlateDecode", &stream);
    }
    let pdf = pdf.stream(9999, "/Type /EmbeddedFile", b"MZ");
    let opened = open(unpack, &pdf.end(""));
    assert_eq!(opened.reasons(), [IncompleteReason::Limit]);
    assert_eq!(opened.member("obj-9999"), b"MZ");
}

#[test]
fn hostile_text_takes_linear_time() {
    for unit in [
        "1 0 obj<<>>stream\n",
        "1 0 obj",
        "1 0 obj <<",
        "1 0 obj (",
        "1 0 obj [1 0 R ",
        "trailer(",
        "1 0 obj<<>>stream endobj ",
        "1 0 obj % ",
    ] {
        let text = unit.repeat(1024 * 1024 / unit.len());
        let started = std::time::Instant::now();
        open(unpack, text.as_bytes());
        assert!(
            started.elapsed() < std::time::Duration::from_secs(5),
            "{unit:?}"
        );
    }
}

#[test]
fn damaged_documents_neither_panic_nor_hang() {
    let lzw = Pdf::new()
        .stream(
            1,
            "/Filter [/A85 /LZW]",
            b"J..)6T`?p&<!J9%_[umg\"B7/Z7KNXbN'S+,*Q/&\"OLT'F~>",
        )
        .stream(2, "/Filter [/RL /AHx]", b"\x0241>\x80");
    survives_damage(unpack, &lzw.end(""));
    survives_damage(unpack, &document());
    // The last one takes long to try passwords on.
    for (_, file) in &ENCRYPTED[..4] {
        survives_damage(unpack, file);
    }
}
