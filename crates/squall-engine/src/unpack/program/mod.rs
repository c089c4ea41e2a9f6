//! Files with an archive behind them: programs and scripts that unpack
//! themselves, pictures that hide one. In programs for Windows also cabinets
//! among the resources.

mod archive;
mod installer;
mod overlay;
mod python;

#[cfg(test)]
mod tests;

use memchr::memmem;

use self::archive::Place;
use super::fields::{len32_at, u16_at};
use super::{Members, Trouble, cab, iso};

/// The most cabinets opened.
const CABINETS_MAX: usize = 16;

/// Opens what is packed in a program for Windows or Unix, if anything.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    if is_disk_image(content) {
        return iso::unpack(content, members);
    }
    let Some(start) = overlay::start(content) else {
        return unpack_other(content, members);
    };
    let behind = content.get(start..).unwrap_or_default();
    if content.starts_with(b"MZ") {
        for cabinet in cabinets(content) {
            cab::unpack(cabinet, members)?;
        }
    }
    python::unpack(content, members)?;
    if let Some((unpack, archive)) = archive::find(behind, Place::Program) {
        unpack(archive, members)?;
    }
    match installer::name(behind) {
        Some(name) => Err(Trouble::unsupported(format!(
            "the files packed in it ({name}) are not looked at"
        ))),
        None => Ok(()),
    }
}

/// Opens the archive that is behind a script or another text, if any.
pub(crate) fn unpack_text(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    unpack_behind(content, Place::Text, members)
}

/// Opens the archive that is behind something else, if any.
pub(crate) fn unpack_other(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    unpack_behind(content, Place::Other, members)
}

/// Opens the archive that is behind a picture, a sound or a video, if any.
pub(crate) fn unpack_media(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    unpack_behind(content, Place::Media, members)
}

fn unpack_behind(
    content: &[u8],
    place: Place,
    members: &mut Members<'_, '_>,
) -> Result<(), Trouble> {
    match archive::find(content, place) {
        Some((unpack, archive)) => unpack(archive, members),
        None => Ok(()),
    }
}

/// Tells whether it is an AppImage of the first kind: a program in what a disk
/// image leaves free at its beginning.
fn is_disk_image(content: &[u8]) -> bool {
    const MARK: std::ops::Range<usize> = 8..11;
    content.starts_with(b"\x7fELF") && content.get(MARK) == Some(b"AI\x01")
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
