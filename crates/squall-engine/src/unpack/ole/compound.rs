//! Compound files ([MS-CFB]): a file system in a file, with storages for
//! folders and streams for files.
//!
//! Written by hand because the programs that open such files read damaged ones
//! as far as they can, and so must a scanner. Every chain of sectors is followed
//! for at most as many steps as there are sectors, and every table is as long as
//! the content allows, whatever the header says.

use std::borrow::Cow;

use super::directory::{self, Entry, Kind};
use crate::unpack::fields::{u16_at, u32_at};

/// What a compound file begins with.
pub(super) const SIGNATURE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

const HEADER_BYTES: usize = 512;
const MINI_SECTOR_SHIFT: u32 = 6;
/// Numbers from here on are no sectors but marks in the tables.
const SECTOR_NUMBER_MAX: u32 = 0xffff_fffa;

/// A compound file, its tables read.
pub(super) struct Compound<'a> {
    sectors: Sectors<'a>,
    mini_table: Vec<u32>,
    mini_stream: Cow<'a, [u8]>,
    mini_cutoff: u64,
    entries: Vec<Entry>,
}

/// The bytes of a stream.
pub(super) struct Stream<'a> {
    /// Borrowed if they lie in the file as they are, so that a scan of the file
    /// has seen them.
    pub(super) content: Cow<'a, [u8]>,
    /// Whether all of them could be found.
    pub(super) is_whole: bool,
}

impl<'a> Compound<'a> {
    /// Reads the tables. `None` if the content is no compound file.
    pub(super) fn open(content: &'a [u8]) -> Option<Self> {
        if !content.starts_with(SIGNATURE) || content.len() < HEADER_BYTES {
            return None;
        }
        let sectors = Sectors::open(content)?;
        let table_bytes = |start| sectors.stream(start, u64::MAX).content;
        let directory = table_bytes(u32_at(content, 48)?);
        // Only the fourth version has sizes of more than 32 bits; before it the
        // upper half may be anything.
        let has_large_sizes = u16_at(content, 26)? >= 4;
        let entries = directory::read(&directory, has_large_sizes);
        let mini_table = numbers(&table_bytes(u32_at(content, 60)?));
        let mini_stream = match entries.first().filter(|entry| entry.kind == Kind::Root) {
            Some(root) => sectors.stream(root.start, root.size).content,
            None => Cow::Borrowed(&[][..]),
        };
        Some(Self {
            mini_table,
            mini_stream,
            mini_cutoff: u64::from(u32_at(content, 56)?),
            entries,
            sectors,
        })
    }

    /// The directory; the first entry is the root.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries in a storage.
    pub(super) fn children(&self, storage: usize) -> impl Iterator<Item = (usize, &Entry)> {
        self.entries
            .get(storage)
            .into_iter()
            .flat_map(|entry| &entry.children)
            .filter_map(|index| Some((*index, self.entries.get(*index)?)))
    }

    /// The entry of this name in a storage.
    pub(super) fn child(&self, storage: usize, name: &str) -> Option<usize> {
        self.children(storage)
            .find(|(_, entry)| entry.name.eq_ignore_ascii_case(name))
            .map(|(index, _)| index)
    }

    /// Reads a stream.
    pub(super) fn stream(&self, index: usize) -> Stream<'_> {
        let Some(entry) = self.entries.get(index) else {
            return Stream {
                content: Cow::Borrowed(&[]),
                is_whole: false,
            };
        };
        if entry.size < self.mini_cutoff && entry.kind == Kind::Stream {
            let mini = Chain {
                table: &self.mini_table,
                content: &self.mini_stream,
                shift: MINI_SECTOR_SHIFT,
                first_at: 0,
            };
            let stream = mini.stream(entry.start, entry.size);
            // What lies together in the small streams' sectors only lies
            // together in the file if those do.
            if matches!(self.mini_stream, Cow::Owned(_)) {
                return Stream {
                    content: Cow::Owned(stream.content.into_owned()),
                    ..stream
                };
            }
            return stream;
        }
        self.sectors.stream(entry.start, entry.size)
    }
}

/// The sectors of the file and the table that chains them.
struct Sectors<'a> {
    content: &'a [u8],
    shift: u32,
    table: Vec<u32>,
}

impl<'a> Sectors<'a> {
    fn open(content: &'a [u8]) -> Option<Self> {
        let shift = match u16_at(content, 30)? {
            12 => 12,
            // Any other value is an attempt to be read by one program only.
            _ => 9,
        };
        let mut sectors = Self {
            content,
            shift,
            table: Vec::new(),
        };
        let sectors_max = (content.len() >> shift) + 1;
        let mut table = Vec::new();
        for number in sectors.table_sectors() {
            if table.len() >= sectors_max {
                break;
            }
            if let Some(sector) = sectors.sector(number) {
                table.extend(numbers(sector));
            } else {
                // Keeps the numbers behind a missing sector in their places.
                table.extend(std::iter::repeat_n(u32::MAX, 1 << (shift - 2)));
            }
        }
        table.truncate(sectors_max);
        sectors.table = table;
        Some(sectors)
    }

    /// The numbers of the sectors that hold the table.
    fn table_sectors(&self) -> Vec<u32> {
        const IN_HEADER: usize = 109;
        let per_sector = 1_usize << (self.shift - 2);
        let count_max = (self.content.len() >> self.shift) / per_sector + 2;
        let header = self.content.get(76..76 + 4 * IN_HEADER).unwrap_or_default();
        let mut found = numbers(header);
        let mut next = u32_at(self.content, 68).unwrap_or(u32::MAX);
        let mut steps = 0;
        while found.len() < count_max && steps < count_max {
            let Some(sector) = self.sector(next) else {
                break;
            };
            let mut listed = numbers(sector);
            next = listed.pop().unwrap_or(u32::MAX);
            found.extend(listed);
            steps += 1;
        }
        while found
            .last()
            .is_some_and(|number| *number >= SECTOR_NUMBER_MAX)
        {
            found.pop();
        }
        found.truncate(count_max);
        found
    }

    /// A sector, or what is there of it.
    fn sector(&self, number: u32) -> Option<&'a [u8]> {
        sector_of(self.content, number, self.shift, 1 << self.shift)
    }

    fn stream(&self, start: u32, size: u64) -> Stream<'a> {
        Chain {
            table: &self.table,
            content: self.content,
            shift: self.shift,
            first_at: 1 << self.shift,
        }
        .stream(start, size)
    }
}

/// Sectors and the table that chains them; the small streams have their own.
struct Chain<'table, 'a> {
    table: &'table [u32],
    content: &'a [u8],
    shift: u32,
    first_at: usize,
}

impl<'a> Chain<'_, 'a> {
    fn stream(&self, start: u32, size: u64) -> Stream<'a> {
        let size_max = usize::try_from(size)
            .unwrap_or(usize::MAX)
            .min(self.content.len());
        let mut content: Cow<'a, [u8]> = Cow::Borrowed(&[]);
        let mut at = self.first_at;
        let mut next = start;
        for _ in 0..=self.table.len() {
            let Some(sector) = sector_of(self.content, next, self.shift, self.first_at) else {
                break;
            };
            let sector = &sector[..sector.len().min(size_max - content.len())];
            let sector_at = self.place(next);
            self.append(&mut content, &mut at, sector, sector_at);
            if content.len() == size_max {
                break;
            }
            let following = usize::try_from(next)
                .ok()
                .and_then(|index| self.table.get(index));
            let Some(following) = following else {
                break;
            };
            next = *following;
        }
        Stream {
            is_whole: size == u64::MAX || content.len() as u64 == size,
            content,
        }
    }

    /// Appends a sector; borrows as long as each follows the one before.
    fn append(
        &self,
        content: &mut Cow<'a, [u8]>,
        start: &mut usize,
        sector: &[u8],
        sector_at: usize,
    ) {
        match content {
            Cow::Borrowed([]) => {
                *start = sector_at;
                *content = Cow::Borrowed(&self.content[sector_at..sector_at + sector.len()]);
            }
            Cow::Borrowed(bytes) if *start + bytes.len() == sector_at => {
                *content = Cow::Borrowed(&self.content[*start..sector_at + sector.len()]);
            }
            _ => content.to_mut().extend_from_slice(sector),
        }
    }

    fn place(&self, number: u32) -> usize {
        // The sector was found there, so this cannot overflow.
        self.first_at + (usize::try_from(number).unwrap_or(0) << self.shift)
    }
}

/// A sector, or what is there of it; `None` if that is nothing.
fn sector_of(content: &[u8], number: u32, shift: u32, first_at: usize) -> Option<&[u8]> {
    if number >= SECTOR_NUMBER_MAX {
        return None;
    }
    let start = (u64::from(number) << shift).checked_add(first_at as u64)?;
    let rest = content.get(usize::try_from(start).ok()?..)?;
    let sector = &rest[..rest.len().min(1 << shift)];
    (!sector.is_empty()).then_some(sector)
}

fn numbers(bytes: &[u8]) -> Vec<u32> {
    (0..bytes.len() / 4)
        .filter_map(|index| u32_at(bytes, 4 * index))
        .collect()
}
