//! Prepares a multipart body for the parser, while it streams through.
//!
//! multer splits the parts; this filter stands in front of it for what it
//! leaves to others on purpose. It drops the preamble instead of collecting it, so a
//! body that never shows its boundary costs no memory. It bounds the headers
//! of a part. And it makes control characters in those headers visible: a
//! file whose name holds a NUL or a line feed would otherwise be refused as
//! malformed, which would let malware choose a name that is never scanned.

use bytes::{Bytes, BytesMut};

/// Most bytes of the headers of one part; a file name of 64 KiB fits.
pub(crate) const HEADERS_LEN_MAX: usize = 128 * 1024;

/// The headers of a part are longer than [`HEADERS_LEN_MAX`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the headers of a part are longer than {HEADERS_LEN_MAX} bytes")]
pub(crate) struct HeadersTooLong;

/// The filter; one for each body.
pub(crate) struct Scrubber {
    /// `\r\n--boundary`: what ends a part.
    delimiter: Vec<u8>,
    stage: Stage,
}

enum Stage {
    /// Before the first boundary. `matched` counts the bytes of `--boundary`
    /// seen since the line began, and is `None` in a line that is none.
    Preamble { matched: Option<usize> },
    /// Behind a boundary, before the end of its line.
    BoundaryLine { dashes: u8, carriage_return: bool },
    /// In the headers of a part. `line_ends` counts the line ends in a row.
    Headers {
        len: usize,
        line_ends: u8,
        carriage_return: bool,
    },
    /// In the bytes of a part; `matched` counts those of the delimiter.
    Data { matched: usize },
    /// Behind the last boundary.
    Epilogue,
}

impl Scrubber {
    /// Makes the filter for bodies split by `boundary`.
    pub(crate) fn new(boundary: &str) -> Self {
        Self {
            delimiter: [b"\r\n--", boundary.as_bytes()].concat(),
            stage: Stage::Preamble { matched: Some(0) },
        }
    }

    /// Filters the next chunk; what comes back may be empty.
    pub(crate) fn filter(&mut self, chunk: Bytes) -> Result<Bytes, HeadersTooLong> {
        // Nearly every chunk lies within the bytes of a part and passes as it is.
        if let Stage::Data { matched } = self.stage {
            let (matched, rest) = find(&self.delimiter, matched, &chunk);
            if rest.is_none() {
                self.stage = Stage::Data { matched };
                return Ok(chunk);
            }
        }
        let mut out = BytesMut::with_capacity(chunk.len() + self.delimiter.len());
        let mut rest = &chunk[..];
        while !rest.is_empty() {
            rest = self.step(rest, &mut out)?;
        }
        Ok(out.freeze())
    }

    /// Consumes the part of `input` that belongs to one stage.
    fn step<'a>(
        &mut self,
        input: &'a [u8],
        out: &mut BytesMut,
    ) -> Result<&'a [u8], HeadersTooLong> {
        match &mut self.stage {
            Stage::Preamble { .. } => Ok(self.preamble(input, out)),
            Stage::BoundaryLine { .. } => Ok(self.boundary_line(input, out)),
            Stage::Headers { .. } => self.headers(input, out),
            Stage::Data { matched } => {
                let (now_matched, rest) = find(&self.delimiter, *matched, input);
                *matched = now_matched;
                let rest = rest.unwrap_or_default();
                out.extend_from_slice(&input[..input.len() - rest.len()]);
                if now_matched == self.delimiter.len() {
                    self.stage = Stage::boundary_line();
                }
                Ok(rest)
            }
            Stage::Epilogue => Ok(&[]),
        }
    }

    /// Drops bytes until a line begins with the boundary. Line feeds alone are
    /// accepted here: people write preambles by hand.
    fn preamble<'a>(&mut self, input: &'a [u8], out: &mut BytesMut) -> &'a [u8] {
        let Stage::Preamble { matched } = &mut self.stage else {
            return input;
        };
        let wanted = &self.delimiter[2..];
        for (at, &byte) in input.iter().enumerate() {
            *matched = match *matched {
                _ if byte == b'\n' => Some(0),
                Some(count) if wanted[count] == byte => Some(count + 1),
                _ => None,
            };
            if *matched == Some(wanted.len()) {
                out.extend_from_slice(wanted);
                self.stage = Stage::boundary_line();
                return &input[at + 1..];
            }
        }
        &[]
    }

    fn boundary_line<'a>(&mut self, input: &'a [u8], out: &mut BytesMut) -> &'a [u8] {
        let Stage::BoundaryLine {
            dashes,
            carriage_return,
        } = &mut self.stage
        else {
            return input;
        };
        for (at, &byte) in input.iter().enumerate() {
            out.extend_from_slice(&[byte]);
            let rest = &input[at + 1..];
            match byte {
                b'-' if !*carriage_return => {
                    *dashes += 1;
                    if *dashes == 2 {
                        self.stage = Stage::Epilogue;
                        return rest;
                    }
                }
                b' ' | b'\t' if *dashes == 0 && !*carriage_return => {}
                b'\r' if *dashes == 0 && !*carriage_return => *carriage_return = true,
                b'\n' if *carriage_return => {
                    self.stage = Stage::Headers {
                        len: 0,
                        line_ends: 0,
                        carriage_return: false,
                    };
                    return rest;
                }
                // Not a boundary line at all: the parser refuses it.
                _ => {
                    self.stage = Stage::Data { matched: 0 };
                    return rest;
                }
            }
        }
        &[]
    }

    fn headers<'a>(
        &mut self,
        input: &'a [u8],
        out: &mut BytesMut,
    ) -> Result<&'a [u8], HeadersTooLong> {
        let Stage::Headers {
            len,
            line_ends,
            carriage_return,
        } = &mut self.stage
        else {
            return Ok(input);
        };
        for (at, &byte) in input.iter().enumerate() {
            *len += 1;
            if *len > HEADERS_LEN_MAX {
                return Err(HeadersTooLong);
            }
            let ends_line = *carriage_return && byte == b'\n';
            if *carriage_return && !ends_line {
                *line_ends = 0;
                show_control(b'\r', out);
            }
            *carriage_return = byte == b'\r';
            if ends_line {
                out.extend_from_slice(b"\r\n");
                *line_ends += 1;
                if *line_ends == 2 {
                    self.stage = Stage::Data { matched: 0 };
                    return Ok(&input[at + 1..]);
                }
            } else if !*carriage_return {
                *line_ends = 0;
                show_control(byte, out);
            }
        }
        Ok(&[])
    }
}

impl Stage {
    const fn boundary_line() -> Self {
        Self::BoundaryLine {
            dashes: 0,
            carriage_return: false,
        }
    }
}

/// Looks for the end of `delimiter` in `input`, `matched` bytes of which were
/// seen before. Returns how many bytes are matched at the end and, if all are,
/// what follows.
///
/// A carriage return stands only at the delimiter's beginning (a boundary has
/// none), so that after a mismatch no other beginning has to be looked for.
fn find<'a>(delimiter: &[u8], mut matched: usize, input: &'a [u8]) -> (usize, Option<&'a [u8]>) {
    let mut rest = input;
    loop {
        if matched == 0 {
            let Some(at) = memchr::memchr(b'\r', rest) else {
                return (0, None);
            };
            rest = &rest[at + 1..];
            matched = 1;
        }
        while let Some((&byte, tail)) = rest.split_first() {
            if byte != delimiter[matched] {
                break;
            }
            rest = tail;
            matched += 1;
            if matched == delimiter.len() {
                return (matched, Some(rest));
            }
        }
        if rest.is_empty() {
            return (matched, None);
        }
        matched = 0;
    }
}

/// Appends `byte`, or the picture of a control character (U+2400 and on) that
/// no header may hold.
fn show_control(byte: u8, out: &mut BytesMut) {
    match byte {
        b'\t' => out.extend_from_slice(b"\t"),
        0..0x20 => out.extend_from_slice(&[0xe2, 0x90, 0x80 + byte]),
        0x7f => out.extend_from_slice("\u{2421}".as_bytes()),
        _ => out.extend_from_slice(&[byte]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(body: &[u8], chunk_len: usize) -> Vec<u8> {
        let mut scrubber = Scrubber::new("XX");
        body.chunks(chunk_len)
            .flat_map(|chunk| scrubber.filter(Bytes::copy_from_slice(chunk)).unwrap())
            .collect()
    }

    /// Filters `body` in chunks of every size; the result must not differ.
    fn check(body: &[u8], expected: &[u8]) {
        for chunk_len in 1..=body.len() {
            assert_eq!(
                String::from_utf8_lossy(&filtered(body, chunk_len)),
                String::from_utf8_lossy(expected),
                "chunks of {chunk_len} bytes"
            );
        }
    }

    #[test]
    fn an_ordinary_body_is_unchanged() {
        let body = b"--XX\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n\r\n-\r\n--X\r\r\n\x00\r\n--XX--";
        check(body, body);
    }

    #[test]
    fn the_preamble_and_the_epilogue_are_dropped() {
        check(
            b"hello --XX\r\nagain\r\n--XX\r\nA: b\r\n\r\ndata\r\n--XX--\r\nbye\r\n--XX\r\n",
            b"--XX\r\nA: b\r\n\r\ndata\r\n--XX--",
        );
        check(b"hand made\n--XX--", b"--XX--");
    }

    #[test]
    fn a_body_without_its_boundary_passes_nothing() {
        check(b"no\r\nsuch\n--X\r\n-XX\r\n", b"");
    }

    #[test]
    fn control_characters_show_in_headers_but_not_in_data() {
        check(
            b"--XX\r\nA: \"\x00\n\r\x7f\x1f\t\"\r\n\r\n\x00\n\r\n--XX--",
            "--XX\r\nA: \"\u{2400}\u{240a}\u{240d}\u{2421}\u{241f}\t\"\r\n\r\n\0\n\r\n--XX--"
                .as_bytes(),
        );
    }

    #[test]
    fn several_parts_keep_their_boundaries() {
        let body = b"--XX\r\nA: b\r\n\r\n1\r\n--XX \t\r\nA: c\r\n\r\n2\r\n--XX--";
        check(body, body);
    }

    #[test]
    fn endless_headers_are_refused() {
        let mut scrubber = Scrubber::new("XX");
        scrubber.filter(Bytes::from_static(b"--XX\r\nA: ")).unwrap();
        let filler = Bytes::from(vec![b'a'; HEADERS_LEN_MAX]);
        assert_eq!(scrubber.filter(filler), Err(HeadersTooLong));
    }
}
