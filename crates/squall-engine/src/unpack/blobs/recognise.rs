//! Whether decoded bytes are something.

use crate::file_type::{self, FileType, Kind};

/// What decoded bytes are.
#[derive(Debug, PartialEq)]
pub(super) enum Blob {
    /// A file.
    File,
    /// The text of a command in UTF-16, as PowerShell takes it.
    Command(String),
}

/// Recognises decoded bytes; `None` if they mean nothing.
pub(super) fn recognise(content: &[u8]) -> Option<Blob> {
    if let Some(text) = command(content) {
        return Some(Blob::Command(text));
    }
    // Most runs are digests, keys and identifiers; this tells without a closer
    // look.
    if !is_promising(content) {
        return None;
    }
    is_worth_a_look(file_type::detect(content)).then_some(Blob::File)
}

/// Whether the first bytes are those of a known format, or text.
pub(super) fn is_promising(content: &[u8]) -> bool {
    has_known_start(content) || is_text(content)
}

/// Files with strong signatures only: with a weak one, every thousandth key
/// would be a damaged archive.
fn is_worth_a_look(found: FileType) -> bool {
    const ARCHIVES: [&str; 22] = [
        "ZIP", "JAR", "APK", "IPA", "APPX", "NUPKG", "VSIX", "XPI", "CRX", "7ZIP", "RAR", "ACE",
        "ARJ", "CAB", "GZIP", "BZIP2", "XZ", "ZSTD", "LZ4", "TAR", "ISO", "MSI",
    ];
    const PROGRAMS: [&str; 7] = ["EXE", "ELF", "MACH-O", "JAVA CLASS", "DEX", "WASM", "SWF"];
    const OTHERS: [&str; 8] = [
        "LNK",
        "HTML",
        "SVG",
        "REG",
        "XML",
        "JAVA SERIALIZED",
        "C#",
        "SCHEDULED TASK",
    ];
    match found.kind() {
        Kind::Document | Kind::Script | Kind::Mail => true,
        Kind::Executable => PROGRAMS.contains(&found.name()),
        Kind::Archive => ARCHIVES.contains(&found.name()),
        _ => OTHERS.contains(&found.name()),
    }
}

/// Whether the first bytes are those of a known format.
pub(super) fn has_known_start(content: &[u8]) -> bool {
    const STARTS: [&[u8]; 30] = [
        b"MZ",
        b"\x7fELF",
        b"\xcf\xfa\xed\xfe",
        b"\xce\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
        b"dex\n",
        b"\0asm",
        b"FWS",
        b"CWS",
        b"ZWS",
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"Cr24",
        b"7z\xbc\xaf",
        b"Rar!",
        b"MSCF",
        b"\x1f\x8b\x08",
        b"BZh",
        b"\xfd7zXZ",
        b"\x28\xb5\x2f\xfd",
        b"\x04\x22\x4d\x18",
        b"%PDF",
        b"\xd0\xcf\x11\xe0",
        b"\x4c\0\0\0\x01\x14\x02",
        b"\xe4\x52\x5c\x7b",
        b"ITSF",
        b"\xac\xed\0\x05",
        b"\xff\xfe",
        b"\xfe\xff",
        b"\xef\xbb\xbf",
    ];
    STARTS.iter().any(|start| content.starts_with(start))
}

/// Whether the first bytes are plain text.
fn is_text(content: &[u8]) -> bool {
    const HEAD_BYTES: usize = 64;
    const TEXT_BYTES_MIN: usize = 20;
    let head = &content[..content.len().min(HEAD_BYTES)];
    head.len() >= TEXT_BYTES_MIN && head.iter().all(|byte| is_text_byte(*byte))
}

const fn is_text_byte(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n')
}

/// The text of a command in UTF-16, if nearly every character of it is ASCII.
fn command(content: &[u8]) -> Option<String> {
    const CHARACTERS_MIN: usize = 8;
    const PROBE_PAIRS: usize = 8;
    let is_plain = |pair: &&[u8]| pair[1] == 0 && is_text_byte(pair[0]);
    let count = content.len() / 2;
    let probe = content.chunks_exact(2).take(PROBE_PAIRS);
    if count < CHARACTERS_MIN || probe.filter(is_plain).count() < PROBE_PAIRS - 1 {
        return None;
    }
    let plain = content.chunks_exact(2).filter(is_plain).count();
    if plain * 10 < count * 9 {
        return None;
    }
    let units = content
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text = char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    Some(text)
}
