//! Windows cabinets ([MS-CAB]): stored, MSZIP and LZX. Quantum, which nothing
//! has made for decades, is not understood.
//!
//! The `cab` crate looks files up by their names, of which there may be two
//! alike, and unpacks a folder from its start for each: so only the decoders
//! are taken from crates.

mod folder;

#[cfg(test)]
mod tests;

use memchr::memchr;
use squall_types::IncompleteReason;

use self::folder::{Compression, Folder, FolderReader};
use super::decompress::Exact;
use super::fields::Fields;
use super::{Members, Trouble};

const MAGIC: &[u8] = b"MSCF";

/// Passes on every file of a cabinet.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let header = Header::read(content)
        .ok_or_else(|| Trouble::corrupt("the header of the cabinet is damaged"))?;
    let (mut files, is_whole) = header.files(content, members)?;
    // In the order of their data, so that each folder is unpacked once.
    files.sort_by_key(|file| (file.folder, file.offset));
    let mut open: Option<(u16, FolderReader<'_>)> = None;
    for file in &files {
        members.check_time()?;
        let folder = match header.folder_of(file) {
            Ok(folder) => folder,
            Err(trouble) => {
                members.record_trouble(&file.name, trouble);
                continue;
            }
        };
        let reader = match open.take() {
            Some((index, reader)) if index == file.folder && reader.position() <= file.offset => {
                reader
            }
            _ => FolderReader::new(content, folder, header.data_reserve_len),
        };
        let (_, reader) = open.insert((file.folder, reader));
        take(file, reader, members)?;
    }
    if is_whole {
        Ok(())
    } else {
        Err(Trouble::corrupt(
            "the list of files in the cabinet is damaged",
        ))
    }
}

fn take(
    file: &File,
    reader: &mut FolderReader<'_>,
    members: &mut Members<'_, '_>,
) -> Result<(), Trouble> {
    let before = file.offset.saturating_sub(reader.position());
    if let Err(trouble) = members.skip(&mut *reader, before) {
        members.record_trouble(&file.name, trouble);
        return Ok(());
    }
    members.take(&file.name, Exact::new(reader, file.len))
}

/// The header and the folders.
struct Header {
    folders: Vec<Folder>,
    file_count: u16,
    files_at: usize,
    data_reserve_len: usize,
}

/// A file, as the cabinet lists it.
struct File {
    name: String,
    len: u64,
    /// Where it begins in the unpacked folder.
    offset: u64,
    folder: u16,
}

impl Header {
    fn read(content: &[u8]) -> Option<Self> {
        const HAS_PREVIOUS: u16 = 1;
        const HAS_NEXT: u16 = 1 << 1;
        const HAS_RESERVE: u16 = 1 << 2;
        let mut fields = Fields::new(content);
        if fields.take(MAGIC.len())? != MAGIC {
            return None;
        }
        fields.take(12)?;
        let files_at = fields.len32()?;
        fields.take(6)?;
        let folder_count = fields.u16()?;
        let file_count = fields.u16()?;
        let flags = fields.u16()?;
        fields.take(4)?;
        let (mut folder_reserve_len, mut data_reserve_len) = (0, 0);
        if flags & HAS_RESERVE != 0 {
            let header_reserve_len = usize::from(fields.u16()?);
            folder_reserve_len = usize::from(*fields.take(1)?.first()?);
            data_reserve_len = usize::from(*fields.take(1)?.first()?);
            fields.take(header_reserve_len)?;
        }
        for neighbour in [HAS_PREVIOUS, HAS_NEXT] {
            if flags & neighbour != 0 {
                fields.until_zero()?;
                fields.until_zero()?;
            }
        }
        let mut folders = Vec::new();
        for _ in 0..folder_count {
            let data_at = fields.len32()?;
            let block_count = fields.u16()?;
            let compression = Compression::of(fields.u16()?);
            fields.take(folder_reserve_len)?;
            folders.push(Folder {
                data_at,
                block_count,
                compression,
            });
        }
        Some(Self {
            folders,
            file_count,
            files_at,
            data_reserve_len,
        })
    }

    /// Reads the list of files, and tells whether it is whole.
    fn files(
        &self,
        content: &[u8],
        members: &Members<'_, '_>,
    ) -> Result<(Vec<File>, bool), Trouble> {
        let mut fields = Fields::new(content.get(self.files_at..).unwrap_or_default());
        let mut files = Vec::new();
        for _ in 0..self.file_count {
            members.check_time()?;
            match File::read(&mut fields) {
                Some(file) => files.push(file),
                None => return Ok((files, false)),
            }
        }
        Ok((files, true))
    }

    fn folder_of(&self, file: &File) -> Result<&Folder, Trouble> {
        /// The values that stand for a folder shared with another cabinet.
        const SHARED: std::ops::RangeInclusive<u16> = 0xfffd..=0xffff;
        if SHARED.contains(&file.folder) {
            return Err(Trouble {
                reason: IncompleteReason::Truncated,
                description: "a part of it is in another cabinet".to_owned(),
            });
        }
        let folder = self
            .folders
            .get(usize::from(file.folder))
            .ok_or_else(|| Trouble::corrupt("it is in a folder that is not there"))?;
        match folder.compression {
            Compression::Unknown(code) => Err(Trouble::unsupported(format!(
                "cabinet compression {code:#06x} is not known"
            ))),
            _ => Ok(folder),
        }
    }
}

impl File {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        /// No name is longer, so that a damaged list does not give one of
        /// megabytes.
        const NAME_LEN_MAX: usize = 1024;
        let len = u64::from(fields.u32()?);
        let offset = u64::from(fields.u32()?);
        let folder = fields.u16()?;
        fields.take(6)?;
        let end = memchr(0, fields.rest()).filter(|end| *end <= NAME_LEN_MAX)?;
        let name = String::from_utf8_lossy(fields.take(end)?).into_owned();
        fields.take(1)?;
        Some(Self {
            name,
            len,
            offset,
            folder,
        })
    }
}
