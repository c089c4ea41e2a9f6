//! The compression of VBA source ([MS-OVBA] 2.4.1).

use std::io::{self, Read};

use crate::unpack::fields::Fields;

const CHUNK_BYTES: usize = 4096;

/// Decompresses while it is read, a chunk at a time.
pub(super) struct Decompress<'a> {
    input: Fields<'a>,
    chunk: Vec<u8>,
    given: usize,
    is_damaged: bool,
}

impl<'a> Decompress<'a> {
    /// What compressed bytes begin with.
    pub(super) const SIGNATURE: u8 = 1;

    pub(super) fn new(compressed: &'a [u8]) -> Self {
        let mut input = Fields::new(compressed);
        let is_signed = input.take(1) == Some(&[Self::SIGNATURE]);
        Self {
            input,
            chunk: Vec::with_capacity(CHUNK_BYTES),
            given: 0,
            is_damaged: !is_signed,
        }
    }

    /// Decompresses the next chunk. `None` if it is damaged; what could be
    /// decompressed of it is there.
    fn next_chunk(&mut self) -> Option<()> {
        const CHUNK_MARK: u16 = 0b011;
        let header = self.input.u16()?;
        let is_compressed = header >> 15 == 1;
        if (header >> 12) & 0b111 != CHUNK_MARK {
            return None;
        }
        let len = usize::from(header & 0x0fff) + 1;
        if !is_compressed {
            let bytes = self.input.take_up_to(CHUNK_BYTES);
            self.chunk.extend_from_slice(bytes);
            return (bytes.len() == CHUNK_BYTES).then_some(());
        }
        let data = self.input.take_up_to(len);
        let mut tokens = Fields::new(data);
        while !tokens.rest().is_empty() {
            self.eight_tokens(&mut tokens)?;
        }
        (data.len() == len).then_some(())
    }

    fn eight_tokens(&mut self, tokens: &mut Fields<'_>) -> Option<()> {
        let [flags] = *tokens.take(1)? else {
            return None;
        };
        for bit in 0..8 {
            if tokens.rest().is_empty() {
                break;
            }
            if flags & (1 << bit) == 0 {
                self.chunk.extend_from_slice(tokens.take(1)?);
            } else {
                self.copy(tokens.u16()?)?;
            }
            if self.chunk.len() > CHUNK_BYTES {
                return None;
            }
        }
        Some(())
    }

    /// Repeats what was decompressed before.
    fn copy(&mut self, token: u16) -> Option<()> {
        let written = self.chunk.len();
        // The further into the chunk, the more bits the distance has.
        let distance_bits = written.next_power_of_two().trailing_zeros().clamp(4, 12);
        let length = usize::from(token & (0xffff >> distance_bits)) + 3;
        let distance = usize::from(token >> (16 - distance_bits)) + 1;
        let from = written.checked_sub(distance)?;
        if written + length > CHUNK_BYTES {
            return None;
        }
        for at in from..from + length {
            self.chunk.push(*self.chunk.get(at)?);
        }
        Some(())
    }
}

impl Read for Decompress<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.chunk.len() {
            if self.is_damaged {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the compressed VBA source is damaged",
                ));
            }
            if self.input.rest().is_empty() {
                return Ok(0);
            }
            self.chunk.clear();
            self.given = 0;
            self.is_damaged = self.next_chunk().is_none();
        }
        let count = (&self.chunk[self.given..]).read(buffer)?;
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decompressed(bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut text = Vec::new();
        let is_whole = Decompress::new(bytes).read_to_end(&mut text).is_ok();
        (text, is_whole)
    }

    #[test]
    fn the_examples_of_the_specification_are_decompressed() {
        let no_compression = b"\x01\x19\xb0\x00abcdefgh\x00ijklmnop\x00qrstuv.";
        assert_eq!(
            decompressed(no_compression),
            (b"abcdefghijklmnopqrstuv.".to_vec(), true)
        );
        let normal = b"\x01\x2f\xb0\x00\x23aaabcde\x82f\x00\x70aghij\x01\x38\x08akl\x00\x30mnop\
\x06q\x02\x70\x04\x10rstuv\x10wxyz\x00\x3c";
        assert_eq!(
            decompressed(normal),
            (
                b"#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa".to_vec(),
                true
            )
        );
        let maximum = b"\x01\x03\xb0\x02a\x45\x00";
        assert_eq!(decompressed(maximum), (b"a".repeat(73), true));
    }

    #[test]
    fn damage_is_told_after_what_came_before_it() {
        assert_eq!(decompressed(b""), (Vec::new(), false));
        assert_eq!(decompressed(b"\x02\x19\xb0"), (Vec::new(), false));
        assert_eq!(
            decompressed(b"\x01\x19\xb0\x00abc"),
            (b"abc".to_vec(), false)
        );
        assert_eq!(
            decompressed(b"\x01\x03\xb0\x02a\x45\x80"),
            (b"a".to_vec(), false)
        );
        assert_eq!(decompressed(b"\x01\x19\x70\x00abc"), (Vec::new(), false));
        assert!(decompressed(b"\x01").1);
    }

    #[test]
    fn a_raw_chunk_is_copied() {
        let mut bytes = vec![1, 0xff, 0x3f];
        bytes.extend([b'x'; CHUNK_BYTES]);
        assert_eq!(decompressed(&bytes), (vec![b'x'; CHUNK_BYTES], true));
    }
}
