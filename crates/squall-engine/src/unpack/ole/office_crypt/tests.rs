//! Documents that another program encrypted.

use std::io::{Cursor, Write as _};

use squall_types::IncompleteReason;

use crate::unpack::ole::unpack;
use crate::unpack::trial::{open, survives_damage};

const AGILE: &[u8] = include_bytes!("samples/agile-velvet.docx");
const AGILE_INFECTED: &[u8] = include_bytes!("samples/agile-infected.docx");
const AGILE_UNKNOWN: &[u8] = include_bytes!("samples/agile-unknown.docx");

/// The streams of a document as Office 2007 encrypts it.
fn standard() -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    for (path, content) in [
        (
            "/EncryptionInfo",
            &include_bytes!("samples/standard-info.bin")[..],
        ),
        (
            "/EncryptedPackage",
            include_bytes!("samples/standard-package.bin"),
        ),
    ] {
        let mut stream = file.create_stream(path).unwrap();
        stream.write_all(content).unwrap();
    }
    file.flush().unwrap();
    file.into_inner().into_inner()
}

#[test]
fn known_passwords_open_documents() {
    for (what, file) in [
        ("agile", AGILE),
        ("agile, from the list", AGILE_INFECTED),
        ("standard", &standard()),
    ] {
        let opened = open(unpack, file);
        assert!(opened.incomplete.is_empty(), "{what}");
        assert_eq!(opened.names(), ["decrypted"], "{what}");
        let content = opened.member("decrypted");
        assert!(content.starts_with(b"PK\x03\x04"), "{what}");
        assert!(
            content[content.len() - 22..].starts_with(b"PK\x05\x06"),
            "{what}"
        );
    }
}

#[test]
fn an_unknown_password_is_recorded() {
    let opened = open(unpack, AGILE_UNKNOWN);
    assert_eq!(opened.reasons(), [IncompleteReason::Encrypted]);
    assert!(!opened.names().contains(&"decrypted"));
}

#[test]
fn damaged_documents_neither_panic_nor_hang() {
    // Hashing costs most of the time, so less of it is asked for.
    let rounds = memchr::memmem::find(AGILE, b"spinCount=\"2000\"").unwrap();
    let mut quick = AGILE.to_vec();
    quick[rounds..rounds + 16].copy_from_slice(b"spinCount=\"0003\"");
    survives_damage(unpack, &quick);
}
