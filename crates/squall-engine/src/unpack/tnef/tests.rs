//! Whole streams.

use squall_types::IncompleteReason;

use super::unpack;
use crate::unpack::trial::{open, survives_damage};

fn attribute(level: u8, id: u32, data: &[u8]) -> Vec<u8> {
    let len = u32::try_from(data.len()).unwrap();
    let mut bytes = vec![level];
    bytes.extend(id.to_le_bytes());
    bytes.extend(len.to_le_bytes());
    bytes.extend(data);
    bytes.extend([0, 0]);
    bytes
}

fn property(kind: u16, id: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = [kind.to_le_bytes(), id.to_le_bytes()].concat();
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn list(properties: &[Vec<u8>]) -> Vec<u8> {
    let count = u32::try_from(properties.len()).unwrap();
    [count.to_le_bytes().to_vec(), properties.concat()].concat()
}

fn stream() -> Vec<u8> {
    let mut named = vec![0x03, 0, 0x01, 0x80];
    named.extend([0; 16]);
    named.extend([1, 0, 0, 0, 6, 0, 0, 0]);
    named.extend(b"a\0b\0\0\0\0\0");
    named.extend([7, 0, 0, 0]);
    let message = list(&[
        named,
        property(0x001f, 0x1000, b"h\0i\0\0\0"),
        property(0x0102, 0x1013, b"<b>hi</b>"),
        property(0x0102, 0x1009, b"\x06\0\0\0\x02\0\0\0MELA\0\0\0\0{\\rtf1}"),
    ]);
    let named_attachment = list(&[property(0x001e, 0x3707, b"a long name.exe\0")]);
    let object = list(&[property(
        0x000d,
        0x3701,
        b"0123456789abcdef\xd0\xcf\x11\xe0",
    )]);
    [
        b"\x78\x9f\x3e\x22\x01\0".to_vec(),
        attribute(1, 0x0006_9003, &message),
        attribute(2, 0x0006_9002, &[0; 14]),
        attribute(2, 0x0001_8010, b"ALONGN~1.EXE\0"),
        attribute(2, 0x0006_800f, b"MZ program"),
        attribute(2, 0x0006_9005, &named_attachment),
        attribute(2, 0x0006_9002, &[0; 14]),
        attribute(2, 0x0001_8010, b"x.doc\0"),
        attribute(2, 0x0006_9005, &object),
    ]
    .concat()
}

#[test]
fn bodies_and_attachments_are_members() {
    let opened = open(unpack, &stream());
    assert_eq!(
        opened.names(),
        [
            "body.txt",
            "body.html",
            "body.rtf",
            "a long name.exe",
            "x.doc"
        ]
    );
    assert_eq!(opened.member("body.txt"), b"hi");
    assert_eq!(opened.member("body.rtf"), b"{\\rtf1}");
    assert_eq!(opened.member("a long name.exe"), b"MZ program");
    assert_eq!(opened.member("x.doc"), b"\xd0\xcf\x11\xe0");
    assert!(opened.incomplete.is_empty(), "{:?}", opened.incomplete);
}

#[test]
fn a_cut_off_stream_is_recorded() {
    let whole = stream();
    let end = whole.len() - 60;
    let opened = open(unpack, &whole[..end]);
    assert_eq!(opened.reasons(), [IncompleteReason::Corrupt]);
    assert_eq!(opened.member("a long name.exe"), b"MZ program");
    assert_eq!(open(unpack, b"").reasons(), [IncompleteReason::Corrupt]);
}

#[test]
fn damaged_streams_neither_panic_nor_hang() {
    survives_damage(unpack, &stream());
}
