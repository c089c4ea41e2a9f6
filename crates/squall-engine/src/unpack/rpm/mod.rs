//! RPM packages: the files of the payload, a compressed cpio archive.

mod header;
mod stripped;

#[cfg(test)]
mod tests;

use std::io::{BufRead, BufReader, Read};

use squall_types::IncompleteReason;

use self::header::Header;
use self::stripped::Files;
use super::stream::{self, Codec};
use super::{Members, Trouble, cpio};

const LEAD_LEN: usize = 96;

/// Passes on every file of a package.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let (header, payload) = parts(content)
        .ok_or_else(|| Trouble::corrupt("the headers of the RPM package are damaged"))?;
    let decoder: Box<dyn Read + '_> = match codec(payload) {
        Some(codec) => stream::decoder(codec, payload)?,
        None => Box::new(payload),
    };
    let mut files = BufReader::new(decoder);
    let begin = files.fill_buf()?;
    if begin.len() < cpio::MAGIC_LEN {
        return Err(Trouble::corrupt(
            "the payload of the RPM package is cut off",
        ));
    }
    if begin.starts_with(stripped::MAGIC) {
        if let Some(listed) = Files::of(&header) {
            return listed.take(files, members);
        }
        // The bytes are here one after the other, and are looked at as they are.
        members.record(
            "payload",
            IncompleteReason::Corrupt,
            "the list of the RPM package's files is damaged".to_owned(),
        );
        return members.take("payload", files);
    }
    if !cpio::begins(begin) {
        return members.take("payload", files);
    }
    cpio::stream(files, members)
}

/// The header of the package, behind the lead and a header of signatures, and
/// the payload.
fn parts(content: &[u8]) -> Option<(Header<'_>, &[u8])> {
    const ALIGNMENT: usize = 8;
    let (_, signatures_len) = Header::read(content.get(LEAD_LEN..)?)?;
    let header_at = LEAD_LEN
        .checked_add(signatures_len)?
        .next_multiple_of(ALIGNMENT);
    let rest = content.get(header_at..)?;
    let (header, len) = Header::read(rest)?;
    Some((header, rest.get(len..)?))
}

/// How the payload is compressed, by what it begins with: the header says it
/// too, but nothing makes that true.
fn codec(payload: &[u8]) -> Option<Codec> {
    const MARKS: [(&[u8], Codec); 5] = [
        (b"\x1f\x8b", Codec::Gzip),
        (b"BZh", Codec::Bzip2),
        (b"\xfd7zXZ\0", Codec::Xz),
        (b"\x28\xb5\x2f\xfd", Codec::Zstd),
        (b"\x5d\0\0", Codec::Lzma),
    ];
    MARKS
        .into_iter()
        .find(|(mark, _)| payload.starts_with(mark))
        .map(|(_, codec)| codec)
}
