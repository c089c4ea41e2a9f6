//! Whole documents.

use std::fmt::Write as _;

use squall_types::IncompleteReason;

use super::unpack;
use crate::unpack::trial::{open, survives_damage};

const PROGRAM: &[u8] = b"MZ\x90\0evil";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn object(class: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![1, 5, 0, 0, 2, 0, 0, 0];
    bytes.extend(u32::try_from(class.len() + 1).unwrap().to_le_bytes());
    bytes.extend(class.as_bytes());
    bytes.extend([0; 9]);
    bytes.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
    bytes.extend(content);
    bytes
}

fn package() -> Vec<u8> {
    let mut data = b"\x02\0run.exe\0C:\\run.exe\0\0\0\x03\0\x02\0\0\0x\0".to_vec();
    data.extend(u32::try_from(PROGRAM.len()).unwrap().to_le_bytes());
    data.extend(PROGRAM);
    object("Package", &data)
}

fn document(data: &str) -> String {
    format!("{{\\rtf1 text{{\\object\\objemb{{\\*\\objdata {data}}}}}}}")
}

#[test]
fn embedded_files_and_objects_are_members() {
    let text = document(&hex(&package())) + &document(&hex(&object("Equation.3", b"native")));
    let opened = open(unpack, text.as_bytes());
    assert_eq!(opened.names(), ["run.exe", "object-2-Equation.3"]);
    assert_eq!(opened.member("run.exe"), PROGRAM);
    assert_eq!(opened.member("object-2-Equation.3"), b"native");
    assert!(opened.incomplete.is_empty());
}

#[test]
fn what_hides_digits_is_passed_over() {
    let digits = hex(&package());
    for (between, is_inside_byte) in [
        ("\r\n \t", true),
        ("{\\*\\junk 41{42}43}", true),
        ("\\par ", true),
        ("\\fs24 ", true),
        ("\\'41", true),
        ("{\\b}", true),
        ("\\bin0 ", false),
        ("zz", true),
    ] {
        let at = if is_inside_byte { 61 } else { 60 };
        let (start, end) = digits.split_at(at);
        let opened = open(
            unpack,
            document(&format!("{start}{between}{end}")).as_bytes(),
        );
        assert_eq!(opened.names(), ["run.exe"], "{between:?}");
        assert_eq!(opened.member("run.exe"), PROGRAM, "{between:?}");
    }
}

#[test]
fn raw_bytes_are_taken_as_they_are() {
    let bytes = package();
    let mut text = document("").into_bytes();
    let brace = text.len() - 3;
    let raw = [format!("\\bin{} ", bytes.len()).into_bytes(), bytes].concat();
    text.splice(brace..brace, raw);
    assert_eq!(open(unpack, &text).member("run.exe"), PROGRAM);
}

#[test]
fn a_damaged_header_does_not_hide_the_object() {
    let bytes = [
        &b"\xff\xff\xff\xff\xff"[..],
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest",
    ]
    .concat();
    let opened = open(unpack, document(&hex(&bytes)).as_bytes());
    assert_eq!(opened.member("object-1"), bytes);
    assert_eq!(opened.member("object-1|content"), &bytes[5..]);
}

#[test]
fn a_cut_off_object_is_recorded() {
    let text = document(&hex(&object("X", &[7; 500])));
    let opened = open(unpack, &text.as_bytes()[..text.len() / 2]);
    assert_eq!(opened.reasons(), [IncompleteReason::Corrupt]);
    assert!(opened.member("object-1-X").iter().all(|byte| *byte == 7));
}

#[test]
fn countless_objects_reach_a_limit() {
    let text = "{\\objdata 41}".repeat(5000);
    let opened = open(unpack, text.as_bytes());
    assert_eq!(opened.reasons(), [IncompleteReason::Limit]);
    assert!(
        open(unpack, "\\objdata".repeat(900).as_bytes())
            .incomplete
            .is_empty()
    );
}

#[test]
fn damaged_documents_neither_panic_nor_hang() {
    let text = document(&format!("{}\\bin3 abc{{\\*\\x 41}}\\'41", hex(&package())));
    survives_damage(unpack, text.as_bytes());
}
