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
mod iso;
mod lnk;
mod mail;
mod members;
mod ole;
mod onenote;
mod pdf;
mod program;
mod rar;
mod rpm;
mod rtf;
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
pub(crate) use members::{Member, Members, Trouble};

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
    Stream(stream::Codec),
    /// Windows programs, which may unpack themselves.
    Program,
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
            "EXE" => Self::Program,
            "TAR" => Self::Tar,
            "AR" | "DEB" => Self::Ar,
            "7ZIP" => Self::SevenZip,
            "CAB" => Self::Cab,
            "CPIO" => Self::Cpio,
            "RPM" => Self::Rpm,
            "ISO" => Self::Iso,
            "RAR" => Self::Rar,
            "GZIP" => Self::Stream(stream::Codec::Gzip),
            "BZIP2" => Self::Stream(stream::Codec::Bzip2),
            "XZ" => Self::Stream(stream::Codec::Xz),
            "LZMA" => Self::Stream(stream::Codec::Lzma),
            "ZSTD" => Self::Stream(stream::Codec::Zstd),
            "LZ4" => Self::Stream(stream::Codec::Lz4),
            "LZIP" => Self::Stream(stream::Codec::Lzip),
            "ZLIB" => Self::Stream(stream::Codec::Zlib),
            "EMAIL" | "MHTML" | "MBOX" => Self::Mail,
            "OLE" | "DOC" | "XLS" | "PPT" | "VSD" | "PUB" | "MPP" | "HWP" | "MSI" | "MSG"
            | "JUMPLIST" | "THUMBS DB" | "ENCRYPTED OFFICE" => Self::Ole,
            "PDF" => Self::Pdf,
            "RTF" => Self::Rtf,
            "LNK" => Self::Lnk,
            "TNEF" => Self::Tnef,
            "ONENOTE" => Self::OneNote,
            "UUENCODE" | "SVG" | "OFFICE XML" | "SCHEDULED TASK" | "PLIST" => Self::Blobs,
            "ACE" | "ARJ" | "LHA" | "ZOO" | "ALZ" | "EGG" | "INSTALLSHIELD CAB" | "SZDD"
            | "LZOP" | "COMPRESS" | "SNAPPY" | "XAR" | "PACK200" | "YENC" | "ASAR" | "DMG"
            | "VHD" | "VHDX" | "VMDK" | "VDI" | "QCOW" | "WIM" | "SQUASHFS" | "CRAMFS"
            | "EXT FILESYSTEM" | "LUKS" | "EWF" | "PST" | "DBX" | "CHM" | "ACTIVEMIME" => {
                Self::Unsupported
            }
            _ if matches!(file_type.kind(), Kind::Script | Kind::Text) => Self::Blobs,
            _ => return None,
        })
    }

    /// Tells whether reaching the depth limit is reported: text and programs are
    /// no archives, and most have nothing in them that was left out.
    pub(crate) const fn is_container(self) -> bool {
        !matches!(self, Self::Blobs | Self::Lnk | Self::Program)
    }
}

/// Returns the path a member is reported under.
pub(crate) fn member_path(container: &str, name: &str) -> String {
    format!("{container}|{name}")
}

/// Returns the note on a container that is too deep in others to be opened.
pub(crate) fn too_deep(path: &str, budget: &Budget<'_>) -> Incomplete {
    let trouble = Trouble::from(LimitReached::Depth(budget.limits().depth_max));
    Incomplete {
        path: path.to_owned(),
        reason: trouble.reason,
        description: trouble.description,
    }
}

/// Opens a container and passes each member to `visit`. Returns what could not
/// be looked at.
pub(crate) fn unpack<'limits>(
    format: Format,
    container: &str,
    content: &[u8],
    budget: &mut Budget<'limits>,
    visit: &mut dyn FnMut(Member, &mut Budget<'limits>),
) -> Vec<Incomplete> {
    let mut members = Members::new(container, budget, visit);
    let ended = guarded(&mut members, |members| open(format, content, members));
    let mut incomplete = members.incomplete;
    if let Err(trouble) = ended {
        incomplete.push(Incomplete {
            path: container.to_owned(),
            reason: trouble.reason,
            description: trouble.description,
        });
    }
    incomplete
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
        Format::Blobs => blobs::unpack(content, members),
        Format::Unsupported => Err(Trouble::unsupported(
            "a container of a format that is not unpacked",
        )),
    }
}
