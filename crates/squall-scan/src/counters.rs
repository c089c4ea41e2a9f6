//! What a running scan has done so far, counted by all its threads.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why something was passed over that is no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skip {
    /// A glob excludes it.
    Excluded,
    /// No glob includes it.
    NotIncluded,
    /// It was changed too long ago.
    TooOld,
    /// A symbolic link that is not followed.
    Symlink,
    /// A pipe, a socket, a device.
    Special,
    /// A directory of `/proc`, `/sys` or another pseudo file system.
    PseudoFileSystem,
    /// A directory on another file system.
    OtherFileSystem,
    /// A directory that was reached before, by another link or in a loop.
    Repeated,
    /// It was gone when it was to be read.
    Vanished,
    /// An output of this scan.
    OwnOutput,
}

impl Skip {
    /// All of them, in the order they are shown, with their names.
    pub(crate) const ALL: [(Self, &'static str); 10] = [
        (Self::Excluded, "excluded"),
        (Self::NotIncluded, "not included"),
        (Self::TooOld, "too old"),
        (Self::Symlink, "symbolic links"),
        (Self::Special, "pipes, sockets and devices"),
        (Self::PseudoFileSystem, "pseudo file systems"),
        (Self::OtherFileSystem, "other file systems"),
        (Self::Repeated, "directories reached again"),
        (Self::Vanished, "gone before they were read"),
        (Self::OwnOutput, "outputs of this scan"),
    ];
}

/// The counters.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    found: AtomicU64,
    done: AtomicU64,
    scanned: AtomicU64,
    bytes: AtomicU64,
    skipped: [AtomicU64; Skip::ALL.len()],
}

impl Counters {
    /// Counts a file that is passed to the scan threads.
    pub(crate) fn count_found(&self) {
        self.found.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a file that a scan thread is done with, whatever came of it.
    pub(crate) fn count_done(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a file that went through the engine.
    pub(crate) fn count_scanned(&self, bytes: u64) {
        self.scanned.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts something that was passed over.
    pub(crate) fn count_skipped(&self, skip: Skip) {
        self.skipped[skip as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many files were passed to the scan threads.
    pub(crate) fn found(&self) -> u64 {
        self.found.load(Ordering::Relaxed)
    }

    /// How many files the scan threads are done with.
    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// How many files went through the engine.
    pub(crate) fn scanned(&self) -> u64 {
        self.scanned.load(Ordering::Relaxed)
    }

    /// How many bytes those files had.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How much was left out by what the operator asked for.
    pub(crate) fn not_selected(&self) -> u64 {
        [Skip::Excluded, Skip::NotIncluded, Skip::TooOld]
            .into_iter()
            .map(|skip| self.skipped[skip as usize].load(Ordering::Relaxed))
            .sum()
    }

    /// What was passed over, with its name; without what there was none of.
    pub(crate) fn skipped(&self) -> Vec<(&'static str, u64)> {
        Skip::ALL
            .iter()
            .map(|(skip, name)| (*name, self.skipped[*skip as usize].load(Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_counter_of_its_own() {
        let counters = Counters::default();
        for (at, (skip, _)) in Skip::ALL.iter().enumerate() {
            assert_eq!(*skip as usize, at);
            for _ in 0..=at {
                counters.count_skipped(*skip);
            }
        }
        let counts: Vec<u64> = counters.skipped().iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, (1..=10).collect::<Vec<_>>());
        assert_eq!(counters.not_selected(), 1 + 2 + 3);
    }
}
