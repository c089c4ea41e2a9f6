//! Containers whose directory decides: ZIP, OLE and minidumps.

use crate::file_type::detect;

/// A ZIP with stored members, with or without its central directory.
fn zip(members: &[(&str, &[u8])], has_directory: bool) -> Vec<u8> {
    let mut content = Vec::new();
    let mut directory = Vec::new();
    for (name, data) in members {
        let offset = u32::try_from(content.len()).unwrap();
        let sizes = [u32::try_from(data.len()).unwrap().to_le_bytes(); 2].concat();
        let name_len = u16::try_from(name.len()).unwrap().to_le_bytes();
        content.extend(
            [
                b"PK\x03\x04".as_slice(),
                &[20, 0],
                &[0; 12],
                &sizes,
                &name_len,
                &[0; 2],
            ]
            .concat(),
        );
        content.extend([name.as_bytes(), data].concat());
        directory.extend(
            [
                b"PK\x01\x02".as_slice(),
                &[20, 0, 20, 0],
                &[0; 12],
                &sizes,
                &name_len,
            ]
            .concat(),
        );
        directory.extend([&[0; 12], offset.to_le_bytes().as_slice(), name.as_bytes()].concat());
    }
    if has_directory {
        let start = u32::try_from(content.len()).unwrap().to_le_bytes();
        let len = u32::try_from(directory.len()).unwrap().to_le_bytes();
        let count = u16::try_from(members.len()).unwrap().to_le_bytes();
        content.extend(directory);
        content.extend(
            [
                b"PK\x05\x06".as_slice(),
                &[0; 4],
                &count,
                &count,
                &len,
                &start,
                &[0; 2],
            ]
            .concat(),
        );
    }
    content
}

/// Member names, and the type they tell.
static ZIP_CASES: &[(&[&str], &str)] = &[
    (&["readme.txt", "a/b.exe"], "ZIP"),
    (
        &["[Content_Types].xml", "_rels/.rels", "word/document.xml"],
        "DOCX",
    ),
    (
        &[
            "[Content_Types].xml",
            "word/document.xml",
            "word/vbaProject.bin",
        ],
        "DOCM",
    ),
    (&["[Content_Types].xml", "xl/workbook.xml"], "XLSX"),
    (
        &[
            "[Content_Types].xml",
            "xl/workbook.xml",
            "xl/vbaProject.bin",
        ],
        "XLSM",
    ),
    (&["[Content_Types].xml", "xl/workbook.bin"], "XLSB"),
    (&["[Content_Types].xml", "ppt/presentation.xml"], "PPTX"),
    (
        &[
            "[Content_Types].xml",
            "ppt/presentation.xml",
            "ppt/vbaProject.bin",
        ],
        "PPTM",
    ),
    (&["[Content_Types].xml", "visio/document.xml"], "VSDX"),
    (&["META-INF/MANIFEST.MF", "com/x/Main.class"], "JAR"),
    (&["a/Main.class"], "JAR"),
    (
        &["META-INF/MANIFEST.MF", "AndroidManifest.xml", "classes.dex"],
        "APK",
    ),
    (&["Payload/App.app/Info.plist"], "IPA"),
    (&["AppxManifest.xml"], "APPX"),
    (&["extension.vsixmanifest"], "VSIX"),
    (&["x/__init__.py", "x-1.0.dist-info/WHEEL"], "PYTHON WHEEL"),
    (&["x.nuspec", "lib/x.dll"], "NUPKG"),
    // A folder that only starts like an office document.
    (&["word/list.txt", "xl/x"], "ZIP"),
];

#[test]
fn zip_members_tell_the_type() {
    for (names, expected) in ZIP_CASES {
        let members: Vec<_> = names
            .iter()
            .map(|name| (*name, b"data".as_slice()))
            .collect();
        assert_eq!(detect(&zip(&members, true)).name(), *expected, "{names:?}");
        // The end may be missing, from a broken transfer or on purpose.
        assert_eq!(
            detect(&zip(&members, false)).name(),
            *expected,
            "{names:?} cut off"
        );
        let with_lead = [b"PK\x03\x04lead".as_slice(), &zip(&members, true)].concat();
        assert_eq!(detect(&with_lead).name(), *expected, "{names:?} moved");
    }
}

#[test]
fn a_declared_media_type_tells_the_type() {
    let cases = [
        ("application/epub+zip", "EPUB"),
        ("application/vnd.oasis.opendocument.text", "ODT"),
        (
            "application/vnd.oasis.opendocument.spreadsheet-template",
            "ODS",
        ),
        ("application/vnd.oasis.opendocument.presentation", "ODP"),
        ("application/vnd.oasis.opendocument.graphics", "ODG"),
        ("application/vnd.oasis.opendocument.formula", "ODF"),
        ("application/x-something", "ZIP"),
    ];
    for (mime, expected) in cases {
        let content = zip(
            &[("mimetype", mime.as_bytes()), ("content.xml", b"<x/>")],
            true,
        );
        assert_eq!(detect(&content).name(), expected);
    }
}

#[test]
fn an_empty_or_broken_zip_is_a_zip() {
    assert_eq!(detect(&zip(&[], true)).name(), "ZIP");
    assert_eq!(detect(b"PK\x03\x04").name(), "ZIP");
    assert_eq!(detect(b"PK\x05\x06").name(), "ZIP");
}

/// An OLE file whose directory, one sector or two, holds `names`.
fn ole(names: &[&str], class: [u8; 16]) -> Vec<u8> {
    let mut header = vec![0_u8; 512];
    header[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    header[26] = 3;
    header[30] = 9;
    header[48] = 1;
    header[80..512].fill(0xff);
    // The allocation table: sector 1 is followed by 2, which ends the chain.
    let mut table = vec![0xff_u8; 512];
    table[4..8].copy_from_slice(&2_u32.to_le_bytes());
    table[8..12].copy_from_slice(&0xffff_fffe_u32.to_le_bytes());
    let mut directory = vec![0_u8; 1024];
    let root = ["Root Entry"];
    for (entry, name) in directory
        .chunks_exact_mut(128)
        .zip(root.iter().chain(names))
    {
        let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        entry[..units.len()].copy_from_slice(&units);
        entry[64] = u8::try_from(units.len() + 2).unwrap();
        entry[66] = if *name == "Root Entry" { 5 } else { 2 };
    }
    directory[80..96].copy_from_slice(&class);
    [header, table, directory].concat()
}

#[test]
fn the_ole_directory_tells_the_type() {
    let cases: &[(&[&str], &str)] = &[
        (&[], "OLE"),
        (&["Something"], "OLE"),
        (&["1Table", "WordDocument"], "DOC"),
        (&["Workbook"], "XLS"),
        (&["Book"], "XLS"),
        (&["Current User", "PowerPoint Document"], "PPT"),
        (&["VisioDocument"], "VSD"),
        (&["Quill"], "PUB"),
        (&["EncryptionInfo", "EncryptedPackage"], "ENCRYPTED OFFICE"),
        (&["\u{5}HwpSummaryInformation"], "HWP"),
        (&["DestList"], "JUMPLIST"),
        (&["WordDocument", "__properties_version1.0"], "MSG"),
        // In the second sector of the directory.
        (&["a", "b", "c", "d", "WordDocument"], "DOC"),
    ];
    for (names, expected) in cases {
        assert_eq!(detect(&ole(names, [0; 16])).name(), *expected, "{names:?}");
    }
}

#[test]
fn the_class_of_the_root_tells_the_type() {
    let class = |id: [u8; 4]| {
        let mut class = *b"\0\0\0\0\0\0\0\0\xc0\0\0\0\0\0\0\x46";
        class[..4].copy_from_slice(&id);
        class
    };
    assert_eq!(
        detect(&ole(&[], class([0x84, 0x10, 0x0c, 0]))).name(),
        "MSI"
    );
    assert_eq!(
        detect(&ole(&[], class([0x06, 0x09, 0x02, 0]))).name(),
        "DOC"
    );
    assert_eq!(
        detect(&ole(&[], class([0x20, 0x08, 0x02, 0]))).name(),
        "XLS"
    );
    assert_eq!(
        detect(&ole(&["WordDocument"], class([0x84, 0x10, 0x0c, 0]))).name(),
        "MSI"
    );
}

#[test]
fn a_directory_chain_in_circles_ends() {
    let mut content = ole(&["a"], [0; 16]);
    content[512 + 4..512 + 8].copy_from_slice(&1_u32.to_le_bytes());
    assert_eq!(detect(&content).name(), "OLE");
}

/// A minidump with a list of these modules.
fn minidump(modules: &[&str]) -> Vec<u8> {
    let mut content = b"MDMP\x93\xa7\0\0".to_vec();
    content.extend([1_u32.to_le_bytes(), 32_u32.to_le_bytes()].concat());
    content.resize(32, 0);
    content.extend(
        [
            4_u32.to_le_bytes(),
            0_u32.to_le_bytes(),
            44_u32.to_le_bytes(),
        ]
        .concat(),
    );
    content.extend(u32::try_from(modules.len()).unwrap().to_le_bytes());
    let mut names = Vec::new();
    let names_start = 48 + 108 * modules.len();
    for module in modules {
        let mut record = vec![0_u8; 108];
        let offset = u32::try_from(names_start + names.len()).unwrap();
        record[20..24].copy_from_slice(&offset.to_le_bytes());
        content.extend(record);
        let name: Vec<u8> = module.encode_utf16().flat_map(u16::to_le_bytes).collect();
        names.extend(u32::try_from(name.len()).unwrap().to_le_bytes());
        names.extend(name);
    }
    content.extend(names);
    content
}

#[test]
fn a_dump_of_the_credential_process_has_its_own_type() {
    let dump = |modules: &[&str]| detect(&minidump(modules)).name();
    assert_eq!(
        dump(&[
            r"C:\Windows\System32\lsass.exe",
            r"C:\Windows\System32\ntdll.dll"
        ]),
        "LSASS Dump File"
    );
    assert_eq!(dump(&[r"c:\windows\system32\LSASS.EXE"]), "LSASS Dump File");
    assert_eq!(dump(&[r"C:\Windows\notepad.exe"]), "MDMP");
    // A module that only has the name inside of its path.
    assert_eq!(dump(&[r"C:\lsass.exe\notepad.dll"]), "MDMP");
    assert_eq!(
        dump(&[r"C:\Windows\notepad.exe", r"C:\x\lsass.exe.mui"]),
        "MDMP"
    );
}

#[test]
fn a_dump_with_a_damaged_directory_is_searched() {
    let mut content = minidump(&[r"C:\Windows\System32\lsass.exe"]);
    content[8..16].fill(0xff);
    assert_eq!(detect(&content).name(), "LSASS Dump File");
    let mut content = minidump(&[r"C:\Windows\System32\calc.exe"]);
    content[8..16].fill(0xff);
    assert_eq!(detect(&content).name(), "MDMP");
}
