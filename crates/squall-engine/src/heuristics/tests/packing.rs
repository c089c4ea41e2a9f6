//! Packed programs.

use super::file;
use crate::pe_info::sample::{CODE, CODE_AND_DATA, DATA, PeSample};

/// Bytes of an entropy of 8 bits per byte.
fn packed() -> Vec<u8> {
    (0..=255).cycle().take(0x4000).collect()
}

/// Bytes of an entropy of 6 bits per byte, as code has.
fn code() -> Vec<u8> {
    (0..64).cycle().take(0x4000).collect()
}

#[track_caller]
fn expect(sample: &PeSample, expected: &[&str]) {
    file("setup.exe", sample.build()).expect(expected);
}

fn with(name: &[u8], characteristics: u32, content: &[u8]) -> PeSample {
    PeSample::ordinary().section(name, characteristics, content)
}

#[test]
fn known_packers_are_found() {
    for name in [
        &b"UPX1"[..],
        b".UPX1",
        b".aspack",
        b".vmp0",
        b".MPRESS1",
        b".themida",
        b"nsp1",
    ] {
        expect(
            &with(name, CODE_AND_DATA, &packed()),
            &["Packed_Executable"],
        );
    }
    // The stub is named, the packed bytes are elsewhere.
    let sample = with(b".petite", CODE, &code()).section(b".data2", DATA, &packed());
    expect(&sample, &["Packed_Executable"]);
}

#[test]
fn a_packers_name_on_ordinary_code_is_not_meant() {
    expect(&with(b"UPX1", CODE_AND_DATA, &code()), &[]);
    // Too short to tell.
    expect(&with(b"UPX1", CODE_AND_DATA, &packed()[..0x800]), &[]);
}

#[test]
fn unlikely_sections_with_packed_code_are_found() {
    for name in [&b""[..], b"kjhgf", b".xyz", b"\x01\xff\x80", b".text2"] {
        expect(&with(name, CODE, &packed()), &["Unlikely_Section"]);
    }
    // A usual name on code that rewrites itself.
    expect(
        &with(b".text", CODE_AND_DATA, &packed()),
        &["Unlikely_Section"],
    );
    // The first instruction is in it, whatever it says of itself.
    let sample = PeSample::new()
        .section(b".text", CODE, &code())
        .section(b"qwert", 0x4000_0040, &packed())
        .entry_section(1);
    expect(&sample, &["Unlikely_Section"]);
}

#[test]
fn compressed_data_and_ordinary_code_are_not_meant() {
    for (name, characteristics, content) in [
        // Resources, as in every installer.
        (&b".rsrc"[..], 0x4000_0040, packed()),
        (b"kjhgf", DATA, packed()),
        (b"kjhgf", CODE, code()),
        (b".text", CODE, packed()),
        (b"CODE", CODE, packed()),
        (b".xyz", CODE, packed()[..0x800].to_vec()),
    ] {
        expect(&with(name, characteristics, &content), &[]);
    }
}

#[test]
fn the_section_is_pointed_at() {
    let content = with(b"UPX1", CODE_AND_DATA, &packed()).build();
    let matches = file("setup.exe", content.clone()).matches();
    let string = &matches[0].strings[0];
    assert_eq!(string.data, b"UPX1");
    let at = usize::try_from(string.offset).unwrap();
    assert!(content[at..].starts_with(b"UPX1\0"));
}
