//! Whole images.

use squall_types::IncompleteReason;

use super::unpack;
use crate::unpack::UnpackLimits;
use crate::unpack::trial::{open, open_within, survives_damage};

const SECTOR: usize = 2048;

/// Where the builder puts the directories and the files.
const PRIMARY_ROOT: u32 = 20;
const PRIMARY_SUB: u32 = 21;
const JOLIET_ROOT: u32 = 22;
const FIRST_FILE: u32 = 24;

#[derive(Clone, Default)]
struct Node<'a> {
    short: &'a [u8],
    system_use: Vec<u8>,
    extent: u32,
    len: u32,
    flags: u8,
}

const DIRECTORY: u8 = 2;
const GOES_ON: u8 = 0x80;

fn record(node: &Node<'_>) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    for number in [node.extent, node.len] {
        bytes.extend(number.to_le_bytes());
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend([0; 7]);
    bytes.push(node.flags);
    bytes.extend([0; 6]);
    bytes.push(u8::try_from(node.short.len()).unwrap());
    bytes.extend(node.short);
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes.extend(&node.system_use);
    bytes[0] = u8::try_from(bytes.len()).unwrap();
    bytes
}

fn directory(sector: u32, short: &[u8]) -> Node<'_> {
    Node {
        short,
        extent: sector,
        len: 2048,
        flags: DIRECTORY,
        ..Node::default()
    }
}

fn file(short: &[u8], index: u32, len: u32) -> Node<'_> {
    Node {
        short,
        extent: FIRST_FILE + index,
        len,
        ..Node::default()
    }
}

fn rock_ridge(name: &str) -> Vec<u8> {
    let len = u8::try_from(5 + name.len()).unwrap();
    [b"NM".to_vec(), vec![len, 1, 0], name.as_bytes().to_vec()].concat()
}

fn put(image: &mut Vec<u8>, sector: u32, content: &[u8]) {
    let at = sector as usize * SECTOR;
    let end = (at + content.len()).next_multiple_of(SECTOR);
    image.resize(image.len().max(end), 0);
    image[at..at + content.len()].copy_from_slice(content);
}

fn descriptor(kind: u8, root: u32) -> Vec<u8> {
    let mut sector = vec![0; SECTOR];
    sector[0] = kind;
    sector[1..6].copy_from_slice(b"CD001");
    if kind == 2 {
        sector[88..91].copy_from_slice(b"%/E");
    }
    let root = record(&directory(root, b"\0"));
    sector[156..156 + root.len()].copy_from_slice(&root);
    sector
}

fn list(own: u32, nodes: &[Node<'_>]) -> Vec<u8> {
    let mut bytes = record(&directory(own, b"\0"));
    bytes.extend(record(&directory(PRIMARY_ROOT, b"\x01")));
    bytes.extend(nodes.iter().flat_map(record));
    bytes
}

fn image(root: &[Node<'_>], sub: &[Node<'_>], files: &[&[u8]]) -> Vec<u8> {
    let mut image = Vec::new();
    put(&mut image, 16, &descriptor(1, PRIMARY_ROOT));
    put(&mut image, 17, &descriptor(255, PRIMARY_ROOT));
    put(&mut image, PRIMARY_ROOT, &list(PRIMARY_ROOT, root));
    put(&mut image, PRIMARY_SUB, &list(PRIMARY_SUB, sub));
    for (index, content) in (FIRST_FILE..).zip(files) {
        put(&mut image, index, content);
    }
    image
}

fn simple() -> Vec<u8> {
    image(
        &[file(b"EVIL.JS;1", 0, 3), directory(PRIMARY_SUB, b"SUB")],
        &[file(b"NOEXT.;1", 1, 5)],
        &[b"abc", b"inner"],
    )
}

#[test]
fn members_have_their_names_and_bytes() {
    let opened = open(unpack, &simple());
    assert_eq!(opened.names(), ["EVIL.JS", "SUB/NOEXT"]);
    assert_eq!(opened.member("EVIL.JS"), b"abc");
    assert_eq!(opened.member("SUB/NOEXT"), b"inner");
    assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
}

#[test]
fn rock_ridge_names_are_used() {
    let named = Node {
        system_use: rock_ridge("a long name.js"),
        ..file(b"ALONGNAM.JS;1", 0, 3)
    };
    let link = Node {
        system_use: b"SL\x05\x01\0".to_vec(),
        ..file(b"LINK;1", 1, 0)
    };
    let opened = open(unpack, &image(&[named, link], &[], &[b"abc"]));
    assert_eq!(opened.names(), ["a long name.js"]);
}

#[test]
fn joliet_names_come_first_and_no_file_twice() {
    let mut sample = simple();
    put(&mut sample, 17, &descriptor(2, JOLIET_ROOT));
    put(&mut sample, 18, &descriptor(255, PRIMARY_ROOT));
    let name: Vec<u8> = "ünï.js;1"
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    put(
        &mut sample,
        JOLIET_ROOT,
        &list(JOLIET_ROOT, &[file(&name, 0, 3)]),
    );
    let opened = open(unpack, &sample);
    assert_eq!(opened.names(), ["ünï.js", "SUB/NOEXT"]);
    assert_eq!(opened.member("ünï.js"), b"abc");
}

#[test]
fn a_file_in_parts_is_one() {
    let first = Node {
        flags: GOES_ON,
        ..file(b"BIG;1", 0, 2048)
    };
    let second = file(b"BIG;1", 2, 3);
    let opened = open(
        unpack,
        &image(&[first, second], &[], &[&[7; 2048], b"", b"end"]),
    );
    assert_eq!(opened.names(), ["BIG"]);
    assert_eq!(
        opened.member("BIG"),
        [vec![7; 2048], b"end".to_vec()].concat()
    );
}

#[test]
fn circles_end() {
    let sample = image(
        &[
            directory(PRIMARY_SUB, b"SUB"),
            directory(PRIMARY_ROOT, b"SELF"),
        ],
        &[directory(PRIMARY_ROOT, b"UP"), file(b"A;1", 0, 1)],
        &[b"a"],
    );
    let opened = open(unpack, &sample);
    assert_eq!(opened.names(), ["SUB/A"]);
    assert_eq!(opened.reasons(), [IncompleteReason::Corrupt]);
}

#[test]
fn declared_lengths_are_not_believed() {
    let sample = image(&[file(b"A;1", 0, u32::MAX)], &[], &[b"abc"]);
    let opened = open(unpack, &sample);
    assert_eq!(opened.reasons(), [IncompleteReason::Corrupt]);
    assert!(opened.member("A").starts_with(b"abc"));
    let opened = open(unpack, &image(&[directory(u32::MAX, b"A")], &[], &[]));
    assert_eq!(opened.reasons(), [IncompleteReason::Corrupt]);
}

#[test]
fn an_image_of_another_file_system_is_unsupported() {
    let mut sample = simple();
    put(&mut sample, 18, b"\0NSR02\x01");
    put(&mut sample, 60, &[b'x'; 5000]);
    // And one of that alone.
    let mut alone = Vec::new();
    put(&mut alone, 16, b"\0BEA01\x01");
    put(&mut alone, 17, b"\0NSR03\x01");
    put(&mut alone, 300, b"a file");
    for sample in [sample, alone] {
        assert_eq!(
            open(unpack, &sample).reasons(),
            [IncompleteReason::Unsupported]
        );
    }
}

/// An image with a file that is `listed_bytes` long.
fn large(listed_bytes: usize) -> Vec<u8> {
    let file = file(b"BIG;1", 0, u32::try_from(listed_bytes).unwrap());
    image(&[file], &[], &[&vec![b'x'; listed_bytes]])
}

#[test]
fn files_beside_a_decoy_are_unsupported() {
    const DECOY_BYTES: usize = 1_000_000;
    for (other_bytes, is_marked, reasons) in [
        (17_000, true, &[IncompleteReason::Unsupported][..]),
        (15_000, true, &[]),
        (17_000, false, &[]),
    ] {
        let mut sample = large(DECOY_BYTES);
        if is_marked {
            // The first byte means nothing to Linux.
            put(&mut sample, 18, b"\xffNSR02\x01");
        }
        put(&mut sample, 1000, &vec![b'x'; other_bytes]);
        assert_eq!(open(unpack, &sample).reasons(), reasons, "{other_bytes}");
    }
}

#[test]
fn data_between_small_files_is_no_part_of_them() {
    // Each file has a byte of its sector; the other file system has the rest.
    let files = vec![&[b'x'; SECTOR][..]; 50];
    let nodes: Vec<Node<'_>> = (0..50).map(|index| file(b"A;1", index, 1)).collect();
    let mut sample = image(&nodes, &[], &files);
    put(&mut sample, 18, b"\0NSR02\x01");
    assert_eq!(
        open(unpack, &sample).reasons(),
        [IncompleteReason::Unsupported]
    );
}

#[test]
fn an_image_with_the_same_files_in_both_file_systems_is_looked_at() {
    let mut sample = large(1_000_000);
    put(&mut sample, 18, b"\0NSR02\x01");
    // A file entry for each of many files, and room that is not used.
    let mut entry = [0; 300];
    entry[..5].copy_from_slice(&[5, 1, 2, 0, 8]);
    entry[200..].fill(7);
    for sector in 1000..1500 {
        put(&mut sample, sector, &entry);
    }
    put(&mut sample, 1500, &vec![0; 1_000_000]);
    assert!(open(unpack, &sample).incomplete.is_empty());
}

#[test]
fn a_cut_off_image_is_recorded() {
    let sample = simple();
    for len in (0..FIRST_FILE as usize * SECTOR).step_by(97) {
        assert!(!open(unpack, &sample[..len]).incomplete.is_empty(), "{len}");
    }
}

#[test]
fn a_bomb_stops_at_the_limit() {
    // Many names for one content; each has another length, so that it counts.
    let nodes: Vec<Node<'_>> = (0..20).map(|index| file(b"A;1", 0, 2048 - index)).collect();
    let sample = image(&nodes, &[], &[&[0; 2048]]);
    let limits = UnpackLimits {
        bytes_max: 10_000,
        ..UnpackLimits::default()
    };
    assert_eq!(
        open_within(&limits, unpack, &sample).reasons(),
        [IncompleteReason::Limit]
    );
}

#[test]
fn damage_neither_panics_nor_hangs() {
    // Only what is not zeros is worth changing.
    survives_damage(unpack, &simple());
    let mut marked = simple();
    put(&mut marked, 18, b"\0NSR02\x01");
    // A name in a directory of UDF.
    let mut name = [0; 40];
    name[..5].copy_from_slice(&[1, 1, 2, 0, 4]);
    put(&mut marked, 60, &name.repeat(200));
    assert!(open(unpack, &marked).incomplete.is_empty());
    survives_damage(unpack, &marked);
    let mut sample = simple();
    let root = PRIMARY_ROOT as usize * SECTOR;
    for at in root..root + 200 {
        for value in [0, 1, 0x7f, 0xff] {
            let byte = std::mem::replace(&mut sample[at], value);
            open(unpack, &sample);
            sample[at] = byte;
        }
    }
}
