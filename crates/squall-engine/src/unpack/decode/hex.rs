//! Pairs of hexadecimal digits.

/// Decodes pairs of hexadecimal digits; anything else is passed over, and a
/// last digit alone is the high half of a byte.
pub(in super::super) fn hex(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len() / 2 + 1);
    let mut high = None;
    for value in text.iter().filter_map(|byte| hex_value(*byte)) {
        match high.take() {
            None => high = Some(value),
            Some(high) => decoded.push(high << 4 | value),
        }
    }
    decoded.extend(high.map(|high| high << 4));
    decoded
}

/// The value of a hexadecimal digit.
pub(in super::super) const fn hex_value(byte: u8) -> Option<u8> {
    Some(match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        b'A'..=b'F' => byte - b'A' + 10,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_digits_are_bytes() {
        assert_eq!(hex(b"4d5A 90\n0"), b"MZ\x90\0");
        assert_eq!(hex(b"7"), b"p");
        assert_eq!(hex(b"zz"), b"");
    }
}
