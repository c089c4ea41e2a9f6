//! A file as the heuristics see it: its name taken apart once.

use std::ops::Range;

use crate::heuristics::Subject;
use crate::heuristics::extensions::Promise;
use crate::name::Name;

/// A file and the parts of its name.
pub(super) struct View<'a> {
    /// The file.
    pub(super) subject: &'a Subject<'a>,
    /// The last component of its own name.
    pub(super) base: &'a str,
    /// The same without blanks and dots at its end.
    pub(super) trimmed: &'a str,
    /// The extension of `trimmed`: lower case, without the dot; empty when
    /// there is none.
    pub(super) extension: String,
}

/// What a heuristic points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A part of the base name, in bytes.
    Name(Range<usize>),
    /// A part of the content, in bytes.
    Content(Range<usize>),
}

impl<'a> View<'a> {
    /// Takes the name of a file apart.
    pub(super) fn of(subject: &'a Subject<'a>) -> Self {
        let base = Name::of(subject.name).base;
        let trimmed = base.trim_end_matches(|c| c == '.' || is_blank(c));
        let (_, extension) = split_extension(trimmed);
        Self {
            subject,
            base,
            trimmed,
            extension: extension.to_ascii_lowercase(),
        }
    }

    /// What the extension promises.
    pub(super) fn promise(&self) -> Option<Promise> {
        Promise::of(&self.extension)
    }

    /// The place of the extension with its dot.
    pub(super) fn extension_place(&self) -> Place {
        let end = self.trimmed.len();
        Place::Name(end.saturating_sub(self.extension.len() + 1)..end)
    }

    /// The place of the first bytes of the content, by which its type shows.
    pub(super) fn magic_place(&self) -> Place {
        const MAGIC_BYTES: usize = 8;
        Place::Content(0..self.subject.content.len().min(MAGIC_BYTES))
    }

    /// The type of the file it was unpacked from.
    pub(super) fn parent_type(&self) -> Option<&str> {
        self.subject.unpack_source.last().map(String::as_str)
    }

    /// Tells whether it is the only member of its container.
    pub(super) fn is_alone(&self) -> bool {
        self.subject.siblings == Some(1)
    }
}

/// Splits a name before the last dot into stem and extension without the dot.
/// The extension is empty when nothing is before the dot.
pub(super) fn split_extension(name: &str) -> (&str, &str) {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, extension),
        _ => (name, ""),
    }
}

/// Tells whether a character shows as nothing: spaces of all widths, and those
/// that are no spaces by name but have no ink either.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{200b}' | '\u{2060}' | '\u{2800}' | '\u{3164}' | '\u{feff}'
        )
}
