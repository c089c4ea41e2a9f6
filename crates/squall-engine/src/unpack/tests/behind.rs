//! What is behind something else, and how far that is recognised: opened as in
//! a scan, by what it is recognised as.

use base64::Engine as _;
use rars::{ArchiveVersion, Builder};
use sevenz_rust2::{ArchiveEntry, ArchiveWriter};
use squall_types::IncompleteReason;

use super::build::{self, CONTENT, Lock};
use crate::file_type::detect;
use crate::unpack::trial::Opened;
use crate::unpack::{Budget, Container, Format, Member, UnpackLimits, unpack};

/// Opens a file as a scan does.
fn open(content: &[u8]) -> Opened {
    let mut opened = Opened::default();
    let limits = UnpackLimits::default();
    let mut budget = Budget::new(&limits, content.len() as u64);
    let Some(format) = Format::of(detect(content)) else {
        return opened;
    };
    let container = Container {
        path: "sample",
        content,
        is_part: false,
    };
    let mut visit = |member: Member, _: &mut Budget<'_>| {
        opened.members.push((member.name, member.content));
    };
    opened.incomplete = unpack(format, container, &mut budget, &mut visit);
    opened
}

/// Checks what each is recognised as, and that all of them give this member.
#[track_caller]
fn all_hold(member: &str, samples: &[(&str, &str, Vec<u8>)]) {
    let wrong: Vec<String> = samples
        .iter()
        .filter_map(|(what, file_type, content)| {
            let found = detect(content).name();
            let opened = open(content);
            let is_right = found == *file_type
                && opened.names() == [member]
                && opened.members[0].1 == CONTENT
                && opened.incomplete.is_empty();
            (!is_right).then(|| {
                let (names, gaps) = (opened.names(), &opened.incomplete);
                format!("{what}: {found}, members {names:?}, missed {gaps:?}")
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn zip() -> Vec<u8> {
    build::zip(&[("in.js", CONTENT)], Lock::Open)
}

fn seven_zip() -> Vec<u8> {
    let mut writer = ArchiveWriter::new(std::io::Cursor::new(Vec::new())).unwrap();
    let entry = ArchiveEntry::new_file("in.js");
    writer.push_archive_entry(entry, Some(CONTENT)).unwrap();
    writer.finish().unwrap().into_inner()
}

fn rar(version: ArchiveVersion) -> Vec<u8> {
    let mut builder = Builder::new(version);
    builder
        .add_bytes(b"in.js".to_vec(), CONTENT.to_vec(), None, None)
        .unwrap();
    builder.to_bytes().unwrap()
}

/// Bytes that are no text and have no meaning.
fn junk(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 7 % 251) as u8).collect()
}

/// What nobody takes for anything.
fn prose(len: usize) -> Vec<u8> {
    b"It was a dark and stormy night. ".repeat(len)[..len].to_vec()
}

#[test]
fn a_zip_archive_is_found_from_its_end_whatever_is_before_it() {
    let ole = {
        let mut file = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).unwrap();
        file.flush().unwrap();
        file.into_inner().into_inner()
    };
    let with_zip = |before: &[u8]| [before, &zip()].concat();
    all_hold(
        "in.js",
        &[
            ("one byte", "UNKNOWN", with_zip(b"\x01")),
            ("junk", "UNKNOWN", with_zip(&junk(3000))),
            ("much", "UNKNOWN", with_zip(&junk(3_000_000))),
            (
                "with something behind",
                "UNKNOWN",
                [with_zip(&junk(90)), junk(90)].concat(),
            ),
            ("a little text", "UNKNOWN", with_zip(&prose(10))),
            ("text", "UNKNOWN", with_zip(&prose(5000))),
            ("much text", "TEXT", with_zip(&prose(2_000_000))),
            ("an installer", "OLE", with_zip(&ole)),
            (
                "a certificate",
                "CERT",
                with_zip(b"-----BEGIN CERTIFICATE-----\n"),
            ),
            (
                "a class",
                "JAVA CLASS",
                with_zip(b"\xca\xfe\xba\xbe\0\0\0\x34\0\x10"),
            ),
            ("a data base", "SQLITE", with_zip(b"SQLite format 3\0")),
            ("RTF", "RTF", with_zip(b"{\\rtf1 text}")),
            (
                "a broken program",
                "EXE",
                with_zip(&[b"MZ".as_slice(), &junk(80)].concat()),
            ),
        ],
    );
}

#[test]
fn other_archives_are_found_behind_text_and_what_is_not_recognised() {
    let samples: Vec<_> = [
        seven_zip(),
        rar(ArchiveVersion::Rar50),
        rar(ArchiveVersion::Rar29),
    ]
    .into_iter()
    .flat_map(|archive| {
        [
            ("a byte", vec![1]),
            ("junk", junk(5000)),
            ("text", prose(100)),
            ("more text", prose(20_000)),
        ]
        .map(|(what, before)| (what, "UNKNOWN", [before, archive.clone()].concat()))
    })
    .collect();
    all_hold("in.js", &samples);
}

#[test]
fn what_only_looks_like_an_archive_is_none() {
    let paged = zip();
    let mut damaged = seven_zip();
    damaged[20] ^= 1;
    let end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x30\0\0\0\x30\0\0\0\0\0";
    for content in [
        [junk(100), damaged].concat(),
        [&junk(100), &b"Rar!\x1a\x07\x01\0and more of it"[..]].concat(),
        [
            &junk(100),
            &b"PK\x03\x04\x14\0\0\0\x08\0and more of it, so much more"[..],
        ]
        .concat(),
        [&junk(100), &end[..]].concat(),
        // In pages, as a data base has it: the end is whole, the rest is not.
        [&junk(100), &paged[..60], &junk(8), &paged[60..]].concat(),
    ] {
        let opened = open(&content);
        assert!(
            opened.members.is_empty() && opened.incomplete.is_empty(),
            "{opened:?}"
        );
    }
}

#[test]
fn an_archive_in_an_archive_is_opened_once_more_only_at_its_very_end() {
    let inner = zip();
    let outer = build::tar(&[("a.zip", &inner)]);
    assert_eq!(open(&outer).names(), ["a.zip"]);
    let appended = [outer, inner].concat();
    assert_eq!(open(&appended).names(), ["a.zip", "in.js"]);
    let after_damage = [&build::gzip(CONTENT)[..30], &zip()].concat();
    let opened = open(&after_damage);
    assert!(opened.names().contains(&"in.js"), "{opened:?}");
    assert_eq!(opened.reasons(), [IncompleteReason::Corrupt]);
}

#[test]
fn a_text_with_binary_data_behind_is_still_one() {
    let program = [
        &b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0\xb8"[..],
        &[0; 200],
    ]
    .concat();
    let encoded = base64::engine::general_purpose::STANDARD.encode(&program);
    let mail = "From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n\
        Content-Type: application/octet-stream; name=\"in.js\"\r\n\
        Content-Transfer-Encoding: binary\r\n\r\n";
    for (file_type, content, member) in [
        (
            "EMAIL",
            [mail.as_bytes(), &junk(3000)].concat(),
            &junk(3000),
        ),
        (
            "BATCH",
            [
                format!("@echo off\r\nset x=1\r\necho {encoded} > %TEMP%\\x\r\n").as_bytes(),
                &junk(4000),
            ]
            .concat(),
            &program,
        ),
        (
            "UNKNOWN",
            [format!("x = '{encoded}'").as_bytes(), &junk(9000)].concat(),
            &program,
        ),
        (
            "CERT",
            format!("-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----\n")
                .into_bytes(),
            &program,
        ),
    ] {
        assert_eq!(detect(&content).name(), file_type);
        let opened = open(&content);
        let found = opened.members.iter().any(|(_, content)| content == member);
        assert!(found, "{file_type}: {opened:?}");
    }
}

#[test]
fn frames_to_skip_may_come_first() {
    let skipped = [&b"\x5a\x2a\x4d\x18\x04\0\0\0"[..], b"note"].concat();
    for (file_type, packed) in [("ZSTD", build::zstd(CONTENT)), ("LZ4", build::lz4(CONTENT))] {
        let content = [&skipped[..], &skipped, &packed].concat();
        all_hold("content", &[("skipped", file_type, content.clone())]);
        for len in [14, skipped.len() + 2, content.len() - 20] {
            let opened = open(&content[..len]);
            assert!(!opened.incomplete.is_empty(), "{file_type} cut to {len}");
        }
    }
}

#[test]
fn tar_without_a_mark_is_known_by_its_checksum() {
    let mut header = tar::Header::new_old();
    header.set_size(CONTENT.len() as u64);
    header.set_mode(0o644);
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, "in.js", CONTENT).unwrap();
    let mut archive = builder.into_inner().unwrap();
    all_hold("in.js", &[("old tar", "TAR", archive.clone())]);
    archive[20] ^= 1;
    assert_eq!(detect(&archive).name(), "UNKNOWN");
}

#[test]
fn lzma_of_other_settings_is_recognised() {
    use lzma_rust2::{LzmaOptions, LzmaWriter};
    use std::io::Write as _;

    let options = LzmaOptions {
        lc: 0,
        lp: 2,
        pb: 0,
        ..LzmaOptions::with_preset(1)
    };
    let mut writer = LzmaWriter::new_use_header(Vec::new(), &options, None).unwrap();
    writer.write_all(CONTENT).unwrap();
    let packed = writer.finish().unwrap();
    all_hold("content", &[("lzma", "LZMA", packed)]);
    // A table of numbers, which has all but the unknown length.
    let table: Vec<u8> = [1_u32, 5, 0, 200, 7]
        .iter()
        .flat_map(|number| number.to_be_bytes())
        .collect();
    assert_eq!(detect(&table).name(), "UNKNOWN");
}

#[test]
fn an_encrypted_message_of_openpgp_is_told() {
    let for_a_key = [
        &[0x84, 0x0c, 3][..],
        &[9; 8],
        &[1, 0, 1],
        &[0xd2, 5, 1, 1, 2, 3, 4],
    ]
    .concat();
    let by_password = [
        &[0x8c, 0x0d, 4, 9, 3, 8][..],
        &[7; 9],
        &[0xd2, 0x40],
        &junk(64),
    ]
    .concat();
    for message in [&for_a_key, &by_password] {
        assert_eq!(detect(message).name(), "PGP");
        assert_eq!(open(message).reasons(), [IncompleteReason::Encrypted]);
        // What is behind is needed, and must be what an opened key is for.
        let mut other = message.clone();
        for at in [12, 13, 14, 15] {
            other[at] = 0;
        }
        assert_eq!(detect(&other).name(), "UNKNOWN");
        assert_eq!(detect(&message[..12]).name(), "UNKNOWN");
    }
}
