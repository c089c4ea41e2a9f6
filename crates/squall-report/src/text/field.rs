//! A key with its value in a text line, and what keeps a value from looking
//! like another key.

use std::borrow::Cow;

use super::Layout;
use crate::{
    limits,
    visible::{self, Quotes},
};

/// A key with its value.
pub(crate) struct Field {
    key: Cow<'static, str>,
    value: String,
}

impl Field {
    pub(crate) fn new(key: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
        }
    }

    /// Returns the key.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Returns the value as it is.
    pub(crate) fn value(&self) -> &str {
        &self.value
    }

    /// Tells whether there is a value to show.
    pub(crate) fn has_value(&self) -> bool {
        !self.value.is_empty()
    }

    /// Appends the key and the escaped value.
    pub(crate) fn write(&self, layout: Layout, line: &mut String) {
        self.write_cut(layout, limits::VALUE_CHARS_MAX, line);
    }

    /// Appends the key and at most `chars_max` characters of the value, before
    /// escaping.
    pub(crate) fn write_cut(&self, layout: Layout, chars_max: usize, line: &mut String) {
        line.push_str(&self.key);
        match layout {
            Layout::Plain => {
                line.push_str(": ");
                let shown = visible::text(&self.value, chars_max, Quotes::No);
                line.push_str(&without_keys(&shown));
            }
            Layout::KeyValue => {
                line.push_str("=\"");
                line.push_str(&visible::text(&self.value, chars_max, Quotes::Yes));
                line.push('"');
            }
        }
    }
}

/// Escapes every colon of a value that would make what is before it look like
/// a key: `SCORE:`, `REASON_1:`, also at the end of a longer word, because many
/// a parser searches for the key without looking at what is before it.
pub(crate) fn without_keys(value: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied_to = 0;
    for (colon, _) in value.match_indices(':') {
        if is_key(&value[..colon]) && matches!(value.as_bytes().get(colon + 1), None | Some(b' ')) {
            out.push_str(&value[copied_to..colon]);
            out.push_str("\\x3a");
            copied_to = colon + 1;
        }
    }
    if copied_to == 0 {
        return Cow::Borrowed(value);
    }
    out.push_str(&value[copied_to..]);
    Cow::Owned(out)
}

/// Tells whether text ends like a key: in capital letters, digits and
/// underscores, with a capital letter among them.
fn is_key(text: &str) -> bool {
    text.bytes()
        .rev()
        .take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_')
        .any(|b| b.is_ascii_uppercase())
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
            r"FILE: a\u{a0}SCORE\x3a 0\x0aSCORE\x3a 1"
        );
    }

    #[test]
    fn what_is_no_key_keeps_its_colon() {
        for value in [
            "C:\\a b", "SCORE:x", "Note: y", "http://x", "a:", "::", "10: x",
        ] {
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
