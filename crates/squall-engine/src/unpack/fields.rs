//! Reading the fields of binary formats, little-endian and never out of bounds.

/// Reads one field after another; `None` once there is too little left.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `len` bytes.
    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    /// The next `len` bytes, or as many as there are.
    pub(super) fn take_up_to(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        let bytes = self.take(2)?;
        u16_at(bytes, 0)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        let bytes = self.take(4)?;
        u32_at(bytes, 0)
    }

    /// A 32 bit number that counts bytes or items.
    pub(super) fn len32(&mut self) -> Option<usize> {
        usize::try_from(self.u32()?).ok()
    }

    /// The bytes before the next zero byte, which is read as well.
    pub(super) fn until_zero(&mut self) -> Option<&'a [u8]> {
        let end = memchr::memchr(0, self.rest)?;
        let text = self.take(end)?;
        self.take(1)?;
        Some(text)
    }
}

/// The 16 bit number at `offset`.
pub(super) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_le_bytes(array_at(bytes, offset)?))
}

/// The 32 bit number at `offset`.
pub(super) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(array_at(bytes, offset)?))
}

/// The 64 bit number at `offset`.
pub(super) fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_le_bytes(array_at(bytes, offset)?))
}

/// The 32 bit number at `offset`, as a place or length in the content.
pub(super) fn len32_at(bytes: &[u8], offset: usize) -> Option<usize> {
    usize::try_from(u32_at(bytes, offset)?).ok()
}

fn array_at<const LEN: usize>(bytes: &[u8], offset: usize) -> Option<[u8; LEN]> {
    bytes.get(offset..offset.checked_add(LEN)?)?.try_into().ok()
}

/// UTF-16 text, little-endian, up to its first zero.
pub(super) fn utf16_text(bytes: &[u8]) -> String {
    let units = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .take_while(|unit| *unit != 0);
    char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Text in the code page of the machine it comes from, which nothing tells:
/// UTF-8 if it can be, else the western European one; up to its first zero.
pub(super) fn ansi_text(bytes: &[u8]) -> String {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    let bytes = &bytes[..end];
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252
            .decode_without_bom_handling(bytes)
            .0
            .into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_beyond_the_end() {
        let mut fields = Fields::new(b"\x01\x02\x03ab\0c");
        assert_eq!(fields.u16(), Some(0x0201));
        assert_eq!(fields.take_up_to(1), b"\x03");
        assert_eq!(fields.until_zero(), Some(&b"ab"[..]));
        assert_eq!(fields.u32(), None);
        assert_eq!(fields.until_zero(), None);
        assert_eq!(fields.rest(), b"c");
        assert_eq!(u64_at(b"1234567", 0), None);
        assert_eq!(u32_at(b"1234", usize::MAX), None);
    }

    #[test]
    fn text_ends_at_its_zero() {
        assert_eq!(utf16_text(b"a\0b\0\0\0c\0"), "ab");
        assert_eq!(utf16_text(b"\x00\xd8x"), "\u{fffd}");
        assert_eq!(ansi_text(b"caf\xe9\0x"), "café");
        assert_eq!(ansi_text("é".as_bytes()), "é");
    }
}
