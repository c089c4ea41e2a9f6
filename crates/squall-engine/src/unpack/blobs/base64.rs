//! Runs of base64 digits, put together from the lines and string literals they
//! are spread over.

/// Shorter runs are words. As a command, 24 digits are nine characters.
const DIGITS_MIN: usize = 24;
/// A run is continued in the next line or literal only behind so many digits.
const SEGMENT_DIGITS_MIN: usize = 16;

/// A run found.
pub(super) struct Run<'a> {
    /// Where its first digit is.
    pub(super) offset: usize,
    pub(super) digits: &'a [u8],
}

/// The runs in a text, one after the other.
pub(super) struct Runs<'a> {
    text: &'a [u8],
    at: usize,
    digits: Vec<u8>,
}

impl<'a> Runs<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            at: 0,
            digits: Vec::new(),
        }
    }

    /// Finds the next run. The digits are there until the next call: one buffer
    /// serves them all.
    pub(super) fn next(&mut self) -> Option<Run<'_>> {
        loop {
            let rest = self.text.get(self.at..)?;
            let offset = self.at + rest.iter().position(|byte| is_digit(*byte))?;
            self.collect(offset);
            if self.digits.len() >= DIGITS_MIN {
                return Some(Run {
                    offset,
                    digits: &self.digits,
                });
            }
        }
    }

    /// Collects the digits from `start` on, and goes behind them.
    fn collect(&mut self, start: usize) {
        self.digits.clear();
        let mut segment = start;
        loop {
            let rest = &self.text[segment..];
            let len = rest.iter().take_while(|byte| is_digit(**byte)).count();
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
            match continuation(&self.text[end..]) {
                Some(gap) => segment = end + gap,
                None => return,
            }
        }
    }
}

/// How far the next segment is, if the run goes on there: in the next line, or
/// in a string literal appended to this one.
fn continuation(text: &[u8]) -> Option<usize> {
    const GAP_MAX_BYTES: usize = 64;
    let window = &text[..text.len().min(GAP_MAX_BYTES)];
    let quote = match window.first()? {
        b'\r' | b'\n' => return line_break(window),
        quote @ (b'"' | b'\'') => *quote,
        _ => return None,
    };
    let mut has_operator = false;
    for (index, byte) in window.iter().enumerate().skip(1) {
        match byte {
            b'+' | b'&' | b'.' | b',' => has_operator = true,
            b' ' | b'\t' | b'\r' | b'\n' | b'_' | b'\\' | b'`' | b'^' => {}
            byte if *byte == quote && has_operator => {
                return is_digit(*window.get(index + 1)?).then_some(index + 1);
            }
            _ => return None,
        }
    }
    None
}

fn line_break(window: &[u8]) -> Option<usize> {
    let gap = window
        .iter()
        .position(|byte| !matches!(byte, b'\r' | b'\n' | b' ' | b'\t'))?;
    is_digit(window[gap]).then_some(gap)
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
}
