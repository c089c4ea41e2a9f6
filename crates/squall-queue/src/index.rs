//! Which sample is next: the sources take turns, each source's samples in the
//! order they came.
//!
//! A million waiting samples cost 24 MB here, twice that at worst while a line
//! grows; everything else about them stays on the disk.

use std::collections::{HashMap, VecDeque};

/// What must be known of a waiting sample without asking the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: u64,
    pub(crate) bytes: u64,
    pub(crate) enqueued_at_us: i64,
}

/// The waiting samples of the durable lane.
#[derive(Debug, Default)]
pub(crate) struct Index {
    lines: HashMap<u64, VecDeque<Entry>>,
    /// Sources with waiting samples, the next one in front.
    turns: VecDeque<u64>,
    /// Samples whose scan ended the process or the worker once. They are
    /// scanned one at a time, so that a second death has one suspect and never
    /// costs the samples that were merely being scanned beside it.
    suspects: VecDeque<(u64, Entry)>,
    len: u64,
    bytes: u64,
}

/// A sample taken from the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) entry: Entry,
    pub(crate) source_key: u64,
    pub(crate) suspect: bool,
}

impl Index {
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Puts a sample at the end of its source's line.
    pub(crate) fn push(&mut self, source_key: u64, entry: Entry) {
        self.count_in(&entry);
        self.line(source_key).push_back(entry);
    }

    /// Puts a suspect in the suspects' line.
    pub(crate) fn push_suspect(&mut self, source_key: u64, entry: Entry) {
        self.count_in(&entry);
        self.suspects.push_back((source_key, entry));
    }

    /// Gives back a sample that was taken; it is the next of its source.
    pub(crate) fn give_back(&mut self, taken: Taken) {
        self.count_in(&taken.entry);
        if taken.suspect {
            self.suspects.push_front((taken.source_key, taken.entry));
        } else {
            self.line(taken.source_key).push_front(taken.entry);
        }
    }

    /// Takes the next sample. Suspects go first, so that their case is settled
    /// soon, but only when `suspects_allowed`.
    pub(crate) fn take(&mut self, suspects_allowed: bool) -> Option<Taken> {
        let taken = if suspects_allowed && let Some((source_key, entry)) = self.suspects.pop_front()
        {
            Taken {
                entry,
                source_key,
                suspect: true,
            }
        } else {
            self.take_turn()?
        };
        self.len -= 1;
        self.bytes -= taken.entry.bytes;
        Some(taken)
    }

    /// When the sample that waits longest came.
    pub(crate) fn oldest_us(&self) -> Option<i64> {
        let lines = self.lines.values().filter_map(VecDeque::front);
        lines
            .chain(self.suspects.iter().map(|(_, entry)| entry))
            .map(|entry| entry.enqueued_at_us)
            .min()
    }

    fn take_turn(&mut self) -> Option<Taken> {
        let source_key = self.turns.pop_front()?;
        let line = self.lines.get_mut(&source_key)?;
        let entry = line.pop_front()?;
        if line.is_empty() {
            self.lines.remove(&source_key);
        } else {
            self.turns.push_back(source_key);
        }
        Some(Taken {
            entry,
            source_key,
            suspect: false,
        })
    }

    fn count_in(&mut self, entry: &Entry) {
        self.len += 1;
        self.bytes += entry.bytes;
    }

    fn line(&mut self, source_key: u64) -> &mut VecDeque<Entry> {
        self.lines.entry(source_key).or_insert_with(|| {
            self.turns.push_back(source_key);
            // One place: with a million sources most lines hold one sample.
            VecDeque::with_capacity(1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u64) -> Entry {
        Entry {
            id,
            bytes: 10,
            enqueued_at_us: i64::try_from(id).unwrap(),
        }
    }

    fn drain(index: &mut Index) -> Vec<u64> {
        std::iter::from_fn(|| index.take(true).map(|taken| taken.entry.id)).collect()
    }

    #[test]
    fn sources_take_turns_and_keep_their_order() {
        let mut index = Index::default();
        for id in 1..=5 {
            index.push(1, entry(id));
        }
        index.push(2, entry(6));
        index.push(3, entry(7));
        index.push(2, entry(8));
        assert_eq!(drain(&mut index), [1, 6, 7, 2, 8, 3, 4, 5]);
        assert_eq!((index.len(), index.bytes()), (0, 0));
    }

    #[test]
    fn a_late_source_waits_for_one_sample_of_each_other() {
        let mut index = Index::default();
        for id in 1..=100_000 {
            index.push(1, entry(id));
        }
        index.push(2, entry(100_001));
        index.take(true);
        assert_eq!(index.take(true).unwrap().entry.id, 100_001);
    }

    #[test]
    fn a_sample_given_back_is_the_next_of_its_source() {
        let mut index = Index::default();
        index.push(1, entry(1));
        index.push(1, entry(2));
        let taken = index.take(true).unwrap();
        index.give_back(taken);
        assert_eq!(index.len(), 2);
        assert_eq!(drain(&mut index), [1, 2]);
    }

    #[test]
    fn suspects_are_held_back_when_not_allowed() {
        let mut index = Index::default();
        index.push(1, entry(1));
        index.push_suspect(1, entry(2));
        assert_eq!(index.take(false).unwrap().entry.id, 1);
        assert_eq!(index.take(false), None);
        let suspect = index.take(true).unwrap();
        assert!(suspect.suspect);
        assert_eq!(suspect.entry.id, 2);
    }

    #[test]
    fn the_oldest_is_found_in_every_line() {
        let mut index = Index::default();
        assert_eq!(index.oldest_us(), None);
        index.push(1, entry(5));
        index.push(2, entry(3));
        index.push_suspect(3, entry(2));
        assert_eq!(index.oldest_us(), Some(2));
    }
}
