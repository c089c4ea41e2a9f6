//! What a queue is opened with.

use std::path::{Path, PathBuf};

use crate::fs;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// What a queue is opened with.
#[derive(Clone, Debug)]
pub struct QueueConfig {
    /// The directory everything is kept under; made when it does not exist.
    pub dir: PathBuf,
    /// What an acknowledgement survives; default [`Durability::Fsync`].
    pub durability: Durability,
    /// How many results are kept before the oldest are evicted; 0 keeps none.
    /// Default 250,000.
    pub results_max: u64,
    /// How many failed samples are kept, with why they failed, before the oldest
    /// are evicted; they also have a quarter of the spool's bytes at most.
    /// Default 250,000.
    pub failed_max: u64,
    /// Bodies up to this many bytes stay in memory while they arrive and go to
    /// a segment shared with others; longer ones get a file of their own.
    /// Default 512 KiB.
    pub inline_len_max: u64,
    /// A segment that reached this many bytes is followed by a new one.
    /// Default 64 MiB.
    pub segment_len_max: u64,
    /// What is refused.
    pub limits: Limits,
}

impl QueueConfig {
    /// Makes a configuration with the defaults for the directory `dir`.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            durability: Durability::default(),
            results_max: 250_000,
            failed_max: 250_000,
            inline_len_max: 512 * KIB,
            segment_len_max: 64 * MIB,
            limits: Limits::default(),
        }
    }
}

/// Bounds above which samples are refused before they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Samples waiting or being scanned in the durable lane; default 1,000,000.
    pub samples_max: u64,
    /// Bytes of samples kept in the spool: waiting, being scanned, or failed
    /// and kept for a retry. Default 64 GiB.
    pub bytes_max: u64,
    /// Bytes of disk space left to others; default 256 MiB. The queue reads at
    /// least [`Limits::FREE_BYTES_FLOOR`].
    pub free_bytes_min: u64,
    /// Synchronous checks that may wait for a worker; default 1,024.
    pub immediate_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            samples_max: 1_000_000,
            bytes_max: 64 * GIB,
            free_bytes_min: 256 * MIB,
            immediate_max: 1024,
        }
    }
}

impl Limits {
    /// Disk space that samples never take: results, and with them the removal
    /// of what was scanned, need some. Where samples take the last byte, no
    /// result can be written, and so no sample can go.
    pub const FREE_BYTES_FLOOR: u64 = 8 * MIB;

    /// Bytes that samples in `queue_dir` may take when nobody says how many:
    /// nine tenths of its disk. Without a bound, failed samples, which have a
    /// quarter of it, would fill the disk up to the reserve for good.
    #[must_use]
    pub fn bytes_max_of_disk(queue_dir: &Path) -> u64 {
        fs::disk_bytes(queue_dir).map_or(u64::MAX, |bytes| bytes / 10 * 9)
    }
}

/// What an acknowledged sample survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Bytes and record are on stable storage before the acknowledgement: they
    /// survive the end of the process, of the operating system and of the
    /// power, as long as the disk keeps what it said it stored. All samples
    /// that wait at a moment share one flush.
    #[default]
    Fsync,
    /// Bytes and record are handed to the operating system before the
    /// acknowledgement: they survive the end of the process, `kill -9`
    /// included, but what was acknowledged in the last half minute may be lost
    /// when the operating system or the power fails.
    Buffered,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_follows_the_disk_also_of_a_directory_that_is_not_made_yet() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = Limits::bytes_max_of_disk(dir.path());
        assert!(bytes > 0 && bytes < u64::MAX);
        let later = dir.path().join("not").join("yet");
        assert_eq!(Limits::bytes_max_of_disk(&later), bytes);
        let here = Limits::bytes_max_of_disk(Path::new("no-such-directory"));
        assert!(here > 0 && here < u64::MAX);
    }
}
