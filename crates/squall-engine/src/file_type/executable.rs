//! Executable formats whose magic is short or shared.

use super::{FileType, bytes, catalogue as types};

/// DOS, Windows and OS/2 executables and libraries, all called `EXE`.
///
/// Two letters start an ordinary sentence just as well, so text is left alone;
/// a file cut off after a few bytes still counts.
pub(super) fn dos(content: &[u8]) -> Option<FileType> {
    let is_swapped = content.starts_with(b"ZM");
    let is_whole_header = content.len() >= 64;
    let is_plausible = bytes::looks_binary(content) && (!is_swapped || is_whole_header);
    (is_plausible || content == b"MZ").then_some(types::EXE)
}

/// A fat Mach-O and a Java class share their magic: what follows is a small
/// count of architectures there, a class file version here.
pub(super) fn fat_or_class(content: &[u8]) -> Option<FileType> {
    const CLASS_MAJOR_MIN: u32 = 43;
    let Some(number) = bytes::u32_be(content, 4) else {
        return Some(types::JAVA_CLASS);
    };
    let is_class = number & 0xffff >= CLASS_MAJOR_MIN || number > 0xffff;
    Some(if is_class {
        types::JAVA_CLASS
    } else {
        types::MACH_O
    })
}

/// An object file: the machine type is two bytes, so the rest of the header
/// has to make sense.
pub(super) fn coff(content: &[u8]) -> Option<FileType> {
    const SECTIONS_MAX: u16 = 2048;
    const HEADER_BYTES: usize = 20;
    let sections = bytes::u16_le(content, 2)?;
    let symbol_table = bytes::offset_le(content, 8)?;
    let optional_header_len = bytes::u16_le(content, 16)?;
    let headers_len = HEADER_BYTES.checked_add(usize::from(sections) * 40)?;
    let is_sane = (1..=SECTIONS_MAX).contains(&sections)
        && optional_header_len == 0
        && headers_len <= content.len()
        && (symbol_table == 0 || (headers_len..=content.len()).contains(&symbol_table));
    is_sane.then_some(types::COFF)
}

/// Compiled Python: a version number, a line break, then (by version) flags, a
/// time and a size, and a marshalled code object.
pub(super) fn python_bytecode(content: &[u8]) -> Option<FileType> {
    let version = bytes::u16_le(content, 0)?;
    // Python 1.5 to 2.7, then 3.0 to the next few versions.
    let is_known = matches!(version, 20121..=62219 | 3000..=3999);
    let is_code = [8, 12, 16]
        .iter()
        .any(|offset| matches!(content.get(*offset), Some(b'c' | 0xe3)));
    (is_known && is_code && bytes::looks_binary(content)).then_some(types::PYC)
}
