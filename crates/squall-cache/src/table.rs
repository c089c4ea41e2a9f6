//! The entries in memory.
//!
//! They lie one behind the other in segments, and an index tells where each
//! is. When there is no room the oldest segment goes; of its entries those
//! that were asked for are stored once more, up to half of the segment, so
//! that making room always ends. That is nearly as good as evicting what was
//! not used for longest, and costs a bit for each entry instead of a list.

use std::collections::VecDeque;

use hashbrown::HashTable;

use crate::Key;
use crate::entry::{self, Entry, HEAD_LEN};

/// So many segments make up the whole table.
const SEGMENTS: usize = 32;
/// Bounds of the bytes of a segment.
const SEGMENT_MIN_BYTES: usize = 4 << 10;
const SEGMENT_MAX_BYTES: usize = 1 << 20;

/// Where an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    segment: u32,
    offset: u32,
}

/// The entries.
#[derive(Debug)]
pub(crate) struct Table {
    segments: VecDeque<Vec<u8>>,
    /// The number of the first of the segments.
    first: u32,
    index: HashTable<Place>,
    bytes_max: usize,
    segment_bytes: usize,
    evictions: u64,
}

impl Table {
    /// Makes an empty table of at most `bytes_max` bytes, index included. It
    /// takes memory only as it fills.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            segments: VecDeque::new(),
            first: 0,
            index: HashTable::new(),
            bytes_max,
            segment_bytes: (bytes_max / SEGMENTS).clamp(SEGMENT_MIN_BYTES, SEGMENT_MAX_BYTES),
            evictions: 0,
        }
    }

    /// Returns how many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Returns how many bytes of memory it has.
    pub(crate) fn bytes(&self) -> usize {
        let segments: usize = self.segments.iter().map(Vec::capacity).sum();
        segments + self.index.allocation_size()
    }

    /// Returns how many entries had to go for others.
    pub(crate) fn evictions(&self) -> u64 {
        self.evictions
    }

    /// Returns the value of a key and marks it as asked for.
    pub(crate) fn get(&mut self, key: &Key) -> Option<&[u8]> {
        let place = self.find(key)?;
        let bytes = self.bytes_at_mut(place)?;
        entry::mark(bytes, true);
        Entry::read(bytes).map(|entry| entry.value)
    }

    /// Tells whether there is a value for a key.
    pub(crate) fn contains(&self, key: &Key) -> bool {
        self.find(key).is_some()
    }

    /// Stores a value. One that takes a large part of the table is not stored.
    pub(crate) fn insert(&mut self, key: &Key, value: &[u8]) {
        if HEAD_LEN + value.len() > self.segment_bytes {
            return;
        }
        self.append(key, value);
        while self.bytes() > self.bytes_max && self.segments.len() > 1 {
            self.evict_segment();
        }
    }

    /// Returns the place behind the last entry.
    pub(crate) fn end(&self) -> Place {
        let last = self.segments.len().saturating_sub(1);
        Place {
            segment: self.first.wrapping_add(last as u32),
            offset: self.segments.back().map_or(0, Vec::len) as u32,
        }
    }

    /// Returns the place of the first entry.
    pub(crate) fn start(&self) -> Place {
        Place {
            segment: self.first,
            offset: 0,
        }
    }

    /// Copies the entries from a place to the end of its segment, or to that
    /// of the first segment if its own is gone. Returns them with the place
    /// behind them; they are none at the end of the table.
    pub(crate) fn copy_from(&self, place: Place) -> (Vec<u8>, Place) {
        let from = place.max(self.start());
        let number = from.segment.wrapping_sub(self.first) as usize;
        let Some(segment) = self.segments.get(number) else {
            return (Vec::new(), self.end());
        };
        let mut copy = Vec::new();
        for (at, entry) in entry::each(&segment[(from.offset as usize).min(segment.len())..]) {
            let place = Place {
                segment: from.segment,
                offset: from.offset + at as u32,
            };
            // What was stored again is elsewhere, with its newer value.
            if self.find(entry.key) == Some(place) {
                entry::append(&mut copy, entry.key, entry.value);
            }
        }
        let next = if number + 1 < self.segments.len() {
            Place {
                segment: from.segment.wrapping_add(1),
                offset: 0,
            }
        } else {
            self.end()
        };
        (copy, next)
    }

    fn find(&self, key: &Key) -> Option<Place> {
        let is_key = |place: &Place| self.key_at(*place) == Some(key);
        self.index.find(hash(key), is_key).copied()
    }

    fn append(&mut self, key: &Key, value: &[u8]) {
        let needed = HEAD_LEN + value.len();
        let is_full = |segment: &Vec<u8>| segment.len() + needed > self.segment_bytes;
        if self.segments.back().is_none_or(is_full) {
            self.segments
                .push_back(Vec::with_capacity(self.segment_bytes));
        }
        let end = self.end();
        if let Some(segment) = self.segments.back_mut() {
            entry::append(segment, key, value);
        }
        match self.find(key) {
            Some(before) => {
                let slot = self.index.find_mut(hash(key), |place| *place == before);
                if let Some(place) = slot {
                    *place = end;
                }
            }
            None => self.add_to_index(hash(key), end),
        }
    }

    fn add_to_index(&mut self, hash_of_key: u64, place: Place) {
        let (segments, first) = (&self.segments, self.first);
        let hash_at = |place: &Place| key_at(segments, first, *place).map_or(0, hash);
        if self.index.len() == self.index.capacity() {
            // The index itself would double where what fills it is traces of
            // removed entries.
            let room = self.index.len() + self.index.len() / 16 + 32;
            let mut larger = HashTable::with_capacity(room);
            for place in &self.index {
                larger.insert_unique(hash_at(place), *place, hash_at);
            }
            self.index = larger;
        }
        self.index.insert_unique(hash_of_key, place, hash_at);
    }

    fn evict_segment(&mut self) {
        let Some(segment) = self.segments.pop_front() else {
            return;
        };
        let number = self.first;
        self.first = self.first.wrapping_add(1);
        let mut spared = Vec::new();
        let mut spared_bytes = 0;
        // All of them leave the index before any comes back: it may have to
        // look at the keys of those it holds.
        for (at, entry) in entry::each(&segment) {
            let place = Place {
                segment: number,
                offset: at as u32,
            };
            let is_this = |found: &Place| *found == place;
            let Ok(slot) = self.index.find_entry(hash(entry.key), is_this) else {
                continue;
            };
            slot.remove();
            if entry.asked_for && spared_bytes + entry.len() <= self.segment_bytes / 2 {
                spared_bytes += entry.len();
                spared.push(entry);
            } else {
                self.evictions += 1;
            }
        }
        for entry in spared {
            self.append(entry.key, entry.value);
        }
    }

    fn key_at(&self, place: Place) -> Option<&Key> {
        key_at(&self.segments, self.first, place)
    }

    fn bytes_at_mut(&mut self, place: Place) -> Option<&mut [u8]> {
        let number = place.segment.wrapping_sub(self.first) as usize;
        self.segments
            .get_mut(number)?
            .get_mut(place.offset as usize..)
    }
}

fn key_at(segments: &VecDeque<Vec<u8>>, first: u32, place: Place) -> Option<&Key> {
    let number = place.segment.wrapping_sub(first) as usize;
    let segment = segments.get(number)?;
    segment.get(place.offset as usize..)?.first_chunk()
}

/// Keys are digests: a part of one is as good as any hash of it.
fn hash(key: &Key) -> u64 {
    let (first, _) = key.split_first_chunk().unwrap_or((&[0; 8], &[]));
    u64::from_le_bytes(*first)
}

#[cfg(test)]
mod tests;
