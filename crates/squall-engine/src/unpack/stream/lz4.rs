//! LZ4: frames, the older frames of the Linux kernel, and frames to skip.

use std::io::{self, Read};

use lz4_flex::frame::{Error, FrameDecoder};

use crate::unpack::decompress::cut_off;
use crate::unpack::fields::u32_at;

const MAGIC_LEGACY: u32 = 0x184c_2102;
const MAGIC_SKIPPED: std::ops::RangeInclusive<u32> = 0x184d_2a50..=0x184d_2a5f;

/// Reads one frame after the other.
///
/// The library's reader gives nothing where a frame ends, where a block has no
/// content, and where the input is cut off between two blocks: this one goes on
/// as long as there is input.
pub(super) struct Frames<'a> {
    content: &'a [u8],
    decoder: FrameDecoder<&'a [u8]>,
    /// Where the last frames to skip begin and end.
    skipped: (usize, usize),
}

impl<'a> Frames<'a> {
    pub(super) fn new(content: &'a [u8]) -> Self {
        Self {
            content,
            decoder: FrameDecoder::new(content),
            skipped: (0, 0),
        }
    }

    /// Tells whether the content has the end of a frame at its end. The frames
    /// of before have no mark there.
    fn is_whole(&self) -> bool {
        const MARK: &[u8] = &[0; 4];
        const CHECKSUM_BYTES: usize = 4;
        let frames = match self.skipped {
            (start, end) if end == self.content.len() => &self.content[..start],
            _ => self.content,
        };
        let before_checksum = frames.len().saturating_sub(CHECKSUM_BYTES);
        u32_at(frames, 0) == Some(MAGIC_LEGACY)
            || (frames.is_empty() && !self.content.is_empty())
            || frames.ends_with(MARK)
            || frames[..before_checksum].ends_with(MARK)
    }

    /// Goes on behind a frame that is to be skipped: its identifier, its length
    /// and what it has.
    fn skip(&mut self, start: usize, len: u32) {
        const HEADER_BYTES: usize = 8;
        let end = usize::try_from(len)
            .ok()
            .and_then(|len| (start + HEADER_BYTES).checked_add(len))
            .filter(|end| *end <= self.content.len());
        if let Some(end) = end {
            let (first, last) = self.skipped;
            self.skipped = (if last == start { first } else { start }, end);
        }
        let rest = end.and_then(|end| self.content.get(end..));
        self.decoder = FrameDecoder::new(rest.unwrap_or_default());
    }

    fn position(&self) -> usize {
        self.content.len() - self.decoder.get_ref().len()
    }
}

impl Read for Frames<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if output.is_empty() {
            return Ok(0);
        }
        loop {
            let start = self.position();
            match self.decoder.read(output) {
                Ok(0) if self.position() == start && self.is_whole() => return Ok(0),
                Ok(0) if self.position() == start => return Err(cut_off()),
                Ok(0) => {}
                Ok(count) => return Ok(count),
                Err(error) => match skipped_len(&error) {
                    Some(len) if starts_skipped(self.content, start) => self.skip(start, len),
                    _ => return Err(error),
                },
            }
        }
    }
}

fn starts_skipped(content: &[u8], at: usize) -> bool {
    u32_at(content, at).is_some_and(|magic| MAGIC_SKIPPED.contains(&magic))
}

fn skipped_len(error: &io::Error) -> Option<u32> {
    match error.get_ref()?.downcast_ref::<Error>()? {
        Error::SkippableFrame(len) => Some(*len),
        _ => None,
    }
}
