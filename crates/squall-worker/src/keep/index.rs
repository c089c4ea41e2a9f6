//! What is kept, how much it takes, and what goes first.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::place::Digest;

/// What may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Budget {
    /// Most bytes, files of facts included; `None` for no limit.
    pub(super) bytes_max: Option<u64>,
    /// How long after its last sighting a sample is kept; `None` for ever.
    pub(super) age_max: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    sample_bytes: u64,
    sidecar_bytes: u64,
    /// When it was seen last, in milliseconds since 1970-01-01 UTC.
    seen_ms: u64,
}

/// The samples in the directory.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: HashMap<Digest, Entry>,
    by_age: BTreeSet<(u64, Digest)>,
    bytes: u64,
}

impl Index {
    /// Notes a sample that was stored or seen again just now.
    pub(super) fn saw(&mut self, digest: Digest, sample: u64, sidecar: u64, now_ms: u64) {
        self.put(
            digest,
            Entry {
                sample_bytes: sample,
                sidecar_bytes: sidecar,
                seen_ms: now_ms,
            },
        );
    }

    /// Notes a file found in the directory. What was noted by [`saw`](Self::saw)
    /// is newer and stays.
    pub(super) fn found(&mut self, digest: Digest, is_sidecar: bool, bytes: u64, seen_ms: u64) {
        let mut entry = self.entries.get(&digest).copied().unwrap_or_default();
        let known = if is_sidecar {
            &mut entry.sidecar_bytes
        } else {
            &mut entry.sample_bytes
        };
        if *known == 0 {
            *known = bytes;
        }
        entry.seen_ms = entry.seen_ms.max(seen_ms);
        self.put(digest, entry);
    }

    fn put(&mut self, digest: Digest, entry: Entry) {
        self.remove(&digest);
        self.bytes += entry.sample_bytes + entry.sidecar_bytes;
        self.by_age.insert((entry.seen_ms, digest));
        self.entries.insert(digest, entry);
    }

    pub(super) fn remove(&mut self, digest: &Digest) {
        if let Some(entry) = self.entries.remove(digest) {
            self.bytes -= entry.sample_bytes + entry.sidecar_bytes;
            self.by_age.remove(&(entry.seen_ms, *digest));
        }
    }

    /// Returns the sample that was not seen for longest if it has to go.
    pub(super) fn surplus(&self, budget: &Budget, now_ms: u64) -> Option<Digest> {
        let &(seen_ms, digest) = self.by_age.first()?;
        let age = Duration::from_millis(now_ms.saturating_sub(seen_ms));
        let is_over = budget.bytes_max.is_some_and(|max| self.bytes > max)
            || budget.age_max.is_some_and(|max| age > max);
        is_over.then_some(digest)
    }

    /// Returns the samples of which no file of facts was found.
    pub(super) fn without_facts(&self) -> Vec<Digest> {
        let entries = self.entries.iter();
        let halves = entries.filter(|(_, entry)| entry.sidecar_bytes == 0);
        halves.map(|(digest, _)| *digest).collect()
    }

    /// Returns the sample that was not seen for longest, and its bytes.
    pub(super) fn oldest(&self) -> Option<(Digest, u64)> {
        let (_, digest) = self.by_age.first()?;
        let entry = self.entries.get(digest)?;
        Some((*digest, entry.sample_bytes + entry.sidecar_bytes))
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Budget = Budget {
        bytes_max: None,
        age_max: None,
    };

    #[test]
    fn the_one_not_seen_for_longest_goes_first() {
        let mut index = Index::default();
        index.saw([1; 32], 90, 10, 1000);
        index.saw([2; 32], 90, 10, 2000);
        index.saw([1; 32], 90, 20, 3000);
        assert_eq!((index.len(), index.bytes()), (2, 210));
        let budget = |bytes| Budget {
            bytes_max: Some(bytes),
            ..NONE
        };
        assert_eq!(index.surplus(&budget(210), 4000), None);
        assert_eq!(index.surplus(&budget(209), 4000), Some([2; 32]));
        index.remove(&[2; 32]);
        assert_eq!(index.bytes(), 110);
        assert_eq!(index.surplus(&budget(110), 4000), None);
    }

    #[test]
    fn what_is_too_old_goes_and_a_clock_set_back_takes_nothing() {
        let mut index = Index::default();
        index.saw([1; 32], 1, 1, 5000);
        let budget = Budget {
            age_max: Some(Duration::from_secs(2)),
            ..NONE
        };
        assert_eq!(index.surplus(&budget, 7000), None);
        assert_eq!(index.surplus(&budget, 7001), Some([1; 32]));
        assert_eq!(index.surplus(&budget, 10), None);
        assert_eq!(index.surplus(&NONE, u64::MAX), None);
    }

    #[test]
    fn both_files_found_are_one_sample_and_news_are_kept() {
        let mut index = Index::default();
        index.found([1; 32], false, 100, 1000);
        index.found([1; 32], true, 10, 2000);
        index.saw([2; 32], 50, 5, 9000);
        index.found([2; 32], true, 4, 3000);
        assert_eq!((index.len(), index.bytes()), (2, 165));
        assert_eq!(index.by_age.first(), Some(&(2000, [1; 32])));
        assert_eq!(index.by_age.last(), Some(&(9000, [2; 32])));
    }
}
