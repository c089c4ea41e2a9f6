//! What an OLE compound file really is: an old office document, an installer, a
//! message.
//!
//! The names in its directory decide. The directory is a chain of sectors in
//! the file allocation table; a bounded part of it is followed, so a chain that
//! turns in circles ends like any other.

use super::{FileType, bytes, catalogue as types};

const DIRECTORY_SECTORS_MAX: usize = 32;
const ENTRY_BYTES: usize = 128;
const LAST_SECTOR: u32 = 0xffff_fffa;
const INSTALLER_CLASSES: [u8; 3] = [0x82, 0x84, 0x86];

/// The type behind an OLE signature; `OLE` when the directory says no more.
pub(super) fn refine(content: &[u8]) -> Option<FileType> {
    Some(from_directory(content).unwrap_or(types::OLE))
}

fn from_directory(content: &[u8]) -> Option<FileType> {
    let layout = Layout::of(content)?;
    let mut sector = bytes::u32_le(content, 48)?;
    let mut found = None;
    for _ in 0..DIRECTORY_SECTORS_MAX {
        let Some(entries) = layout.sector(sector) else {
            break;
        };
        for entry in entries.chunks_exact(ENTRY_BYTES) {
            // An embedded object comes with names of its own, so the most
            // telling one wins, not the first.
            let next = of_entry(entry);
            if rank(next) > rank(found) {
                found = next;
            }
        }
        let Some(next) = layout.next(sector) else {
            break;
        };
        sector = next;
    }
    found
}

/// Where sectors are.
struct Layout<'a> {
    content: &'a [u8],
    sector_shift: u32,
}

impl<'a> Layout<'a> {
    fn of(content: &'a [u8]) -> Option<Self> {
        let sector_shift = u32::from(bytes::u16_le(content, 30)?);
        matches!(sector_shift, 9 | 12).then_some(Self {
            content,
            sector_shift,
        })
    }

    /// A sector, or what is there of it.
    fn sector(&self, number: u32) -> Option<&'a [u8]> {
        if number >= LAST_SECTOR {
            return None;
        }
        let start = usize::try_from((u64::from(number) + 1) << self.sector_shift).ok()?;
        let rest = self.content.get(start..)?;
        Some(bytes::head(rest, 1 << self.sector_shift))
    }

    /// The sector after `number` in its chain, as far as the part of the table
    /// listed in the header tells.
    fn next(&self, number: u32) -> Option<u32> {
        const TABLE_SECTORS_IN_HEADER: usize = 109;
        let numbers_per_sector = 1_usize << (self.sector_shift - 2);
        let number = usize::try_from(number).ok()?;
        let table_index = number / numbers_per_sector;
        if table_index >= TABLE_SECTORS_IN_HEADER {
            return None;
        }
        let table_sector = bytes::u32_le(self.content, 76 + 4 * table_index)?;
        let table = self.sector(table_sector)?;
        bytes::u32_le(table, 4 * (number % numbers_per_sector))
    }
}

fn of_entry(entry: &[u8]) -> Option<FileType> {
    const ROOT: u8 = 5;
    let mut name = [0; 32];
    let name = entry_name(entry, &mut name)?;
    if entry.get(66) == Some(&ROOT) {
        return of_class(entry.get(80..96)?);
    }
    Some(match name {
        b"WordDocument" => types::DOC,
        b"Workbook" | b"Book" => types::XLS,
        b"PowerPoint Document" => types::PPT,
        b"VisioDocument" => types::VSD,
        b"Quill" => types::PUB,
        b"EncryptedPackage" => types::ENCRYPTED_OFFICE,
        b"\x05HwpSummaryInformation" => types::HWP,
        b"DestList" => types::JUMPLIST,
        b"Catalog" => types::THUMBS_DB,
        _ if name.starts_with(b"__properties_version1") => types::MSG,
        _ if name.starts_with(b"__nameid_version1") => types::MSG,
        _ => return None,
    })
}

/// Decides by the class of the root entry, where only that tells.
fn of_class(class: &[u8]) -> Option<FileType> {
    const OFFICE_TAIL: &[u8] = b"\0\0\0\0\xc0\0\0\0\0\0\0\x46";
    const PROJECT: &[u8] = b"\x3a\x8f\xb7\x74\xc8\xc8\xd1\x11\xbe\x11\0\xc0\x4f\xb6\xfa\xf1";
    if class == PROJECT {
        return Some(types::MPP);
    }
    let (head, tail) = class.split_at_checked(4)?;
    if tail != OFFICE_TAIL {
        return None;
    }
    match head {
        [kind, 0x10, 0x0c, 0x00] if INSTALLER_CLASSES.contains(kind) => Some(types::MSI),
        [0x06 | 0x00, 0x09, 0x02, 0x00] => Some(types::DOC),
        [0x10 | 0x20, 0x08, 0x02, 0x00] => Some(types::XLS),
        [0x13 | 0x14, 0x1a, 0x02, 0x00] => Some(types::VSD),
        _ => None,
    }
}

/// How much a type found in the directory outweighs another: a message or an
/// installer may hold a document, an encrypted package has no other streams of
/// note, and a thumbnail catalogue proves little.
fn rank(found: Option<FileType>) -> u8 {
    match found {
        None => 0,
        Some(found) if found == types::THUMBS_DB => 1,
        Some(found) if found == types::DOC || found == types::XLS || found == types::PPT => 2,
        Some(found) if found == types::MSG || found == types::MSI => 4,
        Some(_) => 3,
    }
}

/// The name of an entry, as far as it is ASCII.
fn entry_name<'a>(entry: &[u8], buffer: &'a mut [u8; 32]) -> Option<&'a [u8]> {
    let stored_len = usize::from(bytes::u16_le(entry, 64)?);
    // The stored length counts bytes, the closing zero included.
    let len = (stored_len / 2).checked_sub(1)?.min(buffer.len());
    for (index, slot) in buffer.iter_mut().enumerate().take(len) {
        let unit = bytes::u16_le(entry, 2 * index)?;
        *slot = u8::try_from(unit).ok().filter(u8::is_ascii)?;
    }
    buffer.get(..len)
}
