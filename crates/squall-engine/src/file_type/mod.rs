//! Recognises what a file is by its content.
//!
//! The answer feeds the YARA variable `filetype`, the `type` of a finding and
//! the choice of an unpacker. A sender decides every byte it looks at, so the
//! work is bounded whatever the content: at most `HEAD_MAX_BYTES` from the
//! start, the last `TAIL_MAX_BYTES`, and a fixed number of records of the few
//! containers whose directory has to be read (ZIP, OLE, minidump). Nothing is
//! unpacked and no length found in the content is believed before it has been
//! checked against what is there.
//!
//! The order is part of the meaning:
//!
//! 1. `magic`: our own table of byte signatures, for everything that matters
//!    to an analyst. Signatures that are also ordinary words (`MZ`, `regf`) only
//!    count when the rest is not plain text.
//! 2. `text`: when the content reads as text, UTF-16 included, its opening,
//!    markup, structure and vocabulary decide. Prose that merely mentions a
//!    keyword stays `TEXT`.
//!    What is text only at its beginning is asked in the end.
//! 3. `names`: more than a hundred further formats from the `file-format` crate,
//!    an allow list under names of our own.
//!
//! The names are those public rule sets compare with, spelled exactly so:
//! `EXE`, `ELF`, `MACH-O`, `ZIP`, `PDF`, `RTF`, `PHP`, `JSP`, `ASP`, `VBS`,
//! `Python`, `BATCH`, `PowerShell`, `MDMP`, `LSASS Dump File`, `Base64`.

mod bytes;
mod catalogue;
mod comments;
mod executable;
mod keywords;
mod line_marks;
mod line_shapes;
mod magic;
mod magic_table;
mod mail;
mod markup;
mod media;
mod memory_dump;
mod names;
mod ole;
mod opening;
mod openpgp;
mod script;
mod script_lines;
mod server_page;
mod structured;
mod text;
mod text_view;
mod zip;

pub(crate) use magic::is_enveloped;
pub(crate) use openpgp::is_encrypted as is_openpgp_message;
use text_view::{Certainty, TextView};

#[cfg(test)]
mod tests;

/// Bytes looked at from the start of the content.
pub(crate) const HEAD_MAX_BYTES: usize = 64 * 1024;

/// Bytes looked at from the end of the content: a ZIP's end record with the
/// longest comment it may have.
pub(crate) const TAIL_MAX_BYTES: usize = 22 + 0xffff;

/// What a file is, by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileType {
    name: &'static str,
    kind: Kind,
    media_type: &'static str,
    extensions: &'static [&'static str],
}

/// The broad family a type belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Code a machine or a virtual machine runs as it is.
    Executable,
    /// Source text an interpreter runs as it is.
    Script,
    /// Something a person reads in an application: office files, PDF, help.
    Document,
    /// A container or compressed stream other files come out of.
    Archive,
    /// A picture.
    Image,
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
    /// A message or a mailbox.
    Mail,
    /// Text of any other sort: markup, configuration, source code, prose.
    Text,
    /// Binary data of a known format: databases, dumps, keys, fonts.
    Data,
    /// Not recognised, or empty.
    Unknown,
}

/// Recognises the type of `content`.
///
/// Never panics and takes bounded time whatever the content. Content without
/// any known trait has the name `UNKNOWN`, no content at all `EMPTY`.
#[must_use]
pub fn detect(content: &[u8]) -> FileType {
    if content.is_empty() {
        return catalogue::EMPTY;
    }
    if let Some(found) = magic::detect(content) {
        return found;
    }
    let binary = || names::detect_binary(content);
    let Some(view) = TextView::of(content) else {
        return text::detect_beginning(content)
            .or_else(binary)
            .or_else(|| text::detect_specific(&TextView::of_beginning(content)?))
            .or_else(|| magic::unusual_lzma(content))
            .unwrap_or(catalogue::UNKNOWN);
    };
    match view.certainty() {
        Certainty::Full => text::detect(&view),
        Certainty::Padded => text::detect_specific(&view)
            .or_else(binary)
            .unwrap_or_else(|| text::detect(&view)),
        Certainty::Doubtful | Certainty::None => text::detect_specific(&view)
            .or_else(binary)
            .unwrap_or(catalogue::UNKNOWN),
    }
}

/// Returns what of `content` is text: all of it if it reads as text with at
/// most a few other bytes, else what is before the first of them.
pub(crate) fn text_of(content: &[u8]) -> &[u8] {
    match TextView::of(content) {
        Some(_) => content,
        None => bytes::leading_text(content),
    }
}

impl FileType {
    pub(crate) const fn new(
        name: &'static str,
        kind: Kind,
        media_type: &'static str,
        extensions: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            kind,
            media_type,
            extensions,
        }
    }

    /// The short name analysts and rule sets use: `EXE`, `ZIP`, `Python`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The media type (MIME type), `application/octet-stream` where none fits.
    #[must_use]
    pub const fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// The broad family of the type.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The usual extensions, lower case, without the dot. Empty where a type
    /// says nothing about the extension.
    #[must_use]
    pub const fn extensions(&self) -> &'static [&'static str] {
        self.extensions
    }
}

impl std::fmt::Display for FileType {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}
