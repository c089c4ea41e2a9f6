//! Programs whose code is packed away.

use super::view::{Place, View};
use crate::pe_info::{PeLayout, PeSection};

/// Entropy of compressed or encrypted code, in bits per byte. Compiled code
/// stays below 6.8.
const PACKED_ENTROPY_MIN: f64 = 7.0;

/// Bytes a section has at least: the entropy of less says nothing.
const PACKED_MIN_BYTES: u32 = 4096;

/// Beginnings of the names that packers and protectors give to sections,
/// lower case.
const PACKER_NAMES: &[&str] = &[
    ".adata",
    ".aspack",
    ".boom",
    ".ccg",
    ".enigma",
    ".mackt",
    ".maskpe",
    ".mpress",
    ".neolit",
    ".neolite",
    ".packed",
    ".perplex",
    ".petite",
    ".rlpack",
    ".rmnet",
    ".shrink",
    ".spack",
    ".svkp",
    ".taz",
    ".themida",
    ".tsuarch",
    ".tsustub",
    ".upx",
    ".vmp",
    ".winlice",
    ".wwpack",
    ".yp",
    "aspack",
    "bitarts",
    "dastub",
    "enigma",
    "fsg!",
    "mew",
    "mpress",
    "nsp0",
    "nsp1",
    "nsp2",
    "pebundle",
    "pec1",
    "pec2",
    "pecompact",
    "pelock",
    "pepack",
    "petite",
    "procrypt",
    "rpcrypt",
    "themida",
    "upx0",
    "upx1",
    "upx2",
    "upx!",
    "vmprotect",
    "winlicen",
    "wwp32",
];

/// Names that compilers, linkers and language run times give to sections that
/// hold code, lower case. Everything else beginning with a dot or not is
/// unusual.
const CODE_NAMES: &[&str] = &[
    ".text", "text", ".code", "code", ".itext", ".init", ".fini", ".plt", ".textbss", ".orpc",
    ".nep", ".managed", "init", "page", "pagelk", "fothk", ".rdata", ".data", ".rsrc", ".reloc",
    ".wixburn", "seg0", ".sdata", "_text", "textseg", ".hexpthk", "pagekd", "pagedata", "initkdbg",
];

/// A packer's name on a section, and content that is packed.
pub(super) fn known_packer(view: &View<'_>) -> Option<Vec<Place>> {
    let layout = view.subject.pe?;
    let named = layout.sections.iter().find(|s| is_packer(s))?;
    layout
        .sections
        .iter()
        .any(is_packed)
        .then(|| vec![name_place(named)])
}

/// A section that runs, is packed, and is not called what sections with code
/// are called.
pub(super) fn unlikely_section(view: &View<'_>) -> Option<Vec<Place>> {
    let layout = view.subject.pe?;
    // Those are the other heuristic's.
    if layout.sections.iter().any(is_packer) {
        return None;
    }
    let mut sections = layout.sections.iter().enumerate();
    sections
        .find(|(index, section)| {
            is_packed(section) && runs(layout, *index, section) && is_unlikely(section)
        })
        .map(|(_, section)| vec![name_place(section)])
}

fn is_packed(section: &PeSection) -> bool {
    section.entropy >= PACKED_ENTROPY_MIN && section.raw_size_bytes >= PACKED_MIN_BYTES
}

fn runs(layout: &PeLayout, index: usize, section: &PeSection) -> bool {
    section.is_executable || layout.entry_section == Some(index)
}

fn is_packer(section: &PeSection) -> bool {
    let name = section.name.to_ascii_lowercase();
    PACKER_NAMES
        .iter()
        .any(|packer| name.starts_with(packer.as_bytes()))
}

/// An unusual name, or code that rewrites itself under a usual one. A name
/// that refers to a longer one is a GNU linker's.
fn is_unlikely(section: &PeSection) -> bool {
    if section.is_writable {
        return true;
    }
    let name = section.name.to_ascii_lowercase();
    let is_usual = CODE_NAMES.iter().any(|usual| usual.as_bytes() == name)
        || name.starts_with(b".text$")
        || !section.long_name.is_empty();
    !is_usual
}

fn name_place(section: &PeSection) -> Place {
    let start = section.name_offset;
    Place::Content(start..start.saturating_add(section.name.len().max(1)))
}
