//! Whole shortcuts.

use squall_types::IncompleteReason;

use super::unpack;
use crate::unpack::trial::{open, survives_damage};

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A field with a 16 bit length before it that counts itself.
fn item(data: &[u8]) -> Vec<u8> {
    let len = u16::try_from(data.len() + 2).unwrap();
    [&len.to_le_bytes(), data].concat()
}

/// A file's item, with a short name and a long one.
fn file_item(short: &str, long: &str) -> Vec<u8> {
    let mut data = vec![0x32, 0];
    data.extend([0; 10]);
    data.extend(short.as_bytes());
    data.push(0);
    if data.len() % 2 == 1 {
        data.push(0);
    }
    let place = u16::try_from(data.len() + 2).unwrap();
    let mut extension = vec![0, 0, 9, 0, 4, 0, 0xef, 0xbe];
    extension.resize(46, 0);
    extension.extend(utf16(long));
    extension.extend([0, 0]);
    data.extend(extension);
    data.extend(place.to_le_bytes());
    item(&data)
}

fn block(kind: u32, data: &[u8]) -> Vec<u8> {
    let len = u32::try_from(data.len() + 8).unwrap();
    [&len.to_le_bytes(), &kind.to_le_bytes(), data].concat()
}

fn shortcut(tail: &[u8]) -> Vec<u8> {
    let mut file = vec![0x4c, 0, 0, 0];
    file.resize(0x4c, 0);
    file[20..24].copy_from_slice(&0xff_u32.to_le_bytes());
    let list = [
        item(b"\x1f\x50computer........"),
        item(b"\x2fC:\\\0"),
        file_item("POWERS~1.EXE", "powershell.exe"),
        vec![0, 0],
    ]
    .concat();
    file.extend(u16::try_from(list.len()).unwrap().to_le_bytes());
    file.extend(list);
    let mut info = vec![0; 28];
    info[4] = 28;
    info[16] = 28;
    info[24] = 40;
    info.extend(b"C:\\Windows\0\0");
    info.extend(b"cmd.exe\0");
    info[0] = u8::try_from(info.len()).unwrap();
    file.extend(info);
    for text in [
        "a picture",
        "..\\cmd.exe",
        "C:\\temp",
        "/c\n  evil ä",
        "shell32.dll",
    ] {
        file.extend(u16::try_from(text.chars().count()).unwrap().to_le_bytes());
        file.extend(utf16(text));
    }
    let mut environment = b"%ComSpec%".to_vec();
    environment.resize(260, 0);
    file.extend(block(0xa000_0001, &environment));
    file.extend(block(
        0xa000_0003,
        b"\x58\0\0\0\0\0\0\0desktop-1\0\0\0\0\0\0\0",
    ));
    file.extend(tail);
    file
}

#[test]
fn what_a_shortcut_starts_is_a_text() {
    let opened = open(unpack, &shortcut(&[0; 4]));
    assert_eq!(opened.names(), ["shortcut.txt"]);
    assert_eq!(
        std::str::from_utf8(opened.member("shortcut.txt")).unwrap(),
        "item: C:\\powershell.exe
target: C:\\Windows\\cmd.exe
description: a picture
relative path: ..\\cmd.exe
working directory: C:\\temp
arguments: /c   evil ä
icon: shell32.dll
environment target: %ComSpec%
machine: desktop-1
"
    );
    assert!(opened.incomplete.is_empty());
}

#[test]
fn what_is_appended_is_a_member() {
    let opened = open(unpack, &shortcut(b"\0\0\0\0MZ appended"));
    assert_eq!(opened.member("overlay"), b"MZ appended");
    let padded = open(unpack, &shortcut(&[0; 100]));
    assert_eq!(padded.names(), ["shortcut.txt"]);
}

#[test]
fn a_cut_off_shortcut_says_what_is_left() {
    let file = shortcut(&[0; 4]);
    // A shortcut may end behind any block of extra data.
    let second_block = file.len() - 4 - 32;
    let ends = [second_block - 268, second_block, file.len() - 4];
    for end in 0..file.len() {
        let opened = open(unpack, &file[..end]);
        let is_recorded = opened.reasons() == [IncompleteReason::Corrupt];
        assert_eq!(is_recorded, !ends.contains(&end), "cut at {end}");
    }
    assert!(
        open(unpack, &file[..second_block])
            .member("shortcut.txt")
            .ends_with(b"%ComSpec%\n")
    );
}

#[test]
fn damaged_shortcuts_neither_panic_nor_hang() {
    survives_damage(unpack, &shortcut(b"\0\0\0\0MZ appended"));
}
