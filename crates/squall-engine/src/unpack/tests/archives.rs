//! What comes out of archives.

use base64::Engine as _;
use squall_types::IncompleteReason;

use super::build::{self, CONTENT, Lock};
use crate::unpack::stream::{self, Codec};
use crate::unpack::trial::{Opened, Unpack, open, open_within, survives_damage};
use crate::unpack::{UnpackLimits, ar, seven_zip, tape, zip};

/// 7z archives made with p7zip 16.02 of one member `inner.txt` that holds
/// `a needle in 7z`: plain, and with the passwords `infected` and
/// `correct horse`.
const SEVEN_ZIP: &str = include_str!("plain.7z.b64");
const SEVEN_ZIP_INFECTED: &str = include_str!("infected.7z.b64");
const SEVEN_ZIP_UNKNOWN: &str = include_str!("unknown.7z.b64");

/// An xz stream of [`CONTENT`], made with xz 5.4.
const XZ: &str = include_str!("content.xz.b64");
/// The same as .lzma.
const LZMA: &str = include_str!("content.lzma.b64");

fn decoded(text: &str) -> Vec<u8> {
    let packed: String = text.split_whitespace().collect();
    base64::engine::general_purpose::STANDARD
        .decode(packed)
        .expect("base64")
}

fn codec(codec: Codec) -> Unpack {
    match codec {
        Codec::Gzip => |c, m| stream::unpack(Codec::Gzip, c, m),
        Codec::Bzip2 => |c, m| stream::unpack(Codec::Bzip2, c, m),
        Codec::Xz => |c, m| stream::unpack(Codec::Xz, c, m),
        Codec::Lzma => |c, m| stream::unpack(Codec::Lzma, c, m),
        Codec::Zstd => |c, m| stream::unpack(Codec::Zstd, c, m),
        Codec::Lz4 => |c, m| stream::unpack(Codec::Lz4, c, m),
        Codec::Lzip => |c, m| stream::unpack(Codec::Lzip, c, m),
        Codec::Zlib => |c, m| stream::unpack(Codec::Zlib, c, m),
    }
}

fn samples() -> Vec<(&'static str, Unpack, Vec<u8>)> {
    let members: &[(&str, &[u8])] = &[("dir/a.js", CONTENT), ("b.txt", CONTENT)];
    vec![
        ("zip", zip::unpack, build::zip(members, Lock::Open)),
        (
            "zip aes",
            zip::unpack,
            build::zip(members, Lock::Aes("infected")),
        ),
        (
            "zip crypto",
            zip::unpack,
            build::zip(members, Lock::ZipCrypto("virus")),
        ),
        ("tar", tape::unpack, build::tar(members)),
        ("ar", ar::unpack, build::ar(members)),
        ("7z", seven_zip::unpack, decoded(SEVEN_ZIP)),
        (
            "7z infected",
            seven_zip::unpack,
            decoded(SEVEN_ZIP_INFECTED),
        ),
        ("gzip", codec(Codec::Gzip), build::gzip(CONTENT)),
        ("bzip2", codec(Codec::Bzip2), build::bzip2(CONTENT)),
        ("xz", codec(Codec::Xz), decoded(XZ)),
        ("lzma", codec(Codec::Lzma), decoded(LZMA)),
        ("zstd", codec(Codec::Zstd), build::zstd(CONTENT)),
        ("lz4", codec(Codec::Lz4), build::lz4(CONTENT)),
    ]
}

fn needles(opened: &Opened) -> usize {
    opened
        .members
        .iter()
        .filter(|(_, content)| content.windows(6).any(|part| part == b"needle"))
        .count()
}

#[test]
fn every_member_comes_out_whole() {
    for (name, unpack, sample) in samples() {
        let opened = open(unpack, &sample);
        assert!(
            opened.incomplete.is_empty(),
            "{name}: {:?}",
            opened.incomplete
        );
        assert!(needles(&opened) >= 1, "{name}: {:?}", opened.names());
        assert_eq!(needles(&opened), opened.members.len(), "{name}");
    }
}

#[test]
fn members_keep_their_names() {
    let members: &[(&str, &[u8])] = &[("dir/a.js", CONTENT), ("../../etc/passwd", CONTENT)];
    let opened = open(zip::unpack, &build::zip(members, Lock::Open));
    assert_eq!(opened.names(), ["dir/a.js", "../../etc/passwd"]);
    let long = "x/".repeat(90) + "deep.txt";
    let opened = open(tape::unpack, &build::tar(&[(&long, CONTENT)]));
    assert_eq!(opened.names(), [long]);
    assert_eq!(
        open(seven_zip::unpack, &decoded(SEVEN_ZIP)).names(),
        ["inner.txt"]
    );
}

#[test]
fn what_no_known_password_opens_is_told() {
    for (name, unpack, sample) in [
        (
            "aes",
            zip::unpack as Unpack,
            build::zip(&[("a", CONTENT)], Lock::Aes("correct horse")),
        ),
        (
            "zipcrypto",
            zip::unpack,
            build::zip(&[("a", CONTENT)], Lock::ZipCrypto("correct horse")),
        ),
        ("7z", seven_zip::unpack, decoded(SEVEN_ZIP_UNKNOWN)),
    ] {
        let opened = open(unpack, &sample);
        assert!(opened.members.is_empty(), "{name}: {:?}", opened.names());
        assert_eq!(opened.reasons(), [IncompleteReason::Encrypted], "{name}");
    }
}

#[test]
fn what_is_cut_off_never_passes_for_complete() {
    for (name, unpack, sample) in samples() {
        let whole = open(unpack, &sample);
        for len in 1..sample.len() {
            let opened = open(unpack, &sample[..len]);
            let complete = opened.incomplete.is_empty();
            // Nothing at the end of a tar or an ar archive tells that it is the
            // end: cut off between two members it is a whole, smaller one.
            let ends_anywhere = matches!(name, "tar" | "ar");
            let same = opened.members == whole.members
                || ends_anywhere && whole.members.starts_with(&opened.members);
            assert!(!complete || same, "{name} cut to {len}: {opened:?}");
        }
    }
}

#[test]
fn damage_does_no_harm() {
    for (_, unpack, sample) in samples() {
        survives_damage(unpack, &sample);
    }
}

#[test]
fn bombs_stop_at_the_limits() {
    let limits = UnpackLimits {
        member_bytes_max: 1 << 20,
        bytes_max: 3 << 20,
        members_max: 5,
        ..UnpackLimits::default()
    };
    let zeros = vec![0; 4 << 20];
    for (name, unpack, sample) in [
        (
            "zip",
            zip::unpack as Unpack,
            build::zip(&[("z", &zeros)], Lock::Open),
        ),
        ("gzip", codec(Codec::Gzip), build::gzip(&zeros)),
        ("bzip2", codec(Codec::Bzip2), build::bzip2(&zeros)),
        ("zstd", codec(Codec::Zstd), build::zstd(&zeros)),
        ("lz4", codec(Codec::Lz4), build::lz4(&zeros)),
        ("tar", tape::unpack, build::tar(&[("z", &zeros)])),
        ("ar", ar::unpack, build::ar(&[("z", &zeros)])),
    ] {
        let opened = open_within(&limits, unpack, &sample);
        assert_eq!(opened.reasons(), [IncompleteReason::Limit], "{name}");
        assert!(opened.members[0].1.len() <= 1 << 20, "{name}");
    }
    let names: Vec<String> = (0..9).map(|n| format!("m{n}")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), CONTENT)).collect();
    let opened = open_within(&limits, zip::unpack, &build::zip(&members, Lock::Open));
    assert_eq!(opened.members.len(), 5);
    assert_eq!(opened.reasons(), [IncompleteReason::Limit]);
}

#[test]
fn several_streams_in_one_file_are_all_read() {
    for (which, one, two) in [
        (Codec::Gzip, build::gzip(b"one "), build::gzip(b"needle")),
        (Codec::Bzip2, build::bzip2(b"one "), build::bzip2(b"needle")),
        (Codec::Zstd, build::zstd(b"one "), build::zstd(b"needle")),
    ] {
        let opened = open(codec(which), &[one, two].concat());
        assert_eq!(opened.members[0].1, b"one needle", "{which:?}");
    }
}

#[test]
fn a_zip_without_its_directory_is_read_and_reported() {
    let whole = build::zip(&[("a", CONTENT), ("b", CONTENT)], Lock::Open);
    let directory = whole
        .windows(4)
        .position(|part| part == b"PK\x01\x02")
        .expect("directory");
    let opened = open(zip::unpack, &whole[..directory]);
    assert_eq!(opened.names(), ["a", "b"]);
    assert_eq!(opened.reasons(), [IncompleteReason::Corrupt]);
}

#[test]
fn more_gaps_than_are_listed_are_counted() {
    let names: Vec<String> = (0..150).map(|n| format!("m{n}")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), CONTENT)).collect();
    let sample = build::zip(&members, Lock::Aes("correct horse"));
    let opened = open(zip::unpack, &sample);
    assert_eq!(opened.incomplete.len(), 101);
    let last = opened.incomplete.last().expect("one");
    assert_eq!(last.path, "sample");
    assert!(last.description.starts_with("50 more"), "{last:?}");
}
