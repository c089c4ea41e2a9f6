//! Windows programs that unpack themselves: a program with an archive behind
//! it, or with a cabinet among its resources.

#[cfg(test)]
mod tests;

use memchr::memmem;

use super::fields::{len32_at, u16_at, u32_at};
use super::{Members, Trouble, cab, rar, seven_zip, zip};

/// How far behind the program an archive may begin; a text that configures the
/// unpacking may be before it.
const ARCHIVE_AT_MAX: usize = 1024 * 1024;

/// The most cabinets opened.
const CABINETS_MAX: usize = 16;

/// Opens what is packed in a program, if anything.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let Some(behind) = overlay_start(content).and_then(|start| content.get(start..)) else {
        return Ok(());
    };
    for cabinet in cabinets(content) {
        cab::unpack(cabinet, members)?;
    }
    match archive(behind) {
        Some((unpack, archive)) => unpack(archive, members),
        None => Ok(()),
    }
}

type Unpack = fn(&[u8], &mut Members<'_, '_>) -> Result<(), Trouble>;

/// Finds the first archive behind a program. Cabinets were found already.
fn archive(behind: &[u8]) -> Option<(Unpack, &[u8])> {
    const MARKS: [(&[u8], Unpack); 3] = [
        (b"PK\x03\x04", zip::unpack),
        (b"7z\xbc\xaf\x27\x1c", seven_zip::unpack),
        (b"Rar!\x1a\x07", rar::unpack),
    ];
    let beginning = &behind[..behind.len().min(ARCHIVE_AT_MAX)];
    let (at, unpack) = MARKS
        .into_iter()
        .filter_map(|(mark, unpack)| Some((memmem::find(beginning, mark)?, unpack)))
        .min_by_key(|(at, _)| *at)?;
    Some((unpack, &behind[at..]))
}

/// Finds the cabinets anywhere in a program: a resource is just a place in it.
fn cabinets(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    const MARK: &[u8] = b"MSCF\0\0\0\0";
    const VERSION_AT: usize = 24;
    const VERSION: u16 = 0x0103;
    memmem::find_iter(content, MARK)
        .filter_map(|at| {
            let cabinet = &content[at..];
            let len = len32_at(cabinet, 8)?;
            let is_one = u16_at(cabinet, VERSION_AT) == Some(VERSION);
            is_one.then(|| &cabinet[..len.min(cabinet.len())])
        })
        .take(CABINETS_MAX)
}

/// Where a program ends and what was put behind it begins.
fn overlay_start(content: &[u8]) -> Option<usize> {
    const HEADER_AT: usize = 0x3c;
    const SIGNATURE: u32 = 0x0000_4550;
    const SECTIONS_AT: usize = 24;
    const SECTION_LEN: usize = 40;
    let header = len32_at(content, HEADER_AT)?;
    if u32_at(content, header) != Some(SIGNATURE) {
        return None;
    }
    let header = content.get(header..)?;
    let section_count = usize::from(u16_at(header, 6)?);
    let sections_at = SECTIONS_AT + usize::from(u16_at(header, 20)?);
    (0..section_count)
        .map_while(|index| {
            let section = sections_at + index * SECTION_LEN;
            let len = len32_at(header, section + 16)?;
            len32_at(header, section + 20)?.checked_add(len)
        })
        .max()
}
