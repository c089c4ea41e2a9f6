//! Whole archives.

use std::io::{Cursor, Write};

use squall_types::IncompleteReason;
use zip::unstable::write::FileOptionsExt;
use zip::write::SimpleFileOptions;
use zip::{AesMode, CompressionMethod, ZipWriter};

use super::unpack;
use crate::unpack::UnpackLimits;
use crate::unpack::trial::{Opened, open, open_within, survives_damage, survives_some_damage};

const TEXT: &[u8] = b"the quick brown fox jumps over the lazy dog, again and again and again";

/// An archive of these members.
fn archive(members: &[(&str, &[u8])], options: SimpleFileOptions) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn plain() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Deflated)
}

fn stored() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored)
}

fn two() -> Vec<u8> {
    archive(&[("a/evil.js", TEXT), ("b.txt", b"second")], plain())
}

fn position(content: &[u8], mark: &[u8]) -> usize {
    memchr::memmem::find(content, mark).unwrap()
}

/// A local header and the data of a member, without any directory.
fn local(name: &str, method: u16, content: &[u8], packed: &[u8]) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04\x14\0\0\0".to_vec();
    bytes.extend(method.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(crc32fast::hash(content).to_le_bytes());
    bytes.extend(u32::try_from(packed.len()).unwrap().to_le_bytes());
    bytes.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
    bytes.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(name.as_bytes());
    bytes.extend(packed);
    bytes
}

#[track_caller]
fn assert_whole(opened: &Opened) {
    assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
}

#[test]
fn members_have_their_names_and_bytes() {
    let opened = open(unpack, &two());
    assert_eq!(opened.names(), ["a/evil.js", "b.txt"]);
    assert_eq!(opened.member("a/evil.js"), TEXT);
    assert_eq!(opened.member("b.txt"), b"second");
    assert_whole(&opened);
    assert_whole(&open(unpack, &archive(&[], plain())));
}

#[test]
fn every_method_is_understood() {
    for method in [
        CompressionMethod::Stored,
        CompressionMethod::Deflated,
        CompressionMethod::Bzip2,
        CompressionMethod::Xz,
        CompressionMethod::Zstd,
        CompressionMethod::Ppmd,
    ] {
        let options = SimpleFileOptions::default().compression_method(method);
        let content = TEXT.repeat(100);
        let sample = archive(&[("x", &content)], options);
        let opened = open(unpack, &sample);
        assert!(opened.member("x") == content, "{method}");
        assert!(
            opened.incomplete.is_empty(),
            "{method} {:?}",
            opened.incomplete
        );
        survives_some_damage(unpack, &archive(&[("x", TEXT)], options));
    }
}

#[test]
fn lzma_is_understood() {
    let options = lzma_rust2::LzmaOptions::with_preset(1);
    let mut writer = lzma_rust2::LzmaWriter::new_no_header(Vec::new(), &options, false).unwrap();
    writer.write_all(TEXT).unwrap();
    let mut packed = b"\x10\x02\x05\0".to_vec();
    packed.push(options.get_props());
    packed.extend(options.dict_size.to_le_bytes());
    packed.extend(writer.finish().unwrap());
    let opened = open(unpack, &local("x", 14, TEXT, &packed));
    assert_eq!(opened.member("x"), TEXT);
    assert_eq!(
        opened.reasons(),
        [IncompleteReason::Corrupt],
        "no directory"
    );
}

#[test]
fn deflate64_is_understood() {
    // A block that is stored is the same as in deflate.
    let mut packed = vec![1];
    packed.extend(u16::try_from(TEXT.len()).unwrap().to_le_bytes());
    packed.extend((!u16::try_from(TEXT.len()).unwrap()).to_le_bytes());
    packed.extend(TEXT);
    let opened = open(unpack, &local("x", 9, TEXT, &packed));
    assert_eq!(opened.member("x"), TEXT);
}

#[test]
fn a_method_that_nobody_knows_is_unsupported() {
    let opened = open(unpack, &local("x", 6, TEXT, b"imploded"));
    assert!(opened.reasons().contains(&IncompleteReason::Unsupported));
}

#[test]
fn large_archives_and_unknown_lengths_are_understood() {
    let opened = open(unpack, &archive(&[("x", TEXT)], plain().large_file(true)));
    assert_eq!(opened.member("x"), TEXT);
    assert_whole(&opened);

    let mut writer = ZipWriter::new_stream(Vec::new());
    for name in ["x", "y"] {
        writer.start_file(name, plain()).unwrap();
        writer.write_all(TEXT).unwrap();
    }
    let streamed = writer.finish().unwrap().into_inner();
    let opened = open(unpack, &streamed);
    assert_eq!(opened.names(), ["x", "y"]);
    assert_whole(&opened);
    // Without the directory.
    let end = position(&streamed, b"PK\x01\x02");
    let opened = open(unpack, &streamed[..end]);
    assert_eq!(opened.names(), ["x", "y"]);
    assert_eq!(opened.member("y"), TEXT);
    assert_eq!(opened.reasons(), [IncompleteReason::Corrupt]);
}

#[test]
fn known_passwords_open_encrypted_members() {
    for mode in [AesMode::Aes128, AesMode::Aes192, AesMode::Aes256] {
        let options = plain().with_aes_encryption(mode, "infected");
        let opened = open(unpack, &archive(&[("x", TEXT), ("y", b"2")], options));
        assert_eq!(opened.member("x"), TEXT);
        assert_eq!(opened.member("y"), b"2");
        assert_whole(&opened);
    }
    for options in [plain(), stored()] {
        let options = options.with_deprecated_encryption(b"malware").unwrap();
        let opened = open(unpack, &archive(&[("x", TEXT), ("y", b"2")], options));
        assert_eq!(opened.member("x"), TEXT);
        assert_eq!(opened.member("y"), b"2");
        assert_whole(&opened);
    }
}

#[test]
fn a_member_under_an_unknown_password_is_recorded() {
    let aes = plain().with_aes_encryption(AesMode::Aes256, "Tr0ub4dor");
    let old = plain().with_deprecated_encryption(b"Tr0ub4dor").unwrap();
    for sample in [archive(&[("x", TEXT)], aes), archive(&[("x", TEXT)], old)] {
        let opened = open(unpack, &sample);
        assert!(opened.members.is_empty());
        assert_eq!(opened.reasons(), [IncompleteReason::Encrypted]);
        assert_eq!(opened.incomplete[0].path, "sample|x");
    }
}

#[test]
fn encrypted_data_that_was_changed_is_recorded_and_read() {
    let options = stored().with_aes_encryption(AesMode::Aes256, "infected");
    let mut sample = archive(&[("x", TEXT)], options);
    let data = position(&sample, b"x") + 40;
    sample[data + 20] ^= 1;
    let opened = open(unpack, &sample);
    assert_eq!(opened.reasons(), [IncompleteReason::Corrupt]);
    assert_eq!(opened.member("x").len(), TEXT.len());
}

#[test]
fn a_mark_of_encryption_alone_hides_nothing() {
    let mut sample = two();
    let central = position(&sample, b"PK\x01\x02");
    sample[central + 8] |= 1;
    let opened = open(unpack, &sample);
    assert_eq!(opened.member("a/evil.js"), TEXT);
    assert_whole(&opened);
}

#[test]
fn members_of_one_name_are_all_read() {
    let renamed = |mut bytes: Vec<u8>| {
        while let Some(at) = memchr::memmem::find(&bytes, b"name2") {
            bytes[at..at + 5].copy_from_slice(b"name1");
        }
        bytes
    };
    let sample = renamed(archive(&[("name1", b"one"), ("name2", b"two")], stored()));
    let opened = open(unpack, &sample);
    assert_eq!(opened.names(), ["name1", "name1"]);
    assert_eq!(opened.members[1].1, b"two");
}

#[test]
fn what_the_directory_does_not_tell_of_is_found() {
    // Before the archive, as in one that another was appended to.
    let first = archive(&[("first", TEXT)], plain());
    let opened = open(unpack, &[first.clone(), two()].concat());
    assert_eq!(opened.names(), ["a/evil.js", "b.txt", "first"]);
    assert_eq!(opened.member("first"), TEXT);
    // Behind a program, as in one that unpacks itself.
    let program = [b"MZ program PK\x03\x04 with the mark in it".to_vec(), two()].concat();
    let opened = open(unpack, &program);
    assert_eq!(opened.names(), ["a/evil.js", "b.txt"]);
    assert_eq!(opened.member("a/evil.js"), TEXT);
    assert_whole(&opened);
    // Between the members and the directory.
    let mut sample = two();
    let central = position(&sample, b"PK\x01\x02");
    sample.splice(central..central, local("hidden", 0, b"MZ", b"MZ"));
    let opened = open(unpack, &sample);
    assert_eq!(opened.member("hidden"), b"MZ");
    assert_eq!(opened.names().len(), 3);
}

#[test]
fn an_archive_without_a_whole_directory_is_read_by_its_headers() {
    let sample = two();
    let central = position(&sample, b"PK\x01\x02");
    let mut damaged = sample.clone();
    damaged[central] = b'X';
    for sample in [damaged, sample[..central].to_vec()] {
        let opened = open(unpack, &sample);
        assert_eq!(opened.names(), ["a/evil.js", "b.txt"]);
        assert_eq!(opened.member("a/evil.js"), TEXT);
        assert_eq!(opened.reasons(), [IncompleteReason::Corrupt]);
    }
}

#[test]
fn a_cut_off_archive_is_recorded() {
    let sample = two();
    for len in 0..sample.len() {
        let opened = open(unpack, &sample[..len]);
        assert!(!opened.incomplete.is_empty(), "{len}");
    }
}

#[test]
fn a_wrong_checksum_is_recorded_and_the_content_passed_on() {
    let mut sample = archive(&[("x", TEXT)], stored());
    let at = position(&sample, b"quick");
    sample[at] = b'Q';
    let opened = open(unpack, &sample);
    assert_eq!(opened.reasons(), [IncompleteReason::Corrupt]);
    assert!(opened.member("x").starts_with(b"the Quick"));
}

#[test]
fn declared_lengths_are_not_believed() {
    let mut sample = two();
    let central = position(&sample, b"PK\x01\x02");
    // Length when unpacked, and length in the archive.
    sample[central + 24..central + 28].copy_from_slice(&[0xfe, 0xff, 0xff, 0xff]);
    let opened = open(unpack, &sample);
    assert_eq!(opened.member("a/evil.js"), TEXT);
    sample[central + 20..central + 24].copy_from_slice(&[0xfe, 0xff, 0xff, 0xff]);
    assert_eq!(open(unpack, &sample).member("a/evil.js"), TEXT);
}

#[test]
fn bombs_stop_at_the_limits() {
    let zeros = vec![0; 400_000];
    let members: Vec<(String, &[u8])> = (0..20).map(|n| (n.to_string(), &zeros[..])).collect();
    let members: Vec<(&str, &[u8])> = members.iter().map(|(n, c)| (n.as_str(), *c)).collect();
    let sample = archive(&members, plain());
    let limits = UnpackLimits {
        bytes_max: 1_000_000,
        ..UnpackLimits::default()
    };
    let opened = open_within(&limits, unpack, &sample);
    assert_eq!(opened.reasons(), [IncompleteReason::Limit]);
    assert!(opened.names().len() <= 3);

    let limits = UnpackLimits {
        member_bytes_max: 1000,
        ..UnpackLimits::default()
    };
    let opened = open_within(&limits, unpack, &sample);
    assert_eq!(opened.reasons(), [IncompleteReason::Limit; 20]);

    let limits = UnpackLimits {
        members_max: 3,
        ..UnpackLimits::default()
    };
    let opened = open_within(&limits, unpack, &sample);
    assert_eq!(opened.names(), ["0", "1", "2"]);
    assert_eq!(opened.reasons(), [IncompleteReason::Limit]);
}

#[test]
fn members_that_overlap_cost_what_they_unpack_to() {
    // A directory of many entries for one local header.
    let sample = archive(&[("x", &vec![0; 100_000])], plain());
    let central = position(&sample, b"PK\x01\x02");
    let end = position(&sample, b"PK\x05\x06");
    let entry = sample[central..end].to_vec();
    let mut bomb = sample[..central].to_vec();
    bomb.extend(entry.repeat(1000));
    let directory_len = u32::try_from(entry.len() * 1000).unwrap();
    let mut tail = sample[end..].to_vec();
    tail[8..10].copy_from_slice(&1000_u16.to_le_bytes());
    tail[10..12].copy_from_slice(&1000_u16.to_le_bytes());
    tail[12..16].copy_from_slice(&directory_len.to_le_bytes());
    bomb.extend(tail);
    let limits = UnpackLimits {
        bytes_max: 1_000_000,
        ..UnpackLimits::default()
    };
    let opened = open_within(&limits, unpack, &bomb);
    assert_eq!(opened.names().len(), 11);
    assert_eq!(opened.reasons(), [IncompleteReason::Limit]);
}

#[test]
fn directories_are_no_members_unless_they_have_content() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.add_directory("empty/", plain()).unwrap();
    let opened = open(unpack, &writer.finish().unwrap().into_inner());
    assert!(opened.members.is_empty());
    assert_whole(&opened);
    let opened = open(unpack, &archive(&[("full/", TEXT)], stored()));
    assert_eq!(opened.member("full/"), TEXT);
}

#[test]
fn names_are_data() {
    let opened = open(unpack, &local("../../etc/passwd", 0, b"x", b"x"));
    assert_eq!(opened.names(), ["../../etc/passwd"]);
    let mut sample = archive(&[("nXme", TEXT)], plain());
    while let Some(at) = memchr::memmem::find(&sample, b"nXme") {
        sample[at + 1] = 0xe4;
    }
    assert_eq!(open(unpack, &sample).names(), ["n\u{fffd}me"]);
}

#[test]
fn damage_neither_panics_nor_hangs() {
    survives_damage(unpack, &two());
    survives_damage(unpack, &archive(&[("x", TEXT)], plain().large_file(true)));
    let options = plain().with_aes_encryption(AesMode::Aes128, "infected");
    survives_damage(unpack, &archive(&[("x", TEXT)], options));
}
