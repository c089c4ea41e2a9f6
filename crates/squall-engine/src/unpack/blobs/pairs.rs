//! Runs of pairs of hexadecimal digits: `4d5a90`, `4D 5A 90`, `4D-5A-90`,
//! `\x4d\x5a\x90`, over several lines or not.

use super::Decoded;
use crate::unpack::decode::hex_value;

/// Shorter runs are numbers and digests.
const BYTES_MIN: usize = 40;

/// The decoded runs in a text, one after the other.
pub(super) struct Pairs<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Pairs<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// Decodes the run at `start`, and goes behind it.
    fn run(&mut self, start: usize) -> Vec<u8> {
        let mut content = Vec::new();
        let mut at = start;
        while let Some(byte) = pair(self.text, at) {
            content.push(byte);
            at += 2;
            self.at = at;
            at += gap(&self.text[at..]);
        }
        self.at = self.at.max(start + 1);
        content
    }
}

impl Iterator for Pairs<'_> {
    type Item = Decoded;

    fn next(&mut self) -> Option<Decoded> {
        loop {
            let rest = self.text.get(self.at..)?;
            let offset = self.at + rest.iter().position(|byte| hex_value(*byte).is_some())?;
            self.at = offset;
            if self.is_inside_word(offset) {
                self.skip_word();
                continue;
            }
            let content = self.run(offset);
            if content.len() >= BYTES_MIN {
                return Some(Decoded { offset, content });
            }
        }
    }
}

impl Pairs<'_> {
    /// Whether a letter before `offset` makes the digit part of a word; an `x`
    /// is what announces digits.
    fn is_inside_word(&self, offset: usize) -> bool {
        offset.checked_sub(1).is_some_and(|before| {
            self.text[before].is_ascii_alphanumeric() && self.text[before] != b'x'
        })
    }

    fn skip_word(&mut self) {
        let rest = &self.text[self.at..];
        let len = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() && **byte != b'x')
            .count();
        self.at += len.max(1);
    }
}

fn pair(text: &[u8], at: usize) -> Option<u8> {
    let [high, low] = text.get(at..at + 2)? else {
        return None;
    };
    Some(hex_value(*high)? << 4 | hex_value(*low)?)
}

/// Bytes between two pairs of one run.
fn gap(text: &[u8]) -> usize {
    const INDENT_MAX_BYTES: usize = 40;
    match text {
        [b'\\', b'x', ..] => 2,
        [b' ' | b'-' | b':' | b'%', ..] => 1,
        [b'\r' | b'\n', ..] => text
            .iter()
            .take(INDENT_MAX_BYTES)
            .take_while(|byte| byte.is_ascii_whitespace())
            .count(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_found_in_every_form() {
        for (first, between) in [
            ("", ""),
            ("0x", ""),
            ("", " "),
            ("", "-"),
            ("\\x", "\\x"),
            ("", "\r\n  "),
        ] {
            let digits = vec!["4d"; 50].join(between);
            let text = format!("x = \"{first}{digits}\"");
            let found: Vec<_> = Pairs::new(text.as_bytes()).collect();
            assert_eq!(found.len(), 1, "{between:?}");
            assert_eq!(found[0].offset, 5 + first.len());
            assert_eq!(found[0].content, [0x4d; 50]);
        }
        assert_eq!(Pairs::new(b"deadbeef").count(), 0);
        let word = format!("z{}", "ab".repeat(50));
        assert_eq!(Pairs::new(word.as_bytes()).count(), 0);
    }
}
