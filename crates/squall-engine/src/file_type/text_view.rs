//! Looks at content as text: byte order marks, UTF-16, and whether it is text
//! at all.

use std::borrow::Cow;

use super::{HEAD_MAX_BYTES, bytes};

/// The head of the content as text, one byte per ASCII character.
pub(super) struct TextView<'a> {
    bytes: Cow<'a, [u8]>,
    certainty: Certainty,
    is_complete: bool,
}

/// How sure it is that the content is text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    /// It can be nothing else.
    Full,
    /// It is text with zeros behind, which a binary header looks like as well.
    Padded,
    /// A few bytes have no place in text, as in a script that carries a
    /// payload.
    Doubtful,
    /// It is not text.
    None,
}

impl<'a> TextView<'a> {
    /// The head as text, or nothing when it is plainly something else.
    pub(super) fn of(content: &'a [u8]) -> Option<Self> {
        let head = bytes::head(content, HEAD_MAX_BYTES);
        let is_complete = head.len() == content.len();
        let decoded = match head {
            [0xef, 0xbb, 0xbf, rest @ ..] => Cow::Borrowed(rest),
            [0xff, 0xfe, rest @ ..] => Cow::Owned(decode_utf16(rest, u16::from_le_bytes)?),
            [0xfe, 0xff, rest @ ..] => Cow::Owned(decode_utf16(rest, u16::from_be_bytes)?),
            _ => match unmarked_utf16(head) {
                Some(from_bytes) => Cow::Owned(decode_utf16(head, from_bytes)?),
                None => Cow::Borrowed(head),
            },
        };
        let padded_len = decoded.len();
        let decoded = without_padding(decoded);
        let mut certainty = Certainty::of(&decoded, is_complete);
        if certainty == Certainty::Full && decoded.len() < padded_len {
            certainty = Certainty::Padded;
        }
        (certainty != Certainty::None).then_some(Self {
            bytes: decoded,
            certainty,
            is_complete,
        })
    }

    /// The text that content begins with which is none as a whole, as far as it is
    /// long enough to say what it is: a script or a mail with binary data in it.
    pub(super) fn of_beginning(content: &'a [u8]) -> Option<Self> {
        const BYTES_MIN: usize = 16;
        let text = bytes::leading_text(bytes::head(content, HEAD_MAX_BYTES));
        let certainty = Certainty::of(text, false);
        let is_text = text.len() >= BYTES_MIN && certainty != Certainty::None;
        is_text.then_some(Self {
            bytes: Cow::Borrowed(text),
            certainty,
            is_complete: false,
        })
    }

    /// How sure it is that this is text.
    pub(super) fn certainty(&self) -> Certainty {
        self.certainty
    }

    /// Whether the view reaches to the end of the content.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The text from its first character that is not white space.
    pub(super) fn trimmed(&self) -> &[u8] {
        self.bytes.trim_ascii_start()
    }
}

type FromBytes = fn([u8; 2]) -> u16;

impl Certainty {
    fn of(text: &[u8], is_complete: bool) -> Self {
        /// One in so many bytes may be out of place.
        const TOLERANCE: usize = 50;
        let binary = text
            .iter()
            .filter(|byte| bytes::is_binary_byte(**byte))
            .count();
        if text.is_empty() {
            Self::None
        } else if binary == 0 && is_encoded_text(text, is_complete) {
            Self::Full
        } else if binary * TOLERANCE <= text.len() && text.len() >= 16 {
            Self::Doubtful
        } else {
            Self::None
        }
    }
}

/// UTF-8, or an eight bit encoding that has the look of words.
fn is_encoded_text(text: &[u8], is_complete: bool) -> bool {
    const CHAR_MAX_BYTES: usize = 4;
    match std::str::from_utf8(text) {
        Ok(_) => return true,
        // The head may end in the middle of a character.
        Err(error)
            if !is_complete
                && error.error_len().is_none()
                && text.len() - error.valid_up_to() < CHAR_MAX_BYTES =>
        {
            return true;
        }
        Err(_) => {}
    }
    let high = text.iter().filter(|byte| **byte >= 0x80).count();
    let is_mostly_ascii = high * 10 <= text.len() * 3;
    // Cyrillic or Chinese text is mostly high bytes; so is noise, but noise of
    // this length has control characters too.
    let has_words = text.len() >= 64 && text.iter().any(|byte| matches!(byte, b' ' | b'\n'));
    is_mostly_ascii || has_words
}

/// UTF-16 without a mark: every second byte is zero.
fn unmarked_utf16(head: &[u8]) -> Option<FromBytes> {
    const SAMPLE_BYTES: usize = 256;
    const SAMPLE_MIN_BYTES: usize = 8;
    let sample = bytes::head(head, SAMPLE_BYTES);
    if sample.len() < SAMPLE_MIN_BYTES || !sample.contains(&0) {
        return None;
    }
    let pairs = sample.len() / 2;
    let count = |index: usize| {
        sample
            .chunks_exact(2)
            .filter(|pair| pair[index] == 0)
            .count()
    };
    let (first_zero, second_zero) = (count(0), count(1));
    let is_nearly_all = |zeros: usize| zeros * 10 >= pairs * 9;
    if is_nearly_all(second_zero) && first_zero == 0 {
        Some(u16::from_le_bytes)
    } else if is_nearly_all(first_zero) && second_zero == 0 {
        Some(u16::from_be_bytes)
    } else {
        None
    }
}

fn decode_utf16(encoded: &[u8], from_bytes: FromBytes) -> Option<Vec<u8>> {
    let units = encoded
        .chunks_exact(2)
        .map(|pair| from_bytes([pair[0], pair[1]]));
    let mut text = String::with_capacity(encoded.len() / 2);
    let mut broken = 0_usize;
    for decoded in char::decode_utf16(units) {
        let character = decoded.unwrap_or_else(|_| {
            broken += 1;
            char::REPLACEMENT_CHARACTER
        });
        text.push(character);
    }
    // One half of a pair may be cut off at the end of the head.
    (broken <= 1).then(|| text.into_bytes())
}

/// Files carved from a disk are filled up with zeros.
fn without_padding(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let end = text
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
        Cow::Owned(mut text) => {
            text.truncate(end);
            Cow::Owned(text)
        }
    }
}
