//! Streams that are several of their kind, one after the other.

use std::io::{self, Read};

/// A decoder of one stream that knows where its stream ended.
pub(super) trait Link<'a>: Read + Sized {
    /// Begins a stream at the start of `content`; `None` if none begins there.
    fn begin(content: &'a [u8]) -> Option<Self>;

    /// What is behind the stream.
    fn rest(self) -> &'a [u8];
}

/// Reads one stream after the other. What follows the last and is no stream is
/// left alone, as the formats' own tools do.
pub(super) struct Chain<'a, L: Link<'a>> {
    link: Option<L>,
    /// What the link was begun with.
    content: std::marker::PhantomData<&'a [u8]>,
}

impl<'a, L: Link<'a>> Read for Chain<'a, L> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if output.is_empty() {
            return Ok(0);
        }
        while let Some(link) = self.link.as_mut() {
            let count = link.read(output)?;
            if count > 0 {
                return Ok(count);
            }
            self.link = self.link.take().and_then(|ended| L::begin(ended.rest()));
        }
        Ok(0)
    }
}

/// Decodes gzip.
pub(super) fn gzip(content: &[u8]) -> impl Read {
    Chain {
        link: Some(flate2::bufread::GzDecoder::new(content)),
        content: std::marker::PhantomData,
    }
}

/// Decodes bzip2.
pub(super) fn bzip2(content: &[u8]) -> impl Read {
    Chain {
        link: Some(bzip2::bufread::BzDecoder::new(content)),
        content: std::marker::PhantomData,
    }
}

/// The name in the header of a gzip stream.
pub(super) fn gzip_name(content: &[u8]) -> Option<String> {
    let decoder = flate2::bufread::GzDecoder::new(content);
    let name = decoder.header()?.filename()?;
    (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
}

impl<'a> Link<'a> for flate2::bufread::GzDecoder<&'a [u8]> {
    fn begin(content: &'a [u8]) -> Option<Self> {
        // Zeros fill the last block of a tape.
        let zeros = content.iter().take_while(|byte| **byte == 0).count();
        let content = &content[zeros..];
        content.starts_with(b"\x1f\x8b").then(|| Self::new(content))
    }

    fn rest(self) -> &'a [u8] {
        self.into_inner()
    }
}

impl<'a> Link<'a> for bzip2::bufread::BzDecoder<&'a [u8]> {
    fn begin(content: &'a [u8]) -> Option<Self> {
        content.starts_with(b"BZh").then(|| Self::new(content))
    }

    fn rest(self) -> &'a [u8] {
        self.into_inner()
    }
}
