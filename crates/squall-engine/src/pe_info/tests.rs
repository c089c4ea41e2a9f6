//! Facts of made PE files, whole and damaged.

use md5::{Digest, Md5};

use super::sample::{CODE, CODE_AND_DATA, DATA, PeSample};
use super::*;

fn facts(sample: &PeSample) -> PeFile {
    pe_info(&sample.build()).expect("a PE file")
}

#[test]
fn version_information_is_read() {
    let file = facts(&PeSample::ordinary().version(&[
        ("CompanyName", "Example AG"),
        ("FileDescription", "Prüfprogramm"),
        ("LegalCopyright", "© Example AG"),
        ("ProductName", "Example"),
        ("OriginalFilename", "example.exe"),
        ("InternalName", "example"),
    ]));
    let info = &file.info;
    assert_eq!(info.company, "Example AG");
    assert_eq!(info.description, "Prüfprogramm");
    assert_eq!(info.legal_copyright, "© Example AG");
    assert_eq!(info.product, "Example");
    assert_eq!(info.original_name, "example.exe");
    assert_eq!(info.internal_name, "example");
    assert!(!info.signed);
    assert!(info.signatures.is_empty());
}

#[test]
fn texts_are_cut() {
    let long = "ü".repeat(TEXT_MAX_CHARS + 100);
    let file = facts(&PeSample::ordinary().version(&[("CompanyName", &long)]));
    assert_eq!(file.info.company.chars().count(), TEXT_MAX_CHARS);
}

#[test]
fn the_import_hash_is_that_of_the_normalised_names() {
    let file = facts(
        &PeSample::new()
            .section(b".text", CODE, &[0x90; 16])
            .imports(&[
                ("KERNEL32.dll", &["ExitProcess", "LoadLibraryA"]),
                ("user32.DLL", &["MessageBoxA"]),
                ("WS2_32.dll", &["#115"]),
                ("other.drv", &["#7"]),
            ]),
    );
    // Number 115 of WS2_32 is known by name; the last one is not.
    let names = "kernel32.exitprocess,kernel32.loadlibrarya,user32.messageboxa,\
                 ws2_32.wsastartup,other.drv.ord7";
    assert_eq!(file.info.imphash, Some(Md5::digest(names).into()));
}

#[test]
fn the_import_hash_is_that_of_the_engine() {
    let content = PeSample::ordinary()
        .imports(&[("ADVAPI32.dll", &["RegOpenKeyExW", "#42"]), ("x.y", &["Z"])])
        .build();
    let imphash = pe_info(&content)
        .and_then(|file| file.info.imphash)
        .unwrap()
        .map(|byte| format!("{byte:02x}"))
        .concat();
    let rule = format!(
        "import \"pe\" rule same {{ condition: pe.imphash() == \"{imphash}\" and pe.number_of_imports == 2 }}"
    );
    let rules = yara_x::compile(rule.as_str()).unwrap();
    let mut scanner = yara_x::Scanner::new(&rules);
    let results = scanner.scan(&content).unwrap();
    assert_eq!(results.matching_rules().len(), 1);
    // What the scan has parsed gives the same facts.
    let parsed = results
        .module_output("pe")
        .and_then(|output| output.downcast_ref::<PE>())
        .expect("the module's output");
    assert_eq!(pe_info_of(parsed, &content), pe_info(&content));
}

#[test]
fn without_imports_there_is_no_import_hash() {
    let file = facts(&PeSample::new().section(b".text", CODE, &[0x90; 16]));
    assert_eq!(file.info.imphash, None);
    assert_eq!(file.info.rich_header_hash, None);
}

#[test]
fn the_rich_header_is_hashed_decrypted() {
    let mut clear = b"DanS".to_vec();
    clear.extend_from_slice(&[0; 12]);
    clear.extend_from_slice(&[0x09, 0x78, 0x83, 0x00, 5, 0, 0, 0]);
    for key in [0, 0xdead_beef] {
        let file = facts(&PeSample::ordinary().rich(&clear, key));
        let expected = Md5::digest(&clear).into();
        assert_eq!(file.info.rich_header_hash, Some(expected), "{key:x}");
    }
}

#[test]
fn the_layout_is_read() {
    let content = PeSample::new()
        .section(b".text", CODE, &[0x90; 0x300])
        .section(b"UPX1\xff\x01", CODE_AND_DATA, &[1, 2].repeat(0x100))
        .section(b".data", DATA, &[])
        .entry_section(1)
        .timestamp(1_700_000_000)
        .overlay(&[7; 100])
        .dll()
        .build();
    let file = pe_info(&content).unwrap();
    assert_eq!(file.info.creation_timestamp, 1_700_000_000);
    let layout = &file.layout;
    assert!(layout.is_dll);
    assert_eq!(layout.entry_section, Some(1));
    assert_eq!(layout.overlay_size_bytes, 100);
    let [text, packed, data] = &layout.sections[..] else {
        panic!("three sections, not {:?}", layout.sections);
    };
    assert_eq!(text.name, b".text");
    assert_eq!(
        (text.raw_size_bytes, text.virtual_size_bytes),
        (0x400, 0x300)
    );
    assert!(text.is_executable && !text.is_writable);
    assert!(packed.is_executable && packed.is_writable);
    assert!(!data.is_executable && data.is_writable);
    assert_eq!((packed.entropy, data.entropy), (1.0, 0.0));
    for section in &layout.sections {
        let at = section.name_offset;
        assert!(content[at..].starts_with(&section.name));
    }
}

#[test]
fn what_is_no_pe_file_has_no_facts() {
    for content in [
        &b""[..],
        b"MZ",
        b"PK\x03\x04",
        &[b"MZ", &[0; 200][..]].concat(),
        &[&b"MZ"[..], &[0xff; 62]].concat(),
    ] {
        assert_eq!(pe_info(content), None, "{content:x?}");
    }
}

/// A file in which there is something of everything.
fn full_sample() -> Vec<u8> {
    PeSample::ordinary()
        .version(&[("CompanyName", "Example AG"), ("InternalName", "example")])
        .rich(
            b"DanS\0\0\0\0\0\0\0\0\0\0\0\0\x09\x78\x83\0\x05\0\0\0",
            0x1234_5678,
        )
        .overlay(&[1; 40])
        .build()
}

#[test]
fn every_truncation_is_survived() {
    let content = full_sample();
    for len in 0..content.len() {
        let file = pe_info(&content[..len]);
        // From the optional header on there is enough to call it a PE file.
        assert!(file.is_some() || len < 0x400, "{len}");
    }
}

#[test]
fn damage_anywhere_is_survived() {
    let content = full_sample();
    let mut read = 0;
    for at in 0..content.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut damaged = content.clone();
            damaged[at] = value;
            // Two bytes at a time, so that offsets go far out.
            if let Some(next) = damaged.get_mut(at + 1) {
                *next = value;
            }
            read += usize::from(pe_info(&damaged).is_some());
        }
    }
    assert!(read > content.len());
}

#[test]
fn sections_that_all_cover_the_whole_file_are_cheap() {
    let mut sample = PeSample::new();
    for _ in 0..8 {
        sample = sample.section(b".text", CODE, &[0x90; 16]);
    }
    let mut content = sample.build();
    content.resize(64 << 20, 0x55);
    let table = facts(&sample).layout.sections[0].name_offset;
    for index in 0..8 {
        let at = table + 40 * index;
        content[at + 16..at + 20].copy_from_slice(&(60_u32 << 20).to_le_bytes());
    }
    let started = std::time::Instant::now();
    let file = pe_info(&content).unwrap();
    assert_eq!(file.layout.sections.len(), 8);
    assert!(started.elapsed() < std::time::Duration::from_secs(2));
}
