//! What of a part cannot be looked at, though the part itself is there.

use memchr::{memmem, memrchr2};
use squall_types::IncompleteReason;

use super::Part;
use crate::file_type;
use crate::unpack::{Format, Trouble, sealed};

/// The gaps of a part without parts, whose decoded content this is.
pub(super) fn of_part(part: &Part<'_>, content: &[u8]) -> impl Iterator<Item = Trouble> {
    [
        elsewhere(part),
        encoding(part),
        binhex(part, content),
        cryptography(part, content),
    ]
    .into_iter()
    .flatten()
}

/// A part of which the rest is in other messages, or all of it on a server.
fn elsewhere(part: &Part<'_>) -> Option<Trouble> {
    let description = match part.content_type.value.as_str() {
        "message/partial" => "a fragment of a message, whose other fragments are in other ones",
        "message/external-body" => "a reference to content that is not in the message",
        _ => return None,
    };
    Some(Trouble {
        reason: IncompleteReason::Truncated,
        description: description.to_owned(),
    })
}

/// A part in a transfer encoding that is not known, and so not decoded.
pub(super) fn encoding(part: &Part<'_>) -> Option<Trouble> {
    const SHOWN_MAX_CHARS: usize = 40;
    let is_known = is_decoded(&part.encoding) || is_as_it_is(&part.encoding);
    if is_known || part.body.trim_ascii().is_empty() {
        return None;
    }
    let shown: String = part
        .encoding
        .chars()
        .take(SHOWN_MAX_CHARS)
        .map(|character| match character {
            '!'..='~' => character,
            _ => '?',
        })
        .collect();
    Some(Trouble::unsupported(format_args!(
        "the transfer encoding `{shown}` is not known"
    )))
}

/// Tells whether a transfer encoding is one that is decoded.
fn is_decoded(encoding: &str) -> bool {
    matches!(
        encoding,
        "base64" | "quoted-printable" | "x-uuencode" | "uuencode" | "x-uue"
    )
}

/// Tells whether a transfer encoding stands for none. Of these names only three
/// are right; programs that do not know better write the others, charsets for
/// example, and mail programs show such a part as it is.
fn is_as_it_is(encoding: &str) -> bool {
    const CHARSETS: [&str; 2] = ["iso-8859-", "windows-125"];
    let is_listed = matches!(
        encoding,
        // The number alone is what is read of `8 bit`.
        "" | "7"
            | "7bit"
            | "7bits"
            | "7-bit"
            | "8"
            | "8bit"
            | "8bits"
            | "8-bit"
            | "binary"
            | "none"
            | "plain"
            | "text/plain"
            | "identity"
            | "raw"
            | "ascii"
            | "us-ascii"
            | "utf8"
            | "utf-8"
    );
    is_listed || CHARSETS.iter().any(|charset| encoding.starts_with(charset))
}

/// A file in BinHex, which old mail programs on the Macintosh write.
fn binhex(part: &Part<'_>, content: &[u8]) -> Option<Trouble> {
    const KIND: &str = "application/mac-binhex40";
    const LINE: &[u8] = b"(This file must be converted with BinHex 4.0)";
    let is_binhex = part.content_type.value == KIND
        || memmem::find_iter(content, LINE)
            .any(|at| at == 0 || matches!(content[at - 1], b'\n' | b'\r'));
    is_binhex.then(|| Trouble::unsupported("a file in BinHex 4.0, which is not decoded"))
}

/// A part only its receiver can read.
fn cryptography(part: &Part<'_>, content: &[u8]) -> Option<Trouble> {
    declared_cryptography(part).or_else(|| {
        let is_sealed = sealed::check(content).is_err();
        // Then the content is reported as soon as it is opened as a member.
        if is_sealed && Format::of(file_type::detect(content)) == Some(Format::Sealed) {
            return None;
        }
        let is_encrypted = is_sealed || (is_text(part) && has_armour(content));
        is_encrypted.then(|| encrypted("an encrypted message"))
    })
}

/// The same, by what the header says of the part.
fn declared_cryptography(part: &Part<'_>) -> Option<Trouble> {
    let kind = part.content_type.value.as_str();
    if !matches!(kind, "application/pkcs7-mime" | "application/x-pkcs7-mime") {
        return None;
    }
    let smime_type = part
        .content_type
        .parameter("smime-type")
        .unwrap_or_default();
    match smime_type.to_ascii_lowercase().as_str() {
        "certs-only" => None,
        "signed-data" | "compressed-data" => Some(Trouble::unsupported(
            "a message inside its S/MIME signature",
        )),
        _ => Some(encrypted("an S/MIME encrypted message")),
    }
}

fn encrypted(description: &str) -> Trouble {
    Trouble {
        reason: IncompleteReason::Encrypted,
        description: description.to_owned(),
    }
}

/// Tells whether the content is text; that of a multipart is, if it has no
/// parts.
fn is_text(part: &Part<'_>) -> bool {
    let kind = part.content_type.value.as_str();
    matches!(kind, "" | "text") || kind.starts_with("text/") || kind.starts_with("multipart/")
}

/// Tells whether an encrypted message stands in a text, in lines of its own.
fn has_armour(text: &[u8]) -> bool {
    // In several pieces it goes on with a comma and their number.
    const PGP: &[u8] = b"-----BEGIN PGP MESSAGE";
    const AGE: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE";
    [PGP, AGE].into_iter().any(|mark| {
        memmem::find_iter(text, mark).any(|at| {
            let after = &text[at + mark.len()..];
            matches!(after.first(), Some(b'-' | b','))
                && begins_line(text, at)
                && is_followed_by_data(after)
        })
    })
}

/// Tells whether the place is at the beginning of a line, but for the marks of
/// an answer, of what is signed and of the byte order, or behind a tag of HTML.
fn begins_line(text: &[u8], at: usize) -> bool {
    // Looking further back would take long in a line without end.
    const BEFORE_MAX_BYTES: usize = 100;
    const MARKS: &[u8] = b" \t>|-\xef\xbb\xbf";
    let before = &text[at.saturating_sub(BEFORE_MAX_BYTES)..at];
    let line = memrchr2(b'\n', b'\r', before).map_or(before, |end| &before[end + 1..]);
    line.ends_with(b">") || line.iter().all(|byte| MARKS.contains(byte))
}

/// Tells whether base64 follows the line on which an encrypted message begins,
/// as it does not where somebody explains what one looks like. What is between
/// them may be anything: headers, which mail programs wrap, and in HTML tags.
fn is_followed_by_data(after: &[u8]) -> bool {
    const AHEAD_MAX_BYTES: usize = 2000;
    let ahead = &after[..after.len().min(AHEAD_MAX_BYTES)];
    // The ends of tags are also the marks of an answer.
    ahead
        .split(|byte| matches!(byte, b'\n' | b'\r' | b'<' | b'>'))
        .skip(1)
        .take_while(|line| memmem::find(line, b"-----").is_none())
        .any(is_base64)
}

/// Tells whether a line, but for the marks before it, is base64 and no word.
fn is_base64(line: &[u8]) -> bool {
    const DIGITS_MIN: usize = 16;
    let is_mark = |byte: &u8| matches!(byte, b' ' | b'\t' | b'|');
    let start = line.iter().take_while(|byte| is_mark(byte)).count();
    let line = line[start..].trim_ascii_end();
    let digits = line.strip_suffix(b"=").unwrap_or(line);
    let digits = digits.strip_suffix(b"=").unwrap_or(digits);
    digits.len() >= DIGITS_MIN
        && digits.iter().any(u8::is_ascii_uppercase)
        && digits
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}
