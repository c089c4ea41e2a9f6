//! The methods of compression.

use std::io::{self, BufRead, Read};

use ppmd_rust::{Ppmd8Decoder, RestoreMethod};

use super::super::Trouble;
use super::super::decompress::{self, Checked, Inflate, MEMORY_MAX_KIB};
use super::super::fields::{u16_at, u32_at};
use super::entry::Entry;

/// Decodes the data of a member, and checks it if there is something to.
pub(super) fn reader<'a>(
    method: u16,
    packed: impl BufRead + 'a,
    entry: &Entry,
    crc: Option<u32>,
) -> io::Result<impl Read + 'a> {
    Ok(Checked::new(decoder(method, packed, entry)?, crc))
}

fn decoder<'a>(
    method: u16,
    packed: impl BufRead + 'a,
    entry: &Entry,
) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match method {
        0 => Box::new(packed),
        8 => Box::new(Inflate::raw(packed)),
        9 => Box::new(deflate64::Deflate64Decoder::with_buffer(packed)),
        12 => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
        14 => Box::new(lzma(packed, entry)?),
        20 | 93 => Box::new(decompress::zstd(packed)?),
        95 => Box::new(decompress::xz(packed)),
        98 => Box::new(ppmd(packed, entry)?),
        other => {
            return Err(io::Error::other(Trouble::unsupported(format!(
                "zip method {other} is not known"
            ))));
        }
    })
}

/// LZMA with the header that zip puts before it: a version, and the properties
/// with their length.
fn lzma<'a>(mut packed: impl BufRead + 'a, entry: &Entry) -> io::Result<impl Read + 'a> {
    let mut header = [0; 9];
    packed.read_exact(&mut header)?;
    let dictionary_bytes = u32_at(&header, 5).unwrap_or_default();
    let len = if entry.has_end_mark { None } else { entry.len };
    decompress::raw_lzma(packed, header[4], dictionary_bytes, len)
}

/// PPMd variant I, revision 1, with the parameters in two bytes before it.
fn ppmd<'a>(mut packed: impl BufRead + 'a, entry: &Entry) -> io::Result<impl Read + 'a> {
    let mut header = [0; 2];
    packed.read_exact(&mut header)?;
    let parameters = u32::from(u16_at(&header, 0).unwrap_or_default());
    let order = (parameters & 0xf) + 1;
    let memory_bytes = (((parameters >> 4) & 0xff) + 1) << 20;
    if memory_bytes / 1024 > MEMORY_MAX_KIB {
        return Err(io::Error::new(
            io::ErrorKind::OutOfMemory,
            format!("the model takes {memory_bytes} bytes"),
        ));
    }
    let restore = match parameters >> 12 {
        0 => RestoreMethod::Restart,
        1 => RestoreMethod::CutOff,
        _ => {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the parameters of PPMd are damaged",
            ));
        }
    };
    let decoder = Ppmd8Decoder::new(packed, order, memory_bytes, restore)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
    // It has no end of its own.
    Ok(decoder.take(entry.len.unwrap_or(u64::MAX)))
}
