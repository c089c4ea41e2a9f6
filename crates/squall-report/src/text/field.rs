//! A key with its value in a text line, and what keeps a value from looking
//! like another key.

use std::borrow::Cow;

use super::Layout;
use crate::{
    limits,
    visible::{self, Quotes},
};

/// A key with its value.
pub(super) struct Field {
    key: Cow<'static, str>,
    value: String,
}

impl Field {
    pub(super) fn new(key: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
        }
    }

    /// Tells whether there is a value to show.
    pub(super) fn has_value(&self) -> bool {
        !self.value.is_empty()
    }

    /// Appends the key and the escaped value.
    pub(super) fn write(&self, layout: Layout, line: &mut String) {
        line.push_str(&self.key);
        match layout {
            Layout::Plain => {
                line.push_str(": ");
                let shown = visible::text(&self.value, limits::VALUE_CHARS_MAX, Quotes::No);
                line.push_str(&without_keys(&shown));
            }
            Layout::KeyValue => {
                line.push_str("=\"");
                line.push_str(&visible::text(
                    &self.value,
                    limits::VALUE_CHARS_MAX,
                    Quotes::Yes,
                ));
                line.push('"');
            }
        }
    }
}

/// Takes the colon from every word of a value that a parser would take for a
/// key.
fn without_keys(value: &str) -> Cow<'_, str> {
    if !value.split(' ').any(is_key) {
        return Cow::Borrowed(value);
    }
    let words = value.split(' ').map(|word| {
        if is_key(word) {
            Cow::Owned(word.replace(':', "\\x3a"))
        } else {
            Cow::Borrowed(word)
        }
    });
    Cow::Owned(words.collect::<Vec<_>>().join(" "))
}

/// Tells whether a word looks like a key: `SCORE:`, `REASON_1:`.
fn is_key(word: &str) -> bool {
    word.strip_suffix(':').is_some_and(|name| {
        name.starts_with(|c: char| c.is_ascii_uppercase())
            && name
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(layout: Layout, value: &str) -> String {
        let mut line = String::new();
        Field::new("FILE", value).write(layout, &mut line);
        line
    }

    #[test]
    fn a_value_cannot_hold_a_key() {
        assert_eq!(
            written(Layout::Plain, "SCORE: 0 x TYPE: MD5:"),
            r"FILE: SCORE\x3a 0 x TYPE\x3a MD5\x3a"
        );
        assert_eq!(
            written(Layout::Plain, "a\u{a0}SCORE: 0\nSCORE: 1"),
            r"FILE: a\u{a0}SCORE: 0\x0aSCORE: 1"
        );
    }

    #[test]
    fn what_is_no_key_keeps_its_colon() {
        for value in ["C:\\a b", "C:\\SCORE:x", "Note: y", "http://x", "a:", "::"] {
            assert_eq!(written(Layout::Plain, value), format!("FILE: {value}"));
        }
    }

    #[test]
    fn a_quoted_value_cannot_end_early() {
        assert_eq!(
            written(Layout::KeyValue, "a\" SCORE=\"0\\"),
            r#"FILE="a\" SCORE=\"0\\""#
        );
    }
}
