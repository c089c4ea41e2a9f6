//! Whole programs.

use std::io::{Cursor, Write};

use cab::{CabinetBuilder, CompressionType};
use rars::{ArchiveVersion, Builder};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use squall_types::IncompleteReason;

use super::{unpack, unpack_media, unpack_text};
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

/// A program in ELF with one section of this content and a table behind it, of
/// either width and byte order.
fn elf(is_wide: bool, is_little: bool, section: &[u8]) -> Vec<u8> {
    const HEADER_LEN: usize = 0x40;
    let number = |value: usize, len: usize| {
        let mut bytes = value.to_le_bytes()[..len].to_vec();
        if !is_little {
            bytes.reverse();
        }
        bytes
    };
    let word_len = if is_wide { 8 } else { 4 };
    let (table_at, counts_at) = if is_wide { (0x28, 0x3a) } else { (0x20, 0x2e) };
    let entry_len = if is_wide { 0x40 } else { 0x28 };
    let mut bytes = b"\x7fELF".to_vec();
    bytes.push(if is_wide { 2 } else { 1 });
    bytes.push(if is_little { 1 } else { 2 });
    bytes.resize(HEADER_LEN, 0);
    let end = HEADER_LEN + section.len();
    bytes[table_at..table_at + word_len].copy_from_slice(&number(end, word_len));
    bytes[counts_at..counts_at + 2].copy_from_slice(&number(entry_len, 2));
    bytes[counts_at + 2..counts_at + 4].copy_from_slice(&number(1, 2));
    bytes.extend(section);
    let mut entry = number(0, 4);
    entry.extend(number(1, 4));
    entry.extend([0; 2].repeat(word_len));
    entry.extend(number(HEADER_LEN, word_len));
    entry.extend(number(section.len(), word_len));
    entry.resize(entry_len, 0);
    bytes.extend(entry);
    bytes
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn tar() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(6);
    builder
        .append_data(&mut header, "in.tar.js", &b"tarred"[..])
        .unwrap();
    builder.into_inner().unwrap()
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
fn archives_behind_a_program_for_unix_are_opened() {
    for (is_wide, is_little) in [(true, true), (true, false), (false, true), (false, false)] {
        let program = elf(is_wide, is_little, b"code PK\x03\x04\x14\0\0\0\0\0 data");
        assert!(open(unpack, &program).members.is_empty());
        assert!(open(unpack, &program).incomplete.is_empty());
        for (archive, name) in [
            (zip(), "in.zip.js"),
            (rar(), "in.rar.js"),
            (tar(), "in.tar.js"),
            (gzip(b"packed"), "content"),
        ] {
            let opened = open(unpack, &[program.clone(), archive].concat());
            assert_eq!(opened.names(), [name], "{is_wide} {is_little}");
            assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
        }
    }
}

#[test]
fn an_archive_behind_a_script_is_opened() {
    const SCRIPT: &[u8] = b"#!/bin/sh\ntail -n +4 \"$0\" | tar xz\nexit 0\n";
    for (archive, name) in [
        (gzip(&tar()), "content"),
        (tar(), "in.tar.js"),
        (zip(), "in.zip.js"),
        (zstd::stream::encode_all(&tar()[..], 3).unwrap(), "content"),
        (rar(), "in.rar.js"),
    ] {
        let opened = open(unpack_text, &[SCRIPT, &archive].concat());
        assert_eq!(opened.names(), [name]);
        assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
        // Nothing tells the end of a tar archive between two members.
        let cut = [SCRIPT, &archive[..archive.len() / 4]].concat();
        assert!(!open(unpack_text, &cut).incomplete.is_empty(), "{name}");
    }
    for text in [
        &b"BZh is how bzip2 begins\nBZh91AY\n"[..],
        b"PK\x03\x04 and a zero \0 make no archive",
        b"\n\x1f\x8b without a zero",
        SCRIPT,
    ] {
        let opened = open(unpack_text, text);
        assert!(opened.members.is_empty() && opened.incomplete.is_empty());
    }
}

#[test]
fn an_archive_behind_a_picture_is_opened() {
    let picture = [b"\x89PNG\r\n\x1a\n".to_vec(), vec![7; 2 << 20]].concat();
    for (archive, name) in [(zip(), "in.zip.js"), (rar(), "in.rar.js")] {
        let opened = open(unpack_media, &[picture.clone(), archive].concat());
        assert_eq!(opened.names(), [name]);
        assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
    }
    let with_mark = [picture, b"7z\xbc\xaf\x27\x1c and more than that".to_vec()].concat();
    assert!(open(unpack_media, &with_mark).incomplete.is_empty());
}

#[test]
fn installers_are_not_called_complete() {
    let windows = program(b"code");
    let unix = elf(true, true, b"code");
    for (program, behind) in [
        (
            &windows,
            &b"\0\0\0\0\xef\xbe\xad\xdeNullsoftInst and more"[..],
        ),
        (&windows, b"zlb\x1a Inno Setup Setup Data (6.2.0) (u)\0"),
        (&windows, b"InstallShield\0\x01"),
        (&windows, b"ISSetupStream\0\x01"),
        (&unix, b"hsqs\x01\0"),
    ] {
        let opened = open(unpack, &[program, behind].concat());
        assert_eq!(opened.reasons(), [IncompleteReason::Unsupported]);
        // The names alone are in many programs.
        let named = self::program(behind);
        assert!(open(unpack, &named).incomplete.is_empty());
    }
}

#[test]
fn an_image_that_is_a_program_is_opened_as_an_image() {
    let mut image = b"\x7fELF\x02\x01\x01\0AI\x01".to_vec();
    image.resize(40_000, 0);
    assert_eq!(open(unpack, &image).reasons(), [IncompleteReason::Corrupt]);
}

/// An archive of PyInstaller with a script and two modules.
fn python(modules: &[&[u8]]) -> Vec<u8> {
    let zlib = |content: &[u8]| {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    };
    let be = |value: usize| u32::try_from(value).unwrap().to_be_bytes();
    let mut inner = b"PYZ\0\xcb\r\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    for module in modules {
        inner.extend(zlib(module));
    }
    let list_at = be(inner.len());
    inner[8..12].copy_from_slice(&list_at);
    inner.extend(b"list");
    let mut archive = Vec::new();
    let mut list = Vec::new();
    for (name, content, flag, kind) in [
        ("evil", &zlib(b"script")[..], 1, b's'),
        ("pyi-option", b"", 0, b'o'),
        ("PYZ-00.pyz", &inner, 0, b'z'),
    ] {
        let entry_len = (18 + name.len() + 1).next_multiple_of(16);
        let mut entry = be(entry_len).to_vec();
        entry.extend(be(archive.len()));
        entry.extend(be(content.len()));
        entry.extend(be(0));
        entry.extend([flag, kind]);
        entry.extend(name.as_bytes());
        entry.resize(entry_len, 0);
        list.extend(entry);
        archive.extend(content);
    }
    let list_at = archive.len();
    archive.extend(&list);
    let len = archive.len() + 88;
    archive.extend(b"MEI\x0c\x0b\x0a\x0b\x0e");
    for number in [len, list_at, list.len(), 311] {
        archive.extend(be(number));
    }
    archive.extend([0; 64]);
    archive
}

#[test]
fn packed_python_programs_are_opened() {
    let archive = python(&[b"first", b"second"]);
    // In a section of the program or behind it.
    for sample in [
        [program(b"code"), archive.clone()].concat(),
        [program(b"code"), archive.clone(), b"signature".to_vec()].concat(),
        elf(true, true, &archive),
    ] {
        let opened = open(unpack, &sample);
        assert_eq!(
            opened.names(),
            ["evil", "PYZ-00.pyz/module-0", "PYZ-00.pyz/module-1"]
        );
        assert_eq!(opened.member("evil"), b"script");
        assert_eq!(opened.member("PYZ-00.pyz/module-1"), b"second");
        assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
    }
    let cut = [program(b"code"), archive[20..].to_vec()].concat();
    assert_eq!(open(unpack, &cut).reasons(), [IncompleteReason::Corrupt]);
    survives_damage(unpack, &[program(b"code"), archive].concat());
}

#[test]
fn damage_neither_panics_nor_hangs() {
    survives_damage(unpack, &[program(&cabinet()), zip()].concat());
    survives_damage(unpack, &[elf(true, true, b"code"), zip()].concat());
    survives_damage(
        unpack_text,
        &[b"#!/bin/sh\n".to_vec(), gzip(&tar())].concat(),
    );
}
