//! Single compressed streams: gzip, bzip2, xz, lzma, zstd and lz4.

use std::io::Read;

use super::{Members, Trouble};

/// The most memory a decoder's dictionary or window may take. The formats
/// allow gigabytes; what people use needs 64 MiB.
const DICTIONARY_MAX_KIB: u32 = 128 * 1024;

/// The same for zstd, as a power of two of bytes.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// The shortest LZ4 frame: magic, descriptor with its checksum, end mark. The
/// decoder takes a header that is cut off for the end of the data.
const LZ4_FRAME_LEN_MIN: usize = 4 + 3 + 4;

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
    /// RFC 8878, several frames one after the other.
    Zstd,
    /// The LZ4 frame format.
    Lz4,
}

impl Codec {
    /// The suffixes a file of this format usually has, and what they stand for.
    const fn suffixes(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Gzip => &[(".tgz", ".tar"), (".gz", ""), (".svgz", ".svg"), (".z", "")],
            Self::Bzip2 => &[(".tbz2", ".tar"), (".tbz", ".tar"), (".bz2", "")],
            Self::Xz => &[(".txz", ".tar"), (".xz", "")],
            Self::Lzma => &[(".lzma", "")],
            Self::Zstd => &[(".tzst", ".tar"), (".zst", "")],
            Self::Lz4 => &[(".lz4", "")],
        }
    }
}

/// Passes on the one member of a compressed stream, named after the file.
pub(crate) fn unpack(
    codec: Codec,
    content: &[u8],
    members: &mut Members<'_, '_>,
) -> Result<(), Trouble> {
    if codec == Codec::Lz4 && content.len() < LZ4_FRAME_LEN_MIN {
        return Err(Trouble::corrupt("a cut off LZ4 frame"));
    }
    let name = inner_name(codec, members.container());
    let reader: Box<dyn Read + '_> = match codec {
        Codec::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(content)),
        Codec::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(content)),
        Codec::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(
            content,
            true,
            DICTIONARY_MAX_KIB,
        )),
        Codec::Lzma => Box::new(
            lzma_rust2::LzmaReader::new_mem_limit(content, DICTIONARY_MAX_KIB, None)
                .map_err(Trouble::corrupt)?,
        ),
        Codec::Zstd => {
            let mut decoder =
                zstd::stream::read::Decoder::with_buffer(content).map_err(Trouble::corrupt)?;
            decoder
                .window_log_max(ZSTD_WINDOW_LOG_MAX)
                .map_err(Trouble::corrupt)?;
            Box::new(decoder)
        }
        Codec::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(content)),
    };
    members.take(&name, reader)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_member_is_named_after_the_file() {
        for (container, name) in [
            ("/var/log/app.log.gz", "app.log"),
            (r"C:\x\A.TGZ", "A.tar"),
            ("outer.zip|inner/data.gz", "data"),
            ("noname", "content"),
            (".gz", "content"),
            ("", "content"),
            ("ü.gz", "ü"),
        ] {
            assert_eq!(inner_name(Codec::Gzip, container), name, "{container}");
        }
    }
}
