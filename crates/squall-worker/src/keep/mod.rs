//! Samples that are kept after their scan, each under its SHA-256 with a JSON
//! file beside it, within a budget.

mod files;
mod index;
mod place;
mod sidecar;

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use squall_queue::Limits;

use squall_types::{Level, Outcome, Report};

use crate::limited::Limited;
use index::{Budget, Index};
use place::{Digest, Token};
use sidecar::Sidecar;

/// Which samples are kept for their level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepLevel {
    /// None.
    None,
    /// Those with a Warning or an Alert.
    Malicious,
    /// All.
    All,
}

/// What is kept, where and for how long.
#[derive(Clone, Debug)]
pub struct KeepConfig {
    /// The directory.
    pub dir: PathBuf,
    /// Which samples, by their level.
    pub level: KeepLevel,
    /// Samples whose highest score is at least this are kept as well. Scores
    /// end at 100.
    pub score_min: u32,
    /// Most bytes in the directory; `None` for no limit. What was not seen for
    /// longest goes first.
    pub bytes_max: Option<u64>,
    /// How long a sample is kept after it was seen last; `None` for ever.
    pub age_max: Option<Duration>,
    /// Bytes below which the queue takes no samples. Twice as many are left
    /// free by what is kept, so that it never stops the intake.
    pub free_bytes_min: u64,
    /// Whether a kept sample survives the end of the power.
    pub fsync: bool,
}

/// Why a sample was not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The file system refused.
    #[error("cannot {operation} `{}`", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It alone is larger than the budget.
    #[error("the sample has {len} bytes, all samples may have {max}")]
    TooLarge {
        /// Bytes of the sample.
        len: u64,
        /// Bytes of the budget.
        max: u64,
    },
    /// The disk is nearly full, and not because of what is kept.
    #[error("{free} bytes are free, {reserve} are to be left beside the {len} of the sample")]
    NoRoom {
        /// Bytes free on the disk.
        free: u64,
        /// Bytes to be left free.
        reserve: u64,
        /// Bytes of the sample.
        len: u64,
    },
}

/// How many samples are kept, and what became of others since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeptStats {
    /// Samples in the directory.
    pub samples: u64,
    /// Bytes they and their files of facts take.
    pub bytes: u64,
    /// Samples that were to be kept and were not.
    pub refused: u64,
    /// Samples that went for others, or for their age.
    pub removed: u64,
}

/// Locks for so many samples at a time.
const STRIPES: usize = 64;
/// Bytes on the disk beside those of a sample: its file of facts, and the blocks
/// that are not full.
const OVERHEAD_BYTES: u64 = 16 * 1024;

/// Keeps samples.
///
/// Identical samples are stored once. Files that it did not make are never
/// touched. A sample is written to a temporary name, mode 0600, and renamed.
pub struct Keeper {
    config: KeepConfig,
    budget: Budget,
    index: Mutex<Index>,
    /// Held by whoever changes the files of a sample, by its first byte.
    stripes: Vec<Mutex<()>>,
    told: Limited,
    refused: AtomicU64,
    removed: AtomicU64,
    clock: Clock,
    token: Token,
}

/// Tells the time from one look at the calendar: a clock that is set far ahead
/// while the service runs must not make all samples too old at once.
#[derive(Debug)]
struct Clock {
    started_ms: u64,
    started: Instant,
}

impl Clock {
    fn start() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            started_ms: millis(now.unwrap_or_default()),
            started: Instant::now(),
        }
    }

    /// In milliseconds since 1970-01-01 UTC.
    fn now_ms(&self) -> u64 {
        self.started_ms
            .saturating_add(millis(self.started.elapsed()))
    }
}

impl KeepConfig {
    /// Tells whether any sample is kept at all.
    #[must_use]
    pub fn keeps_any(&self) -> bool {
        self.level != KeepLevel::None || self.score_min <= 100
    }

    fn wants(&self, outcome: &Outcome) -> bool {
        let for_level = match self.level {
            KeepLevel::None => false,
            KeepLevel::Malicious => outcome
                .findings
                .iter()
                .any(|finding| finding.level >= Level::Warning),
            KeepLevel::All => true,
        };
        for_level || u32::from(outcome.score_max().value()) >= self.score_min
    }
}

impl Keeper {
    /// Makes the directory where it is missing. What is in it counts towards
    /// the budget once [`take_stock`](Self::take_stock) has looked.
    ///
    /// # Errors
    ///
    /// Fails if the directory cannot be made.
    pub fn open(config: KeepConfig) -> Result<Self, KeepError> {
        files::make_dir(&config.dir)?;
        if config.fsync {
            // Its own name, and those of folders that a crash left unsynced.
            files::sync_dir(&config.dir)?;
            files::sync_name(&config.dir)?;
        }
        Ok(Self {
            budget: Budget {
                bytes_max: config.bytes_max,
                age_max: config.age_max,
            },
            config,
            index: Mutex::default(),
            stripes: (0..STRIPES).map(|_| Mutex::default()).collect(),
            told: Limited::default(),
            refused: AtomicU64::default(),
            removed: AtomicU64::default(),
            clock: Clock::start(),
            token: RandomState::new().hash_one(std::process::id()),
        })
    }

    /// Looks once through the directory, so that what earlier runs kept counts
    /// and goes in its turn. May take long; samples are kept meanwhile.
    pub(crate) fn take_stock(&self) {
        let walked = files::walk(&self.config.dir, self.token, |found| {
            let mut index = self.index();
            index.found(
                found.digest,
                found.is_sidecar,
                found.bytes,
                found.modified_ms,
            );
        });
        if let Err(error) = walked {
            self.tell(&error, "not all kept samples count towards the budget");
        }
        let without_facts = self.index().without_facts();
        for digest in without_facts {
            self.remove_half(digest);
        }
        self.enforce();
        let index = self.index();
        tracing::info!(
            dir = %self.config.dir.display(),
            samples = index.len(),
            bytes = index.bytes(),
            "samples kept"
        );
    }

    /// Removes a sample that a crash left without its facts. Whoever is writing
    /// one holds its stripe until both are there.
    fn remove_half(&self, digest: Digest) {
        let _stripe = self.stripe(&digest);
        if !files::exists(&place::sidecar(&self.config.dir, &digest)) {
            self.remove(digest);
        }
    }

    /// Tells whether a sample of which this is said is to be kept.
    pub(crate) fn wants(&self, outcome: &Outcome) -> bool {
        self.config.wants(outcome)
    }

    /// Keeps a scanned sample if it is one to be kept. What keeps it from that
    /// is logged and has no effect on the scan.
    pub(crate) fn keep(&self, report: &Report, content: &[u8]) {
        if !self.config.wants(&report.outcome) {
            return;
        }
        if let Err(error) = self.store(report, content) {
            self.refused.fetch_add(1, Ordering::Relaxed);
            self.tell(&error, "a sample was not kept");
        }
        self.enforce();
    }

    /// Returns the content of the sample with that SHA-256; `None` if it is not
    /// kept.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be read.
    pub fn content(&self, sha256: &[u8; 32]) -> io::Result<Option<Vec<u8>>> {
        let path = place::sample(&self.config.dir, sha256);
        match std::fs::symlink_metadata(&path) {
            // A link is not ours.
            Ok(found) if !found.is_file() => Ok(None),
            Ok(_) => std::fs::read(&path).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Tells whether the sample with this SHA-256 is kept.
    #[must_use]
    pub fn holds(&self, sha256: &[u8; 32]) -> bool {
        let path = place::sample(&self.config.dir, sha256);
        std::fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
    }

    fn store(&self, report: &Report, content: &[u8]) -> Result<(), KeepError> {
        let digest = report.submission.digests.sha256;
        let dir = &self.config.dir;
        let len = content.len() as u64;
        let sample = place::sample(dir, &digest);
        // Another sighting of what is there needs next to nothing.
        if !files::has_len(&sample, len) {
            self.make_room(len)?;
        }
        let _stripe = self.stripe(&digest);
        let folder = place::folder(dir, &digest);
        if files::make_folder(&folder)? && self.config.fsync {
            // Without its name on the disk it is made, and synced, again.
            files::sync_dir(dir).inspect_err(|_| files::remove_folder(&folder))?;
        }
        if !files::has_len(&sample, len) {
            files::write(&sample, content, self.token, self.config.fsync)?;
        }
        let sidecar = place::sidecar(dir, &digest);
        let present = files::read(&sidecar, 2 * sidecar::BYTES_MAX as u64);
        let facts = Sidecar::next(present.as_deref(), report);
        files::write(&sidecar, &facts, self.token, self.config.fsync)?;
        if self.config.fsync {
            files::sync_dir(&folder)?;
        }
        let now = self.clock.now_ms();
        self.index().saw(digest, len, facts.len() as u64, now);
        Ok(())
    }

    /// Makes room for a sample: where little is free, the oldest go, but no more
    /// than the new one needs. What others put on the disk, a long queue for
    /// instance, does not cost what was kept.
    fn make_room(&self, len: u64) -> Result<(), KeepError> {
        if let Some(max) = self.config.bytes_max
            && len > max
        {
            return Err(KeepError::TooLarge { len, max });
        }
        let floor = Limits::FREE_BYTES_FLOOR;
        let reserve = self.config.free_bytes_min.max(floor).saturating_mul(2);
        let needed = len + OVERHEAD_BYTES;
        let mut removed = 0;
        loop {
            let free = files::free_bytes(&self.config.dir)?;
            let is_replaced = removed >= needed && free >= floor.saturating_add(needed);
            if free >= reserve.saturating_add(needed) || is_replaced {
                return Ok(());
            }
            let oldest = {
                let index = self.index();
                // Nothing goes in vain.
                let within_reach = free.saturating_sub(reserve) + removed + index.bytes();
                index
                    .oldest()
                    .filter(|_| within_reach >= needed && removed < needed)
            };
            let Some((digest, bytes)) = oldest else {
                return Err(KeepError::NoRoom { free, reserve, len });
            };
            let _stripe = self.stripe(&digest);
            self.remove(digest);
            removed += bytes;
        }
    }

    /// Removes what is over the budget. To be called now and then as well:
    /// samples grow old without any being added.
    pub(crate) fn enforce(&self) {
        let now = self.clock.now_ms();
        loop {
            let surplus = self.index().surplus(&self.budget, now);
            let Some(digest) = surplus else {
                return;
            };
            let _stripe = self.stripe(&digest);
            // It may have been seen again before its files were locked.
            if self.index().surplus(&self.budget, now) != Some(digest) {
                continue;
            }
            self.remove(digest);
        }
    }

    /// Removes a sample; its stripe is held. Without its index entry also where
    /// that fails, or it would be tried for ever.
    fn remove(&self, digest: Digest) {
        self.index().remove(&digest);
        self.removed.fetch_add(1, Ordering::Relaxed);
        let dir = &self.config.dir;
        for path in [place::sample(dir, &digest), place::sidecar(dir, &digest)] {
            if let Err(error) = files::remove(&path) {
                self.tell(&error, "a kept sample over the budget was not removed");
            }
        }
    }

    /// Returns how many samples are kept, and what became of others.
    #[must_use]
    pub fn stats(&self) -> KeptStats {
        let index = self.index();
        KeptStats {
            samples: index.len() as u64,
            bytes: index.bytes(),
            refused: self.refused.load(Ordering::Relaxed),
            removed: self.removed.load(Ordering::Relaxed),
        }
    }

    fn tell(&self, error: &KeepError, what: &'static str) {
        if let Some(suppressed) = self.told.pass() {
            let error = error as &dyn std::error::Error;
            tracing::warn!(suppressed, error, "{what}");
        }
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stripe(&self, digest: &Digest) -> MutexGuard<'_, ()> {
        let stripe = &self.stripes[usize::from(digest[0]) % STRIPES];
        stripe.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn io_failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeepError {
    let path = path.to_owned();
    move |source| KeepError::Io {
        operation,
        path,
        source,
    }
}

#[cfg(test)]
mod tests;
