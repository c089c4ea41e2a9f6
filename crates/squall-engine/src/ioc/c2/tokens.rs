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

/// How characters are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Units {
    /// A byte each.
    Bytes,
    /// UTF-16, low byte first.
    Little,
    /// UTF-16, high byte first.
    Big,
}

impl Units {
    /// Bytes of a character.
    const fn len(self) -> usize {
        match self {
            Self::Bytes => 1,
            Self::Little | Self::Big => 2,
        }
    }

    /// Where in those the ASCII character is.
    const fn lead(self) -> usize {
        match self {
            Self::Bytes | Self::Little => 0,
            Self::Big => 1,
        }
    }

    /// Returns the character whose bytes begin at `position`.
    fn at(self, content: &[u8], position: usize) -> Option<u8> {
        match self {
            Self::Bytes => content.get(position).copied(),
            Self::Little | Self::Big => {
                let unit = content.get(position..position + 2)?;
                (unit[1 - self.lead()] == 0).then_some(unit[self.lead()])
            }
        }
    }
}

/// A piece of content that could be a name or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    range: Range<usize>,
    units: Units,
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
        let unit = self.units.len();
        let chars = self.range.len() / unit;
        let kept = chars.min(NAME_MAX_CHARS + 1);
        let start = self.range.end - kept * unit;
        name.text.clear();
        let bytes = &content[start..self.range.end];
        match self.units {
            Units::Bytes => name.text.extend_from_slice(bytes),
            wide => name
                .text
                .extend(bytes.iter().skip(wide.lead()).step_by(unit)),
        }
        name.text.make_ascii_lowercase();
        name.is_whole = kept == chars;
    }

    /// Returns where the characters from `from` on are in the content; counted
    /// as in [`Name::text`], whose length is `name_len`.
    pub(super) fn range_of(&self, from: usize, name_len: usize) -> Range<usize> {
        let start = self.range.end - (name_len - from) * self.units.len();
        start..self.range.end
    }

    /// Returns where its characters are, counted so that the two byte orders
    /// can be compared.
    fn chars(&self) -> Range<usize> {
        let lead = self.units.lead();
        self.range.start + lead..self.range.end + lead
    }

    /// Leaves out `count` characters at the beginning.
    pub(super) fn skip(&self, count: usize) -> Self {
        let start = (self.range.start + count * self.units.len()).min(self.range.end);
        Self {
            range: start..self.range.end,
            units: self.units,
        }
    }

    /// Returns the character before the token, if there is one.
    pub(super) fn before(&self, content: &[u8]) -> Option<u8> {
        let position = self.range.start.checked_sub(self.units.len())?;
        self.units.at(content, position)
    }

    /// Returns the character behind the token, if there is one.
    pub(super) fn behind(&self, content: &[u8]) -> Option<u8> {
        self.units.at(content, self.range.end)
    }

    /// Leaves out marks at both ends that no name begins or ends with.
    fn trim(mut self, content: &[u8], alphabet: Alphabet) -> Self {
        let unit = self.units.len();
        let char_at = |position: usize| self.units.at(content, position);
        // `::` may begin or end an IPv6 address, one colon belongs to the text.
        let is_mark = |at: usize, inner: usize| match (alphabet, char_at(at)) {
            (Alphabet::Name, c) => !c.is_some_and(|c| c.is_ascii_alphanumeric()),
            (Alphabet::Ipv6, Some(b'.')) => true,
            (Alphabet::Ipv6, Some(b':')) => char_at(inner) != Some(b':'),
            (Alphabet::Ipv6, _) => false,
        };
        while !self.range.is_empty() {
            let last = self.range.end - unit;
            if !is_mark(last, last.saturating_sub(unit)) {
                break;
            }
            self.range.end = last;
        }
        while !self.range.is_empty() && is_mark(self.range.start, self.range.start + unit) {
            self.range.start += unit;
        }
        self
    }
}

/// Calls `visit` for every token of the content, in order.
///
/// Between zeros, text can be UTF-16 of either byte order. Both are followed;
/// they hold the same characters, but for those beside others than ASCII and
/// at the ends of the content.
pub(super) fn each(content: &[u8], alphabet: Alphabet, mut visit: impl FnMut(Token)) {
    let mut from = 0;
    while let Some(offset) = memchr::memchr(alphabet.anchor(), &content[from..]) {
        let anchor = from + offset;
        let follow = |start, units| around(content, start, units, (from, alphabet));
        let is_wide = content.get(anchor + 1) == Some(&0);
        let tokens = if is_wide {
            let before = anchor.checked_sub(1).filter(|&before| before >= from);
            let big = before.filter(|&before| content[before] == 0);
            either(
                follow(anchor, Units::Little),
                big.map(|start| follow(start, Units::Big)),
                content,
            )
        } else {
            [Some(follow(anchor, Units::Bytes)), None]
        };
        from = anchor + 1;
        for token in tokens.into_iter().flatten() {
            from = from.max(token.range.end);
            let token = token.trim(content, alphabet);
            if !token.range.is_empty() {
                visit(token);
            }
        }
    }
}

/// Leaves out a reading that has no character that the other has not.
fn either(little: Token, big: Option<Token>, content: &[u8]) -> [Option<Token>; 2] {
    let Some(big) = big else {
        return [Some(little), None];
    };
    let (in_little, in_big) = (little.chars(), big.chars());
    // Half a character is left, which only the other order can read.
    let is_cut = in_little == in_big && little.range.end + 1 == content.len();
    if is_cut {
        [Some(big), None]
    } else if in_little.start <= in_big.start && in_little.end >= in_big.end {
        [Some(little), None]
    } else if in_big.start <= in_little.start && in_big.end >= in_little.end {
        [Some(big), None]
    } else {
        [Some(little), Some(big)]
    }
}

/// Follows the text around an anchor in both directions, not further back than
/// to the end of the token before, so that the content is read only once.
fn around(
    content: &[u8],
    anchor: usize,
    units: Units,
    (from, alphabet): (usize, Alphabet),
) -> Token {
    let is_part = |position| units.at(content, position).is_some_and(|c| alphabet.has(c));
    let mut start = anchor;
    while let Some(before) = start.checked_sub(units.len())
        && before >= from
        && is_part(before)
    {
        start = before;
    }
    let mut end = anchor + units.len();
    while is_part(end) {
        end += units.len();
    }
    Token {
        range: start..end.min(content.len()),
        units,
    }
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
    fn either_byte_order_is_read_to_its_end() {
        let wide = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(bytes).collect()
        };
        for (text, little, big) in [
            ("a.evil.com", &["a.evil.com"][..], &["a.evil.com"][..]),
            (" a.evil.com ", &["a.evil.com"], &["a.evil.com"]),
            ("1.2.3.4\0", &["1.2.3.4"], &["1.2.3.4"]),
            ("\u{4e00}a.bc", &["a.bc"], &["a.bc"]),
            // Beside other characters on both sides the orders cannot be told
            // apart.
            (
                "\u{4e4e}xa.bc\u{4e4e}",
                &["xa.bc", "a.bcn"],
                &["nxa.b", "xa.bc"],
            ),
        ] {
            let bytes = wide(text, u16::to_le_bytes);
            assert_eq!(tokens(&bytes, Alphabet::Name), little, "{text}");
            let bytes = wide(text, u16::to_be_bytes);
            assert_eq!(tokens(&bytes, Alphabet::Name), big, "{text}");
        }
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
