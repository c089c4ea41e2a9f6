//! Where a program ends and what was put behind it begins.

use std::mem::size_of;

use crate::unpack::fields::{len32_at, u16_at, u32_at};

/// Where the bytes begin that no header of the program accounts for; `None` if
/// it is no program or its headers are damaged.
pub(super) fn start(content: &[u8]) -> Option<usize> {
    if content.starts_with(b"\x7fELF") {
        Elf::new(content)?.end()
    } else {
        windows(content)
    }
}

fn windows(content: &[u8]) -> Option<usize> {
    const HEADER_AT: usize = 0x3c;
    const SIGNATURE: u32 = 0x0000_4550;
    const SECTIONS_AT: usize = 24;
    const SECTION_LEN: usize = 40;
    let header = len32_at(content, HEADER_AT)?;
    if u32_at(content, header) != Some(SIGNATURE) {
        return None;
    }
    let header = content.get(header..)?;
    let section_count = usize::from(u16_at(header, 6)?);
    let sections_at = SECTIONS_AT + usize::from(u16_at(header, 20)?);
    (0..section_count)
        .map_while(|index| {
            let section = sections_at + index * SECTION_LEN;
            let len = len32_at(header, section + 16)?;
            len32_at(header, section + 20)?.checked_add(len)
        })
        .max()
}

/// The headers of a program in ELF, of either width and byte order.
struct Elf<'a> {
    content: &'a [u8],
    is_wide: bool,
    is_little: bool,
}

/// A table of headers.
struct Table {
    at: usize,
    entry_len: usize,
    count: usize,
}

impl<'a> Elf<'a> {
    fn new(content: &'a [u8]) -> Option<Self> {
        Some(Self {
            content,
            is_wide: *content.get(4)? == 2,
            is_little: *content.get(5)? == 1,
        })
    }

    /// The end of the last segment, section and table of headers.
    fn end(&self) -> Option<usize> {
        let (segments_at, sections_at, counts_at) = if self.is_wide {
            (0x20, 0x28, 0x36)
        } else {
            (0x1c, 0x20, 0x2a)
        };
        let segments = self.table(segments_at, counts_at)?;
        let sections = self.table(sections_at, counts_at + 4)?;
        let (len_at, section_at) = if self.is_wide {
            (0x20, 0x18)
        } else {
            (0x10, 0x10)
        };
        let segment_ends = self.entries(&segments).filter_map(|entry| {
            let at = self.word(entry + if self.is_wide { 8 } else { 4 })?;
            at.checked_add(self.word(entry + len_at)?)
        });
        let section_ends = self.entries(&sections).filter_map(|entry| {
            /// What takes no place in the file.
            const NO_BITS: usize = 8;
            let at = self.word(entry + section_at)?;
            let len = self.word(entry + section_at + self.word_len())?;
            let is_there = self.number(entry + 4, size_of::<u32>())? != NO_BITS;
            if is_there { at.checked_add(len) } else { None }
        });
        let tables = [&segments, &sections].map(|table| {
            table
                .entry_len
                .checked_mul(table.count)
                .and_then(|len| len.checked_add(table.at))
        });
        segment_ends
            .chain(section_ends)
            .chain(tables.into_iter().flatten())
            .max()
    }

    fn table(&self, pointer_at: usize, counts_at: usize) -> Option<Table> {
        Some(Table {
            at: self.word(pointer_at)?,
            entry_len: self.number(counts_at, size_of::<u16>())?,
            count: self.number(counts_at + 2, size_of::<u16>())?,
        })
    }

    /// Where the headers of a table begin that are in the file.
    fn entries(&self, table: &Table) -> impl Iterator<Item = usize> + use<> {
        let (at, len, end) = (table.at, table.entry_len, self.content.len());
        (0..table.count)
            .map_while(move |index| at.checked_add(index * len).filter(|entry| *entry < end))
    }

    fn word_len(&self) -> usize {
        if self.is_wide { 8 } else { 4 }
    }

    fn word(&self, at: usize) -> Option<usize> {
        self.number(at, self.word_len())
    }

    fn number(&self, at: usize, len: usize) -> Option<usize> {
        let bytes = self.content.get(at..at.checked_add(len)?)?;
        let joined = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
        let number = if self.is_little {
            bytes.iter().rev().fold(0, joined)
        } else {
            bytes.iter().fold(0, joined)
        };
        usize::try_from(number).ok()
    }
}
