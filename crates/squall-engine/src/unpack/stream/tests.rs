//! Whole streams.

use std::io::Write;

use squall_types::IncompleteReason;

use super::{Codec, inner_name, unpack};
use crate::unpack::UnpackLimits;
use crate::unpack::trial::{Opened, Unpack, open, open_within, survives_damage};

const TEXT: &[u8] = b"the quick brown fox jumps over the lazy dog, again and again and again";

type Pack = fn(&[u8]) -> Vec<u8>;

const ALL: [(Codec, Unpack, Pack); 8] = [
    (Codec::Gzip, |c, m| unpack(Codec::Gzip, c, m), gzip),
    (Codec::Bzip2, |c, m| unpack(Codec::Bzip2, c, m), bzip2),
    (Codec::Xz, |c, m| unpack(Codec::Xz, c, m), xz),
    (Codec::Lzma, |c, m| unpack(Codec::Lzma, c, m), lzma),
    (Codec::Lzip, |c, m| unpack(Codec::Lzip, c, m), lzip),
    (Codec::Zstd, |c, m| unpack(Codec::Zstd, c, m), zstd),
    (Codec::Lz4, |c, m| unpack(Codec::Lz4, c, m), lz4),
    (Codec::Zlib, |c, m| unpack(Codec::Zlib, c, m), zlib),
];

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zlib(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(content: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn xz(content: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn lzma(content: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::LzmaOptions::with_preset(1);
    let len = Some(content.len() as u64);
    let mut encoder = lzma_rust2::LzmaWriter::new_use_header(Vec::new(), &options, len).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn lzip(content: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::LzipOptions::with_preset(1);
    let mut encoder = lzma_rust2::LzipWriter::new(Vec::new(), options);
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(content, 3).unwrap()
}

fn lz4(content: &[u8]) -> Vec<u8> {
    let info = lz4_flex::frame::FrameInfo::new().content_checksum(true);
    let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn open_lz4(content: &[u8]) -> Opened {
    open(|c, m| unpack(Codec::Lz4, c, m), content)
}

fn open_gzip(content: &[u8]) -> Opened {
    open(|c, m| unpack(Codec::Gzip, c, m), content)
}

#[test]
fn what_is_in_a_stream_is_its_member() {
    for (codec, unpack, pack) in ALL {
        for content in [TEXT.to_vec(), Vec::new(), vec![7; 3_000_000]] {
            let opened = open(unpack, &pack(&content));
            assert_eq!(opened.names(), ["content"], "{codec:?}");
            assert!(opened.member("content") == content, "{codec:?}");
            assert!(
                opened.incomplete.is_empty(),
                "{codec:?} {:?}",
                opened.incomplete
            );
        }
    }
}

#[test]
fn several_streams_are_one_member() {
    for (codec, unpack, pack) in ALL {
        if matches!(codec, Codec::Lzma | Codec::Zlib) {
            continue;
        }
        let two = [pack(TEXT), pack(b"second")].concat();
        let opened = open(unpack, &two);
        assert_eq!(
            opened.member("content"),
            [TEXT, b"second"].concat(),
            "{codec:?}"
        );
        assert!(opened.incomplete.is_empty(), "{codec:?}");
    }
}

#[test]
fn a_stream_cut_off_anywhere_is_recorded() {
    for (codec, unpack, pack) in ALL {
        let packed = pack(&TEXT.repeat(30));
        for len in 0..packed.len() {
            let opened = open(unpack, &packed[..len]);
            assert_eq!(
                opened.reasons(),
                [IncompleteReason::Corrupt],
                "{codec:?} {len}"
            );
        }
    }
}

#[test]
fn what_could_be_read_of_a_damaged_stream_is_passed_on() {
    let mut packed = gzip(&TEXT.repeat(30));
    let end = packed.len() - 6;
    packed[end] ^= 1;
    let opened = open_gzip(&packed);
    assert_eq!(opened.member("content"), TEXT.repeat(30));
    assert_eq!(opened.reasons(), [IncompleteReason::Corrupt]);
}

#[test]
fn what_is_behind_a_gzip_stream_is_no_damage() {
    for behind in [&b"garbage"[..], &[0; 512], b"\x1f"] {
        let opened = open_gzip(&[gzip(TEXT), behind.to_vec()].concat());
        assert_eq!(opened.member("content"), TEXT);
        assert!(opened.incomplete.is_empty());
    }
}

#[test]
fn a_gzip_stream_may_name_its_content() {
    let mut encoder = flate2::GzBuilder::new()
        .filename("../evil\u{fc}.exe")
        .write(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(TEXT).unwrap();
    let opened = open_gzip(&encoder.finish().unwrap());
    assert_eq!(opened.member("../evil\u{fc}.exe"), TEXT);
}

#[test]
fn lz4_frames_to_skip_and_old_ones_are_understood() {
    let skipped = [
        &0x184d_2a53_u32.to_le_bytes()[..],
        &5_u32.to_le_bytes(),
        b"xxxxx",
    ]
    .concat();
    let opened = open_lz4(&[lz4(TEXT), skipped.clone(), lz4(b"second"), skipped].concat());
    assert_eq!(opened.member("content"), [TEXT, b"second"].concat());
    assert!(opened.incomplete.is_empty());

    let block = lz4_flex::block::compress(TEXT);
    let len = u32::try_from(block.len()).unwrap();
    let old = [
        &0x184c_2102_u32.to_le_bytes()[..],
        &len.to_le_bytes(),
        &block,
    ]
    .concat();
    let opened = open_lz4(&old);
    assert_eq!(opened.member("content"), TEXT);
    assert!(opened.incomplete.is_empty());
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let limits = UnpackLimits {
        member_bytes_max: 100_000,
        ..UnpackLimits::default()
    };
    for (codec, unpack, pack) in ALL {
        let opened = open_within(&limits, unpack, &pack(&vec![0; 2_000_000]));
        assert_eq!(opened.reasons(), [IncompleteReason::Limit], "{codec:?}");
        assert!(opened.member("content").len() <= 100_000);
    }
}

#[test]
fn a_huge_dictionary_is_a_limit() {
    let mut packed = lzma(TEXT);
    packed[1..5].copy_from_slice(&[0xff, 0xff, 0xff, 0xef]);
    let opened = open(|c, m| unpack(Codec::Lzma, c, m), &packed);
    assert_eq!(opened.reasons(), [IncompleteReason::Limit]);

    let mut packed = lzip(TEXT);
    packed[5] = 29;
    let opened = open(|c, m| unpack(Codec::Lzip, c, m), &packed);
    assert_eq!(opened.reasons(), [IncompleteReason::Limit]);

    // A zstd frame that declares a window of 2^31 bytes, and an empty block.
    let packed = b"\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00";
    let opened = open(|c, m| unpack(Codec::Zstd, c, m), packed);
    assert_eq!(opened.incomplete.len(), 1);
}

#[test]
fn damage_neither_panics_nor_hangs() {
    for (_, unpack, pack) in ALL {
        survives_damage(unpack, &pack(&TEXT.repeat(20)));
    }
}

#[test]
fn the_member_is_named_after_the_file() {
    for (container, name) in [
        ("/var/log/app.log.gz", "app.log"),
        (r"C:\x\A.TGZ", "A.tar"),
        ("outer.zip|inner/data.gz", "data"),
        ("noname", "content"),
        (".gz", "content"),
        ("", "content"),
        ("ü.gz", "ü"),
    ] {
        assert_eq!(inner_name(Codec::Gzip, container), name, "{container}");
    }
}
