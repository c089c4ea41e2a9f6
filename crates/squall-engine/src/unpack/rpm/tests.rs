//! Whole packages.

use std::io::Write;

use squall_types::IncompleteReason;

use super::unpack;
use crate::unpack::UnpackLimits;
use crate::unpack::cpio;
use crate::unpack::trial::{open, open_within, survives_damage};

fn header(data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x8e\xad\xe8\x01\0\0\0\0".to_vec();
    bytes.extend(1_u32.to_be_bytes());
    bytes.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
    bytes.extend([0; 16]);
    bytes.extend(data);
    bytes
}

fn package(payload: &[u8]) -> Vec<u8> {
    let mut bytes = b"\xed\xab\xee\xdb".to_vec();
    bytes.resize(96, 0);
    bytes.extend(header(b"abc"));
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend(header(b"abcde"));
    bytes.extend(payload);
    bytes
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn files() -> Vec<u8> {
    cpio::tests::archive(&[("./usr/bin/evil", b"\x7fELF"), ("./b", b"2")])
}

#[test]
fn the_files_of_the_payload_are_members() {
    let zstd = zstd::stream::encode_all(&files()[..], 3).unwrap();
    for payload in [files(), gzip(&files()), zstd] {
        let opened = open(unpack, &package(&payload));
        assert_eq!(opened.names(), ["./usr/bin/evil", "./b"]);
        assert_eq!(opened.member("./usr/bin/evil"), b"\x7fELF");
        assert!(opened.incomplete.is_empty());
    }
}

#[test]
fn another_payload_is_one_member() {
    let opened = open(unpack, &package(&gzip(b"something else")));
    assert_eq!(opened.member("payload"), b"something else");
}

/// A header of these entries: tag, type, count and data.
fn header_of(entries: &[(u32, u32, usize, Vec<u8>)]) -> Vec<u8> {
    let (mut index, mut store) = (Vec::new(), Vec::new());
    let len32 = |len: usize| u32::try_from(len).unwrap();
    for (tag, kind, count, data) in entries {
        for number in [*tag, *kind, len32(store.len()), len32(*count)] {
            index.extend(number.to_be_bytes());
        }
        store.extend(data);
    }
    let mut bytes = b"\x8e\xad\xe8\x01\0\0\0\0".to_vec();
    bytes.extend(len32(entries.len()).to_be_bytes());
    bytes.extend(len32(store.len()).to_be_bytes());
    [bytes, index, store].concat()
}

/// A package of version 6: a directory, a link, a file with two names and
/// another file.
fn stripped() -> Vec<u8> {
    const MODES: [u16; 5] = [0o040_755, 0o120_777, 0o100_755, 0o100_755, 0o100_644];
    let be32 = |numbers: &[u32]| numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
    let sizes: Vec<u8> = [4096_u64, 3, 5, 5, 2]
        .iter()
        .flat_map(|n| n.to_be_bytes())
        .collect();
    let modes = MODES.iter().flat_map(|mode| mode.to_be_bytes()).collect();
    let facts = header_of(&[
        (1117, 8, 5, b"d\0link\0one\0two\0b\0".to_vec()),
        (1118, 8, 2, b"/usr/\0/usr/d/\0".to_vec()),
        (1116, 4, 5, be32(&[0, 0, 1, 1, 1])),
        (1030, 3, 5, modes),
        (1096, 4, 5, be32(&[1, 2, 3, 3, 4])),
        (5008, 5, 5, sizes),
    ]);
    let mut payload = Vec::new();
    for (index, content) in [
        (0, &b""[..]),
        (1, b"two"),
        (2, b""),
        (3, b"\x7fELF2"),
        (4, b"b!"),
    ] {
        payload.extend(format!("07070X{index:08x}\0\0").as_bytes());
        payload.extend(content);
        payload.resize(payload.len().next_multiple_of(4), 0);
    }
    payload.extend(cpio::tests::archive(&[]));
    let mut bytes = b"\xed\xab\xee\xdb".to_vec();
    bytes.resize(96, 0);
    bytes.extend(header(b"abc"));
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend(facts);
    bytes.extend(gzip(&payload));
    bytes
}

#[test]
fn the_files_of_a_newer_package_are_told_apart() {
    let opened = open(unpack, &stripped());
    assert_eq!(opened.names(), ["/usr/d/two", "/usr/d/b"]);
    assert_eq!(opened.member("/usr/d/two"), b"\x7fELF2");
    assert_eq!(opened.member("/usr/d/b"), b"b!");
    assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
    let sample = stripped();
    for len in (0..sample.len() - 12).step_by(7) {
        let opened = open(unpack, &sample[..len]);
        let is_recorded = opened.reasons().contains(&IncompleteReason::Corrupt);
        assert!(is_recorded || opened.names().len() == 2, "{len}");
    }
    survives_damage(unpack, &sample);
}

#[test]
fn a_payload_without_names_is_looked_at_and_recorded() {
    let sample = package(&gzip(b"07070X00000000\0\0\x7fELF"));
    let opened = open(unpack, &sample);
    assert!(opened.member("payload").ends_with(b"\x7fELF"));
    assert_eq!(opened.reasons(), [IncompleteReason::Corrupt]);
}

#[test]
fn a_cut_off_package_is_recorded() {
    let sample = package(&gzip(&files()));
    for len in 0..sample.len() - 8 {
        let opened = open(unpack, &sample[..len]);
        let is_recorded = opened.reasons().contains(&IncompleteReason::Corrupt);
        // The payload is all there before the checksum behind it.
        assert!(is_recorded || opened.names().len() == 2, "{len}");
    }
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let limits = UnpackLimits {
        bytes_max: 10_000,
        ..UnpackLimits::default()
    };
    let files = cpio::tests::archive(&[("a", &[0; 9000]), ("b", &[0; 9000])]);
    let opened = open_within(&limits, unpack, &package(&gzip(&files)));
    assert_eq!(opened.reasons(), [IncompleteReason::Limit]);
}

#[test]
fn damage_neither_panics_nor_hangs() {
    survives_damage(unpack, &package(&gzip(&files())));
    let mut sample = package(b"");
    sample[96 + 8..96 + 16].fill(0xff);
    assert_eq!(open(unpack, &sample).reasons(), [IncompleteReason::Corrupt]);
}
