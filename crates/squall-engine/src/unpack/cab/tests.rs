//! Whole cabinets.

use std::io::{Cursor, Write};

use cab::{CabinetBuilder, CompressionType};
use squall_types::IncompleteReason;

use super::unpack;
use crate::unpack::UnpackLimits;
use crate::unpack::trial::{open, open_within, survives_damage};

fn text(len: usize) -> Vec<u8> {
    let mut text = Vec::new();
    for number in 0_u32.. {
        text.extend(number.wrapping_mul(2_654_435_761).to_string().into_bytes());
        if text.len() >= len {
            break;
        }
    }
    text.truncate(len);
    text
}

fn cabinet(members: &[(&str, &[u8])], compression: CompressionType) -> Vec<u8> {
    let mut builder = CabinetBuilder::new();
    let folder = builder.add_folder(compression);
    for (name, _) in members {
        folder.add_file(*name);
    }
    let mut writer = builder.build(Cursor::new(Vec::new())).unwrap();
    for (_, content) in members {
        writer
            .next_file()
            .unwrap()
            .unwrap()
            .write_all(content)
            .unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A cabinet of one file in one block, with this code of compression.
fn raw(code: u16, data: &[u8], len: u16) -> Vec<u8> {
    let mut bytes = b"MSCF".to_vec();
    bytes.extend([0; 12]);
    bytes.extend(44_u32.to_le_bytes());
    bytes.extend([0, 0, 0, 0, 3, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(62_u32.to_le_bytes());
    bytes.extend([1, 0]);
    bytes.extend(code.to_le_bytes());
    bytes.extend(u32::from(len).to_le_bytes());
    bytes.extend([0; 12]);
    bytes.extend(b"x\0");
    bytes.extend([0; 4]);
    bytes.extend(u16::try_from(data.len()).unwrap().to_le_bytes());
    bytes.extend(len.to_le_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn members_have_their_names_and_bytes() {
    let long = text(100_000);
    for compression in [CompressionType::None, CompressionType::MsZip] {
        let members: [(&str, &[u8]); 3] = [("a\\evil.js", b"one"), ("long", &long), ("b", b"2")];
        let opened = open(unpack, &cabinet(&members, compression));
        assert_eq!(opened.names(), ["a\\evil.js", "long", "b"]);
        for (name, content) in members {
            assert!(opened.member(name) == content, "{name}");
        }
        assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
    }
}

#[test]
fn lzx_is_understood() {
    // The example of the lzxd crate's documentation: a block that is stored.
    let data = [
        0x00, 0x30, 0x30, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00,
        0x00, b'a', b'b', b'c', 0x00,
    ];
    let opened = open(unpack, &raw(0x0f03, &data, 3));
    assert_eq!(opened.member("x"), b"abc");
    assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
    survives_damage(unpack, &raw(0x0f03, &data, 3));
}

#[test]
fn an_unknown_compression_is_unsupported() {
    let opened = open(unpack, &raw(0x0402, b"quantum", 7));
    assert_eq!(opened.reasons(), [IncompleteReason::Unsupported]);
    assert!(opened.members.is_empty());
}

#[test]
fn a_file_shared_with_another_cabinet_is_recorded() {
    let mut sample = raw(0, b"abc", 3);
    sample[52..54].copy_from_slice(&[0xfd, 0xff]);
    assert_eq!(
        open(unpack, &sample).reasons(),
        [IncompleteReason::Truncated]
    );
}

#[test]
fn a_cut_off_cabinet_is_recorded() {
    for compression in [CompressionType::None, CompressionType::MsZip] {
        let sample = cabinet(&[("a", &text(500)), ("b", b"2")], compression);
        for len in 0..sample.len() {
            assert!(!open(unpack, &sample[..len]).incomplete.is_empty(), "{len}");
        }
    }
}

#[test]
fn changed_data_is_recorded() {
    let mut sample = cabinet(&[("a", &text(500))], CompressionType::None);
    let end = sample.len() - 7;
    sample[end] ^= 1;
    assert_eq!(open(unpack, &sample).reasons(), [IncompleteReason::Corrupt]);
}

#[test]
fn files_that_overlap_or_are_out_of_order_are_read() {
    let mut sample = cabinet(
        &[("a", b"12345"), ("second", b"67890")],
        CompressionType::None,
    );
    // The offset of the second file becomes that of the first.
    let second = memchr::memmem::find(&sample, b"second\0").unwrap() - 16;
    sample[second + 4..second + 8].fill(0);
    let opened = open(unpack, &sample);
    assert_eq!(opened.member("a"), b"12345");
    assert_eq!(opened.member("second"), b"12345");
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let limits = UnpackLimits {
        bytes_max: 50_000,
        ..UnpackLimits::default()
    };
    let zeros = vec![0; 200_000];
    let sample = cabinet(&[("a", &zeros), ("b", b"2")], CompressionType::MsZip);
    assert_eq!(
        open_within(&limits, unpack, &sample).reasons(),
        [IncompleteReason::Limit]
    );
    let limits = UnpackLimits {
        member_bytes_max: 1000,
        ..UnpackLimits::default()
    };
    let opened = open_within(&limits, unpack, &sample);
    assert_eq!(opened.member("b"), b"2");
    assert_eq!(opened.reasons(), [IncompleteReason::Limit]);
}

#[test]
fn damage_neither_panics_nor_hangs() {
    survives_damage(
        unpack,
        &cabinet(&[("a", &text(500)), ("b", b"2")], CompressionType::MsZip),
    );
    survives_damage(
        unpack,
        &cabinet(&[("a", &text(500))], CompressionType::None),
    );
}
