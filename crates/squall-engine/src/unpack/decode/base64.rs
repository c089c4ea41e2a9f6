//! Base64, in its usual and its URL alphabet.

/// Decodes base64. Bytes outside the alphabet are passed over, as mail programs
/// do; padding ends a group, and data may follow it.
pub(in super::super) fn base64(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let mut group = 0_u32;
    let mut digits = 0;
    for byte in text {
        if let Some(value) = base64_value(*byte) {
            group = group << 6 | u32::from(value);
            digits += 1;
            if digits == 4 {
                decoded.extend_from_slice(&group.to_be_bytes()[1..]);
                (group, digits) = (0, 0);
            }
        } else if *byte == b'=' {
            end_group(group, digits, &mut decoded);
            (group, digits) = (0, 0);
        }
    }
    end_group(group, digits, &mut decoded);
    decoded
}

/// The value of a base64 digit of either alphabet.
const fn base64_value(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// Writes the whole bytes of a group that is not full.
fn end_group(group: u32, digits: u32, decoded: &mut Vec<u8>) {
    match digits {
        2 => decoded.push((group >> 4).to_be_bytes()[3]),
        3 => decoded.extend_from_slice(&(group >> 2).to_be_bytes()[2..]),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_torn_and_dirty_text_is_decoded() {
        for (text, expected) in [
            (&b"TWFu"[..], &b"Man"[..]),
            (b"TWE=", b"Ma"),
            (b"TQ==", b"M"),
            (b"TWE", b"Ma"),
            (b"T", b""),
            (b"", b""),
            (b"T\r\nW!F u", b"Man"),
            (b"TQ==TWFu", b"MMan"),
            (b"-_8=", b"\xfb\xff"),
        ] {
            assert_eq!(base64(text), expected, "{}", text.escape_ascii());
        }
    }
}
