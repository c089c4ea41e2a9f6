//! The values of PDF objects.
//!
//! A tolerant reader of a bounded depth and length: what makes no sense is
//! passed over, as readers do.

use super::value::Value;
use crate::unpack::decode::{hex, hex_value};

/// Arrays and dictionaries in each other.
const DEPTH_MAX: u32 = 30;
/// Values in one array or dictionary.
const ITEMS_MAX: usize = 20_000;
/// Values in one object: each takes far more memory than its text.
const VALUES_MAX: usize = 200_000;
/// A string or name is read as far as this.
const TEXT_MAX_BYTES: usize = 16 * 1024 * 1024;

/// Reads values.
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    is_broken: bool,
    values_left: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self {
            bytes,
            at,
            is_broken: false,
            values_left: VALUES_MAX,
        }
    }

    /// Whether something it read had no end, so that it may have read what is
    /// not part of it.
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// How far it has read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Reads the next value. `None` at the end, at a closing bracket or at a
    /// word such as `endobj`, which is not read then.
    pub(super) fn value(&mut self) -> Option<Value> {
        self.value_at_depth(0)
    }

    fn value_at_depth(&mut self, depth: u32) -> Option<Value> {
        self.skip_space();
        match *self.bytes.get(self.at)? {
            b'/' => Some(Value::Name(self.name())),
            b'(' => Some(Value::Text(self.literal())),
            b'<' if self.bytes.get(self.at + 1) == Some(&b'<') => {
                self.at += 2;
                Some(self.dictionary(depth))
            }
            b'<' => Some(Value::Text(self.hex_string())),
            b'[' => {
                self.at += 1;
                Some(self.array(depth))
            }
            b'0'..=b'9' | b'+' | b'-' | b'.' => Some(self.number()),
            byte if byte.is_ascii_alphabetic() => self.keyword(),
            _ => None,
        }
    }

    pub(super) fn skip_space(&mut self) {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b'\0' | b'\x0c' => self.at += 1,
                b'%' => {
                    let rest = &self.bytes[self.at..];
                    let end = memchr::memchr2(b'\r', b'\n', rest);
                    self.at += end.unwrap_or(rest.len());
                }
                _ => break,
            }
        }
    }

    /// A name; `#41` in it is a character.
    fn name(&mut self) -> String {
        self.at += 1;
        let mut name = Vec::new();
        while let Some(byte) = self.bytes.get(self.at).copied() {
            if is_delimiter(byte) || name.len() == TEXT_MAX_BYTES {
                break;
            }
            let escaped = match self.bytes.get(self.at + 1..self.at + 3) {
                Some([high, low]) if byte == b'#' => hex_value(*high).zip(hex_value(*low)),
                _ => None,
            };
            self.at += if escaped.is_some() { 3 } else { 1 };
            name.push(escaped.map_or(byte, |(high, low)| high << 4 | low));
        }
        String::from_utf8_lossy(&name).into_owned()
    }

    /// A string in parentheses.
    fn literal(&mut self) -> Vec<u8> {
        self.at += 1;
        let mut text = Vec::new();
        let mut depth = 0_u32;
        while let Some(byte) = self.bytes.get(self.at).copied() {
            self.at += 1;
            match byte {
                b'(' => depth += 1,
                b')' if depth == 0 => return text,
                b')' => depth -= 1,
                b'\\' => {
                    text.extend(self.escape());
                    continue;
                }
                _ => {}
            }
            text.push(byte);
            if text.len() >= TEXT_MAX_BYTES {
                break;
            }
        }
        self.is_broken = true;
        text
    }

    /// What a backslash in a string stands for.
    fn escape(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(match byte {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'f' => 12,
            b'\n' => return None,
            b'\r' => {
                if self.bytes.get(self.at) == Some(&b'\n') {
                    self.at += 1;
                }
                return None;
            }
            b'0'..=b'7' => {
                let mut value = u32::from(byte - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.bytes.get(self.at) else {
                        break;
                    };
                    value = value * 8 + u32::from(digit - b'0');
                    self.at += 1;
                }
                value.to_le_bytes()[0]
            }
            other => other,
        })
    }

    fn hex_string(&mut self) -> Vec<u8> {
        self.at += 1;
        let rest = &self.bytes[self.at..];
        let window = &rest[..rest.len().min(TEXT_MAX_BYTES)];
        let end = memchr::memchr(b'>', window).unwrap_or(window.len());
        self.at += (end + 1).min(rest.len());
        hex(&window[..end])
    }

    fn array(&mut self, depth: u32) -> Value {
        let mut values = Vec::new();
        while values.len() < ITEMS_MAX {
            self.skip_space();
            match self.bytes.get(self.at) {
                None => break,
                Some(b']') => {
                    self.at += 1;
                    return Value::Array(values);
                }
                Some(_) => match self.item(depth) {
                    Some(value) => values.push(value),
                    None => break,
                },
            }
        }
        self.is_broken = true;
        Value::Array(values)
    }

    fn dictionary(&mut self, depth: u32) -> Value {
        let mut entries = Vec::new();
        while entries.len() < ITEMS_MAX {
            self.skip_space();
            match self.bytes.get(self.at..) {
                Some([b'>', b'>', ..]) => {
                    self.at += 2;
                    return Value::Dictionary(entries);
                }
                Some([b'/', ..]) => {
                    let key = self.name();
                    self.skip_space();
                    // A key whose value is missing does not end the dictionary.
                    let value = self.item(depth).unwrap_or(Value::Other);
                    entries.push((key, value));
                }
                // A value without a key, or a stray bracket.
                Some([_, ..]) if self.bytes[self.at..].starts_with(b"endobj") => break,
                Some([_, ..]) if self.bytes[self.at..].starts_with(b"stream") => break,
                Some([_, ..]) => {
                    if self.item(depth).is_none() {
                        self.at += 1;
                    }
                    entries.push((String::new(), Value::Other));
                    if self.values_left == 0 {
                        break;
                    }
                }
                _ => break,
            }
        }
        self.is_broken = true;
        Value::Dictionary(entries)
    }

    /// A value inside another.
    fn item(&mut self, depth: u32) -> Option<Value> {
        if depth == DEPTH_MAX || self.values_left == 0 {
            return None;
        }
        self.values_left -= 1;
        self.value_at_depth(depth + 1)
    }

    /// A number, or the reference that begins with one.
    fn number(&mut self) -> Value {
        let start = self.at;
        let len = self.bytes[start..]
            .iter()
            .take_while(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.'))
            .count();
        self.at += len;
        let Some(value) = integer(&self.bytes[start..self.at]) else {
            return Value::Other;
        };
        match self.reference(value) {
            Some(reference) => reference,
            None => Value::Integer(value),
        }
    }

    /// The rest of `12 0 R`.
    fn reference(&mut self, number: i64) -> Option<Value> {
        const REST_MAX_BYTES: usize = 32;
        let number = u32::try_from(number).ok()?;
        let rest = self.bytes.get(self.at..)?;
        let rest = &rest[..rest.len().min(REST_MAX_BYTES)];
        let spaces = rest
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count();
        let digits = rest[spaces..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let after = &rest[spaces + digits..];
        let more_spaces = after
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count();
        let is_reference =
            spaces > 0 && digits > 0 && more_spaces > 0 && after.get(more_spaces) == Some(&b'R');
        if !is_reference {
            return None;
        }
        self.at += spaces + digits + more_spaces + 1;
        Some(Value::Reference(number))
    }

    /// `true`, `false` or `null`; any other word is not read.
    fn keyword(&mut self) -> Option<Value> {
        let rest = &self.bytes[self.at..];
        let words = [
            (&b"true"[..], Value::Other),
            (b"false", Value::False),
            (b"null", Value::Other),
        ];
        let (word, value) = words.into_iter().find(|(word, _)| rest.starts_with(word))?;
        self.at += word.len();
        Some(value)
    }
}

fn integer(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

const fn is_delimiter(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(
            byte,
            b'\0' | b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%'
        )
}

#[cfg(test)]
mod tests {
    use super::super::value::readable;
    use super::*;

    fn value(text: &[u8]) -> Value {
        Lexer::new(text, 0).value().unwrap()
    }

    #[test]
    fn values_are_read() {
        let dictionary = value(
            b"<< /Type/#4aS % comment\n /N 12 /R 3 0 R /S (a\\(\\051(b)\\n\\\nc) /H <4d 5A> /A [1 /x null -2.5] /E /Length 5>>",
        );
        assert!(dictionary.is_type("JS"));
        assert_eq!(dictionary.get("N"), Some(&Value::Integer(12)));
        assert_eq!(dictionary.get("R"), Some(&Value::Reference(3)));
        assert_eq!(
            dictionary.get("S"),
            Some(&Value::Text(b"a()(b)\nc".to_vec()))
        );
        assert_eq!(dictionary.get("H"), Some(&Value::Text(b"MZ".to_vec())));
        let array = Value::Array(vec![
            Value::Integer(1),
            Value::Name("x".to_owned()),
            Value::Other,
            Value::Other,
        ]);
        assert_eq!(dictionary.get("A"), Some(&array));
        assert_eq!(readable(b"\xfe\xff\0a\0b"), "ab");
    }

    #[test]
    fn nonsense_ends() {
        assert_eq!(value(b"<< } /A 1 >>").get("A"), Some(&Value::Integer(1)));
        assert_eq!(value(b"<< /A 1 endobj").get("A"), Some(&Value::Integer(1)));
        assert_eq!(value(b"(open"), Value::Text(b"open".to_vec()));
        assert_eq!(Lexer::new(b">>", 0).value(), None);
        assert_eq!(Lexer::new(b"", 5).value(), None);
        for deep in ["[", "<<", "<</A", "[<</A"] {
            Lexer::new(deep.repeat(100_000).as_bytes(), 0).value();
        }
    }
}
