//! Tar archives, with the long names of GNU and pax.

mod sparse;

#[cfg(test)]
mod tests;

use tar::{Archive, Entry, EntryType};

use self::sparse::Sparse;
use super::decompress::Exact;
use super::{Members, Trouble};

const BLOCK_LEN: usize = 512;

/// Passes on every file of the archives, which may follow each other: tools
/// can be told to read on behind the first end mark.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let mut rest = content;
    loop {
        let end = one(rest, members)?;
        rest = rest.get(end..).unwrap_or_default();
        let (blocks, _) = rest.as_chunks::<BLOCK_LEN>();
        let zeros = blocks
            .iter()
            .take_while(|block| block.iter().all(|byte| *byte == 0))
            .count();
        rest = &rest[zeros * BLOCK_LEN..];
        // What is no header hides nothing: the archive itself was scanned.
        if !is_header(rest) {
            return Ok(());
        }
    }
}

/// Passes on the files of one archive, and tells where it ends.
fn one(content: &[u8], members: &mut Members<'_, '_>) -> Result<usize, Trouble> {
    let start = label_len(content);
    let mut end = 0;
    let mut archive = Archive::new(&content[start..]);
    for entry in archive.entries().map_err(Trouble::corrupt)? {
        members.check_time()?;
        let mut entry = entry.map_err(Trouble::corrupt)?;
        let len = entry.header().entry_size().map_err(Trouble::corrupt)?;
        let data_end = entry.raw_file_position().saturating_add(len);
        end = usize::try_from(data_end).unwrap_or(usize::MAX);
        take(&mut entry, members)?;
    }
    Ok(end
        .checked_next_multiple_of(BLOCK_LEN)
        .and_then(|end| end.checked_add(start))
        .unwrap_or(usize::MAX))
}

/// The length of the name that GNU tar gives a volume: a header without a length,
/// which the library refuses.
fn label_len(content: &[u8]) -> usize {
    const SIZE: std::ops::Range<usize> = 124..136;
    const KIND_AT: usize = 156;
    let is_label = content.get(KIND_AT) == Some(&b'V')
        && content[SIZE].iter().all(|byte| *byte == 0)
        && is_header(content);
    if is_label { BLOCK_LEN } else { 0 }
}

fn take(entry: &mut Entry<'_, &[u8]>, members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    let is_without_content = matches!(
        entry.header().entry_type(),
        EntryType::Directory
            | EntryType::Symlink
            | EntryType::Link
            | EntryType::Char
            | EntryType::Block
            | EntryType::Fifo
            | EntryType::XGlobalHeader
    ) || name.ends_with('/');
    // Where there should be none but is, it may be meant for another tool.
    if is_without_content && entry.size() == 0 {
        return Ok(());
    }
    let len = entry.size();
    // Its content is what the library would read to tell whether it is sparse.
    if entry.header().entry_type() == EntryType::XGlobalHeader {
        return members.take(&name, Exact::new(entry, len));
    }
    match Sparse::of(entry) {
        Some(sparse) => {
            let name = sparse.name.clone().unwrap_or(name);
            members.take(&name, sparse.restored(Exact::new(entry, len)))
        }
        None => members.take(&name, Exact::new(entry, len)),
    }
}

/// Tells whether an archive begins here, of the kind that says so.
pub(super) fn begins(content: &[u8]) -> bool {
    const MAGIC_AT: usize = 257;
    let magic = content.get(MAGIC_AT..).unwrap_or_default();
    magic.starts_with(b"ustar") && is_header(content)
}

/// Tells whether a header begins here, by its checksum.
fn is_header(content: &[u8]) -> bool {
    const CHECKSUM: std::ops::Range<usize> = 148..156;
    let Some(block) = content.first_chunk::<BLOCK_LEN>() else {
        return false;
    };
    let header = tar::Header::from_byte_slice(block);
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| if CHECKSUM.contains(&at) { b' ' } else { *byte })
        .map(u32::from)
        .sum();
    header.cksum().is_ok_and(|declared| declared == sum)
}
