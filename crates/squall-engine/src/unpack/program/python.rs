//! Python programs packed by PyInstaller: an archive with a list at its end,
//! and in it one of modules.
//!
//! No crate reads it. The form is that of `PyInstaller/archive/writers.py`.

use memchr::memmem;

use crate::unpack::decompress::Inflate;
use crate::unpack::{Members, Trouble};

/// What the end of the archive begins with. The program that unpacks it does
/// not hold these bytes as they are, so that it is not found instead.
const END_MARK: &[u8] = b"MEI\x0c\x0b\x0a\x0b\x0e";

/// Lengths of the end: with the name of a library, and of old versions.
const END_LENS: [usize; 2] = [88, 24];

/// Passes on what is packed in a program, if it is one of these.
pub(super) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let Some(end) = memmem::rfind(content, END_MARK) else {
        return Ok(());
    };
    let archive = END_LENS
        .into_iter()
        .find_map(|len| Archive::new(content, end, len));
    let Some(archive) = archive else {
        return Err(Trouble::corrupt(
            "the list of the Python program's files is damaged",
        ));
    };
    for file in archive.files() {
        members.check_time()?;
        let file = file?;
        if file.len > 0 {
            archive.take(&file, members)?;
        }
    }
    Ok(())
}

/// The archive, and the list of what is in it.
struct Archive<'a> {
    content: &'a [u8],
    list: &'a [u8],
}

/// A file, as the list has it.
struct File<'a> {
    name: String,
    at: usize,
    len: usize,
    is_packed: bool,
    kind: u8,
    entry: &'a [u8],
}

impl<'a> Archive<'a> {
    /// Finds the beginning of the archive from its end.
    fn new(content: &'a [u8], end: usize, end_len: usize) -> Option<Self> {
        let len = number(content, end + 8)?;
        let list_at = number(content, end + 12)?;
        let list_len = number(content, end + 16)?;
        let start = end.checked_add(end_len)?.checked_sub(len)?;
        let content = content.get(start..end)?;
        let list = content.get(list_at..list_at.checked_add(list_len)?)?;
        let archive = Self { content, list };
        let is_one = archive.files().next().is_none_or(|file| file.is_ok());
        is_one.then_some(archive)
    }

    /// The files in the order of the list, up to the first entry that is
    /// damaged.
    fn files(&self) -> impl Iterator<Item = Result<File<'a>, Trouble>> + use<'a> {
        let mut rest = self.list;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let file = File::read(rest);
            rest = file
                .as_ref()
                .and_then(|file| rest.get(file.entry.len()..))
                .unwrap_or_default();
            Some(file.ok_or_else(|| {
                Trouble::corrupt("the list of the Python program's files is damaged")
            }))
        })
    }

    fn take(&self, file: &File<'_>, members: &mut Members<'_, '_>) -> Result<(), Trouble> {
        const MODULES: u8 = b'z';
        let rest = self.content.get(file.at..).unwrap_or_default();
        let packed = &rest[..file.len.min(rest.len())];
        if packed.len() < file.len {
            let what = Trouble::corrupt("the end of it is missing");
            members.record_trouble(&file.name, what);
        }
        if file.kind == MODULES && !file.is_packed {
            return modules(&file.name, packed, members);
        }
        if file.is_packed {
            members.take(&file.name, Inflate::zlib(packed))
        } else {
            members.take(&file.name, packed)
        }
    }
}

impl<'a> File<'a> {
    fn read(list: &'a [u8]) -> Option<Self> {
        const FIELDS_LEN: usize = 18;
        let entry = list.get(..number(list, 0)?)?;
        let name = entry.get(FIELDS_LEN..)?;
        let name = &name[..memchr::memchr(0, name).unwrap_or(name.len())];
        Some(Self {
            name: String::from_utf8_lossy(name).into_owned(),
            at: number(entry, 4)?,
            len: number(entry, 8)?,
            is_packed: *entry.get(16)? != 0,
            kind: *entry.get(17)?,
            entry,
        })
    }
}

/// Passes on the modules of an archive of these: each compressed, one after the
/// other, with a list of their names behind, in a form only Python itself
/// reads.
fn modules(name: &str, archive: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    const MAGIC: &[u8] = b"PYZ\0";
    const LIST_AT: usize = 8;
    const FIRST_AT: usize = 12;
    let list_at = number(archive, LIST_AT).unwrap_or(0);
    let Some(mut rest) = archive
        .get(FIRST_AT..list_at)
        .filter(|_| archive.starts_with(MAGIC))
    else {
        return members.take(name, archive);
    };
    while rest.first() == Some(&0) {
        rest = &rest[1..];
    }
    let mut index = 0;
    while !rest.is_empty() {
        const ZLIB: u8 = 0x78;
        let module = format!("{name}/module-{index}");
        if rest.first() != Some(&ZLIB) {
            members.record_trouble(&module, Trouble::encrypted());
            return Ok(());
        }
        let mut reader = Inflate::zlib(&mut rest);
        members.take(&module, &mut reader)?;
        // Where one is damaged or over its limit, nobody knows where the next
        // begins.
        if !reader.has_ended() {
            return Ok(());
        }
        index += 1;
    }
    Ok(())
}

/// The big-endian number at a place, as a place or length.
fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(bytes)).ok()
}
