//! Messages and mailboxes, and the HTTP messages that look like them.

use super::{FileType, bytes, catalogue as types};

const HEADERS_MAX_BYTES: usize = 16 * 1024;
const HEADER_LINES_MAX: usize = 200;

/// Header fields only a message that went through a mail system has.
static CERTAIN: &[&[u8]] = &[
    b"received",
    b"return-path",
    b"message-id",
    b"delivered-to",
    b"mime-version",
    b"x-mailer",
    b"dkim-signature",
    b"authentication-results",
    b"x-originating-ip",
    b"envelope-to",
    b"arc-seal",
    b"x-received",
    b"x-sender",
    b"x-ms-exchange-organization-scl",
];

/// Header fields a note or a form may have as well.
static LIKELY: &[&[u8]] = &[
    b"from",
    b"to",
    b"subject",
    b"date",
    b"cc",
    b"bcc",
    b"reply-to",
    b"sender",
    b"content-type",
    b"content-transfer-encoding",
    b"importance",
    b"x-priority",
    b"thread-topic",
    b"thread-index",
    b"content-language",
    b"accept-language",
    b"in-reply-to",
    b"references",
];

/// Recognises a message, a mailbox or an HTTP exchange.
pub(super) fn detect(text: &[u8]) -> Option<FileType> {
    let text = bytes::head(text, HEADERS_MAX_BYTES);
    if is_http(text) {
        return Some(types::HTTP_MESSAGE);
    }
    if let Some(headers) = after_separator(text) {
        return Headers::of(headers).is_mail().then_some(types::MBOX);
    }
    let headers = Headers::of(text);
    if !headers.is_mail() {
        return None;
    }
    Some(if headers.is_web_archive {
        types::MHTML
    } else {
        types::EMAIL
    })
}

/// What stands below a mailbox's `From sender date` line.
fn after_separator(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"From ")?;
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    rest[..end]
        .iter()
        .any(u8::is_ascii_digit)
        .then_some(&rest[end + 1..])
}

fn is_http(text: &[u8]) -> bool {
    const METHODS: [&[u8]; 7] = [
        b"GET ",
        b"POST ",
        b"PUT ",
        b"HEAD ",
        b"OPTIONS ",
        b"DELETE ",
        b"CONNECT ",
    ];
    if let Some(version) = text.strip_prefix(b"HTTP/") {
        return version.first().is_some_and(u8::is_ascii_digit);
    }
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let line = text[..end].trim_ascii_end();
    METHODS.iter().any(|method| line.starts_with(method))
        && (line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0"))
}

#[derive(Default)]
struct Headers {
    certain: usize,
    likely: usize,
    has_sender: bool,
    is_web_archive: bool,
}

impl Headers {
    /// Reads header lines until something else comes.
    fn of(text: &[u8]) -> Self {
        let mut headers = Self::default();
        for line in text.split(|byte| *byte == b'\n').take(HEADER_LINES_MAX) {
            let is_continuation = matches!(line.first(), Some(b' ' | b'\t'));
            if is_continuation && !line.trim_ascii().is_empty() {
                headers.is_web_archive |=
                    bytes::starts_with_ignore_case(line.trim_ascii(), b"type=\"text/html\"");
                continue;
            }
            let Some((name, value)) = field(line) else {
                break;
            };
            headers.note(name, value);
        }
        headers
    }

    fn note(&mut self, name: &[u8], value: &[u8]) {
        let is_in = |names: &[&[u8]]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        self.certain += usize::from(is_in(CERTAIN));
        self.likely += usize::from(is_in(LIKELY));
        self.has_sender |=
            name.eq_ignore_ascii_case(b"from") || name.eq_ignore_ascii_case(b"sender");
        self.is_web_archive |= name.eq_ignore_ascii_case(b"snapshot-content-location")
            || bytes::starts_with_ignore_case(value, b"<saved by ");
    }

    fn is_mail(&self) -> bool {
        (self.certain >= 1 && self.certain + self.likely >= 2)
            || (self.has_sender && self.likely >= 3)
    }
}

/// A header line's name and value.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    const NAME_MAX_BYTES: usize = 64;
    let colon = bytes::head(line, NAME_MAX_BYTES)
        .iter()
        .position(|byte| *byte == b':')?;
    let name = &line[..colon];
    let is_name = !name.is_empty()
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    is_name.then(|| (name, line[colon + 1..].trim_ascii()))
}
