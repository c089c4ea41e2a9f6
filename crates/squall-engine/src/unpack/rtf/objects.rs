//! Finding and decoding `\objdata`.

use memchr::memmem;

use crate::unpack::decode::hex_value;

/// The bytes of one embedded object after another.
pub(super) struct Objects<'a> {
    content: &'a [u8],
    at: usize,
}

impl<'a> Objects<'a> {
    pub(super) fn new(content: &'a [u8]) -> Self {
        Self { content, at: 0 }
    }
}

impl Iterator for Objects<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        const WORD: &[u8] = b"\\objdata";
        let rest = self.content.get(self.at..)?;
        let start = self.at + memmem::find(rest, WORD)? + WORD.len();
        let mut decoder = Decoder {
            text: self.content,
            at: start,
            bytes: Vec::new(),
            high: None,
        };
        decoder.run();
        self.at = decoder.at;
        Some(decoder.bytes)
    }
}

/// Decodes the digits up to the end of the group.
struct Decoder<'a> {
    text: &'a [u8],
    at: usize,
    bytes: Vec<u8>,
    /// The first digit of a byte whose second was not read yet.
    high: Option<u8>,
}

impl Decoder<'_> {
    fn run(&mut self) {
        // Groups inside; and from which on they are passed over.
        let mut depth = 0_usize;
        let mut ignored_from = None;
        while let Some(byte) = self.text.get(self.at).copied() {
            self.at += 1;
            match byte {
                b'{' => depth += 1,
                b'}' => {
                    if depth == 0 {
                        return;
                    }
                    if ignored_from == Some(depth) {
                        ignored_from = None;
                    }
                    depth -= 1;
                }
                b'\\' if self.text.get(self.at) == Some(&b'*') => {
                    self.at += 1;
                    // At the group of the object itself it means nothing.
                    if depth > 0 && ignored_from.is_none() {
                        ignored_from = Some(depth);
                    }
                }
                b'\\' => {
                    // Another object inside this group; without a closing brace
                    // a word processor begins anew as well.
                    if self.text[self.at..].starts_with(b"objdata") && depth == 0 {
                        self.at -= 1;
                        return;
                    }
                    self.control(ignored_from.is_some());
                }
                digit => {
                    if let (Some(value), None) = (hex_value(digit), ignored_from) {
                        self.digit(value);
                    }
                }
            }
        }
    }

    fn digit(&mut self, value: u8) {
        match self.high.take() {
            None => self.high = Some(value),
            Some(high) => self.bytes.push(high << 4 | value),
        }
    }

    /// Reads a control word or symbol, the backslash already read.
    fn control(&mut self, is_ignored: bool) {
        const PARAMETER_MAX_DIGITS: usize = 10;
        let rest = &self.text[self.at..];
        let name_len = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        if name_len == 0 {
            // A symbol: one character; `\'` has two digits behind it.
            let len = if rest.first() == Some(&b'\'') { 3 } else { 1 };
            self.at += len.min(rest.len());
            return;
        }
        let name = &rest[..name_len];
        let rest = &rest[name_len..];
        let sign = usize::from(rest.first() == Some(&b'-'));
        let digits = rest[sign..]
            .iter()
            .take(PARAMETER_MAX_DIGITS)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let parameter = std::str::from_utf8(&rest[sign..sign + digits])
            .ok()
            .and_then(|digits| digits.parse::<usize>().ok())
            .filter(|_| sign == 0);
        let sign = if digits == 0 { 0 } else { sign };
        let space = usize::from(rest.get(sign + digits) == Some(&b' '));
        self.at += name_len + sign + digits + space;
        if name == b"bin" {
            self.binary(parameter.unwrap_or(0), is_ignored);
        }
    }

    /// Reads bytes that are not written as digits.
    fn binary(&mut self, len: usize, is_ignored: bool) {
        let rest = &self.text[self.at..];
        let bytes = &rest[..len.min(rest.len())];
        if !is_ignored {
            self.bytes.extend_from_slice(bytes);
        }
        self.at += bytes.len();
    }
}

/// Where a file that can be recognised begins in an object.
pub(super) fn embedded_start(data: &[u8]) -> Option<usize> {
    const BEGINNINGS: [&[u8]; 4] = [
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"PK\x03\x04",
        b"{\\rt",
        b"MZ\x90\0",
    ];
    BEGINNINGS
        .iter()
        .filter_map(|beginning| memmem::find(data, beginning))
        .min()
}
