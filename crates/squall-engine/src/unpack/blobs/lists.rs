//! Lists of byte values: `77,90,144`, `0x4D, 0x5A`, `&H4D, _`, `(byte)-112`, and
//! `hex:4d,5a,90,\` of the registry.

use super::Decoded;
use crate::unpack::decode::hex_value;

/// Shorter lists are data of the script.
const BYTES_MIN: usize = 40;
/// More than a line's end and the indentation parts other things.
const GAP_MAX_BYTES: usize = 48;

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
    fn list(&mut self, start: usize, form: Form) -> Vec<u8> {
        let mut content = Vec::new();
        let mut at = start;
        while let Some((value, len)) = form.value(&self.text[at..]) {
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
            let is_start = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'&' | b':');
            let mut offset = self.at + rest.iter().position(is_start)?;
            self.at = offset;
            let before = offset.checked_sub(1).map(|before| self.text[before]);
            let mut form = Form::Script;
            if self.text[offset] == b':' {
                if !is_registry(&self.text[..offset]) {
                    self.at += 1;
                    continue;
                }
                form = Form::Registry;
                offset += 1 + blank_len(&self.text[offset + 1..]);
            } else if before.is_some_and(|byte| byte.is_ascii_alphanumeric()) {
                self.skip_word();
                continue;
            }
            let content = self.list(offset, form);
            if content.len() >= BYTES_MIN {
                return Some(Decoded {
                    offset,
                    content,
                    joints: Vec::new(),
                });
            }
            // A script can have `hex:` before a list of its own.
            if matches!(form, Form::Registry) {
                self.at = offset;
            }
        }
    }
}

/// How values are written.
#[derive(Clone, Copy)]
enum Form {
    /// Decimal, or with a prefix that tells of hexadecimal digits.
    Script,
    /// Hexadecimal digits alone.
    Registry,
}

impl Form {
    /// A byte value at the start of `text`, and its length.
    fn value(self, text: &[u8]) -> Option<(u8, usize)> {
        match self {
            Self::Script => value(text),
            Self::Registry => match text {
                [high, low, ..] if hex_value(*low).is_some() => {
                    Some((hex_value(*high)? << 4 | hex_value(*low)?, 2))
                }
                [low, ..] => Some((hex_value(*low)?, 1)),
                [] => None,
            },
        }
    }
}

/// Whether `before` ends with what announces bytes in a file for the registry:
/// `hex` or, with the type of the value, `hex(2)`.
fn is_registry(before: &[u8]) -> bool {
    const TYPE_DIGITS_MAX: usize = 8;
    let mut before = before;
    if let [rest @ .., b')'] = before {
        let digits = rest.iter().rev().take(TYPE_DIGITS_MAX);
        let len = digits
            .take_while(|byte| hex_value(**byte).is_some())
            .count();
        match rest.split_at(rest.len() - len) {
            ([rest @ .., b'('], _) => before = rest,
            _ => return false,
        }
    }
    let word = before.len().saturating_sub(b"hex".len());
    before[word..].eq_ignore_ascii_case(b"hex")
}

/// The length of what may be around a value.
fn blank_len(text: &[u8]) -> usize {
    text.iter()
        .take(GAP_MAX_BYTES)
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'\\'))
        .count()
}

/// A byte value of a script at the start of `text`, and its length.
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
    let window = &text[..text.len().min(GAP_MAX_BYTES)];
    let mut has_comma = false;
    let mut at = 0;
    while let Some(byte) = window.get(at) {
        match byte {
            b',' if !has_comma => has_comma = true,
            b' ' | b'\t' | b'\r' | b'\n' | b'_' | b'`' | b'\\' | b'"' | b'\'' => {}
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

    #[test]
    fn values_of_the_registry_are_found() {
        let line = ["4d"; 25].join(",");
        let pairs = ["4d"; 50].join(",");
        for (text, offset) in [
            (format!("\"x\"=hex:{pairs}"), 8),
            (format!("@=HEX(2):{pairs}"), 9),
            (format!("@=hex(ffff0012):{pairs}"), 16),
            (format!("\"x\"=hex:{line},\\\r\n  {line}\r\n"), 8),
            (format!("\"x\"=hex:\\\r\n  {line},\\\r\n  {line}"), 13),
        ] {
            let found: Vec<_> = Lists::new(text.as_bytes()).collect();
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].offset, offset, "{text}");
            assert_eq!(found[0].content, [0x4d; 50], "{text}");
        }
        let letters = format!("hex:{}", ["ff"; 40].join(","));
        let found = Lists::new(letters.as_bytes()).next().unwrap();
        assert_eq!(found.content, [0xff; 40]);
    }

    #[test]
    fn only_the_registry_has_digits_without_a_prefix() {
        let pairs = ["4d"; 50].join(",");
        for text in [
            format!("x: {pairs}"),
            format!("he:{pairs}"),
            format!("hex(:{pairs}"),
            format!("hex(z):{pairs}"),
            format!("(2):{pairs}"),
            format!("hex:{}", ["4d5"; 50].join(",")),
            "hex:4d,5a,90".to_owned(),
            ":hex:".to_owned(),
            "hex(2):".to_owned(),
        ] {
            assert_eq!(Lists::new(text.as_bytes()).count(), 0, "{text}");
        }
        // Other values behind a colon are what they were.
        for (before, value, expected) in [
            ("x:", "77", 77),
            ("hex:", "144", 144),
            ("hex: ", "0x4d", 77),
            ("hex:[", "77", 77),
        ] {
            let text = format!("{before}{}", vec![value; 50].join(","));
            let found = Lists::new(text.as_bytes()).next().unwrap();
            assert_eq!(found.offset, before.len(), "{text}");
            assert_eq!(found.content, [expected; 50], "{text}");
        }
    }
}
