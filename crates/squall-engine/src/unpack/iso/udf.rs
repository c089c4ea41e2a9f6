//! What an image has beside its trees of ISO 9660, where UDF is on it as well.
//!
//! The files of UDF are not looked at. That is no loss where both file systems
//! have the same ones, as nearly every image with both has; so it is told by
//! what no file here has.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use super::path_table::{PathTable, TABLES_MAX};
use super::record::Record;
use super::rock_ridge::{Continuation, continued};
use super::{FIRST_DESCRIPTOR, SECTOR_LEN};
use crate::unpack::fields::u16_at;

/// Whether an image says that there is UDF on it.
pub(super) fn is_marked(image: &[u8]) -> bool {
    /// Linux looks no further, and at nothing but the identifier.
    const SECTORS_MAX: usize = 4096;
    let sectors = image.get(FIRST_DESCRIPTOR..).unwrap_or_default();
    sectors
        .chunks(SECTOR_LEN)
        .take(SECTORS_MAX)
        .any(|sector| matches!(sector.get(1..6), Some(b"NSR02" | b"NSR03")))
}

/// Which bytes of an image its trees have.
#[derive(Default)]
pub(super) struct Coverage<'a> {
    files: Vec<Range<usize>>,
    directories: Vec<Range<usize>>,
    /// The sectors of directories, each of which counts once.
    seen: HashSet<usize>,
    tables: Vec<PathTable>,
    /// Where the directories begin, and their names.
    names: HashSet<(u32, &'a [u8])>,
    /// In an order, so that an image has the same result each time.
    continuations: BTreeSet<Continuation>,
}

impl<'a> Coverage<'a> {
    /// Adds a part of a file.
    pub(super) fn add_file(&mut self, sector: u32, len: u32) {
        self.files.push(range(sector, 0, len as usize));
    }

    /// Whether a sector of a directory is seen for the first time. Only then is
    /// it worth adding, as descriptors can have a tree in common.
    pub(super) fn is_new(&mut self, directory: u32, index: usize) -> bool {
        self.seen.insert(range(directory, index, 0).start)
    }

    /// Adds a sector of a directory, with records in its first `len` bytes.
    pub(super) fn add_records(&mut self, directory: u32, index: usize, len: usize) {
        self.directories.push(range(directory, index, len));
    }

    /// Adds what a record tells of other places.
    pub(super) fn add_record(&mut self, record: &Record<'a>) {
        if record.is_directory {
            self.names.insert((record.extent, record.short));
        }
        self.continuations.extend(record.continuation);
    }

    /// Adds the tables of a tree.
    pub(super) fn add_tables(&mut self, tables: Vec<PathTable>) {
        self.tables.extend(tables);
    }

    /// Whether an image has a good deal of data that no file here has.
    pub(super) fn misses_files(self, image: &[u8]) -> bool {
        /// Boot code, notes of the program that made the image, and other things
        /// that are no files.
        const OTHER_BYTES_MAX: usize = 16 * 1024;
        /// The same where there is more of it than of files: those can be a
        /// text that tells to use the other file system, or a decoy.
        const OTHER_BYTES_MAX_OF_MOST: usize = 4 * 1024;
        let files = merged(self.files.clone(), image.len());
        let files: usize = files.iter().map(Range::len).sum();
        let others = self.others_len(image);
        others > OTHER_BYTES_MAX || others > OTHER_BYTES_MAX_OF_MOST.max(files)
    }

    /// How many bytes of data belong to none of what was added.
    fn others_len(self, image: &[u8]) -> usize {
        let tables = self.table_entries(image);
        let continued = self.continued(image);
        let known = [self.files, self.directories, tables, continued].concat();
        others_len(image, &merged(known, image.len()))
    }

    /// The entries of the tables of paths. One that repeats no record of a
    /// directory could be anything, however long a table says that it is.
    fn table_entries(&self, image: &[u8]) -> Vec<Range<usize>> {
        let mut ranges = Vec::new();
        let mut seen = HashSet::new();
        // Tables that overlap have more entries than there are directories.
        let mut entries_left = self.names.len().saturating_mul(TABLES_MAX);
        for table in &self.tables {
            if !seen.insert(table.start()) {
                continue;
            }
            for entry in table.entries(image).take(entries_left) {
                entries_left -= 1;
                if self.names.contains(&(entry.extent, entry.short)) {
                    ranges.push(entry.range);
                }
            }
        }
        ranges
    }

    /// What Rock Ridge has no room for in the records.
    fn continued(&self, image: &[u8]) -> Vec<Range<usize>> {
        /// Of one record, in however many places.
        const LEN_MAX: usize = SECTOR_LEN;
        let mut ranges = Vec::new();
        let mut seen = HashSet::new();
        // Places that overlap have more bytes than the image.
        let mut image_left = image.len();
        for first in &self.continuations {
            let mut left = LEN_MAX.min(image_left);
            let mut next = Some(*first);
            while let Some(place) = next.map(|place| place.range())
                && seen.insert(place.start)
            {
                let end = place.end.min(place.start.saturating_add(left));
                let bytes = image.get(place.start..end.min(image.len()));
                let (len, behind) = continued(bytes.unwrap_or_default());
                ranges.push(place.start..place.start.saturating_add(len));
                left -= len;
                image_left -= len;
                next = behind;
            }
        }
        ranges
    }
}

/// The first `len` bytes of a sector behind another.
fn range(sector: u32, index: usize, len: usize) -> Range<usize> {
    let start = (sector as usize)
        .saturating_add(index)
        .saturating_mul(SECTOR_LEN);
    start..start.saturating_add(len)
}

/// The ranges in their order, none of which overlaps another or the end.
fn merged(mut ranges: Vec<Range<usize>>, end: usize) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut merged = Vec::with_capacity(ranges.len());
    let mut at = 0;
    for range in ranges {
        let range = range.start.max(at)..range.end.min(end);
        if !range.is_empty() {
            at = range.end;
            merged.push(range);
        }
    }
    merged
}

/// How many bytes of data are outside of `known`, which is in order.
fn others_len(image: &[u8], known: &[Range<usize>]) -> usize {
    let mut len = 0;
    let mut at = FIRST_DESCRIPTOR;
    for range in known.iter().chain([&(image.len()..image.len())]) {
        if at < range.start {
            len += gap_len(image, at..range.start);
        }
        at = at.max(range.end);
    }
    len
}

/// How many bytes of data are in a gap between files. The zeros at the end of a
/// sector are none, and no more are the structures of the file systems.
fn gap_len(image: &[u8], gap: Range<usize>) -> usize {
    /// None that is seen in such images is longer: the rest of the sector could
    /// be a file.
    const STRUCTURE_LEN_MAX: usize = 512;
    let mut len = 0;
    let mut at = gap.start;
    while at < gap.end {
        if at.is_multiple_of(SECTOR_LEN) {
            at += names_len(&image[at..gap.end]);
        }
        let is_sector = at.is_multiple_of(SECTOR_LEN);
        let end = (at + 1).next_multiple_of(SECTOR_LEN).min(gap.end);
        let piece = image.get(at..end).unwrap_or_default();
        let used = piece.iter().rposition(|byte| *byte != 0);
        let used = used.map_or(0, |last| last + 1);
        len += if is_sector && is_structure(piece) {
            used.saturating_sub(STRUCTURE_LEN_MAX)
        } else {
            used
        };
        at = end;
    }
    len
}

/// Whether a sector begins with a structure of one of the file systems.
fn is_structure(sector: &[u8]) -> bool {
    let is_descriptor = matches!(
        sector.get(1..6),
        Some(b"CD001" | b"BEA01" | b"NSR02" | b"NSR03" | b"TEA01" | b"BOOT2")
    );
    is_descriptor || tag(sector).is_some()
}

/// The number of a structure of UDF. Its tag has a checksum.
fn tag(bytes: &[u8]) -> Option<u16> {
    const LEN: usize = 16;
    let tag = bytes.get(..LEN)?;
    let number = u16_at(tag, 0)?;
    let is_known = matches!(number, 1..=9 | 256..=266) && matches!(u16_at(tag, 2)?, 2 | 3);
    let sum = tag.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    // The checksum is no part of the sum.
    (is_known && sum.wrapping_sub(tag[4]) == tag[4]).then_some(number)
}

/// The length of a directory of UDF: names, one after the other over as many
/// sectors as they take.
fn names_len(bytes: &[u8]) -> usize {
    const NAME: u16 = 257;
    const HEADER_LEN: usize = 38;
    /// What a program adds to a name.
    const EXTRA_LEN_MAX: u16 = 64;
    let mut len = 0;
    while let Some(entry) = bytes.get(len..)
        && tag(entry) == Some(NAME)
        && let Some(extra_len) = u16_at(entry, 36)
        && extra_len <= EXTRA_LEN_MAX
    {
        let entry_len = HEADER_LEN + usize::from(entry[19]) + usize::from(extra_len);
        len += entry_len.next_multiple_of(4);
    }
    len.min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_tag(number: u16, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 16];
        bytes[..2].copy_from_slice(&number.to_le_bytes());
        bytes[2] = 2;
        bytes[4] = bytes
            .iter()
            .fold(0, |sum: u8, byte| sum.wrapping_add(*byte));
        bytes.extend(content);
        bytes
    }

    fn name(name: &[u8]) -> Vec<u8> {
        let mut content = vec![0; 22];
        content[3] = u8::try_from(name.len()).unwrap();
        content.extend(name);
        let mut bytes = with_tag(257, &content);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn data_len(sectors: &[u8]) -> usize {
        let image = [&[0; FIRST_DESCRIPTOR], sectors].concat();
        others_len(&image, &[])
    }

    #[test]
    fn structures_are_no_data() {
        assert_eq!(data_len(&[]), 0);
        assert_eq!(data_len(&[0; 5000]), 0);
        assert_eq!(data_len(&with_tag(261, &[7; 400])), 0);
        assert_eq!(data_len(&name(b"a name").repeat(1000)), 0);
        assert_eq!(data_len(b"\x01CD001\x01 and so on"), 0);
    }

    #[test]
    fn what_only_looks_like_a_structure_is_data() {
        let mut wrong_sum = with_tag(261, &[7; 400]);
        wrong_sum[4] += 1;
        assert_eq!(data_len(&wrong_sum), 416);
        assert_eq!(data_len(&with_tag(300, &[7; 400])), 416);
        assert_eq!(data_len(&with_tag(261, &[7; 2000])), 2016 - 512);
        let mut behind_names = name(b"a name").repeat(100);
        behind_names.extend([7; 3000]);
        assert_eq!(data_len(&behind_names), 3000);
        let mut long_extra = name(b"a name");
        long_extra[37] = 0xff;
        long_extra.resize(SECTOR_LEN, 7);
        assert_eq!(data_len(&long_extra), SECTOR_LEN - 512);
    }

    #[test]
    fn ranges_are_merged() {
        let ranges = vec![30..40, 5..10, 8..20, 6..7, 35..usize::MAX, 70..90];
        assert_eq!(merged(ranges, 50), [5..10, 10..20, 30..40, 40..50]);
    }
}
