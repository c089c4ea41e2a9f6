//! Tests of the type recognition: tables of small samples.

mod binary;
mod containers;
mod hostile;
mod near_misses;
mod scripts;
mod texts;

use super::detect;

/// Checks every sample of a table and reports all that fail at once.
#[track_caller]
fn check(samples: &[(&[u8], &str)]) {
    let wrong: Vec<String> = samples
        .iter()
        .filter_map(|(content, expected)| {
            let found = detect(content).name();
            let shown = String::from_utf8_lossy(&content[..content.len().min(60)]).into_owned();
            (found != *expected).then(|| format!("{shown:?}: expected {expected}, found {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// UTF-16, little-endian, with a byte order mark.
fn utf16(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().flat_map(u16::to_le_bytes);
    [0xff, 0xfe].into_iter().chain(units).collect()
}

#[test]
fn what_holds_files_is_opened_or_reported() {
    use crate::file_type::{FileType, Kind, catalogue};
    use crate::unpack::Format;

    // Sums over files that are elsewhere.
    const HOLDS_NONE: &str = "PAR2";
    let unopened: Vec<&str> = catalogue::ALL
        .iter()
        .filter(|it| matches!(it.kind(), Kind::Archive | Kind::Mail))
        .filter(|it| Format::of(**it).is_none())
        .map(FileType::name)
        .collect();
    assert_eq!(unopened, [HOLDS_NONE]);
}
