//! Whole compound files, written by another library.

use std::io::{Cursor, Write};

use squall_types::IncompleteReason;

use super::unpack;
use crate::unpack::UnpackLimits;
use crate::unpack::trial::{open, open_within, survives_damage};

const EXECUTABLE: &[u8] = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0EVIL";

/// A compound file with these streams; their storages come with them.
fn compound(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    for (path, content) in streams {
        if let Some((storage, _)) = path.rsplit_once('/') {
            file.create_storage_all(format!("/{storage}")).unwrap();
        }
        let mut stream = file.create_stream(format!("/{path}")).unwrap();
        stream.write_all(content).unwrap();
    }
    file.flush().unwrap();
    file.into_inner().into_inner()
}

/// Compresses as MS-OVBA does when nothing repeats.
fn compressed(text: &[u8]) -> Vec<u8> {
    let mut bytes = vec![1];
    for chunk in text.chunks(3600) {
        let mut data = Vec::new();
        for literals in chunk.chunks(8) {
            data.push(0);
            data.extend(literals);
        }
        let header = u16::try_from(data.len() - 1).unwrap() | 0xb000;
        bytes.extend(header.to_le_bytes());
        bytes.extend(data);
    }
    bytes
}

/// The list of a project's only module.
fn module_list(name: &str, offset: u32) -> Vec<u8> {
    let mut list = Vec::new();
    for (id, data) in [
        (0x19_u16, name.as_bytes()),
        (0x1a, name.as_bytes()),
        (0x31, &offset.to_le_bytes()),
        (0x2b, b""),
    ] {
        list.extend(id.to_le_bytes());
        list.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        list.extend(data);
    }
    compressed(&list)
}

fn package(name: &str, content: &[u8]) -> Vec<u8> {
    let mut data = vec![2, 0];
    data.extend(name.as_bytes());
    data.extend(b"\0C:\\x\0\0\0\x03\0\x02\0\0\0x\0");
    data.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
    data.extend(content);
    let mut stream = u32::try_from(data.len()).unwrap().to_le_bytes().to_vec();
    stream.extend(data);
    stream
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn document() -> Vec<u8> {
    let source = b"Attribute VB_Name = \"M\"\r\nSub AutoOpen()\r\n'evil\r\nEnd Sub\r\n".repeat(100);
    let module = [b"pcode".to_vec(), compressed(&source)].concat();
    let large = EXECUTABLE.repeat(1000);
    compound(&[
        ("WordDocument", &[0; 5000]),
        ("\u{5}SummaryInformation", b"facts"),
        ("Macros/VBA/dir", &module_list("M", 5)),
        ("Macros/VBA/M", &module),
        ("Macros/VBA/_VBA_PROJECT", b"cache"),
        (
            "Macros/VBA/Stray",
            &[
                b"junk".to_vec(),
                compressed(b"Attribute VB_Name = \"Stray\"\n"),
            ]
            .concat(),
        ),
        (
            "ObjectPool/_1/\u{1}Ole10Native",
            &package("run.exe", &large),
        ),
        ("ObjectPool/_2/CONTENTS", b"%PDF-1.4"),
    ])
}

#[test]
fn macros_and_embedded_files_of_a_document_are_members() {
    let opened = open(unpack, &document());
    let mut names = opened.names();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "ObjectPool/_1/run.exe",
            "ObjectPool/_2/CONTENTS",
            "VBA/M.bas",
            "VBA/Stray.bas",
            "VBA/dir",
        ]
    );
    let source = opened.member("VBA/M.bas");
    assert!(source.starts_with(b"Attribute VB_Name"));
    assert!(source.ends_with(b"End Sub\r\n"));
    assert_eq!(
        opened.member("ObjectPool/_1/run.exe"),
        EXECUTABLE.repeat(1000)
    );
    assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
}

#[test]
fn a_module_without_source_is_recorded() {
    let file = compound(&[
        ("VBA/dir", &module_list("M", 5)),
        ("VBA/M", b"only the performance cache"),
    ]);
    let opened = open(unpack, &file);
    assert_eq!(opened.reasons(), [IncompleteReason::Corrupt]);
    assert_eq!(opened.member("VBA/M.bas"), b"only the performance cache");
}

#[test]
fn the_parts_of_a_document_are_members_only_in_pieces() {
    // Two streams written by turns lie in pieces.
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    file.create_stream("/Workbook").unwrap();
    file.create_stream("/Other").unwrap();
    for round in 0..20_u8 {
        for path in ["/Workbook", "/Other"] {
            let mut stream = file.open_stream(path).unwrap();
            let end = stream.len();
            std::io::Seek::seek(&mut stream, std::io::SeekFrom::Start(end)).unwrap();
            stream.write_all(&[round; 5000]).unwrap();
        }
    }
    file.flush().unwrap();
    let opened = open(unpack, &file.into_inner().into_inner());
    assert_eq!(opened.member("Workbook").len(), 100_000);
    assert_eq!(opened.member("Workbook")[99_999], 19);
    let whole = compound(&[("Workbook", &[7; 10_000])]);
    assert!(open(unpack, &whole).members.is_empty());
}

#[test]
fn encrypted_documents_are_recorded() {
    let mut text = vec![0; 5000];
    text[..2].copy_from_slice(b"\xec\xa5");
    text[11] = 1;
    for streams in [
        [
            ("EncryptedPackage", &b"secret"[..]),
            ("EncryptionInfo", b"x"),
        ],
        [("WordDocument", &text), ("1Table", b"x")],
        [("Workbook", b"\x09\x08\x02\0xx\x2f\0\x06\0"), ("x", b"x")],
    ] {
        let opened = open(unpack, &compound(&streams));
        assert_eq!(
            opened.reasons(),
            [IncompleteReason::Encrypted],
            "{}",
            streams[0].0
        );
    }
}

#[test]
fn messages_show_bodies_attachments_and_messages_in_them() {
    let inner = "__attach_version1.0_#00000001/__substg1.0_3701000D";
    let rtf = b"\x06\0\0\0\x02\0\0\0MELA\0\0\0\0{\\rtf1}";
    let name = utf16("run.exe");
    let body = utf16("hello");
    let streams: Vec<(String, &[u8])> = [
        ("__properties_version1.0", &b"x"[..]),
        ("__substg1.0_1000001F", &body),
        ("__substg1.0_10130102", b"<b>hi</b>"),
        ("__substg1.0_10090102", rtf),
        ("__attach_version1.0_#00000000/__substg1.0_3707001F", &name),
        (
            "__attach_version1.0_#00000000/__substg1.0_37010102",
            EXECUTABLE,
        ),
        ("__attach_version1.0_#00000001/__substg1.0_3001001E", b"fwd"),
    ]
    .into_iter()
    .map(|(path, content)| (path.to_owned(), content))
    .chain([
        (format!("{inner}/__properties_version1.0"), &b"x"[..]),
        (format!("{inner}/__substg1.0_1000001E"), b"inner"),
        (
            format!("{inner}/__attach_version1.0_#00000000/__substg1.0_37010102"),
            b"%PDF-",
        ),
    ])
    .collect();
    let borrowed: Vec<_> = streams
        .iter()
        .map(|(path, content)| (path.as_str(), *content))
        .collect();
    let file = compound(&borrowed);
    let opened = open(unpack, &file);
    assert_eq!(opened.member("body.txt"), b"hello");
    assert_eq!(opened.member("body.html"), b"<b>hi</b>");
    assert_eq!(opened.member("body.rtf"), b"{\\rtf1}");
    assert_eq!(opened.member("run.exe"), EXECUTABLE);
    assert_eq!(opened.member("fwd|body.txt"), b"inner");
    assert_eq!(opened.member("fwd|attachment"), b"%PDF-");
    assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
    survives_damage(unpack, &file);
}

/// A record of a presentation.
fn record(head: u16, kind: u16, content: &[u8]) -> Vec<u8> {
    let mut record = [head.to_le_bytes(), kind.to_le_bytes()].concat();
    record.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
    record.extend(content);
    record
}

/// The record of an embedded compound file that is compressed.
fn deflated(content: &[u8]) -> Vec<u8> {
    deflated_by(flate2::Compression::default(), content)
}

fn deflated_by(level: flate2::Compression, content: &[u8]) -> Vec<u8> {
    let len = u32::try_from(content.len()).unwrap().to_le_bytes();
    let mut encoder = flate2::write::ZlibEncoder::new(len.to_vec(), level);
    encoder.write_all(content).unwrap();
    record(0x10, 0x1011, &encoder.finish().unwrap())
}

fn presentation(records: &[Vec<u8>]) -> Vec<u8> {
    compound(&[
        ("Current User", &[0; 20]),
        ("PowerPoint Document", &records.concat()),
    ])
}

const FIRST_OBJECT: &str = "PowerPoint Document/object-1";
const SECOND_OBJECT: &str = "PowerPoint Document/object-2";

#[test]
fn macros_and_objects_of_a_presentation_are_members() {
    let project = compound(&[
        ("VBA/dir", &module_list("M", 0)),
        ("VBA/M", &compressed(b"Attribute VB_Name = \"M\"\r\n'evil")),
    ]);
    let object = compound(&[("\u{1}Ole10Native", &package("run.exe", EXECUTABLE))]);
    let file = presentation(&[
        record(0xf, 0x3e8, &record(1, 0x3e9, &[0; 40])),
        deflated(&project),
        record(0, 0x1772, &[1; 8]),
        record(0, 0x1011, &object),
        record(0, 0xff5, &[0; 28]),
    ]);
    let opened = open(unpack, &file);
    assert_eq!(opened.names(), [FIRST_OBJECT, SECOND_OBJECT]);
    assert_eq!(opened.member(FIRST_OBJECT), project);
    assert_eq!(opened.member(SECOND_OBJECT), object);
    assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
    let source = open(unpack, &project);
    assert!(source.member("VBA/M.bas").ends_with(b"'evil"));
    assert_eq!(open(unpack, &object).member("run.exe"), EXECUTABLE);
    survives_damage(unpack, &file);
}

#[test]
fn objects_are_found_behind_records_that_make_no_sense() {
    let object = compound(&[("\u{1}Ole10Native", &package("run.exe", EXECUTABLE))]);
    let mut with_wrong_length = deflated(&object);
    with_wrong_length[4..8].fill(0);
    let file = presentation(&[
        b"\0\0\x11\x10\xff\xff\xff\x7f\0\x10\0\x11\x10".to_vec(),
        with_wrong_length,
        b"\x10\0\x11".to_vec(),
        deflated(&object),
    ]);
    let opened = open(unpack, &file);
    assert_eq!(opened.member(FIRST_OBJECT), object);
    assert_eq!(opened.member(SECOND_OBJECT), object);
}

#[test]
fn a_presentation_without_objects_has_no_members() {
    for records in [
        vec![record(0xf, 0x3e8, &record(1, 0x3e9, &[0; 40]))],
        vec![record(0, 0x1011, b"")],
        // Not the beginning of zlib.
        vec![b"x\x10\0\x11\x10\x09\0\0\0\xff\0\0\0\x78\x9d...".to_vec()],
        vec![vec![0; 10_000]],
        vec![],
    ] {
        let opened = open(unpack, &presentation(&records));
        assert!(opened.members.is_empty(), "{:?}", opened.names());
        assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
    }
}

#[test]
fn a_damaged_object_of_a_presentation_is_recorded() {
    let object = compound(&[("\u{1}Ole10Native", &package("run.exe", EXECUTABLE))]);
    let whole = deflated(&object);
    let mut without_header = whole.clone();
    without_header[12] = 0xff;
    let mut with_wrong_sum = whole.clone();
    *with_wrong_sum.last_mut().unwrap() ^= 1;
    let mut cut_stored = record(0, 0x1011, &object);
    cut_stored.truncate(6000);
    let of_odd_version = [b"\x11", &whole[1..whole.len() - 5]].concat();
    for damaged in [
        whole[..whole.len() - 5].to_vec(),
        without_header,
        with_wrong_sum,
        cut_stored,
        of_odd_version,
        record(0x10, 0x1011, b""),
    ] {
        let opened = open(unpack, &presentation(&[damaged]));
        assert_eq!(opened.reasons(), [IncompleteReason::Corrupt]);
        assert_eq!(opened.names(), [FIRST_OBJECT]);
        assert!(object.starts_with(opened.member(FIRST_OBJECT)));
    }
}

#[test]
fn a_presentation_that_is_cut_off_is_recorded() {
    let file = presentation(&[record(0, 0xff5, &[7; 20_000]), deflated(EXECUTABLE)]);
    let opened = open(unpack, &file[..file.len() - 10_000]);
    assert_eq!(opened.reasons(), [IncompleteReason::Corrupt]);
}

#[test]
fn budgets_hold_for_the_objects_of_a_presentation() {
    let limits = UnpackLimits {
        member_bytes_max: 100_000,
        members_max: 5,
        ..UnpackLimits::default()
    };
    let large = deflated(&vec![0; 1_000_000]);
    let opened = open_within(&limits, unpack, &presentation(&[large.clone(), large]));
    assert_eq!(opened.reasons(), [IncompleteReason::Limit; 2]);
    let within_bounds = |(_, content): &(String, Vec<u8>)| content.len() <= 100_000;
    assert!(opened.members.iter().all(within_bounds));
    // Each of them reaches to the end of the stream, as far as it says.
    let mut header = b"\0\0\x11\x10\xff\xff\xff\x7f".to_vec();
    header.extend(super::compound::SIGNATURE);
    let opened = open_within(&limits, unpack, &presentation(&vec![header; 10_000]));
    assert_eq!(opened.members.len(), 5);
    assert_eq!(opened.reasons().last(), Some(&IncompleteReason::Limit));
    let headers = presentation(&vec![record(0x10, 0x1011, b"\0\0\0\0\x78\x9c"); 20_000]);
    let opened = open(unpack, &headers);
    assert_eq!(opened.members.len(), 10_000);
    assert_eq!(opened.reasons().last(), Some(&IncompleteReason::Limit));
}

#[test]
fn an_object_inside_the_data_of_another_is_found() {
    let object = compound(&[("\u{1}Ole10Native", &package("run.exe", EXECUTABLE))]);
    let real = deflated(&object);
    // Its data lies in the other's as it is, where PowerPoint can be sent to it.
    let decoy = deflated_by(flate2::Compression::none(), &real);
    let opened = open(unpack, &presentation(&[decoy]));
    assert_eq!(opened.member(FIRST_OBJECT), real);
    assert_eq!(opened.member(SECOND_OBJECT), object);
    assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
}

#[test]
fn objects_that_overlap_without_end_reach_a_limit() {
    const DECOYS: usize = 300;
    const DECOY_BYTES: usize = 19;
    let mut stream = Vec::new();
    for index in 1..=DECOYS {
        // A block that holds all the decoys behind it.
        let len = u16::try_from((DECOYS - index) * DECOY_BYTES).unwrap();
        stream.extend(b"\x10\0\x11\x10\xff\xff\xff\x7f\0\0\0\0\x78\x01\0");
        stream.extend(len.to_le_bytes());
        stream.extend((!len).to_le_bytes());
    }
    stream.extend(b"\0\0\0\xff\xff".repeat(100_000));
    for ending in [
        // The blocks have no end, or one that is damaged.
        &b""[..],
        b"\x07",
    ] {
        let decoys = [&stream, ending].concat();
        let object = compound(&[("x", b"y")]);
        let opened = open(unpack, &presentation(&[decoys, record(0, 0x1011, &object)]));
        assert!(opened.members.len() <= 5, "{}", opened.members.len());
        assert_eq!(opened.members.last().unwrap().1, object);
        assert_eq!(opened.reasons().last(), Some(&IncompleteReason::Limit));
    }
}

/// A compound file with many entries for one stream of a presentation; the
/// length of each is given as that much less.
fn with_shared_stream(entries: usize, less: impl Fn(usize) -> usize) -> Vec<u8> {
    const NAME_PLACE: usize = 128;
    let name = utf16("PowerPoint Document");
    let stream = [deflated(EXECUTABLE), record(0, 0xff5, &[7; 20_000])].concat();
    let paths: Vec<String> = (0..entries)
        .map(|index| format!("{index}/PowerPoint Document"))
        .collect();
    let mut streams: Vec<(&str, &[u8])> = paths
        .iter()
        .map(|path| (path.as_str(), &b"x"[..]))
        .collect();
    streams[0].1 = &stream;
    let mut file = compound(&streams);
    let places: Vec<usize> = (0..file.len())
        .step_by(NAME_PLACE)
        .filter(|at| file[*at..].starts_with(&name))
        .collect();
    assert_eq!(places.len(), entries);
    let size_of = |entry: &[u8]| u32::from_le_bytes(entry[120..124].try_into().unwrap());
    let is_large = |at: &&usize| size_of(&file[**at..]) > 1;
    let large = *places.iter().find(is_large).unwrap();
    let start = file[large + 116..large + 120].to_vec();
    for (index, at) in places.into_iter().enumerate() {
        let size = u32::try_from(stream.len() - less(index)).unwrap();
        file[at + 116..at + 120].copy_from_slice(&start);
        file[at + 120..at + 124].copy_from_slice(&size.to_le_bytes());
    }
    file
}

#[test]
fn a_stream_that_many_entries_share_is_gone_through_once() {
    let opened = open(unpack, &with_shared_stream(100, |_| 0));
    assert_eq!(opened.members.len(), 1);
    assert_eq!(opened.members[0].1, EXECUTABLE);
    assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
}

#[test]
fn streams_that_share_most_of_their_bytes_reach_a_limit() {
    let file = with_shared_stream(100, |index| index);
    let opened = open(unpack, &file);
    let found = opened.members.len();
    assert!(found >= 4 && found * 20_000 <= 4 * file.len(), "{found}");
    assert_eq!(opened.reasons(), vec![IncompleteReason::Limit; 100 - found]);
}

#[test]
fn many_presentations_and_objects_that_share_nothing_reach_no_limit() {
    let records = deflated(EXECUTABLE).repeat(20);
    let paths: Vec<String> = (0..50)
        .map(|index| format!("ObjectPool/_{index}/PowerPoint Document"))
        .collect();
    let streams: Vec<(&str, &[u8])> = paths
        .iter()
        .map(|path| (path.as_str(), records.as_slice()))
        .collect();
    let opened = open(unpack, &compound(&streams));
    let names = opened.names().into_iter();
    let objects = names.filter(|name| name.contains("/object-"));
    assert_eq!(objects.count(), 50 * 20);
    assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
}

#[test]
fn a_cut_off_file_gives_what_is_left() {
    let whole = document();
    let opened = open(unpack, &whole[..whole.len() / 2]);
    assert!(!opened.incomplete.is_empty());
    assert_eq!(
        open(unpack, &whole[..600]).reasons(),
        [IncompleteReason::Corrupt]
    );
    assert_eq!(open(unpack, b"").reasons(), [IncompleteReason::Corrupt]);
}

#[test]
fn a_chain_in_a_ring_ends() {
    let mut file = compound(&[("x", &[1; 10_000])]);
    // Every sector follows itself.
    let table = 512;
    for index in 0..128_u32 {
        let at = table + 4 * index as usize;
        file[at..at + 4].copy_from_slice(&index.to_le_bytes());
    }
    let opened = open(unpack, &file);
    assert!(
        opened
            .members
            .iter()
            .all(|(_, content)| content.len() <= file.len())
    );
}

#[test]
fn budgets_hold_for_source_that_grows() {
    // Runs of copies: 3 bytes become 4096.
    let mut source = vec![1];
    for _ in 0..1000 {
        source.extend(b"\x03\xb0\x02a\xfc\x0f");
    }
    let limits = UnpackLimits {
        bytes_max: 100_000,
        ..UnpackLimits::default()
    };
    let opened = open_within(&limits, unpack, &compound(&[("VBA/dir", &source)]));
    assert_eq!(opened.reasons(), [IncompleteReason::Limit]);
    assert!(opened.member("VBA/dir").len() <= 100_000);
}

#[test]
fn damaged_documents_neither_panic_nor_hang() {
    survives_damage(unpack, &document());
}
