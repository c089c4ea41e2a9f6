//! The decoders that several formats share, each with a bound on its memory.
//!
//! All are handed a reader and give one: nothing is decoded before it is asked
//! for, so the budget of the reader at the end is what limits them.

use std::io::{self, BufRead, Read};

use flate2::{Decompress, FlushDecompress, Status};

/// The most memory a decoder's dictionary, window or model may take. The
/// formats allow gigabytes; what people use needs 64 MiB.
pub(super) const MEMORY_MAX_KIB: u32 = 128 * 1024;

/// The same for zstd, as a power of two of bytes.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// Raw deflate that notices when its input is cut off, which the reader of the
/// library takes for the end.
pub(super) struct Inflate<R> {
    input: R,
    state: Decompress,
    ended: bool,
}

impl<R: BufRead> Inflate<R> {
    /// Deflate without any header.
    pub(super) fn raw(input: R) -> Self {
        Self::new(input, false)
    }

    /// Deflate with the header and checksum of zlib.
    pub(super) fn zlib(input: R) -> Self {
        Self::new(input, true)
    }

    fn new(input: R, has_header: bool) -> Self {
        Self {
            input,
            state: Decompress::new(has_header),
            ended: false,
        }
    }

    /// Tells whether the stream was read to its end.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }
}

impl<R: BufRead> Read for Inflate<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !output.is_empty() {
            let input = self.input.fill_buf()?;
            let at_end = input.is_empty();
            let (read, written) = (self.state.total_in(), self.state.total_out());
            let status = self
                .state
                .decompress(input, output, FlushDecompress::None)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            let read = moved(read, self.state.total_in());
            let written = moved(written, self.state.total_out());
            self.input.consume(read);
            self.ended = status == Status::StreamEnd;
            if written > 0 {
                return Ok(written);
            }
            if at_end && !self.ended {
                return Err(cut_off());
            }
            if read == 0 && !self.ended {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the deflate stream makes no progress",
                ));
            }
        }
        Ok(0)
    }
}

/// How far a counter of one call's bytes moved; no buffer is larger than memory.
fn moved(before: u64, after: u64) -> usize {
    usize::try_from(after - before).unwrap_or(usize::MAX)
}

/// Reports that compressed data ends before its end.
pub(super) fn cut_off() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "the compressed data is cut off",
    )
}

/// Decodes zstd, all frames.
pub(super) fn zstd<'a>(input: impl BufRead + 'a) -> io::Result<impl Read + 'a> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
    Ok(decoder)
}

/// Decodes the .xz format, all streams.
pub(super) fn xz<R: Read>(input: R) -> lzma_rust2::XzReader<R> {
    lzma_rust2::XzReader::new_mem_limit(input, true, MEMORY_MAX_KIB)
}

/// Decodes the .lzma format.
pub(super) fn lzma<R: Read>(input: R) -> io::Result<impl Read> {
    lzma_rust2::LzmaReader::new_mem_limit(input, MEMORY_MAX_KIB, None)
}

/// Decodes LZMA whose properties were elsewhere. Without a length it ends at
/// its end mark.
pub(super) fn raw_lzma<R: Read>(
    input: R,
    properties: u8,
    dictionary_bytes: u32,
    len: Option<u64>,
) -> io::Result<impl Read> {
    let needed = lzma_rust2::lzma_get_memory_usage_by_props(dictionary_bytes, properties)?;
    if needed > MEMORY_MAX_KIB {
        return Err(io::Error::new(
            io::ErrorKind::OutOfMemory,
            format!("the dictionary takes {needed} KiB, limit is {MEMORY_MAX_KIB}"),
        ));
    }
    let len = len.unwrap_or(u64::MAX);
    lzma_rust2::LzmaReader::new_with_props(input, len, properties, dictionary_bytes, None)
}

/// Compares the CRC-32 of what is read with the one the container declares,
/// at the end of it.
pub(super) struct Checked<R> {
    inner: R,
    state: crc32fast::Hasher,
    declared: Option<u32>,
}

impl<R: Read> Checked<R> {
    /// Checks nothing if there is none.
    pub(super) fn new(inner: R, declared: Option<u32>) -> Self {
        Self {
            inner,
            state: crc32fast::Hasher::new(),
            declared,
        }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(output)?;
        if count > 0 {
            self.state.update(&output[..count]);
        } else if !output.is_empty()
            && let Some(declared) = self.declared.take()
            && self.state.clone().finalize() != declared
        {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the checksum does not match",
            ));
        }
        Ok(count)
    }
}

/// Reads as many bytes as a member is declared to have; fewer are an error.
pub(super) struct Exact<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Exact<R> {
    pub(super) fn new(inner: R, len: u64) -> Self {
        Self { inner, left: len }
    }

    /// How much of it was not read.
    pub(super) fn left(&self) -> u64 {
        self.left
    }
}

impl<R: Read> Read for Exact<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let len = usize::try_from(self.left).map_or(output.len(), |left| left.min(output.len()));
        let count = self.inner.read(&mut output[..len])?;
        if count == 0 && len > 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("{} bytes of it are missing", self.left),
            ));
        }
        self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn deflated(content: &[u8]) -> Vec<u8> {
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn deflate_cut_anywhere_is_an_error() {
        let content = b"one two three one two three four".repeat(20);
        let packed = deflated(&content);
        for len in 0..packed.len() {
            let mut read = Vec::new();
            let ended = Inflate::raw(&packed[..len]).read_to_end(&mut read);
            assert!(ended.is_err(), "{len}");
            assert!(content.starts_with(&read));
        }
        let mut read = Vec::new();
        Inflate::raw(&packed[..]).read_to_end(&mut read).unwrap();
        assert_eq!(read, content);
    }

    #[test]
    fn a_wrong_checksum_is_an_error_after_the_content() {
        let mut read = Vec::new();
        let ended = Checked::new(&b"abc"[..], Some(1)).read_to_end(&mut read);
        assert!(ended.is_err());
        assert_eq!(read, b"abc");
        let crc = crc32fast::hash(b"abc");
        assert!(
            Checked::new(&b"abc"[..], Some(crc))
                .read_to_end(&mut read)
                .is_ok()
        );
    }

    #[test]
    fn a_huge_dictionary_is_refused_before_it_is_allocated() {
        let refused = raw_lzma(io::repeat(0), 0x5d, u32::MAX - 16, None)
            .err()
            .unwrap();
        assert_eq!(refused.kind(), io::ErrorKind::OutOfMemory);
        let header = [&[0x5d, 0xff, 0xff, 0xff, 0xf0][..], &[0xff; 8], &[0; 32]].concat();
        let refused = lzma(&header[..]).err().unwrap();
        assert_eq!(refused.kind(), io::ErrorKind::OutOfMemory);
    }
}
