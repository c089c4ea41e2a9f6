//! RPM packages: the files of the payload, a compressed cpio archive.

#[cfg(test)]
mod tests;

use std::io::{BufRead, BufReader, Read};

use squall_types::IncompleteReason;

use super::stream::{self, Codec};
use super::{Members, Trouble, cpio};

const LEAD_LEN: usize = 96;
const HEADER_MAGIC: &[u8] = b"\x8e\xad\xe8";
/// What each file of the payload of version 6 begins with.
const STRIPPED_MAGIC: &[u8] = b"07070X";

/// Passes on every file of a package.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let payload = payload(content)
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
    if begin.starts_with(STRIPPED_MAGIC) {
        // Names and lengths of the files are in the package's header. Their
        // bytes are here one after the other, and are looked at as they are.
        members.record(
            "payload",
            IncompleteReason::Unsupported,
            "the files of this newer RPM package are not told apart".to_owned(),
        );
        return members.take("payload", files);
    }
    if !cpio::begins(begin) {
        return members.take("payload", files);
    }
    cpio::stream(files, members)
}

/// What is behind the lead, the header of signatures and that of the package.
fn payload(content: &[u8]) -> Option<&[u8]> {
    let signatures_len = header_len(content.get(LEAD_LEN..)?)?;
    let header_at = LEAD_LEN.checked_add(signatures_len)?.next_multiple_of(8);
    let header = content.get(header_at..)?;
    header.get(header_len(header)?..)
}

/// Length of a header: an index of entries and what they refer to.
fn header_len(header: &[u8]) -> Option<usize> {
    const INTRODUCTION_LEN: usize = 16;
    const ENTRY_LEN: usize = 16;
    let number = |at: usize| {
        let bytes = header.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(bytes)).ok()
    };
    if !header.starts_with(HEADER_MAGIC) {
        return None;
    }
    let index_len = number(8)?.checked_mul(ENTRY_LEN)?;
    INTRODUCTION_LEN
        .checked_add(index_len)?
        .checked_add(number(12)?)
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
