//! The filter `LZWDecode`.

use std::io::{self, Read};

use super::text_filters::{Bytes, fill};

const CLEAR: u16 = 256;
const END: u16 = 257;
const CODES_MAX: usize = 4096;
const WIDTH_MIN: u32 = 9;
const WIDTH_MAX: u32 = 12;

/// Decompresses while it is read.
pub(super) struct Lzw<R> {
    bytes: Bytes<R>,
    bits: u32,
    bit_count: u32,
    width: u32,
    /// What each code from 258 on stands for: another code, and a byte.
    table: Vec<(u16, u8)>,
    previous: Option<u16>,
    /// Decompressed bytes in reverse.
    ready: Vec<u8>,
    /// 1 if codes grow one code early.
    early: usize,
    is_ended: bool,
}

impl<R: Read> Lzw<R> {
    pub(super) fn new(inner: R, early_change: bool) -> Self {
        Self {
            bytes: Bytes::new(inner),
            bits: 0,
            bit_count: 0,
            width: WIDTH_MIN,
            table: Vec::new(),
            previous: None,
            ready: Vec::new(),
            early: usize::from(early_change),
            is_ended: false,
        }
    }

    fn next(&mut self) -> io::Result<Option<u8>> {
        while self.ready.is_empty() && !self.is_ended {
            match self.code()? {
                None | Some(END) => self.is_ended = true,
                Some(CLEAR) => self.clear(),
                Some(code) => self.put(code)?,
            }
        }
        Ok(self.ready.pop())
    }

    fn code(&mut self) -> io::Result<Option<u16>> {
        while self.bit_count < self.width {
            let Some(byte) = self.bytes.next()? else {
                return Ok(None);
            };
            self.bits = self.bits << 8 | u32::from(byte);
            self.bit_count += 8;
        }
        self.bit_count -= self.width;
        let code = self.bits >> self.bit_count & ((1 << self.width) - 1);
        self.bits &= (1 << self.bit_count) - 1;
        Ok(u16::try_from(code).ok())
    }

    fn clear(&mut self) {
        self.table.clear();
        self.width = WIDTH_MIN;
        self.previous = None;
    }

    /// Makes what a code stands for ready, and learns the next code.
    fn put(&mut self, code: u16) -> io::Result<()> {
        let next = self.table.len() + 258;
        let known = usize::from(code);
        match self.previous {
            Some(previous) if known == next => {
                // The code that is about to be learned.
                let first = self.expand(previous);
                self.ready.insert(0, first);
            }
            _ if known < next => {
                self.expand(code);
            }
            _ => {
                self.is_ended = true;
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a code of the LZW stream is not known",
                ));
            }
        }
        if let (Some(previous), Some(first)) = (self.previous, self.ready.last())
            && next < CODES_MAX
        {
            self.table.push((previous, *first));
        }
        self.previous = Some(code);
        let grown = self.table.len() + 258 + self.early;
        if grown >= 1 << self.width && self.width < WIDTH_MAX {
            self.width += 1;
        }
        Ok(())
    }

    /// Pushes what a code stands for, in reverse; its first byte is returned.
    fn expand(&mut self, code: u16) -> u8 {
        let mut code = code;
        // Each code stands for a smaller one, so this ends.
        while let Some((prefix, byte)) = usize::from(code)
            .checked_sub(258)
            .and_then(|index| self.table.get(index))
        {
            self.ready.push(*byte);
            code = *prefix;
        }
        let [first, _] = code.to_le_bytes();
        self.ready.push(first);
        first
    }
}

impl<R: Read> Read for Lzw<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        fill(buffer, || self.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_decompressed() {
        let mut text = Vec::new();
        let stream = b"\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01";
        Lzw::new(&stream[..], true).read_to_end(&mut text).unwrap();
        assert_eq!(text, b"-----A---B");
    }

    #[test]
    fn unknown_codes_are_damage() {
        let mut text = Vec::new();
        assert!(
            Lzw::new(&b"\x80\x7f\xff\xff"[..], true)
                .read_to_end(&mut text)
                .is_err()
        );
    }
}
