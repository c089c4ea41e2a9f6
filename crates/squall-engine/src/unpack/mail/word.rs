//! Text of header fields and bodies in whatever character set it came.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use crate::unpack::decode;

/// Decodes bytes in a character set named by the sender. Unknown: UTF-8 if it
/// can be, else the western European one.
pub(super) fn text(bytes: &[u8], charset: &str) -> String {
    let encoding = Encoding::for_label(charset.as_bytes()).unwrap_or_else(|| {
        if std::str::from_utf8(bytes).is_ok() {
            UTF_8
        } else {
            WINDOWS_1252
        }
    });
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// Makes a body readable for rules written in ASCII: recoded if its character
/// set does not write ASCII as ASCII, else as it is.
pub(super) fn readable<'a>(body: &'a [u8], charset: &str) -> Cow<'a, [u8]> {
    match Encoding::for_label(charset.as_bytes()) {
        Some(encoding) if !encoding.is_ascii_compatible() => {
            Cow::Owned(encoding.decode(body).0.into_owned().into_bytes())
        }
        _ => Cow::Borrowed(body),
    }
}

/// Decodes the encoded words (RFC 2047) in a value; the space between two of
/// them is not part of the text.
pub(super) fn decoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let Some((word, end)) = word_at(&rest[start..]) else {
            text.push_str(&rest[..start + 2]);
            rest = &rest[start + 2..];
            after_word = false;
            continue;
        };
        let between = &rest[..start];
        if !(after_word && between.trim().is_empty()) {
            text.push_str(between);
        }
        text.push_str(&word);
        rest = &rest[start + end..];
        after_word = true;
    }
    text.push_str(rest);
    text
}

/// The encoded word at the start of `text`, and its length there.
fn word_at(text: &str) -> Option<(String, usize)> {
    // Longer words are not legal; the bound keeps the time linear.
    const WORD_MAX_BYTES: usize = 4096;
    let mut end = text.len().min(WORD_MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut pieces = text[..end].strip_prefix("=?")?.splitn(3, '?');
    let (charset, kind, rest) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let encoded = &rest[..rest.find("?=")?];
    let bytes = match kind {
        "B" | "b" => decode::base64(encoded.as_bytes()),
        "Q" | "q" => decode::quoted_word(encoded.as_bytes()),
        _ => return None,
    };
    // The language may follow the character set.
    let charset_only = charset.split('*').next().unwrap_or_default();
    let len = "=?".len() + charset.len() + 1 + kind.len() + 1 + encoded.len() + "?=".len();
    Some((self::text(&bytes, charset_only), len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_are_decoded() {
        for (value, expected) in [
            (
                "=?utf-8?q?a_=C3=A4?= =?UTF-8*en?B?LmV4ZQ==?= x",
                "a ä.exe x",
            ),
            ("=?koi8-r?B?1MXT1C5leGU=?=", "тест.exe"),
            ("=?nonsense?Q?=E4?=", "ä"),
            ("=?x =?utf-8?x?y?=", "=?x =?utf-8?x?y?="),
            ("plain", "plain"),
        ] {
            assert_eq!(decoded(value), expected, "{value}");
        }
    }

    #[test]
    fn bodies_are_recoded_only_where_they_must_be() {
        assert_eq!(readable(b"a\0b\0", "utf-16le").as_ref(), b"ab");
        assert!(matches!(readable(b"\xe4", "iso-8859-1"), Cow::Borrowed(_)));
    }
}
