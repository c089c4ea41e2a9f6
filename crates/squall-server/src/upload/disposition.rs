//! Reads `Content-Disposition` of a part the way senders of files write it.
//!
//! The parser's own reading does not do: it loses names that are not UTF-8
//! and the extended form, and treats `\` as an escape, which would turn
//! `C:\Users` into something else.

use std::borrow::Cow;

use percent_encoding::percent_decode;

/// Longest file name that is kept, in characters. Longer ones lose their
/// middle, so that directory and extension both survive.
const FILE_NAME_CHARS_MAX: usize = 4096;

/// What a part says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Disposition {
    /// The form field's name.
    pub(crate) name: Option<String>,
    /// The file's name on the sender.
    pub(crate) file_name: Option<String>,
}

impl Disposition {
    /// Reads the value of the header; what is malformed is left out.
    pub(crate) fn parse(value: &[u8]) -> Self {
        let mut disposition = Self::default();
        let mut extended = None;
        let mut rest = skip_past(value, b';');
        while let Some((parameter, tail)) = next_parameter(rest) {
            rest = tail;
            let target = match &parameter.name.to_ascii_lowercase()[..] {
                b"name" => &mut disposition.name,
                b"filename" => &mut disposition.file_name,
                b"filename*" => {
                    extended = extended.or_else(|| decode_extended(&parameter.raw));
                    continue;
                }
                _ => continue,
            };
            // The first wins: a second one was put there by somebody else.
            if target.is_none() {
                *target = Some(decode_plain(&parameter));
            }
        }
        if extended.is_some() {
            disposition.file_name = extended;
        }
        disposition.file_name = disposition.file_name.map(shorten);
        disposition
    }
}

struct Parameter<'a> {
    name: &'a [u8],
    /// The value without its quotes and with `\"` undone.
    raw: Cow<'a, [u8]>,
    quoted: bool,
}

fn next_parameter(input: &[u8]) -> Option<(Parameter<'_>, &[u8])> {
    let input = input.trim_ascii_start();
    if input.is_empty() {
        return None;
    }
    let name_len = input
        .iter()
        .position(|&byte| byte == b'=' || byte == b';')
        .unwrap_or(input.len());
    let name = input[..name_len].trim_ascii();
    let Some(value) = input[name_len..].strip_prefix(b"=") else {
        let raw = Cow::Borrowed(&b""[..]);
        let quoted = false;
        return Some((Parameter { name, raw, quoted }, skip_past(input, b';')));
    };
    let value = value.trim_ascii_start();
    if let Some(inner) = value.strip_prefix(b"\"") {
        let end = closing_quote(inner);
        let raw = unescape_quotes(&inner[..end]);
        let rest = skip_past(&inner[end..], b';');
        let quoted = true;
        return Some((Parameter { name, raw, quoted }, rest));
    }
    let end = value
        .iter()
        .position(|&byte| byte == b';')
        .unwrap_or(value.len());
    let raw = Cow::Borrowed(value[..end].trim_ascii());
    let quoted = false;
    Some((Parameter { name, raw, quoted }, skip_past(value, b';')))
}

/// Finds the quote that ends a quoted value. `\"` is an escaped quote, unless
/// no other follows: then the name ended in a backslash, as a directory does.
fn closing_quote(inner: &[u8]) -> usize {
    let mut escaped_last = None;
    for (at, &byte) in inner.iter().enumerate() {
        if byte != b'"' {
            continue;
        }
        if at == 0 || inner[at - 1] != b'\\' {
            return at;
        }
        escaped_last = Some(at);
    }
    escaped_last.unwrap_or(inner.len())
}

fn unescape_quotes(raw: &[u8]) -> Cow<'_, [u8]> {
    if !raw.contains(&b'"') {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    for &byte in raw {
        if byte == b'"' && out.last() == Some(&b'\\') {
            out.pop();
        }
        out.push(byte);
    }
    Cow::Owned(out)
}

/// Undoes what browsers and new versions of `curl` escape (the WHATWG form
/// encoding): the quote and the line ends, and nothing else, since any other
/// percent sign belongs to the name.
fn decode_plain(parameter: &Parameter<'_>) -> String {
    let text = String::from_utf8_lossy(&parameter.raw);
    if !parameter.quoted || !text.contains('%') {
        return text.into_owned();
    }
    text.replace("%22", "\"")
        .replace("%0D", "\r")
        .replace("%0A", "\n")
}

/// Decodes `UTF-8''na%20me` (RFC 5987).
fn decode_extended(raw: &[u8]) -> Option<String> {
    let mut pieces = raw.splitn(3, |&byte| byte == b'\'');
    let charset = pieces.next()?;
    let _language = pieces.next()?;
    let bytes: Vec<u8> = percent_decode(pieces.next()?).collect();
    if charset.eq_ignore_ascii_case(b"utf-8") {
        Some(String::from_utf8_lossy(&bytes).into_owned())
    } else if charset.eq_ignore_ascii_case(b"iso-8859-1") {
        Some(bytes.into_iter().map(char::from).collect())
    } else {
        None
    }
}

fn shorten(name: String) -> String {
    // Bytes are never fewer than characters, so most names need no count.
    if name.len() <= FILE_NAME_CHARS_MAX {
        return name;
    }
    let count = name.chars().count();
    if count <= FILE_NAME_CHARS_MAX {
        return name;
    }
    let half = FILE_NAME_CHARS_MAX / 2;
    let head = name.chars().take(half);
    let tail = name.chars().skip(count - half + 1);
    head.chain(['…']).chain(tail).collect()
}

fn skip_past(input: &[u8], byte: u8) -> &[u8] {
    match input.iter().position(|&b| b == byte) {
        Some(at) => &input[at + 1..],
        None => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_name(value: impl AsRef<[u8]>) -> String {
        let disposition = Disposition::parse(value.as_ref());
        assert_eq!(disposition.name.as_deref(), Some("file"));
        disposition.file_name.unwrap()
    }

    #[test]
    fn paths_survive_as_they_are() {
        for path in [
            r"C:\Users\x\a.exe",
            "/var/www/a b.php",
            "../../etc/passwd",
            r"\\server\share\x",
            r"C:\dir\",
            "50%25 off.txt",
            "semi;colon=1.txt",
            "grüße.txt",
        ] {
            let value = format!("form-data; name=\"file\"; filename=\"{path}\"");
            assert_eq!(file_name(value), path);
        }
    }

    #[test]
    fn escapes_of_both_kinds_are_undone() {
        assert_eq!(
            file_name(br#"form-data; name="file"; filename="a\"b\".txt""#),
            "a\"b\".txt"
        );
        assert_eq!(
            file_name(br#"form-data; name="file"; filename="a%22b%0D%0A.txt""#),
            "a\"b\r\n.txt"
        );
    }

    #[test]
    fn the_extended_form_wins_in_any_order() {
        assert_eq!(
            file_name("form-data; filename*=UTF-8''na%C3%AFve%20file; name=file; filename=\"x\""),
            "naïve file"
        );
        assert_eq!(
            file_name("form-data; name=file; filename=x; filename*=iso-8859-1'en'%E4"),
            "ä"
        );
        assert_eq!(
            file_name("form-data; name=file; filename=x; filename*=klingon''%E4"),
            "x"
        );
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_replaced() {
        assert_eq!(
            file_name(b"form-data; name=\"file\"; filename=\"gr\xfc\xdfe.txt\""),
            "gr\u{fffd}\u{fffd}e.txt"
        );
    }

    #[test]
    fn a_long_name_keeps_both_ends() {
        let name = file_name(format!(
            "form-data; name=file; filename=\"/start/{}.exe\"",
            "é".repeat(65_536)
        ));
        assert_eq!(name.chars().count(), FILE_NAME_CHARS_MAX);
        assert!(name.starts_with("/start/é") && name.ends_with("é.exe"));
    }

    #[test]
    fn the_first_of_two_names_wins() {
        let disposition = Disposition::parse(b"form-data; NAME=file; name=other");
        assert_eq!(disposition.name.as_deref(), Some("file"));
        assert_eq!(disposition.file_name, None);
    }

    #[test]
    fn junk_is_no_disposition() {
        for junk in [
            &b""[..],
            b"form-data",
            b";;;=;\"",
            b"form-data; \"\"=\"",
            b"\xff;\xfe",
        ] {
            assert_eq!(Disposition::parse(junk), Disposition::default());
        }
        assert_eq!(
            Disposition::parse(b"form-data; name=\"unterminated")
                .name
                .as_deref(),
            Some("unterminated")
        );
    }
}
