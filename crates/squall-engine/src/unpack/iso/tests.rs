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

/// The most data of no file that nothing is said about beside a large file.
const OTHER_BYTES_MAX: usize = 16 * 1024;

/// Where the samples have what belongs to no directory and no file.
const ELSEWHERE: u32 = 1000;

/// Where `marked` puts its directories.
const FIRST_DIRECTORY: u32 = 800;

/// An image with a mark, a large file and directories, each with `nodes`.
fn marked(directories: u32, nodes: &[Node<'_>]) -> Vec<u8> {
    const BYTES: u32 = 1_000_000;
    let names: Vec<String> = (0..directories).map(directory_name).collect();
    let mut root = vec![file(b"BIG;1", 0, BYTES), directory(PRIMARY_SUB, b"SUB")];
    for (sector, name) in (FIRST_DIRECTORY..).zip(&names) {
        root.push(directory(sector, name.as_bytes()));
    }
    let mut sample = image(&root, nodes, &[&vec![b'x'; BYTES as usize]]);
    put(&mut sample, 18, b"\0NSR02\x01");
    for sector in FIRST_DIRECTORY..FIRST_DIRECTORY + directories {
        put(&mut sample, sector, &list(sector, nodes));
    }
    sample
}

fn directory_name(index: u32) -> String {
    format!("DIRECTORY{index:02}")
}

fn is_reported(sample: &[u8]) -> bool {
    let opened = open(unpack, sample);
    match opened.reasons()[..] {
        [] => false,
        [IncompleteReason::Unsupported] => true,
        _ => panic!("{:?}", opened.incomplete),
    }
}

/// Whether data that begins `len` bytes behind a sector, at the end of what is
/// known, is reported as soon as there is a byte too much of it.
fn covers_no_more(sample: &[u8], sector: u32, len: usize) -> bool {
    let start = sector as usize * SECTOR + len;
    let mut sample = sample.to_vec();
    sample.resize(start, 0);
    sample.resize(start + OTHER_BYTES_MAX, b'x');
    let is_reported_before = is_reported(&sample);
    sample.push(b'x');
    !is_reported_before && is_reported(&sample)
}

#[test]
fn names_buy_nothing() {
    let long = [b'N'; 200];
    let many = marked(40, &vec![file(&long, 0, 0); 8]);
    assert!(covers_no_more(&many, ELSEWHERE, 0));
}

/// An entry of a table of paths for a directory of `marked`.
fn table_entry(index: u32, is_big_endian: bool) -> Vec<u8> {
    let name = directory_name(index);
    let mut extent = (FIRST_DIRECTORY + index).to_le_bytes();
    if is_big_endian {
        extent.reverse();
    }
    let mut entry = vec![u8::try_from(name.len()).unwrap(), 0];
    entry.extend(extent);
    entry.extend([0, 1]);
    entry.extend(name.bytes());
    entry.resize(entry.len().next_multiple_of(2), 0);
    entry
}

/// Puts a table of paths, and says in the descriptor that it is `len` long.
fn put_table(sample: &mut Vec<u8>, field: usize, table: &[u8], len: u32) {
    let descriptor = 16 * SECTOR;
    let mut sector = ELSEWHERE.to_le_bytes();
    if field >= 148 {
        sector.reverse();
    }
    sample[descriptor + field..][..4].copy_from_slice(&sector);
    sample[descriptor + 132..][..4].copy_from_slice(&len.to_le_bytes());
    put(sample, ELSEWHERE, table);
}

#[test]
fn tables_of_paths_cover_their_entries_and_no_more() {
    for (field, is_big_endian) in [(140, false), (144, false), (148, true), (152, true)] {
        let entries = (0..40).map(|index| table_entry(index, is_big_endian));
        let table: Vec<u8> = entries.flatten().collect();
        let len = u32::try_from(table.len()).unwrap();
        for declared in [len, len + 5000, 1 << 30, u32::MAX] {
            let mut sample = marked(40, &[]);
            put_table(&mut sample, field, &table, declared);
            assert!(
                covers_no_more(&sample, ELSEWHERE, table.len()),
                "{field} {declared}"
            );
        }
    }
}

#[test]
fn entries_that_repeat_no_directory_cover_nothing() {
    // Nor does a real one that is there again and again.
    let known = table_entry(0, false);
    let mut other_name = known.clone();
    other_name[8..].fill(b'x');
    let mut other_place = known.clone();
    other_place[2] = 1;
    for entry in [other_name, other_place, vec![b'x'; 20], known] {
        let mut sample = marked(1, &[]);
        put_table(&mut sample, 140, &entry.repeat(1000), u32::MAX);
        assert!(is_reported(&sample), "{entry:?}");
    }
}

/// An entry that says where Rock Ridge goes on.
fn continuation(sector: u32, offset: u32, len: u32) -> Vec<u8> {
    let mut entry = b"CE\x1c\x01".to_vec();
    for number in [sector, offset, len] {
        entry.extend(number.to_le_bytes());
        entry.extend(number.to_be_bytes());
    }
    entry
}

/// An image with a record for each of the continuations.
fn continuing(continuations: &[Vec<u8>]) -> Vec<u8> {
    let node = |system_use: &Vec<u8>| Node {
        system_use: system_use.clone(),
        ..file(b"A;1", 0, 0)
    };
    let nodes: Vec<Node<'_>> = continuations.iter().map(node).collect();
    marked(0, &nodes)
}

#[test]
fn continuations_cover_their_entries_and_no_more() {
    let name = rock_ridge(&"n".repeat(100));
    let area = name.repeat(4);
    let len = u32::try_from(area.len()).unwrap();
    for declared in [len, len + 100, 1 << 30, u32::MAX] {
        let mut sample = continuing(&[continuation(ELSEWHERE, 0, declared)]);
        put(&mut sample, ELSEWHERE, &area);
        assert!(covers_no_more(&sample, ELSEWHERE, area.len()), "{declared}");
    }
    // One that goes on in another, with padding between them.
    let behind = u32::try_from(area.len() + 28 + 1).unwrap();
    let first = [area.clone(), continuation(ELSEWHERE, behind, len), vec![0]].concat();
    let whole = [first, area].concat();
    let mut sample = continuing(&[continuation(ELSEWHERE, 0, behind - 1)]);
    put(&mut sample, ELSEWHERE, &whole);
    assert!(covers_no_more(&sample, ELSEWHERE, whole.len()));
}

#[test]
fn a_record_goes_on_for_no_more_than_a_block() {
    const ENTRY_LEN: usize = 128;
    let name = rock_ridge(&"n".repeat(ENTRY_LEN - 5));
    let entries = (SECTOR + OTHER_BYTES_MAX) / ENTRY_LEN;
    for (entries, expected) in [(entries, false), (entries + 1, true)] {
        let mut sample = continuing(&[continuation(ELSEWHERE, 0, u32::MAX)]);
        put(&mut sample, ELSEWHERE, &name.repeat(entries));
        assert_eq!(is_reported(&sample), expected, "{entries}");
    }
    // Nor by one place after the other.
    let mut sample = continuing(&[continuation(ELSEWHERE, 0, 2048)]);
    for sector in ELSEWHERE..ELSEWHERE + 100 {
        let entries = [continuation(sector + 1, 0, 2048), name.repeat(15)].concat();
        put(&mut sample, sector, &entries);
    }
    assert!(is_reported(&sample));
}

#[test]
fn continuations_of_anything_else_cover_nothing() {
    let padding = [b"PD\xff\x01".to_vec(), vec![b'x'; 251]].concat();
    let other_version = [b"NM\xff\x02".to_vec(), vec![b'x'; 251]].concat();
    let continuations: Vec<Vec<u8>> = (0..20)
        .map(|index| continuation(ELSEWHERE + index, 0, 2040))
        .collect();
    for content in [vec![b'x'; 255], padding, other_version] {
        let mut sample = continuing(&continuations);
        for sector in ELSEWHERE..ELSEWHERE + 20 {
            put(&mut sample, sector, &content.repeat(8));
        }
        assert!(is_reported(&sample));
    }
}

#[test]
fn continuations_in_a_circle_end() {
    let mut sample = continuing(&[
        continuation(ELSEWHERE, 0, 28),
        continuation(u32::MAX, u32::MAX, u32::MAX),
    ]);
    put(&mut sample, ELSEWHERE, &continuation(ELSEWHERE, 0, 28));
    assert!(!is_reported(&sample));
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

/// A small image with a mark.
fn with_table_and_continuations() -> Vec<u8> {
    let continued = Node {
        system_use: continuation(61, 0, 28),
        ..file(b"A;1", 0, 0)
    };
    let nodes = [directory(PRIMARY_SUB, b"SUB"), continued];
    let mut sample = image(&nodes, &[], &[]);
    put(&mut sample, 18, b"\0NSR02\x01");
    let descriptor = 16 * SECTOR;
    sample[descriptor + 132] = 12;
    sample[descriptor + 140] = 60;
    put(&mut sample, 60, b"\x03\0\x15\0\0\0\x01\0SUB\0");
    put(&mut sample, 61, &continuation(62, 0, 28));
    put(&mut sample, 62, &rock_ridge("name"));
    sample
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
    survives_damage(unpack, &with_table_and_continuations());
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
