//! Runs of base64 digits, put together from the lines and string literals they
//! are spread over.

use super::Joint;
use super::joints::joint;

/// Shorter runs are words. As a command, 24 digits are nine characters.
const DIGITS_MIN: usize = 24;
/// Shorter runs in the alphabet for URLs are names and words with hyphens.
const URL_DIGITS_MIN: usize = 64;
/// A run is continued in the next line or literal only behind so many digits.
const SEGMENT_DIGITS_MIN: usize = 16;

/// A run found.
pub(super) struct Run<'a> {
    /// Where its first digit is.
    pub(super) offset: usize,
    pub(super) digits: &'a [u8],
    /// Where the digits go on in another literal.
    pub(super) joints: &'a [Joint],
    /// It has `-` or `_` in place of `+` and `/`. They may as well part runs of
    /// the usual alphabet: see [`Runs::again`].
    pub(super) is_url: bool,
}

/// The runs in a text, one after the other.
pub(super) struct Runs<'a> {
    text: &'a [u8],
    at: usize,
    digits: Vec<u8>,
    joints: Vec<Joint>,
    /// Runs that begin before this are of the usual alphabet.
    usual_until: usize,
}

impl<'a> Runs<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            at: 0,
            digits: Vec::new(),
            joints: Vec::new(),
            usual_until: 0,
        }
    }

    /// Finds the next run. The digits are there until the next call: one buffer
    /// serves them all.
    pub(super) fn next(&mut self) -> Option<Run<'_>> {
        loop {
            let rest = self.text.get(self.at..)?;
            let offset = self.at + rest.iter().position(|byte| is_digit(*byte))?;
            self.collect(offset);
            let has = |one, other| self.digits.iter().any(|byte| [one, other].contains(byte));
            let is_url = has(b'-', b'_');
            if is_url && (self.digits.len() < URL_DIGITS_MIN || has(b'+', b'/')) {
                self.again(offset);
            } else if self.digits.len() >= DIGITS_MIN {
                return Some(Run {
                    offset,
                    digits: &self.digits,
                    joints: &self.joints,
                    is_url,
                });
            }
        }
    }

    /// Goes back to the run at `offset`, to read it in the usual alphabet. No byte is read a third time: what was read takes part in no other
    /// run of that alphabet.
    pub(super) fn again(&mut self, offset: usize) {
        self.usual_until = self.at;
        self.at = offset;
    }

    /// Collects the digits from `start` on, and goes behind them.
    fn collect(&mut self, start: usize) {
        let may_be_url = start >= self.usual_until;
        self.digits.clear();
        self.joints.clear();
        let mut segment = start;
        loop {
            let len = digits_len(&self.text[segment..], may_be_url);
            let end = segment + len;
            self.at = end;
            // Most runs are words, which need not be copied.
            let is_first = segment == start;
            if is_first && len < SEGMENT_DIGITS_MIN {
                return;
            }
            self.digits.extend_from_slice(&self.text[segment..end]);
            if len < SEGMENT_DIGITS_MIN {
                return;
            }
            let line = line_break(&self.text[end..]);
            let next = line.or_else(|| joint(self.text, start, end));
            match next.map(|gap| end + gap) {
                Some(next) if has_digit(&self.text[next..], may_be_url) => segment = next,
                _ => return,
            }
            if line.is_none() {
                self.joints.push(Joint {
                    offset: segment,
                    at: self.digits.len(),
                });
            }
        }
    }
}

/// How far the next line is.
fn line_break(text: &[u8]) -> Option<usize> {
    const GAP_MAX_BYTES: usize = 64;
    if !matches!(text.first()?, b'\r' | b'\n') {
        return None;
    }
    text.iter()
        .take(GAP_MAX_BYTES)
        .position(|byte| !matches!(byte, b'\r' | b'\n' | b' ' | b'\t'))
}

/// Whether a line or literal begins with a digit. Two hyphens begin a boundary,
/// and one with a blank behind it an item of a list.
fn has_digit(text: &[u8], may_be_url: bool) -> bool {
    match text {
        [b'_', ..] => may_be_url,
        [b'-', next, ..] if may_be_url => is_digit(*next) || *next == b'_',
        _ => text.first().is_some_and(|byte| is_digit(*byte)),
    }
}

/// How many digits `text` begins with.
fn digits_len(text: &[u8], may_be_url: bool) -> usize {
    /// The beginning or end of a part of the text, and no digits.
    const LINE: &[u8] = b"----";
    let is_in = |index: usize, byte: u8| match byte {
        b'_' => may_be_url,
        b'-' => may_be_url && !text[index..].starts_with(LINE),
        _ => is_digit(byte),
    };
    text.iter()
        .enumerate()
        .take_while(|(index, byte)| is_in(*index, **byte))
        .count()
}

const fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_put_together() {
        let line = "A".repeat(40);
        for (text, expected) in [
            (format!("x = '{line}';"), vec![(5, 40)]),
            (format!("{line}\r\n  {line}\r\nAB=="), vec![(0, 82)]),
            (format!("\"{line}\" + _\r\n \"{line}\""), vec![(1, 80)]),
            (format!("'{line}' '{line}'"), vec![(1, 40), (44, 40)]),
            (
                format!("x = \"{line}\"\r\nx = x & \"{line}\"\r\nx = x & \"AB\""),
                vec![(5, 82)],
            ),
            (
                format!("x = '{line}'; y += '{line}'"),
                vec![(5, 40), (54, 40)],
            ),
            (
                "some words that are short, and-a-longer.one".to_owned(),
                vec![],
            ),
            (format!("short\n{line}"), vec![(6, 40)]),
        ] {
            let mut runs = Runs::new(text.as_bytes());
            let mut found = Vec::new();
            while let Some(run) = runs.next() {
                found.push((run.offset, run.digits.len()));
            }
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn the_alphabet_for_urls_is_read_where_nothing_speaks_against_it() {
        let line = "A-b_".repeat(20);
        let usual = "A".repeat(40);
        for (text, expected) in [
            (format!("'{line}'"), vec![(1, 80, true)]),
            (format!("{line}\n-A{line}\nAB"), vec![(0, 164, true)]),
            (format!("x = '{line}'; x += '_A'"), vec![(5, 82, true)]),
            // Too short.
            (format!("{usual}-{}", &usual[..10]), vec![(0, 40, false)]),
            // Of both alphabets.
            (
                format!("{usual}+-{usual}"),
                vec![(0, 41, false), (42, 40, false)],
            ),
            (format!("{line}\n____{line}"), vec![(0, 164, true)]),
            // Items of a list, boundaries and the lines around a key.
            (
                format!("{usual}{usual}\n- {usual}"),
                vec![(0, 80, false), (83, 40, false)],
            ),
            (
                format!("{usual}\n--{usual}"),
                vec![(0, 40, false), (43, 40, false)],
            ),
            (format!("{usual}{usual}-----END-----"), vec![(0, 80, false)]),
            (
                format!("-----BEGIN CERTIFICATE-----\n{usual}"),
                vec![(28, 40, false)],
            ),
            ("a-word-with-hyphens and-another_one".to_owned(), vec![]),
        ] {
            let mut runs = Runs::new(text.as_bytes());
            let mut found = Vec::new();
            while let Some(run) = runs.next() {
                found.push((run.offset, run.digits.len(), run.is_url));
            }
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_run_can_be_read_again_in_the_usual_alphabet() {
        let text = format!("a_name_{}-and-more", "A".repeat(80));
        let mut runs = Runs::new(text.as_bytes());
        let offset = runs.next().filter(|run| run.is_url).unwrap().offset;
        runs.again(offset);
        let run = runs.next().unwrap();
        assert_eq!((run.offset, run.digits.len(), run.is_url), (7, 80, false));
        assert!(runs.next().is_none());
    }
}
