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
mod ciphers;
mod decode;
mod fields;
mod lnk;
mod mail;
mod ole;
mod onenote;
mod pdf;
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

use std::io::Read;

use squall_types::{Incomplete, IncompleteReason};

pub(crate) use budget::Budget;
pub use budget::UnpackLimits;
use budget::{LimitReached, Stopped};

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
    /// One compressed stream.
    Stream(stream::Codec),
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
            "TAR" => Self::Tar,
            "AR" | "DEB" => Self::Ar,
            "7ZIP" => Self::SevenZip,
            "GZIP" => Self::Stream(stream::Codec::Gzip),
            "BZIP2" => Self::Stream(stream::Codec::Bzip2),
            "XZ" => Self::Stream(stream::Codec::Xz),
            "LZMA" => Self::Stream(stream::Codec::Lzma),
            "ZSTD" => Self::Stream(stream::Codec::Zstd),
            "LZ4" => Self::Stream(stream::Codec::Lz4),
            "EMAIL" | "MHTML" | "MBOX" => Self::Mail,
            "OLE" | "DOC" | "XLS" | "PPT" | "VSD" | "PUB" | "MPP" | "HWP" | "MSI" | "MSG"
            | "JUMPLIST" | "THUMBS DB" | "ENCRYPTED OFFICE" => Self::Ole,
            "PDF" => Self::Pdf,
            "RTF" => Self::Rtf,
            "LNK" => Self::Lnk,
            "TNEF" => Self::Tnef,
            "ONENOTE" => Self::OneNote,
            "UUENCODE" | "SVG" | "OFFICE XML" | "SCHEDULED TASK" | "PLIST" => Self::Blobs,
            "RAR" | "ACE" | "ARJ" | "LHA" | "ZOO" | "ALZ" | "EGG" | "CAB" | "INSTALLSHIELD CAB"
            | "SZDD" | "LZIP" | "LZOP" | "COMPRESS" | "SNAPPY" | "CPIO" | "RPM" | "XAR"
            | "PACK200" | "YENC" | "ISO" | "DMG" | "VHD" | "VHDX" | "VMDK" | "VDI" | "QCOW"
            | "WIM" | "SQUASHFS" | "CRAMFS" | "EWF" | "PST" | "DBX" | "CHM" | "ACTIVEMIME" => {
                Self::Unsupported
            }
            _ if matches!(file_type.kind(), Kind::Script | Kind::Text) => Self::Blobs,
            _ => return None,
        })
    }

    /// Tells whether the depth limit applies: text is no archive, looking for
    /// encoded files in it goes on where unpacking has ended.
    pub(crate) const fn is_container(self) -> bool {
        !matches!(self, Self::Blobs | Self::Lnk)
    }
}

/// A member of a container, read.
pub(crate) struct Member {
    /// Its name in the container; data from a stranger.
    pub(crate) name: String,
    /// Its bytes, or as many as could be read.
    pub(crate) content: Vec<u8>,
}

/// Why a container could not be read to its end.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// The category.
    pub(crate) reason: IncompleteReason,
    /// The same in words.
    pub(crate) description: String,
}

impl Trouble {
    pub(crate) fn corrupt(what: impl std::fmt::Display) -> Self {
        Self {
            reason: IncompleteReason::Corrupt,
            description: what.to_string(),
        }
    }
}

impl From<LimitReached> for Trouble {
    fn from(limit: LimitReached) -> Self {
        Self {
            reason: match limit {
                LimitReached::Time(_) => IncompleteReason::Timeout,
                _ => IncompleteReason::Limit,
            },
            description: limit.to_string(),
        }
    }
}

/// Where an unpacker brings the members.
pub(crate) struct Members<'a, 'limits> {
    container: &'a str,
    budget: &'a mut Budget<'limits>,
    incomplete: Vec<Incomplete>,
    visit: &'a mut dyn FnMut(Member, &mut Budget<'limits>),
}

/// The most troubles recorded of one container; a damaged one may have one
/// with every member.
const INCOMPLETE_MAX: usize = 100;

impl Members<'_, '_> {
    /// Reads a member and passes it on.
    ///
    /// # Errors
    ///
    /// Returns the trouble that ends the whole container: a limit that is
    /// used up. Damage of this one member is recorded, and what could be read
    /// is passed on.
    pub(crate) fn take(&mut self, name: &str, reader: impl Read) -> Result<(), Trouble> {
        self.budget.take_member()?;
        let outcome = self.budget.read(reader);
        let ending = match outcome.stopped {
            None => None,
            Some(Stopped::Damaged(error)) => {
                self.record(name, IncompleteReason::Corrupt, error.to_string());
                None
            }
            // The next member may be small.
            Some(Stopped::Limit(limit @ LimitReached::MemberBytes(_))) => {
                self.record(name, IncompleteReason::Limit, limit.to_string());
                None
            }
            Some(Stopped::Limit(limit)) => Some(Trouble::from(limit)),
        };
        self.visit(name, outcome.content);
        ending.map_or(Ok(()), Err)
    }

    /// Reads a member whose password is a guess, without passing it on.
    ///
    /// # Errors
    ///
    /// Returns `None` if the data is damaged, which is how a wrong password
    /// shows, else the limit that was reached.
    pub(crate) fn read_aside(&mut self, reader: impl Read) -> Result<Vec<u8>, Option<Trouble>> {
        let outcome = self.budget.read(reader);
        match outcome.stopped {
            None => Ok(outcome.content),
            Some(Stopped::Damaged(_)) => Err(None),
            Some(Stopped::Limit(limit)) => Err(Some(limit.into())),
        }
    }

    /// Passes on a member that was read aside.
    ///
    /// # Errors
    ///
    /// As [`Members::take`].
    pub(crate) fn pass_on(&mut self, name: &str, content: Vec<u8>) -> Result<(), Trouble> {
        self.budget.take_member()?;
        self.visit(name, content);
        Ok(())
    }

    fn visit(&mut self, name: &str, content: Vec<u8>) {
        let member = Member {
            name: name.to_owned(),
            content,
        };
        (self.visit)(member, self.budget);
    }

    /// The path of the container.
    pub(crate) fn container(&self) -> &str {
        self.container
    }

    /// Tells whether there is time left; for loops that read no member.
    pub(crate) fn check_time(&self) -> Result<(), LimitReached> {
        self.budget.check_time()
    }

    /// Records a member that cannot be read.
    pub(crate) fn record(&mut self, name: &str, reason: IncompleteReason, description: String) {
        if self.incomplete.len() < INCOMPLETE_MAX {
            self.incomplete.push(Incomplete {
                path: member_path(self.container, name),
                reason,
                description,
            });
        }
    }

    /// The passwords to try.
    pub(crate) fn passwords(&self) -> &[String] {
        &self.budget.limits().passwords
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
    let mut members = Members {
        container,
        budget,
        incomplete: Vec::new(),
        visit,
    };
    let ended = match format {
        Format::Zip => zip::unpack(content, &mut members),
        Format::Tar => tape::unpack(content, &mut members),
        Format::Ar => ar::unpack(content, &mut members),
        Format::SevenZip => seven_zip::unpack(content, &mut members),
        Format::Stream(codec) => stream::unpack(codec, content, &mut members),
        Format::Mail => mail::unpack(content, &mut members),
        Format::Ole => ole::unpack(content, &mut members),
        Format::Pdf => pdf::unpack(content, &mut members),
        Format::Rtf => rtf::unpack(content, &mut members),
        Format::Lnk => lnk::unpack(content, &mut members),
        Format::Tnef => tnef::unpack(content, &mut members),
        Format::OneNote => onenote::unpack(content, &mut members),
        Format::Blobs => blobs::unpack(content, &mut members),
        Format::Unsupported => Err(Trouble {
            reason: IncompleteReason::Unsupported,
            description: "a container of a format that is not unpacked".to_owned(),
        }),
    };
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
