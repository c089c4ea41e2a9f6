//! How a PE file is built, as far as the heuristics ask.

use yara_x::mods::{PE, pe};

use crate::entropy::sampled_entropy;

/// The bit of a file's characteristics that makes it a library.
const IS_DLL: u32 = 0x2000;

/// The bit of a section's characteristics that lets its bytes run.
const CAN_EXECUTE: u32 = 0x2000_0000;

/// The bit of a section's characteristics that lets its bytes change.
const CAN_WRITE: u32 = 0x8000_0000;

/// How a PE file is built.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PeLayout {
    /// The sections, in the order of the section table; 96 at most.
    pub(crate) sections: Vec<PeSection>,
    /// Which of the sections the first instruction is in.
    pub(crate) entry_section: Option<usize>,
    /// True for a library, false for a program.
    pub(crate) is_dll: bool,
    /// Length of what is appended behind the last section, in bytes.
    pub(crate) overlay_size_bytes: u64,
}

/// A section of a PE file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PeSection {
    /// Its name without the padding, eight bytes at most; not always text.
    pub(crate) name: Vec<u8>,
    /// The name where the section table refers to a longer one, else empty.
    pub(crate) long_name: Vec<u8>,
    /// Where its name is in the file.
    pub(crate) name_offset: usize,
    /// Length in the file, as the section table says, in bytes.
    pub(crate) raw_size_bytes: u32,
    /// Length in memory, in bytes.
    pub(crate) virtual_size_bytes: u32,
    /// Entropy of what is in the file, in bits per byte; of a sample of 256 KiB
    /// where it is longer.
    pub(crate) entropy: f64,
    /// True if its bytes can run.
    pub(crate) is_executable: bool,
    /// True if its bytes can change.
    pub(crate) is_writable: bool,
}

/// Takes the layout from what the engine parsed of `content`.
pub(super) fn read(pe: &PE, content: &[u8]) -> PeLayout {
    let table = section_table_offset(pe, content);
    let sections = pe.sections.iter().enumerate();
    PeLayout {
        sections: sections
            .map(|(index, found)| section(found, table.saturating_add(index * 40), content))
            .collect(),
        entry_section: entry_section(pe),
        is_dll: pe.characteristics.unwrap_or_default() & IS_DLL != 0,
        overlay_size_bytes: pe
            .overlay
            .as_ref()
            .and_then(|overlay| overlay.size)
            .map_or(0, |size| size.try_into().unwrap_or(0)),
    }
}

/// Where the section table begins: behind the signature, the COFF header and
/// the optional header.
fn section_table_offset(pe: &PE, content: &[u8]) -> usize {
    const POINTER_AT: usize = 0x3c;
    const SIGNATURE_AND_COFF_BYTES: usize = 4 + 20;
    let start = content
        .get(POINTER_AT..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize);
    let optional_header = pe.size_of_optional_header.unwrap_or_default() as usize;
    start.saturating_add(SIGNATURE_AND_COFF_BYTES + optional_header)
}

fn section(found: &pe::Section, name_offset: usize, content: &[u8]) -> PeSection {
    let raw_size_bytes = found.raw_data_size.unwrap_or_default();
    let start = (found.raw_data_offset.unwrap_or_default() as usize).min(content.len());
    let end = start
        .saturating_add(raw_size_bytes as usize)
        .min(content.len());
    let characteristics = found.characteristics.unwrap_or_default();
    let name = found.name.clone().unwrap_or_default();
    let mut long_name = found.full_name.clone().unwrap_or_default();
    long_name.truncate(super::TEXT_MAX_CHARS);
    if long_name == name {
        long_name.clear();
    }
    PeSection {
        name,
        long_name,
        name_offset,
        raw_size_bytes,
        virtual_size_bytes: found.virtual_size.unwrap_or_default(),
        entropy: sampled_entropy(&content[start..end]),
        is_executable: characteristics & CAN_EXECUTE != 0,
        is_writable: characteristics & CAN_WRITE != 0,
    }
}

fn entry_section(pe: &PE) -> Option<usize> {
    let entry = pe.entry_point_raw?;
    pe.sections.iter().position(|section| {
        let start = section.virtual_address.unwrap_or_default();
        let size = section
            .virtual_size
            .unwrap_or_default()
            .max(section.raw_data_size.unwrap_or_default());
        entry >= start && entry - start < size
    })
}
