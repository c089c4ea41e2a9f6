//! Untrusted text and bytes as text that a person can trust to see.
//!
//! Names of files, matched bytes and texts of rules come from outside. What a
//! terminal, a log viewer or a parser of lines would act on instead of showing
//! it is escaped: control characters, line and paragraph separators, characters
//! that turn the writing direction, invisible characters, and blanks other than
//! the space. ASCII ones become `\xNN`, others `\u{NNNN}`, bytes that are no
//! UTF-8 `\xNN`.
//!
//! A backslash that was there stays as it is, because paths of Windows must
//! stay readable, except in quotes; the JSON forms carry the exact bytes.

use std::fmt::Write as _;

/// What is put behind text that was cut.
const CUT: &str = "...";

/// Whether the text is going to stand in double quotes, where a quote and a
/// backslash must be escaped too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quotes {
    /// It is not.
    No,
    /// It is.
    Yes,
}

/// Returns untrusted text as visible text of at most `chars_max` characters
/// before escaping.
pub(crate) fn text(value: &str, chars_max: usize, quotes: Quotes) -> String {
    let mut out = String::with_capacity(value.len().min(chars_max));
    push_text(&mut out, value, chars_max, quotes);
    out
}

/// Returns untrusted text as a person can trust to see it on a terminal: at
/// most `chars_max` characters of it, with everything escaped that a terminal
/// would act on instead of showing it.
#[must_use]
pub fn shown(value: &str, chars_max: usize) -> String {
    text(value, chars_max, Quotes::No)
}

/// Returns matched bytes as visible text of at most `chars_max` characters
/// before escaping. `complete` tells whether the bytes are all that matched.
///
/// UTF-16 in little-endian order, as the wide strings of Windows are, is shown
/// as the text it is.
pub(crate) fn bytes(data: &[u8], complete: bool, chars_max: usize, quotes: Quotes) -> String {
    let mut out = String::new();
    let shown_all = if let Some(wide) = wide_text(data, complete) {
        push_text(&mut out, &wide, chars_max, quotes)
    } else {
        push_bytes(&mut out, data, chars_max, quotes)
    };
    if shown_all && !complete {
        out.push_str(CUT);
    }
    out
}

/// Tells whether a character must not be shown as it is.
pub(crate) fn is_hidden(c: char) -> bool {
    match c {
        ' '..='~' => false,
        '\u{ad}' // soft hyphen
        | '\u{34f}'
        | '\u{61c}' // Arabic letter mark
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' // zero width, direction marks
        | '\u{2028}'..='\u{202e}' // separators, direction embeddings and overrides
        | '\u{2060}'..='\u{206f}' // invisible operators, direction isolates
        | '\u{2800}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        c => c.is_control() || c.is_whitespace(),
    }
}

/// Returns bytes in hexadecimal, lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// Returns bytes in URL-safe base64 without padding.
pub(crate) fn base64_url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut bits = 0_u32;
        for index in 0..3 {
            bits = bits << 8 | u32::from(group.get(index).copied().unwrap_or(0));
        }
        for index in 0..=group.len() {
            let digit = bits >> (18 - 6 * index) & 0x3f;
            out.push(char::from(ALPHABET[digit as usize]));
        }
    }
    out
}

/// Appends text; returns whether all of it was shown.
fn push_text(out: &mut String, value: &str, chars_max: usize, quotes: Quotes) -> bool {
    let mut chars = value.chars();
    for c in chars.by_ref().take(chars_max) {
        push_char(out, c, quotes);
    }
    let shown_all = chars.as_str().is_empty();
    if !shown_all {
        out.push_str(CUT);
    }
    shown_all
}

/// Appends bytes, those that are UTF-8 as text; returns whether all were shown.
fn push_bytes(out: &mut String, data: &[u8], chars_max: usize, quotes: Quotes) -> bool {
    let mut left = chars_max;
    for chunk in data.utf8_chunks() {
        for c in chunk.valid().chars() {
            if left == 0 {
                out.push_str(CUT);
                return false;
            }
            left -= 1;
            push_char(out, c, quotes);
        }
        for byte in chunk.invalid() {
            if left == 0 {
                out.push_str(CUT);
                return false;
            }
            left -= 1;
            push_byte(out, *byte);
        }
    }
    true
}

fn push_char(out: &mut String, c: char, quotes: Quotes) {
    match c {
        '"' | '\\' if quotes == Quotes::Yes => {
            out.push('\\');
            out.push(c);
        }
        c if !is_hidden(c) => out.push(c),
        c if c.is_ascii() => push_byte(out, c as u8),
        c => {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
    }
}

fn push_byte(out: &mut String, byte: u8) {
    // Writing to a string cannot fail.
    let _ = write!(out, "\\x{byte:02x}");
}

/// Returns the text that the bytes are in UTF-16LE, if they clearly are that:
/// two characters or more, all visible, most of them ASCII. Bytes that are
/// visible UTF-8 hold no zero and so never pass.
fn wide_text(data: &[u8], complete: bool) -> Option<String> {
    let (units, rest) = data.as_chunks::<2>();
    if units.len() < 2 || (complete && !rest.is_empty()) {
        return None;
    }
    let is_ascii = |c: char| matches!(c, ' '..='~' | '\t' | '\n' | '\r');
    let text: String = char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit)))
        .collect::<Result<_, _>>()
        .ok()?;
    let ascii = text.chars().filter(|&c| is_ascii(c)).count();
    let clearly = text.chars().all(|c| is_ascii(c) || c.is_alphanumeric())
        && ascii * 4 >= text.chars().count() * 3;
    clearly.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(data: &[u8]) -> String {
        bytes(data, true, 64, Quotes::No)
    }

    #[test]
    fn visible_text_stays_as_it_is() {
        assert_eq!(shown("<%eval request(".as_bytes()), "<%eval request(");
        assert_eq!(shown("Größe 大小".as_bytes()), "Größe 大小");
        assert_eq!(shown(br"C:\new\x.exe"), r"C:\new\x.exe");
    }

    #[test]
    fn what_acts_instead_of_showing_is_escaped() {
        assert_eq!(shown(b"a\nb\0c\x7f"), r"a\x0ab\x00c\x7f");
        assert_eq!(
            shown("x\u{202e}gpj.exe\u{85}\u{2028}\u{a0}".as_bytes()),
            r"x\u{202e}gpj.exe\u{85}\u{2028}\u{a0}"
        );
        assert_eq!(shown(b"\xffMZ\x90\x00\xc3"), r"\xffMZ\x90\x00\xc3");
    }

    #[test]
    fn quotes_cannot_be_left() {
        assert_eq!(
            text("a\\\" b=\"c", 64, Quotes::Yes),
            r#"a\\\" b=\"c"#.to_owned()
        );
    }

    #[test]
    fn wide_strings_are_shown_as_text() {
        let wide =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        assert_eq!(shown(&wide("mimikatz")), "mimikatz");
        assert_eq!(shown(&wide("C:\\Übung")), "C:\\Übung");
        assert_eq!(shown(&wide("a\nb")), r"a\x0ab");
        // One character is no evidence, and an odd byte is none of UTF-16.
        assert_eq!(shown(b"a\0"), r"a\x00");
        assert_eq!(shown(b"a\0b\0c"), r"a\x00b\x00c");
        assert_eq!(bytes(b"a\0b\0c", false, 64, Quotes::No), "ab...");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(text("abcdef", 3, Quotes::No), "abc...");
        assert_eq!(text("abc", 3, Quotes::No), "abc");
        assert_eq!(bytes(b"ab\xff\xff\xff", true, 3, Quotes::No), r"ab\xff...");
        assert_eq!(bytes(b"abc", false, 3, Quotes::No), "abc...");
    }

    #[test]
    fn base64_has_no_padding() {
        assert_eq!(base64_url(b""), "");
        assert_eq!(base64_url(b"f"), "Zg");
        assert_eq!(base64_url(b"fo"), "Zm8");
        assert_eq!(base64_url(b"foobar"), "Zm9vYmFy");
        assert_eq!(base64_url(&[0xfb, 0xff]), "-_8");
    }
}
