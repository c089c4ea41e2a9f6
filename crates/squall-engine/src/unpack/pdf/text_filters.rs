//! The filters `ASCIIHexDecode`, `ASCII85Decode` and `RunLengthDecode`.

use std::io::{self, BufReader, Read};

use crate::unpack::decode::hex_value;

/// Decodes pairs of hexadecimal digits up to `>`.
pub(super) struct AsciiHex<R> {
    bytes: Bytes<R>,
}

impl<R: Read> AsciiHex<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            bytes: Bytes::new(inner),
        }
    }

    fn next(&mut self) -> io::Result<Option<u8>> {
        let Some(high) = self.digit()? else {
            return Ok(None);
        };
        let low = self.digit()?.unwrap_or(0);
        Ok(Some(high << 4 | low))
    }

    fn digit(&mut self) -> io::Result<Option<u8>> {
        while let Some(byte) = self.bytes.next()? {
            if byte == b'>' {
                self.bytes.is_ended = true;
                return Ok(None);
            }
            if let Some(value) = hex_value(byte) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}

impl<R: Read> Read for AsciiHex<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        fill(buffer, || self.next())
    }
}

/// Decodes groups of five characters up to `~>`.
pub(super) struct Ascii85<R> {
    bytes: Bytes<R>,
    ready: [u8; 4],
    given: usize,
    len: usize,
}

impl<R: Read> Ascii85<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            bytes: Bytes::new(inner),
            ready: [0; 4],
            given: 0,
            len: 0,
        }
    }

    fn next(&mut self) -> io::Result<Option<u8>> {
        if self.given == self.len {
            self.next_group()?;
        }
        if self.given == self.len {
            return Ok(None);
        }
        self.given += 1;
        Ok(Some(self.ready[self.given - 1]))
    }

    fn next_group(&mut self) -> io::Result<()> {
        (self.given, self.len) = (0, 0);
        let mut group = 0_u32;
        let mut digits = 0;
        while digits < 5 {
            let Some(byte) = self.bytes.next()? else {
                break;
            };
            match byte {
                b'z' if digits == 0 => {
                    (self.ready, self.len) = ([0; 4], 4);
                    return Ok(());
                }
                b'!'..=b'u' => {
                    group = group.wrapping_mul(85).wrapping_add(u32::from(byte - b'!'));
                    digits += 1;
                }
                b'~' => {
                    self.bytes.is_ended = true;
                    break;
                }
                _ => {}
            }
        }
        for _ in digits..5 {
            group = group.wrapping_mul(85).wrapping_add(84);
        }
        self.ready = group.to_be_bytes();
        self.len = digits.max(1) - 1;
        Ok(())
    }
}

impl<R: Read> Read for Ascii85<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        fill(buffer, || self.next())
    }
}

/// Decodes runs and copies up to the mark of the end.
pub(super) struct RunLength<R> {
    bytes: Bytes<R>,
    left: usize,
    /// The byte that is repeated; none while bytes are copied.
    repeated: Option<u8>,
}

impl<R: Read> RunLength<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            bytes: Bytes::new(inner),
            left: 0,
            repeated: None,
        }
    }

    fn next(&mut self) -> io::Result<Option<u8>> {
        const END: u8 = 128;
        if self.left == 0 {
            match self.bytes.next()? {
                None => return Ok(None),
                Some(END) => {
                    self.bytes.is_ended = true;
                    return Ok(None);
                }
                Some(len @ 0..END) => (self.left, self.repeated) = (usize::from(len) + 1, None),
                Some(len) => {
                    self.left = 257 - usize::from(len);
                    self.repeated = self.bytes.next()?;
                }
            }
        }
        self.left -= 1;
        match self.repeated {
            Some(byte) => Ok(Some(byte)),
            None => self.bytes.next(),
        }
    }
}

impl<R: Read> Read for RunLength<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        fill(buffer, || self.next())
    }
}

/// Byte after byte.
pub(super) struct Bytes<R> {
    inner: BufReader<R>,
    is_ended: bool,
}

impl<R: Read> Bytes<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner: BufReader::new(inner),
            is_ended: false,
        }
    }

    pub(super) fn next(&mut self) -> io::Result<Option<u8>> {
        if self.is_ended {
            return Ok(None);
        }
        let mut byte = [0];
        let count = self.inner.read(&mut byte)?;
        self.is_ended = count == 0;
        Ok((count == 1).then_some(byte[0]))
    }
}

/// Fills a buffer byte by byte; an error waits until the bytes before it were
/// given out.
pub(super) fn fill(
    buffer: &mut [u8],
    mut next: impl FnMut() -> io::Result<Option<u8>>,
) -> io::Result<usize> {
    for (index, slot) in buffer.iter_mut().enumerate() {
        match next() {
            Ok(Some(byte)) => *slot = byte,
            Ok(None) => return Ok(index),
            Err(error) if index == 0 => return Err(error),
            // The inner reader gives the same error again.
            Err(_) => return Ok(index),
        }
    }
    Ok(buffer.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut reader: impl Read) -> Vec<u8> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn streams_are_decoded() {
        assert_eq!(all(AsciiHex::new(&b"4d 5A9>ff"[..])), b"MZ\x90");
        assert_eq!(
            all(Ascii85::new(&b"9jqo^BlbD-BleB1DJ+*+F(f,q~>x"[..])),
            b"Man is distinguished"
        );
        assert_eq!(all(Ascii85::new(&b"z9jqo"[..])), b"\0\0\0\0Man");
        assert_eq!(all(RunLength::new(&b"\x02abc\xfex\x80zz"[..])), b"abcxxx");
        assert_eq!(all(RunLength::new(&b"\x05ab"[..])), b"ab");
        assert_eq!(all(RunLength::new(&b"\xfe"[..])), b"");
    }
}
