//! The tables of paths: each directory of a tree once more, for quick access.

use std::ops::Range;

use super::SECTOR_LEN;
use crate::unpack::fields::{len32_at, u32_at};

/// A tree has two, in either byte order, and may have a copy of each.
pub(super) const TABLES_MAX: usize = 4;

pub(super) struct PathTable {
    sector: u32,
    /// What the descriptor says.
    len: usize,
    is_big_endian: bool,
}

impl PathTable {
    /// Those that a descriptor of a volume tells of.
    pub(super) fn of_volume(descriptor: &[u8]) -> Vec<Self> {
        const LEN_AT: usize = 132;
        const SECTORS_AT: [(usize, bool); TABLES_MAX] =
            [(140, false), (144, false), (148, true), (152, true)];
        let table = |(at, is_big_endian)| {
            Some(Self {
                sector: number_at(descriptor, at, is_big_endian)?,
                len: len32_at(descriptor, LEN_AT)?,
                is_big_endian,
            })
        };
        let tables = SECTORS_AT.into_iter().filter_map(table);
        tables.filter(|table| table.sector != 0).collect()
    }

    /// Where it begins.
    pub(super) fn start(&self) -> usize {
        (self.sector as usize).saturating_mul(SECTOR_LEN)
    }

    /// Its entries, up to one that is cut off or has no name.
    pub(super) fn entries<'a>(&self, image: &'a [u8]) -> impl Iterator<Item = Entry<'a>> {
        let is_big_endian = self.is_big_endian;
        let end = self.start().saturating_add(self.len).min(image.len());
        let mut at = self.start();
        std::iter::from_fn(move || {
            let entry = Entry::read(image.get(at..end)?, at, is_big_endian)?;
            at = entry.range.end;
            Some(entry)
        })
    }
}

/// A directory.
pub(super) struct Entry<'a> {
    /// Where the entry is in the image.
    pub(super) range: Range<usize>,
    /// The sector that the directory begins in.
    pub(super) extent: u32,
    /// The name in its record.
    pub(super) short: &'a [u8],
}

impl<'a> Entry<'a> {
    fn read(bytes: &'a [u8], at: usize, is_big_endian: bool) -> Option<Self> {
        const HEADER_LEN: usize = 8;
        let name_len = usize::from(*bytes.first()?);
        let attribute_sectors = u32::from(*bytes.get(1)?);
        let extent = number_at(bytes, 2, is_big_endian)?.checked_add(attribute_sectors)?;
        let short = bytes.get(HEADER_LEN..HEADER_LEN + name_len)?;
        let len = (HEADER_LEN + name_len).next_multiple_of(2);
        (name_len > 0).then(|| Self {
            range: at..at + len,
            extent,
            short,
        })
    }
}

fn number_at(bytes: &[u8], at: usize, is_big_endian: bool) -> Option<u32> {
    let number = u32_at(bytes, at)?;
    Some(if is_big_endian {
        number.swap_bytes()
    } else {
        number
    })
}
