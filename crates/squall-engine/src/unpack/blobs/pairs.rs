//! Runs of pairs of hexadecimal digits: `4d5a90`, `4D 5A 90`, `4D-5A-90`,
//! `\x4d\x5a\x90`, over several lines or literals or not.

use super::joints::joint;
use super::{Decoded, Joint};
use crate::unpack::decode::hex_value;

/// Shorter runs are numbers and digests.
const BYTES_MIN: usize = 40;
/// A run is continued in the next literal only behind so many pairs.
const SEGMENT_BYTES_MIN: usize = 8;

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
    fn run(&mut self, start: usize) -> Decoded {
        let mut content = Vec::new();
        let mut joints = Vec::new();
        let mut segment = 0;
        let mut at = start;
        loop {
            if let Some(byte) = pair(self.text, at) {
                content.push(byte);
                at += 2;
                self.at = at;
                at += gap(&self.text[at..]);
            } else if content.len() - segment >= SEGMENT_BYTES_MIN
                && let Some(next) = self.next_literal(start, at)
            {
                segment = content.len();
                at = next;
                joints.push(Joint {
                    offset: next,
                    at: segment,
                });
            } else {
                break;
            }
        }
        self.at = self.at.max(start + 1);
        Decoded {
            offset: start,
            content,
            joints,
        }
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
            let run = self.run(offset);
            if run.content.len() >= BYTES_MIN {
                return Some(run);
            }
        }
    }
}

impl Pairs<'_> {
    /// Where the digits go on in another literal. What commas part are digests.
    fn next_literal(&self, start: usize, end: usize) -> Option<usize> {
        let next = end + joint(self.text, start, end)?;
        if self.text[end..next].contains(&b',') {
            return None;
        }
        let is_escaped = self.text[next..].starts_with(b"\\x");
        Some(if is_escaped { next + 2 } else { next })
    }

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

    #[test]
    fn literals_are_put_together() {
        let digits = "4d".repeat(30);
        let escaped = "\\x4d".repeat(30);
        for (text, expected) in [
            (
                format!("x = \"{digits}\"\r\nx = x & \"{digits}\""),
                vec![60],
            ),
            (format!("x = '{digits}'; x += '{digits}'"), vec![60]),
            (format!("x = '{digits}' + '{digits}'"), vec![60]),
            (format!("$x = '{escaped}';\n$x .= '{escaped}';"), vec![60]),
            (
                format!("x = '{digits}{digits}'; y += '{digits}{digits}'"),
                vec![60, 60],
            ),
            (format!("['{digits}', '{digits}']"), vec![]),
        ] {
            let found: Vec<_> = Pairs::new(text.as_bytes())
                .map(|found| found.content.len())
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
