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

#[test]
fn a_payload_without_names_is_looked_at_and_recorded() {
    let sample = package(&gzip(b"07070X00000000\0\0\x7fELF"));
    let opened = open(unpack, &sample);
    assert!(opened.member("payload").ends_with(b"\x7fELF"));
    assert_eq!(opened.reasons(), [IncompleteReason::Unsupported]);
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
