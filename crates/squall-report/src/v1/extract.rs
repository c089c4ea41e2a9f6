//! Extracts of a file's content: the matched strings with the bytes around
//! them, put together where they overlap.

use std::collections::HashSet;

use squall_api::v1::ContentElement;
use squall_types::{MatchField, MatchedString};

use super::encoded;
use crate::limits;

/// The extracts of one file.
pub(super) struct Extracts {
    /// In the order of their offsets, neither overlapping nor touching.
    pub(super) elements: Vec<ContentElement>,
    /// Whether some had to be left out.
    pub(super) cut: bool,
}

/// Builds the extracts from the strings that matched in the content of a file
/// of that size. The strings come first that matter most: when the limits are
/// reached, the rest is left out.
pub(super) fn of<'r>(
    strings: impl Iterator<Item = &'r MatchedString>,
    size_bytes: u64,
) -> Extracts {
    let mut pieces = Vec::new();
    let mut seen = HashSet::new();
    let mut bytes_left = limits::EXTRACT_BYTES_MAX;
    let mut cut = false;
    for piece in strings.flat_map(pieces_of) {
        let Some(piece) = piece.within(size_bytes) else {
            continue;
        };
        if !seen.insert((piece.offset, piece.bytes.len())) {
            continue;
        }
        if pieces.len() == limits::EXTRACTS_MAX || piece.bytes.len() > bytes_left {
            cut = true;
            break;
        }
        bytes_left -= piece.bytes.len();
        pieces.push(piece);
    }
    Extracts {
        elements: merge(pieces).into_iter().map(Piece::element).collect(),
        cut,
    }
}

/// Returns a matched string with the bytes around it, or `None` when none are
/// known. What follows a string that was cut does not follow what is left of
/// it, and is not shown.
pub(super) fn context(string: &MatchedString) -> Option<Vec<u8>> {
    let before = from_char_start(&string.before);
    let after = if is_cut(string) {
        &[][..]
    } else {
        to_char_end(&string.after)
    };
    if before.is_empty() && after.is_empty() {
        return None;
    }
    Some([before, &string.data, after].concat())
}

/// Some consecutive bytes of the content.
struct Piece {
    offset: u64,
    bytes: Vec<u8>,
}

impl Piece {
    fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes.len() as u64)
    }

    /// Cuts the piece to what a file of that size can hold; `None` if nothing
    /// is left. Offsets that make no sense must not make extracts that overlap.
    fn within(mut self, size_bytes: u64) -> Option<Self> {
        let room = size_bytes.saturating_sub(self.offset);
        if let Ok(room) = usize::try_from(room) {
            self.bytes.truncate(room);
        }
        (!self.bytes.is_empty()).then_some(self)
    }

    fn element(self) -> ContentElement {
        ContentElement {
            offset: self.offset,
            data: encoded(&self.bytes),
        }
    }
}

/// Returns the pieces of the content that a matched string shows: one, or two
/// when the string was cut and there are bytes behind it.
fn pieces_of(string: &MatchedString) -> Vec<Piece> {
    if string.field != MatchField::Content {
        return Vec::new();
    }
    let before = from_char_start(&string.before);
    // There cannot be more bytes before the string than its offset says.
    let before_len = usize::try_from(string.offset)
        .unwrap_or(usize::MAX)
        .min(before.len());
    let before = &before[before.len() - before_len..];
    let after = to_char_end(&string.after);
    let mut head = Piece {
        offset: string.offset - before.len() as u64,
        bytes: [before, &string.data].concat(),
    };
    if !is_cut(string) {
        head.bytes.extend_from_slice(after);
        return vec![head];
    }
    let tail = Piece {
        offset: string.offset.saturating_add(string.length),
        bytes: after.to_vec(),
    };
    vec![head, tail]
}

fn is_cut(string: &MatchedString) -> bool {
    (string.data.len() as u64) < string.length
}

/// Puts together the pieces that overlap or touch.
fn merge(mut pieces: Vec<Piece>) -> Vec<Piece> {
    pieces.sort_by_key(|piece| piece.offset);
    let mut merged: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match merged.last_mut() {
            Some(last) if piece.offset <= last.end() => {
                // Not larger than the last piece is long.
                let overlap = (last.end() - piece.offset) as usize;
                if let Some(rest) = piece.bytes.get(overlap..) {
                    last.bytes.extend_from_slice(rest);
                }
            }
            _ => merged.push(piece),
        }
    }
    merged
}

/// Leaves out the end of a character at the start, if the rest is text: an
/// extract of text in another script would else be shown in hexadecimal.
fn from_char_start(before: &[u8]) -> &[u8] {
    let broken = before
        .iter()
        .take(3)
        .take_while(|byte| (0x80..0xc0).contains(*byte))
        .count();
    let rest = &before[broken..];
    if broken > 0 && str::from_utf8(rest).is_ok() {
        rest
    } else {
        before
    }
}

/// Leaves out the start of a character at the end, if the rest is text.
fn to_char_end(after: &[u8]) -> &[u8] {
    match str::from_utf8(after) {
        Err(error) if error.error_len().is_none() => &after[..error.valid_up_to()],
        _ => after,
    }
}
