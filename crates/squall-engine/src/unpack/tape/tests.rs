//! Whole archives.

use squall_types::IncompleteReason;
use tar::{Builder, EntryType, Header};

use super::unpack;
use crate::unpack::UnpackLimits;
use crate::unpack::trial::{open, open_within, survives_damage};

fn header(kind: EntryType, len: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(len as u64);
    header.set_mode(0o644);
    header
}

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = header(EntryType::Regular, content.len());
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// An entry of which every field is chosen.
fn raw(name: &[u8], kind: EntryType, content: &[u8]) -> Vec<u8> {
    let mut header = header(kind, content.len());
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

#[test]
fn members_have_their_names_and_bytes() {
    let long = format!("{}/evil.js", "long-directory-name/".repeat(20));
    let opened = open(
        unpack,
        &archive(&[("a.txt", b"one"), (&long, b"two"), ("e", b"")]),
    );
    assert_eq!(opened.names(), ["a.txt", long.as_str(), "e"]);
    assert_eq!(opened.member(&long), b"two");
    assert!(opened.incomplete.is_empty());
    assert!(open(unpack, &archive(&[])).incomplete.is_empty());
}

#[test]
fn pax_names_and_lengths_are_used() {
    let record = b"19 path=pax/evil.js\n";
    let sample = [
        raw(
            b"pax",
            EntryType::XHeader,
            &[&b"20 path=pax/evil.js\n"[..]].concat(),
        ),
        raw(b"short", EntryType::Regular, b"content"),
        vec![0; 1024],
    ]
    .concat();
    assert_eq!(record.len(), 20);
    assert_eq!(open(unpack, &sample).member("pax/evil.js"), b"content");
}

#[test]
fn only_what_has_content_is_a_member() {
    let sample = [
        raw(b"dir/", EntryType::Directory, b""),
        raw(b"link", EntryType::Symlink, b""),
        raw(b"device", EntryType::Char, b""),
        raw(b"strange", EntryType::new(b'Q'), b"hidden"),
        raw(b"fat-link", EntryType::Symlink, b"hidden as well"),
        vec![0; 1024],
    ]
    .concat();
    let opened = open(unpack, &sample);
    assert_eq!(opened.names(), ["strange", "fat-link"]);
    assert_eq!(opened.member("fat-link"), b"hidden as well");
}

#[test]
fn archives_behind_the_end_mark_are_read() {
    let two = [
        archive(&[("a", b"1")]),
        vec![0; 5120],
        archive(&[("b", b"2")]),
    ]
    .concat();
    let opened = open(unpack, &two);
    assert_eq!(opened.names(), ["a", "b"]);
    let garbage = [archive(&[("a", b"1")]), vec![b'x'; 1000]].concat();
    let opened = open(unpack, &garbage);
    assert_eq!(opened.names(), ["a"]);
    assert!(opened.incomplete.is_empty());
}

#[test]
fn sparse_files_of_pax_are_restored() {
    let mut with_map = b"2\n4\n3\n10\n2\n".to_vec();
    with_map.resize(512, 0);
    with_map.extend(b"abcde");
    for (records, content) in [
        (
            &["major=1", "minor=0", "realsize=14", "name=real"][..],
            &with_map[..],
        ),
        (&["size=14", "map=4,3,10,2", "name=real"], b"abcde"),
        (
            &[
                "size=14",
                "name=real",
                "offset=4",
                "numbytes=3",
                "offset=10",
                "numbytes=2",
            ],
            b"abcde",
        ),
    ] {
        let opened = open(unpack, &sparse(records, content));
        assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
        assert_eq!(
            opened.member("real"),
            b"\0\0\0\0abc\0\0\0de\0\0",
            "{records:?}"
        );
    }
}

/// A file with these records of pax before it.
fn sparse(records: &[&str], content: &[u8]) -> Vec<u8> {
    let records: String = records
        .iter()
        .map(|record| {
            let line = format!(" GNU.sparse.{record}\n");
            let len = line.len() + 2;
            format!("{len}{line}")
        })
        .collect();
    [
        raw(b"pax", EntryType::XHeader, records.as_bytes()),
        raw(b"sparse", EntryType::Regular, content),
        vec![0; 1024],
    ]
    .concat()
}

#[test]
fn a_damaged_map_of_a_sparse_file_hides_nothing() {
    for (records, content, shown) in [
        (&["size=14", "map=4,x"][..], &b"abcde"[..], &b"abcde"[..]),
        (&["size=14", "map=4,9"], b"abcde", b"abcde"),
        (&["size=14", "map=4,2,1,2"], b"abcde", b"abcde"),
        (&["major=1"], b"no map", b"o map"),
        (&["major=1"], b"99999999999999999999999\nabc", b"abc"),
    ] {
        let opened = open(unpack, &sparse(records, content));
        assert_eq!(opened.reasons(), [IncompleteReason::Corrupt], "{records:?}");
        assert!(opened.member("sparse").ends_with(shown));
    }
    // What the map does not account for is there as well.
    let opened = open(unpack, &sparse(&["size=3", "map=0,3"], b"abcde"));
    assert_eq!(opened.member("sparse"), b"abcde");
}

#[test]
fn a_hole_without_end_stops_at_the_limit() {
    let limits = UnpackLimits {
        member_bytes_max: 100_000,
        ..UnpackLimits::default()
    };
    let sample = sparse(&["size=99999999999999", "map=99999999999990,5"], b"abcde");
    let opened = open_within(&limits, unpack, &sample);
    assert_eq!(opened.reasons(), [IncompleteReason::Limit]);
}

#[test]
fn a_cut_off_archive_is_recorded() {
    let sample = archive(&[("a", &[7; 2000]), ("b", b"2")]);
    // Up to the end of the last member.
    for len in 1..sample.len() - 1024 - 511 {
        if matches!(len, 2560 | 3072) {
            continue;
        }
        let opened = open(unpack, &sample[..len]);
        assert_eq!(
            opened.reasons().first(),
            Some(&IncompleteReason::Corrupt),
            "{len}"
        );
    }
    let opened = open(unpack, &sample[..1512]);
    assert_eq!(opened.member("a"), [7; 1000]);
}

#[test]
fn declared_lengths_are_not_believed() {
    let mut sample = archive(&[("a", b"content")]);
    // Eight gigabytes.
    sample[124..136].copy_from_slice(b"77777777777\0");
    sample[148..156].fill(b' ');
    let sum: u32 = sample[..512].iter().map(|byte| u32::from(*byte)).sum();
    sample[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let opened = open(unpack, &sample);
    assert!(opened.member("a").starts_with(b"content"));
    assert!(opened.reasons().contains(&IncompleteReason::Corrupt));
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let limits = UnpackLimits {
        members_max: 2,
        member_bytes_max: 100,
        ..UnpackLimits::default()
    };
    let sample = archive(&[("a", &[0; 1000]), ("b", b"2"), ("c", b"3")]);
    let opened = open_within(&limits, unpack, &sample);
    assert_eq!(opened.names(), ["a", "b"]);
    assert_eq!(opened.reasons(), [IncompleteReason::Limit; 2]);
}

#[test]
fn damage_neither_panics_nor_hangs() {
    survives_damage(
        unpack,
        &archive(&[("a", b"one"), (&"long/".repeat(50), b"two")]),
    );
}

/// As `git archive` writes it before all others.
#[test]
fn a_header_for_all_members_is_no_damage() {
    let comment = b"52 comment=0123456789012345678901234567890123456789\n";
    let mut builder = tar::Builder::new(Vec::new());
    for (name, kind, content) in [
        (
            "pax_global_header",
            tar::EntryType::XGlobalHeader,
            &comment[..],
        ),
        ("a.js", tar::EntryType::Regular, b"content"),
    ] {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, name, content).unwrap();
    }
    let opened = open(unpack, &builder.into_inner().unwrap());
    assert_eq!(opened.names(), ["pax_global_header", "a.js"]);
    assert_eq!(opened.member("pax_global_header"), comment);
    assert_eq!(opened.member("a.js"), b"content");
    assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
}

/// As `tar -V label` writes it: the header has no length.
#[test]
fn a_labelled_volume_is_opened() {
    let mut label = tar::Header::new_gnu();
    label.as_mut_bytes()[..3].copy_from_slice(b"lab");
    label.set_entry_type(tar::EntryType::new(b'V'));
    label.as_mut_bytes()[124..136].fill(0);
    label.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(7);
    builder
        .append_data(&mut header, "a.js", &b"content"[..])
        .unwrap();
    let archive = builder.into_inner().unwrap();
    let labelled = [label.as_bytes(), &archive[..]].concat();
    for sample in [labelled.clone(), [&archive[..], &labelled].concat()] {
        let opened = open(unpack, &sample);
        assert_eq!(opened.member("a.js"), b"content");
        assert_eq!(opened.names().len(), sample.len() / archive.len());
        assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
    }
    let opened = open(unpack, label.as_bytes());
    assert!(opened.members.is_empty() && opened.incomplete.is_empty());
}
