//! Single compressed streams: gzip, bzip2, xz, lzma, lzip, zstd, lz4 and zlib.

mod chain;
mod lz4;

#[cfg(test)]
mod tests;

use std::io::{self, Read};

use memchr::memmem;

use super::decompress::{self, Inflate};
use super::{Members, Trouble};

/// A format of one compressed stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    /// RFC 1952, several members one after the other.
    Gzip,
    /// bzip2, several streams one after the other.
    Bzip2,
    /// The .xz format, several streams one after the other.
    Xz,
    /// The older .lzma format.
    Lzma,
    /// The .lz format, several members one after the other.
    Lzip,
    /// RFC 8878, several frames one after the other.
    Zstd,
    /// The LZ4 frame format and its predecessor.
    Lz4,
    /// RFC 1950.
    Zlib,
}

impl Codec {
    /// The suffixes a file of this format usually has, and what they stand for.
    const fn suffixes(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Gzip => &[
                (".tgz", ".tar"),
                (".gz", ""),
                (".svgz", ".svg"),
                (".emz", ".emf"),
                (".z", ""),
            ],
            Self::Bzip2 => &[(".tbz2", ".tar"), (".tbz", ".tar"), (".bz2", "")],
            Self::Xz => &[(".txz", ".tar"), (".xz", "")],
            Self::Lzma => &[(".tlz", ".tar"), (".lzma", "")],
            Self::Lzip => &[(".tlz", ".tar"), (".lz", "")],
            Self::Zstd => &[(".tzst", ".tar"), (".zst", "")],
            Self::Lz4 => &[(".lz4", "")],
            Self::Zlib => &[(".zlib", ""), (".zz", "")],
        }
    }
}

/// Passes on the one member of a compressed stream. It is named as the stream
/// says, else after the container.
pub(crate) fn unpack(
    codec: Codec,
    content: &[u8],
    members: &mut Members<'_, '_>,
) -> Result<(), Trouble> {
    let name = match codec {
        Codec::Gzip => chain::gzip_name(content),
        _ => None,
    };
    let name = name.unwrap_or_else(|| inner_name(codec, members.container()));
    members.take(&name, decoder(codec, content)?)
}

pub(super) fn decoder<'a>(codec: Codec, content: &'a [u8]) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match codec {
        Codec::Gzip => Box::new(chain::gzip(content)),
        Codec::Bzip2 => Box::new(chain::bzip2(content)),
        Codec::Xz => Box::new(decompress::xz(content)),
        Codec::Lzma => Box::new(decompress::lzma(content)?),
        Codec::Lzip => Box::new(lzip(content)?),
        Codec::Zstd => Box::new(decompress::zstd(content)?),
        Codec::Lz4 => Box::new(lz4::Frames::new(content)),
        Codec::Zlib => Box::new(Inflate::zlib(content)),
    })
}

/// Decodes lzip. The library has no bound on the dictionary, so that of every
/// member is looked at before.
fn lzip(content: &[u8]) -> io::Result<impl Read> {
    const MAGIC: &[u8] = b"LZIP\x01";
    if !content.starts_with(MAGIC) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the header of the lzip stream is damaged",
        ));
    }
    for start in memmem::find_iter(content, MAGIC) {
        let Some(coded) = content.get(start + MAGIC.len()) else {
            break;
        };
        let dictionary_bytes = 1_u64 << (coded & 0x1f);
        if dictionary_bytes > u64::from(decompress::MEMORY_MAX_KIB) * 1024 {
            return Err(io::Error::new(
                io::ErrorKind::OutOfMemory,
                format!("the dictionary takes {dictionary_bytes} bytes"),
            ));
        }
    }
    Ok(lzma_rust2::LzipReader::new(content))
}

/// Names the member of `container`: its last component without the suffix of
/// the compression.
fn inner_name(codec: Codec, container: &str) -> String {
    let base = container
        .rsplit(['/', '\\', '|'])
        .next()
        .unwrap_or_default();
    for (suffix, instead) in codec.suffixes() {
        let Some(at) = base.len().checked_sub(suffix.len()) else {
            continue;
        };
        // Compared as bytes: the name need not have a boundary there.
        if at > 0 && base.as_bytes()[at..].eq_ignore_ascii_case(suffix.as_bytes()) {
            return format!("{}{instead}", &base[..at]);
        }
    }
    "content".to_owned()
}
