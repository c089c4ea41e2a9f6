//! Facts about Windows programs: what the report shows of them and what the
//! heuristics look at.
//!
//! The engine's PE parser reads the file; this module keeps what is wanted of
//! its answer. The parser bounds its tables (96 sections, 16,384 imports); here
//! every text is cut to [`TEXT_MAX_CHARS`], at most [`SIGNATURES_MAX`]
//! signatures are kept, and of each section at most 256 KiB are looked at, so
//! that a file whose sections all cover the whole of it costs no more.

mod facts;
mod imphash;
mod layout;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

use squall_types::PeInfo;
use yara_x::mods::PE;

pub(crate) use layout::{PeLayout, PeSection};

/// The most characters kept of one text.
pub(crate) const TEXT_MAX_CHARS: usize = 512;

/// The most signatures kept.
pub(crate) const SIGNATURES_MAX: usize = 8;

/// What is known of a PE file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PeFile {
    /// What the report shows.
    pub(crate) info: PeInfo,
    /// What the heuristics look at.
    pub(crate) layout: PeLayout,
}

/// Reads the facts of `content`; `None` if it is not a PE file.
pub(crate) fn pe_info(content: &[u8]) -> Option<PeFile> {
    // Nothing else is worth a call.
    if !content.starts_with(b"MZ") {
        return None;
    }
    pe_info_of(&*yara_x::mods::invoke::<PE>(content)?, content)
}

/// Takes the facts from what the engine has parsed already; `None` if it
/// found no PE file in `content`.
///
/// A scan with a rule that imports the module `pe` has parsed the file, and
/// its results hold the answer: parsing twice would cost as much again.
pub(crate) fn pe_info_of(pe: &PE, content: &[u8]) -> Option<PeFile> {
    pe.is_pe.unwrap_or_default().then(|| PeFile {
        info: facts::read(pe),
        layout: layout::read(pe, content),
    })
}
