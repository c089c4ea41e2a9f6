//! The compressed RTF of Outlook's messages ([MS-OXRTFCP]).

use std::io::{self, Read};

use super::super::fields::Fields;

/// What every dictionary begins with.
const PRELOADED: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \
\\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\
\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
const DICTIONARY_BYTES: usize = 4096;

/// Decompresses such a text while it is read.
pub(in super::super) struct Rtf<'a> {
    input: Fields<'a>,
    dictionary: Box<[u8; DICTIONARY_BYTES]>,
    write_at: usize,
    /// Decompressed and not yet given out.
    ready: Vec<u8>,
    given: usize,
    is_plain: bool,
    ended: bool,
}

impl<'a> Rtf<'a> {
    /// Reads the header. `None` if there is none.
    pub(in super::super) fn new(stream: &'a [u8]) -> Option<Self> {
        const COMPRESSED: u32 = 0x7546_5a4c;
        const PLAIN: u32 = 0x414c_454d;
        let mut input = Fields::new(stream);
        input.take(8)?;
        let kind = input.u32()?;
        input.take(4)?;
        let mut dictionary = Box::new([b' '; DICTIONARY_BYTES]);
        dictionary[..PRELOADED.len()].copy_from_slice(PRELOADED);
        matches!(kind, COMPRESSED | PLAIN).then_some(Self {
            input,
            dictionary,
            write_at: PRELOADED.len(),
            ready: Vec::new(),
            given: 0,
            is_plain: kind == PLAIN,
            ended: false,
        })
    }

    /// Decompresses the next eight tokens. `None` at the end of the input.
    fn next_run(&mut self) -> Option<()> {
        let [control] = *self.input.take(1)? else {
            return None;
        };
        for bit in 0..8 {
            if control & (1 << bit) == 0 {
                let [literal] = *self.input.take(1)? else {
                    return None;
                };
                self.put(literal);
                continue;
            }
            let [high, low] = *self.input.take(2)? else {
                return None;
            };
            let reference = usize::from(u16::from_be_bytes([high, low]));
            let from = reference >> 4;
            if from == self.write_at {
                return None;
            }
            for step in 0..(reference & 15) + 2 {
                self.put(self.dictionary[(from + step) % DICTIONARY_BYTES]);
            }
        }
        Some(())
    }

    fn put(&mut self, byte: u8) {
        self.dictionary[self.write_at] = byte;
        self.write_at = (self.write_at + 1) % DICTIONARY_BYTES;
        self.ready.push(byte);
    }
}

impl Read for Rtf<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_plain {
            let bytes = self.input.take_up_to(buffer.len());
            buffer[..bytes.len()].copy_from_slice(bytes);
            return Ok(bytes.len());
        }
        while self.given == self.ready.len() && !self.ended {
            self.ready.clear();
            self.given = 0;
            self.ended = self.next_run().is_none();
        }
        let count = (&self.ready[self.given..]).read(buffer)?;
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decompressed(stream: &[u8]) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        Rtf::new(stream)?.read_to_end(&mut text).unwrap();
        Some(text)
    }

    #[test]
    fn the_examples_of_the_specification_are_decompressed() {
        let first = b"\x2d\0\0\0\x2b\0\0\0LZFu\xf1\xc5\xc7\xa7\x03\0\x0a\0rcpg125\x42\x32\x0a\xf3 \
hel\x09\0\x20bw\x05\xb0ld\x7d\x0a\x80\x0f\xa0";
        assert_eq!(
            decompressed(first).unwrap(),
            b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
        );
        let crossing =
            b"\x1a\0\0\0\x1c\0\0\0LZFu\xe2\xd4\x4b\x51\x41\0\x04\x20WXYZ\x0d\x6e\x7d\x01\x0e\xb0";
        assert_eq!(
            decompressed(crossing).unwrap(),
            b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"
        );
        assert_eq!(
            decompressed(b"\x06\0\0\0\x02\0\0\0MELA\0\0\0\0hi").unwrap(),
            b"hi"
        );
    }

    #[test]
    fn torn_input_ends() {
        assert!(decompressed(b"short").is_none());
        assert_eq!(
            decompressed(b"\0\0\0\0\0\0\0\0LZFu\0\0\0\0\xff").unwrap(),
            b""
        );
    }
}
