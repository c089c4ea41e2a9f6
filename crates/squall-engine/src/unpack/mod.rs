//! Opening archives and other containers, so that each member is scanned as a
//! file of its own.
//!
//! An unpacker gets the container's bytes and hands each member to
//! [`Members`], which counts, reads within the budget, and passes it on to be
//! scanned before the next one is read: at most one member of each level is in
//! memory. Names in archives are data; nothing is ever written to disk.

mod ar;
mod blobs;
mod budget;
mod cab;
mod ciphers;
mod cpio;
mod decode;
mod decompress;
mod fields;
mod flash;
mod iso;
mod lnk;
mod mail;
mod members;
mod ole;
mod onenote;
mod other;
mod pdf;
mod program;
mod rar;
mod rpm;
mod rtf;
mod sealed;
mod seven_zip;
mod stream;
mod tape;
#[cfg(test)]
mod tests;
mod tnef;
#[cfg(test)]
mod trial;
mod zip;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use squall_types::Incomplete;

pub(crate) use budget::Budget;
use budget::LimitReached;
pub use budget::UnpackLimits;
use members::Guess;
pub(crate) use members::{Member, Members, Trouble};
pub(crate) use stream::Codec;

use crate::file_type::{FileType, Kind};

/// What can be done with a file's content besides scanning it as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Zip and what is built on it.
    Zip,
    /// Tar.
    Tar,
    /// Unix ar, Debian packages.
    Ar,
    /// 7z.
    SevenZip,
    /// Windows cabinets.
    Cab,
    /// Cpio.
    Cpio,
    /// RPM packages.
    Rpm,
    /// ISO 9660 images.
    Iso,
    /// RAR.
    Rar,
    /// One compressed stream.
    Stream(Codec),
    /// Programs, which may unpack themselves.
    Program,
    /// Pictures and the like, which may hide an archive.
    Media,
    /// Mail, one message or a box of them.
    Mail,
    /// OLE compound files: old Office documents, MSI, Outlook messages.
    Ole,
    /// PDF documents.
    Pdf,
    /// RTF documents.
    Rtf,
    /// Windows shortcuts.
    Lnk,
    /// The mail attachment `winmail.dat`.
    Tnef,
    /// OneNote sections.
    OneNote,
    /// Text, which may carry encoded files.
    Blobs,
    /// Flash.
    Flash,
    /// What may be encrypted as a whole.
    Sealed,
    /// What is not made to hold files, or not recognised, but may have some in
    /// text at its beginning, or an archive behind it.
    Other,
    /// A known container that cannot be opened: its members are not looked at.
    Unsupported,
}

impl Format {
    /// Returns how a file of that type is opened, or `None` if there is nothing
    /// to open.
    pub(crate) fn of(file_type: FileType) -> Option<Self> {
        Some(match file_type.name() {
            "ZIP" | "JAR" | "APK" | "IPA" | "APPX" | "NUPKG" | "VSIX" | "XPI" | "PYTHON WHEEL"
            | "CRX" | "DOCX" | "DOCM" | "XLSX" | "XLSM" | "XLSB" | "PPTX" | "PPTM" | "VSDX"
            | "XPS" | "ODT" | "ODS" | "ODP" | "ODG" | "ODF" | "EPUB" => Self::Zip,
            "EXE" | "ELF" => Self::Program,
            "TAR" => Self::Tar,
            "AR" | "DEB" => Self::Ar,
            "7ZIP" => Self::SevenZip,
            "CAB" => Self::Cab,
            "CPIO" => Self::Cpio,
            "RPM" => Self::Rpm,
            "ISO" => Self::Iso,
            "RAR" => Self::Rar,
            "GZIP" => Self::Stream(Codec::Gzip),
            "BZIP2" => Self::Stream(Codec::Bzip2),
            "XZ" => Self::Stream(Codec::Xz),
            "LZMA" => Self::Stream(Codec::Lzma),
            "ZSTD" => Self::Stream(Codec::Zstd),
            "LZ4" => Self::Stream(Codec::Lz4),
            "LZIP" => Self::Stream(Codec::Lzip),
            "ZLIB" => Self::Stream(Codec::Zlib),
            "EMAIL" | "MHTML" | "MBOX" => Self::Mail,
            "OLE" | "DOC" | "XLS" | "PPT" | "VSD" | "PUB" | "MPP" | "HWP" | "MSI" | "MSG"
            | "JUMPLIST" | "THUMBS DB" | "ENCRYPTED OFFICE" => Self::Ole,
            "PDF" => Self::Pdf,
            "RTF" => Self::Rtf,
            "LNK" => Self::Lnk,
            "TNEF" => Self::Tnef,
            "ONENOTE" => Self::OneNote,
            "UUENCODE" | "SVG" | "OFFICE XML" | "SCHEDULED TASK" | "PLIST" => Self::Blobs,
            "SWF" => Self::Flash,
            "AGE" | "PGP" | "PKCS7" => Self::Sealed,
            "LUKS" | "PST" | "DBX" | "CHM" | "ACTIVEMIME" => Self::Unsupported,
            // Sums over files that are elsewhere.
            "PAR2" | "EMPTY" => return None,
            _ => match file_type.kind() {
                Kind::Archive => Self::Unsupported,
                Kind::Script | Kind::Text => Self::Blobs,
                Kind::Image | Kind::Audio | Kind::Video => Self::Media,
                Kind::Executable | Kind::Document | Kind::Mail | Kind::Data | Kind::Unknown => {
                    Self::Other
                }
            },
        })
    }

    /// Tells whether it is made to hold files; texts and programs are not, and
    /// most have none in them.
    const fn is_container(self) -> bool {
        !matches!(
            self,
            Self::Blobs
                | Self::Lnk
                | Self::Program
                | Self::Media
                | Self::Flash
                | Self::Sealed
                | Self::Other
        )
    }
}

/// Returns the path a member is reported under.
pub(crate) fn member_path(container: &str, name: &str) -> String {
    format!("{container}|{name}")
}

/// Returns the note on a container that is too deep in others to be opened;
/// `None` if it is no archive and nothing is in it.
pub(crate) fn too_deep(
    format: Format,
    container: Container<'_>,
    budget: &mut Budget<'_>,
) -> Option<Incomplete> {
    let trouble = Trouble::from(LimitReached::Depth(budget.limits().depth_max));
    let note = Incomplete {
        path: container.path.to_owned(),
        reason: trouble.reason,
        description: trouble.description,
    };
    if format.is_container() {
        return Some(note);
    }
    // That of a shortcut is only its own text.
    if format == Format::Lnk {
        return None;
    }
    let mut holds_any = false;
    let missed = unpack(format, container, budget, &mut |_, _| holds_any = true);
    (holds_any || !missed.is_empty()).then_some(note)
}

/// A file to open.
#[derive(Clone, Copy)]
pub(crate) struct Container<'a> {
    /// The path it is reported under.
    pub(crate) path: &'a str,
    /// Its bytes.
    pub(crate) content: &'a [u8],
    /// Whether a limit cut it off.
    pub(crate) is_part: bool,
}

/// Opens a container and passes each member to `visit`. Returns what could not
/// be looked at.
pub(crate) fn unpack<'limits>(
    format: Format,
    container: Container<'_>,
    budget: &mut Budget<'limits>,
    visit: &mut dyn FnMut(Member, &mut Budget<'limits>),
) -> Vec<Incomplete> {
    let mut members = Members::new(container.path, budget, visit);
    if container.is_part {
        members = members.of_part();
    }
    let ended = guarded(&mut members, |members| {
        let ended = open(format, container.content, members);
        let behind = open_behind(format, container.content, members);
        ended.and(behind)
    });
    members.end(ended)
}

/// Runs an unpacker. One that panics, which can only be a mistake in it or in a
/// library below, costs the rest of this container instead of the whole sample.
fn guarded(
    members: &mut Members<'_, '_>,
    unpack: impl FnOnce(&mut Members<'_, '_>) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    // What is in `members` are counters and a list: right in between as well.
    match catch_unwind(AssertUnwindSafe(|| unpack(members))) {
        Ok(ended) => ended,
        Err(panic) if members.is_visiting => resume_unwind(panic),
        Err(_) => Err(Trouble::corrupt("the unpacker failed on it")),
    }
}

fn open(format: Format, content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    match format {
        Format::Zip => zip::unpack(content, members),
        Format::Tar => tape::unpack(content, members),
        Format::Ar => ar::unpack(content, members),
        Format::SevenZip => seven_zip::unpack(content, members),
        Format::Cab => cab::unpack(content, members),
        Format::Cpio => cpio::unpack(content, members),
        Format::Rpm => rpm::unpack(content, members),
        Format::Iso => iso::unpack(content, members),
        Format::Rar => rar::unpack(content, members),
        Format::Stream(codec) => stream::unpack(codec, content, members),
        Format::Program => program::unpack(content, members),
        Format::Mail => mail::unpack(content, members),
        Format::Ole => ole::unpack(content, members),
        Format::Pdf => pdf::unpack(content, members),
        Format::Rtf => rtf::unpack(content, members),
        Format::Lnk => lnk::unpack(content, members),
        Format::Tnef => tnef::unpack(content, members),
        Format::OneNote => onenote::unpack(content, members),
        Format::Blobs => {
            blobs::unpack(content, members)?;
            program::unpack_text(content, members)
        }
        Format::Flash => flash::unpack(content, members),
        Format::Sealed => {
            sealed::check(content)?;
            other::unpack(content, members)
        }
        Format::Other => other::unpack(content, members),
        Format::Media => program::unpack_media(content, members),
        Format::Unsupported => Err(Trouble::unsupported(
            "a container of a format that is not unpacked",
        )),
    }
}

/// Opens the zip archive that something else has behind it: it is found from its
/// end, and so by what opens zip archives, whatever is before it.
fn open_behind(
    format: Format,
    content: &[u8],
    members: &mut Members<'_, '_>,
) -> Result<(), Trouble> {
    match format {
        // These look for archives themselves.
        Format::Zip
        | Format::Program
        | Format::Blobs
        | Format::Media
        | Format::Sealed
        | Format::Other => Ok(()),
        _ => match zip::at_end(content) {
            Some(archive) => zip::unpack(archive, members),
            None => Ok(()),
        },
    }
}
