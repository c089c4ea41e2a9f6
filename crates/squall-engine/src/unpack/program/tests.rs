//! Whole programs.

use std::io::{Cursor, Write};

use cab::{CabinetBuilder, CompressionType};
use rars::{ArchiveVersion, Builder};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::unpack;
use crate::unpack::trial::{open, survives_damage};

/// A program of one section with this content.
fn program(section: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 0x200];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x3c] = 0x80;
    bytes[0x80..0x84].copy_from_slice(b"PE\0\0");
    bytes[0x86] = 1;
    let len = u32::try_from(section.len()).unwrap();
    bytes[0x80 + 24 + 16..][..4].copy_from_slice(&len.to_le_bytes());
    bytes[0x80 + 24 + 20..][..4].copy_from_slice(&0x200_u32.to_le_bytes());
    bytes.extend(section);
    bytes
}

fn zip() -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .start_file("in.zip.js", SimpleFileOptions::default())
        .unwrap();
    writer.write_all(b"zipped").unwrap();
    writer.finish().unwrap().into_inner()
}

fn cabinet() -> Vec<u8> {
    let mut builder = CabinetBuilder::new();
    builder
        .add_folder(CompressionType::MsZip)
        .add_file("in.cab.js");
    let mut writer = builder.build(Cursor::new(Vec::new())).unwrap();
    writer
        .next_file()
        .unwrap()
        .unwrap()
        .write_all(b"cabinet")
        .unwrap();
    writer.finish().unwrap().into_inner()
}

fn rar() -> Vec<u8> {
    let mut builder = Builder::new(ArchiveVersion::Rar50);
    builder
        .add_bytes(b"in.rar.js".to_vec(), b"rar".to_vec(), None, None)
        .unwrap();
    builder.to_bytes().unwrap()
}

#[test]
fn archives_behind_a_program_are_opened() {
    for (archive, name) in [
        (zip(), "in.zip.js"),
        (rar(), "in.rar.js"),
        (cabinet(), "in.cab.js"),
    ] {
        for before in [&b""[..], b";configuration\r\n"] {
            let sample = [program(b"code"), before.to_vec(), archive.clone()].concat();
            let opened = open(unpack, &sample);
            assert_eq!(opened.names(), [name]);
            assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
        }
    }
}

#[test]
fn a_cabinet_in_a_program_is_opened() {
    let opened = open(
        unpack,
        &program(&[b"resource".to_vec(), cabinet()].concat()),
    );
    assert_eq!(opened.member("in.cab.js"), b"cabinet");
}

#[test]
fn a_program_with_nothing_in_it_is_whole() {
    for sample in [
        program(b"PK\x03\x04 and MSCF\0\0\0\0 are only marks"),
        [program(b"code"), b"a signature".to_vec()].concat(),
        b"MZ".to_vec(),
        Vec::new(),
    ] {
        let opened = open(unpack, &sample);
        assert!(opened.members.is_empty());
        assert!(opened.incomplete.is_empty());
    }
}

#[test]
fn damage_neither_panics_nor_hangs() {
    survives_damage(unpack, &[program(&cabinet()), zip()].concat());
}
