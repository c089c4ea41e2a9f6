//! Finds what looks like a host name or an address in any content.
//!
//! Every host name and every IPv4 address has a dot in it, every IPv6 address
//! a colon. From each of those the text is followed in both directions as far
//! as a name can go. That reads the content once, whatever it is made of, and
//! costs the same for one indicator as for a million.

use std::ops::Range;

/// The longest host name, as the DNS has it.
pub(super) const NAME_MAX_CHARS: usize = 253;

/// What a token is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// Host names and IPv4 addresses: letters, digits, `.`, `-`, `_`.
    Name,
    /// IPv6 addresses: hexadecimal digits, `:`, `.`.
    Ipv6,
}

impl Alphabet {
    /// The byte that every token of this kind has.
    fn anchor(self) -> u8 {
        match self {
            Self::Name => b'.',
            Self::Ipv6 => b':',
        }
    }

    fn has(self, byte: u8) -> bool {
        match self {
            Self::Name => byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'),
            Self::Ipv6 => byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'),
        }
    }
}

/// A piece of content that could be a name or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    range: Range<usize>,
    // Bytes for each character: 1, or 2 in UTF-16.
    stride: usize,
}

/// The characters of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Name {
    /// The last characters, as many as a name can have, in lower case.
    pub(super) text: Vec<u8>,
    /// Whether these are all.
    pub(super) is_whole: bool,
}

impl Token {
    /// Returns its characters. `text` is reused for each token.
    pub(super) fn name(&self, content: &[u8], name: &mut Name) {
        let chars = self.range.len() / self.stride;
        let kept = chars.min(NAME_MAX_CHARS + 1);
        let start = self.range.end - kept * self.stride;
        name.text.clear();
        let bytes = &content[start..self.range.end];
        match self.stride {
            1 => name.text.extend_from_slice(bytes),
            stride => name.text.extend(bytes.iter().step_by(stride)),
        }
        name.text.make_ascii_lowercase();
        name.is_whole = kept == chars;
    }

    /// Returns where the characters from `from` on are in the content; counted
    /// as in [`Name::text`], whose length is `name_len`.
    pub(super) fn range_of(&self, from: usize, name_len: usize) -> Range<usize> {
        let start = self.range.end - (name_len - from) * self.stride;
        start..self.range.end
    }

    /// Leaves out `count` characters at the beginning.
    pub(super) fn skip(&self, count: usize) -> Self {
        let start = (self.range.start + count * self.stride).min(self.range.end);
        Self {
            range: start..self.range.end,
            stride: self.stride,
        }
    }

    /// Returns the character before the token, if there is one.
    pub(super) fn before(&self, content: &[u8]) -> Option<u8> {
        at(
            content,
            self.range.start.checked_sub(self.stride)?,
            self.stride,
        )
    }

    /// Returns the character behind the token, if there is one.
    pub(super) fn behind(&self, content: &[u8]) -> Option<u8> {
        at(content, self.range.end, self.stride)
    }

    /// Leaves out marks at both ends that no name begins or ends with.
    fn trim(mut self, content: &[u8], alphabet: Alphabet) -> Self {
        let stride = self.stride;
        // `::` may begin or end an IPv6 address, one colon belongs to the text.
        let is_mark = |at: usize, inner: usize| match alphabet {
            Alphabet::Name => !content[at].is_ascii_alphanumeric(),
            Alphabet::Ipv6 => match content[at] {
                b'.' => true,
                b':' => content.get(inner) != Some(&b':'),
                _ => false,
            },
        };
        while !self.range.is_empty() {
            let last = self.range.end - stride;
            if !is_mark(last, last.saturating_sub(stride)) {
                break;
            }
            self.range.end = last;
        }
        while !self.range.is_empty() && is_mark(self.range.start, self.range.start + stride) {
            self.range.start += stride;
        }
        self
    }
}

/// Calls `visit` for every token of the content, in order.
pub(super) fn each(content: &[u8], alphabet: Alphabet, mut visit: impl FnMut(Token)) {
    let mut from = 0;
    while let Some(offset) = memchr::memchr(alphabet.anchor(), &content[from..]) {
        let anchor = from + offset;
        let stride = if content.get(anchor + 1) == Some(&0) {
            2
        } else {
            1
        };
        let token = around(content, anchor, stride, (from, alphabet));
        from = token.range.end.max(anchor + 1);
        let token = token.trim(content, alphabet);
        if !token.range.is_empty() {
            visit(token);
        }
    }
}

/// Follows the text around an anchor in both directions, not further back than
/// to the end of the token before, so that the content is read only once.
fn around(
    content: &[u8],
    anchor: usize,
    stride: usize,
    (from, alphabet): (usize, Alphabet),
) -> Token {
    let is_part = |position| at(content, position, stride).is_some_and(|c| alphabet.has(c));
    let mut start = anchor;
    while let Some(before) = start.checked_sub(stride)
        && before >= from
        && is_part(before)
    {
        start = before;
    }
    let mut end = anchor + stride;
    while is_part(end) {
        end += stride;
    }
    Token {
        range: start..end.min(content.len()),
        stride,
    }
}

/// Returns the character at a position: a byte, or two of UTF-16LE.
fn at(content: &[u8], position: usize, stride: usize) -> Option<u8> {
    let byte = *content.get(position)?;
    let is_char = stride == 1 || content.get(position + 1) == Some(&0);
    is_char.then_some(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(content: &[u8], alphabet: Alphabet) -> Vec<String> {
        let mut found = Vec::new();
        let mut name = Name {
            text: Vec::new(),
            is_whole: false,
        };
        each(content, alphabet, |token| {
            token.name(content, &mut name);
            found.push(String::from_utf8(name.text.clone()).expect("ASCII"));
        });
        found
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn names_are_cut_out_of_what_is_around_them() {
        for (text, expected) in [
            ("http://a.evil.com:80/x", vec!["a.evil.com"]),
            ("a@Evil.COM.", vec!["evil.com"]),
            ("...x.y...", vec!["x.y"]),
            (".", vec![]),
            ("no dots", vec![]),
            ("1.2.3.4, 5.6.7.8", vec!["1.2.3.4", "5.6.7.8"]),
            ("-a.b-_", vec!["a.b"]),
            ("a.b\0c.d", vec!["a.b", "c.d"]),
            ("a.b\u{e9}c.d", vec!["a.b", "c.d"]),
        ] {
            assert_eq!(tokens(text.as_bytes(), Alphabet::Name), expected, "{text}");
            if !text.contains(['\0', '\u{e9}']) {
                assert_eq!(tokens(&utf16(text), Alphabet::Name), expected, "{text}");
                let shifted = [b"x".to_vec(), utf16(text)].concat();
                assert_eq!(tokens(&shifted, Alphabet::Name), expected, "{text}");
            }
        }
        assert_eq!(tokens(b".\0.\0", Alphabet::Name), Vec::<String>::new());
        assert_eq!(tokens(b"x.", Alphabet::Name), ["x"]);
    }

    #[test]
    fn ipv6_addresses_are_cut_out() {
        for (text, expected) in [
            ("[2001:db8::1]:443", vec!["2001:db8::1", "443"]),
            ("::1.", vec!["::1"]),
            ("is 2001:db8::1: x", vec!["2001:db8::1"]),
            ("x :::: :", vec!["::::"]),
            ("fe80::/10", vec!["fe80::"]),
        ] {
            assert_eq!(tokens(text.as_bytes(), Alphabet::Ipv6), expected, "{text}");
        }
    }

    #[test]
    fn an_endless_name_is_read_once_and_cut() {
        let content = b"a.".repeat(500_000);
        let mut count = 0;
        let mut name = Name {
            text: Vec::new(),
            is_whole: true,
        };
        each(&content, Alphabet::Name, |token| {
            count += 1;
            token.name(&content, &mut name);
        });
        assert_eq!(count, 1);
        assert_eq!(name.text.len(), NAME_MAX_CHARS + 1);
        assert!(!name.is_whole);
    }
}
