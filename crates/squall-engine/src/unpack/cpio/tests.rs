//! Whole archives.

use squall_types::IncompleteReason;

use super::unpack;
use crate::unpack::UnpackLimits;
use crate::unpack::trial::{Opened, open, open_within, survives_damage};

const REGULAR: u32 = 0o100_644;
const DIRECTORY: u32 = 0o040_755;
const LINK: u32 = 0o120_777;

type Form = fn(&str, u32, &[u8]) -> Vec<u8>;

fn new_ascii(name: &str, mode: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "070701{:08x}{mode:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{name}\0",
        1, 0, 0, 1, 0, content.len(), 0, 0, 0, 0, name.len() + 1, 0
    )
    .into_bytes();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn old_ascii(name: &str, mode: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "070707{:06o}{:06o}{mode:06o}{:06o}{:06o}{:06o}{:06o}{:011o}{:06o}{:011o}{name}\0",
        0,
        1,
        0,
        0,
        1,
        0,
        0,
        name.len() + 1,
        content.len()
    )
    .into_bytes();
    bytes.extend(content);
    bytes
}

fn binary(name: &str, mode: u32, content: &[u8]) -> Vec<u8> {
    let number = |value: usize| u16::try_from(value).unwrap();
    let fields = [
        0o070_707,
        0,
        1,
        number(mode as usize),
        0,
        0,
        1,
        0,
        0,
        0,
        number(name.len() + 1),
        0,
        number(content.len()),
    ];
    let mut bytes: Vec<u8> = fields.into_iter().flat_map(u16::to_le_bytes).collect();
    bytes.extend(name.as_bytes());
    bytes.push(0);
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

const FORMS: [Form; 3] = [new_ascii, old_ascii, binary];

pub(in crate::unpack) fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    archive_of(new_ascii, members)
}

fn archive_of(form: Form, members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = form("dir", DIRECTORY, b"");
    for (name, content) in members {
        bytes.extend(form(name, REGULAR, content));
    }
    bytes.extend(form("link", LINK, b"/etc/passwd"));
    bytes.extend(form("TRAILER!!!", 0, b""));
    bytes
}

#[track_caller]
fn assert_whole(opened: &Opened) {
    assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
}

#[test]
fn members_have_their_names_and_bytes_in_every_form() {
    for form in FORMS {
        let opened = open(unpack, &archive_of(form, &[("./a.js", b"one"), ("b", b"")]));
        assert_eq!(opened.names(), ["./a.js", "b"]);
        assert_eq!(opened.member("./a.js"), b"one");
        assert_whole(&opened);
    }
}

#[test]
fn what_follows_the_end_is_read() {
    let sample = [
        archive(&[("a", b"1")]),
        vec![0; 512],
        archive(&[("b", b"2")]),
    ]
    .concat();
    let opened = open(unpack, &sample);
    assert_eq!(opened.names(), ["a", "b"]);
    assert_whole(&opened);
    let sample = [archive(&[("a", b"1")]), b"\x1f\x8bpacked".to_vec()].concat();
    assert_eq!(
        open(unpack, &sample).member("behind the archive"),
        b"\x1f\x8bpacked"
    );
}

#[test]
fn a_cut_off_archive_is_recorded() {
    for form in FORMS {
        let sample = archive_of(form, &[("a", &[7; 300]), ("b", b"2")]);
        for len in 0..sample.len() - 4 {
            let opened = open(unpack, &sample[..len]);
            assert!(
                opened.reasons().contains(&IncompleteReason::Corrupt),
                "{len}"
            );
        }
    }
}

#[test]
fn declared_lengths_are_not_believed() {
    let mut sample = archive(&[("a", b"1")]);
    let header = 112 + 4;
    // The length of the file, and that of its name.
    sample[header + 54..header + 62].copy_from_slice(b"ffffffff");
    let opened = open(unpack, &sample);
    assert!(opened.reasons().contains(&IncompleteReason::Corrupt));
    sample[header + 94..header + 102].copy_from_slice(b"ffffffff");
    let opened = open(unpack, &sample);
    assert_eq!(opened.reasons(), [IncompleteReason::Corrupt]);
}

#[test]
fn a_limit_of_one_member_leaves_the_others() {
    let limits = UnpackLimits {
        member_bytes_max: 100,
        ..UnpackLimits::default()
    };
    let opened = open_within(
        &limits,
        unpack,
        &archive(&[("a", &[0; 100_000]), ("b", b"2")]),
    );
    assert_eq!(opened.member("b"), b"2");
    assert_eq!(opened.reasons(), [IncompleteReason::Limit]);
}

#[test]
fn damage_neither_panics_nor_hangs() {
    for form in FORMS {
        survives_damage(unpack, &archive_of(form, &[("a", b"one"), ("b", b"two")]));
    }
}
