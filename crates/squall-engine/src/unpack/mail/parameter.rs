//! A structured header field: its value, and parameters in all the ways they
//! are written (RFC 2045, 2047, 2231).

use super::word;
use crate::unpack::decode::hex_value;

/// Parameters looked at; a field has a handful.
const PARAMETERS_MAX: usize = 100;

/// `text/plain; charset=utf-8`, taken apart.
pub(super) struct Structured {
    /// What stands before the parameters, in lower case.
    pub(super) value: String,
    /// Names in lower case, values as written.
    parameters: Vec<(String, String)>,
}

impl Structured {
    pub(super) fn of(field: &str) -> Self {
        let mut pieces = Pieces { rest: field };
        let value: String = pieces
            .next()
            .unwrap_or_default()
            .chars()
            .filter(|character| !character.is_whitespace())
            .collect();
        let parameters = pieces
            .take(PARAMETERS_MAX)
            .filter_map(|piece| {
                let (name, value) = piece.split_once('=')?;
                Some((name.trim().to_ascii_lowercase(), unquoted(value.trim())))
            })
            .collect();
        Self {
            value: value.to_ascii_lowercase(),
            parameters,
        }
    }

    /// The value of a parameter, whose name must be lower case.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        self.continued(name)
            .or_else(|| self.find(name).map(word::decoded))
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find_map(|(found, value)| (found == name).then_some(value.as_str()))
    }

    /// A value in the form of RFC 2231: `name*=charset'language'text`, or in
    /// sections `name*0*=`, `name*1=`.
    fn continued(&self, name: &str) -> Option<String> {
        if let Some(value) = self.find(&format!("{name}*")) {
            let (charset, text) = extended(value);
            return Some(word::text(&percent_decoded(text), charset));
        }
        let mut bytes = Vec::new();
        let mut charset = String::new();
        for section in 0..PARAMETERS_MAX {
            if let Some(value) = self.find(&format!("{name}*{section}*")) {
                let text = if section == 0 {
                    let (found, text) = extended(value);
                    found.clone_into(&mut charset);
                    text
                } else {
                    value
                };
                bytes.extend(percent_decoded(text));
            } else if let Some(value) = self.find(&format!("{name}*{section}")) {
                bytes.extend_from_slice(value.as_bytes());
            } else {
                break;
            }
        }
        (!bytes.is_empty()).then(|| word::text(&bytes, &charset))
    }
}

/// The pieces of a field between semicolons outside quotes.
struct Pieces<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let mut is_quoted = false;
        let mut is_escaped = false;
        let end = self.rest.bytes().position(|byte| {
            let is_end = byte == b';' && !is_quoted;
            if byte == b'"' && !is_escaped {
                is_quoted = !is_quoted;
            }
            is_escaped = byte == b'\\' && is_quoted && !is_escaped;
            is_end
        });
        let (piece, rest) = match end {
            Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
            None => (self.rest, ""),
        };
        self.rest = rest;
        Some(piece)
    }
}

/// A value without its quotes. A backslash only escapes a quote or a backslash:
/// Windows paths are sent unescaped.
fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else {
        // What follows a token is a comment, or nothing.
        return value.trim_end_matches('"').to_owned();
    };
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => match characters.peek() {
                Some(next @ ('"' | '\\')) => {
                    text.push(*next);
                    characters.next();
                }
                _ => text.push('\\'),
            },
            other => text.push(other),
        }
    }
    text
}

/// Splits `charset'language'text`.
fn extended(value: &str) -> (&str, &str) {
    let mut pieces = value.splitn(3, '\'');
    match (pieces.next(), pieces.next(), pieces.next()) {
        (Some(charset), Some(_), Some(text)) => (charset, text),
        _ => ("", value),
    }
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => hex_value(*high)
                .zip(hex_value(*low))
                .map(|(high, low)| high << 4 | low),
            _ => None,
        };
        decoded.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() {
            &after[2..]
        } else {
            after
        };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_every_form() {
        for (field, expected) in [
            ("attachment; filename=a.exe", "a.exe"),
            ("attachment; FILENAME=\"a; b.exe\"; size=3", "a; b.exe"),
            ("attachment; filename=\"a\\\"b\"", "a\"b"),
            (
                "attachment; filename=\"C:\\temp\\a.exe\"",
                "C:\\temp\\a.exe",
            ),
            ("attachment; filename=\"open.exe", "open.exe"),
            ("attachment; filename*=UTF-8''na%C3%AFve.exe", "naïve.exe"),
            (
                "attachment; filename*0*=utf-8'en'a%20; filename*1=\"b.\"; filename*2=exe",
                "a b.exe",
            ),
            ("attachment; filename=\"=?UTF-8?B?w6QuZXhl?=\"", "ä.exe"),
            ("attachment; filename*=iso-8859-1''%E4%zz", "ä%zz"),
        ] {
            assert_eq!(
                Structured::of(field).parameter("filename").unwrap(),
                expected,
                "{field}"
            );
        }
        assert_eq!(Structured::of("Text / HTML ;").value, "text/html");
        assert_eq!(Structured::of("a; filename").parameter("filename"), None);
    }
}
