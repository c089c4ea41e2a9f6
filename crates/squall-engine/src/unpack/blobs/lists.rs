//! Lists of byte values: `77,90,144`, `0x4D, 0x5A`, `&H4D, _`, `(byte)-112`.

use super::Decoded;

/// Shorter lists are data of the script.
const BYTES_MIN: usize = 40;

/// The decoded lists in a text, one after the other.
pub(super) struct Lists<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Lists<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// Reads the list at `start`, and goes behind it.
    fn list(&mut self, start: usize) -> Vec<u8> {
        let mut content = Vec::new();
        let mut at = start;
        while let Some((value, len)) = value(&self.text[at..]) {
            content.push(value);
            at += len;
            self.at = at;
            match separator(&self.text[at..]) {
                Some(len) => at += len,
                None => break,
            }
        }
        self.at = self.at.max(start + 1);
        content
    }

    fn skip_word(&mut self) {
        let rest = &self.text[self.at..];
        let len = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count();
        self.at += len.max(1);
    }
}

impl Iterator for Lists<'_> {
    type Item = Decoded;

    fn next(&mut self) -> Option<Decoded> {
        loop {
            let rest = self.text.get(self.at..)?;
            let is_start = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'&');
            let offset = self.at + rest.iter().position(is_start)?;
            self.at = offset;
            let before = offset.checked_sub(1).map(|before| self.text[before]);
            if before.is_some_and(|byte| byte.is_ascii_alphanumeric()) {
                self.skip_word();
                continue;
            }
            let content = self.list(offset);
            if content.len() >= BYTES_MIN {
                return Some(Decoded { offset, content });
            }
        }
    }
}

/// A byte value at the start of `text`, and its length.
fn value(text: &[u8]) -> Option<(u8, usize)> {
    let (prefix, radix) = match text {
        [b'0', b'x' | b'X', ..] | [b'&', b'H' | b'h', ..] => (2, 16),
        [b'-', ..] => (1, 10),
        _ => (0, 10),
    };
    const DIGITS_MAX: usize = 3;
    let digits = text[prefix..]
        .iter()
        .take(DIGITS_MAX + 1)
        .take_while(|byte| char::from(**byte).is_digit(radix))
        .count();
    if digits == 0 || digits > DIGITS_MAX {
        return None;
    }
    let len = prefix + digits;
    let value = std::str::from_utf8(&text[prefix..len])
        .ok()
        .and_then(|digits| i16::from_str_radix(digits, radix).ok())?;
    let value = if text[0] == b'-' { -value } else { value };
    let [low, _] = value.to_le_bytes();
    (-128..=255).contains(&value).then_some((low, len))
}

/// The length of what stands between two values: a comma, and what may be
/// around it where a list has several lines.
fn separator(text: &[u8]) -> Option<usize> {
    const GAP_MAX_BYTES: usize = 48;
    let window = &text[..text.len().min(GAP_MAX_BYTES)];
    let mut has_comma = false;
    let mut at = 0;
    while let Some(byte) = window.get(at) {
        match byte {
            b',' if !has_comma => has_comma = true,
            b' ' | b'\t' | b'\r' | b'\n' | b'_' | b'`' | b'"' | b'\'' => {}
            b'(' if window[at..].starts_with(b"(byte)") => at += b"(byte".len(),
            _ => break,
        }
        at += 1;
    }
    has_comma.then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_in_every_form() {
        for (value, separator) in [
            ("77", ","),
            ("0x4D", ", "),
            ("&H4D", ", _\r\n    "),
            ("77", ",(byte)"),
        ] {
            let text = format!("= Array({});", vec![value; 50].join(separator));
            let found: Vec<_> = Lists::new(text.as_bytes()).collect();
            assert_eq!(found.len(), 1, "{value} {separator:?}");
            assert_eq!(found[0].offset, 8);
            assert_eq!(found[0].content, [77; 50]);
        }
        let negative = vec!["-1"; 50].join(",");
        assert_eq!(
            Lists::new(negative.as_bytes()).next().unwrap().content,
            [0xff; 50]
        );
        let large = vec!["256"; 50].join(",");
        assert_eq!(Lists::new(large.as_bytes()).count(), 0);
        assert_eq!(Lists::new(b"1, 2, 3").count(), 0);
    }
}
