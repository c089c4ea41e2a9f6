//! Text in UTF-16, as PowerShell and the registry write it, with one byte for
//! each character.

use std::borrow::Cow;

/// Makes UTF-16 text one byte a character; any other text is left as it is.
/// Characters beyond ASCII have no part in an encoded file and become `?`.
pub(in crate::unpack) fn narrow(text: &[u8]) -> Cow<'_, [u8]> {
    let high_byte = match text {
        [0xff, 0xfe, ..] => 1,
        [0xfe, 0xff, ..] => 0,
        _ if is_mostly_zero(text, 1) => 1,
        _ if is_mostly_zero(text, 0) => 0,
        _ => return Cow::Borrowed(text),
    };
    let narrow = text.chunks_exact(2).map(|pair| {
        if pair[high_byte] == 0 && pair[1 - high_byte].is_ascii() {
            pair[1 - high_byte]
        } else {
            b'?'
        }
    });
    Cow::Owned(narrow.collect())
}

/// Whether nine in ten of every second byte at the start are zero.
fn is_mostly_zero(text: &[u8], place: usize) -> bool {
    const PAIRS_MIN: usize = 16;
    const PAIRS_MAX: usize = 1024;
    let pairs = text.chunks_exact(2).take(PAIRS_MAX);
    let count = pairs.len();
    let zeros = pairs
        .filter(|pair| pair[place] == 0 && pair[1 - place] != 0)
        .count();
    count >= PAIRS_MIN && zeros * 10 >= count * 9
}
