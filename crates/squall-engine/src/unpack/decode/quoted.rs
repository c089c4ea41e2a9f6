//! Quoted-printable, and its variant in header fields.

use super::hex_value;

/// Decodes quoted-printable text. An escape that is none is kept as it is.
pub(in super::super) fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(escape) = memchr::memchr(b'=', rest) {
        decoded.extend_from_slice(&rest[..escape]);
        let after = &rest[escape + 1..];
        if let Some(byte) = escaped_byte(after) {
            decoded.push(byte);
            rest = &after[2..];
        } else if let Some(next_line) = after_soft_break(after) {
            rest = next_line;
        } else {
            decoded.push(b'=');
            rest = after;
        }
    }
    decoded.extend_from_slice(rest);
    decoded
}

/// Decodes the text of an encoded word of kind `Q`.
pub(in super::super) fn quoted_word(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text
        .iter()
        .map(|byte| if *byte == b'_' { b' ' } else { *byte })
        .collect();
    quoted_printable(&spaced)
}

fn escaped_byte(after: &[u8]) -> Option<u8> {
    let [high, low, ..] = after else {
        return None;
    };
    Some(hex_value(*high)? << 4 | hex_value(*low)?)
}

/// What follows the break of a line that goes on; it may have spaces before it.
fn after_soft_break(after: &[u8]) -> Option<&[u8]> {
    // More than a line may hold is not looked through, so that the time stays
    // linear whatever the text.
    const PADDING_MAX_BYTES: usize = 80;
    let padding = after
        .iter()
        .take(PADDING_MAX_BYTES)
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
        .count();
    match after.get(padding) {
        Some(b'\n') => Some(&after[padding + 1..]),
        None => Some(&[]),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_soft_breaks_are_undone() {
        assert_eq!(
            quoted_printable(b"a=3Db=\r\nc=\nd= \t\ne=zz="),
            b"a=bcde=zz"
        );
        assert_eq!(quoted_word(b"a_b=5F"), b"a b_");
    }
}
