//! Samples that are kept after their scan, each under its SHA-256 with a JSON
//! file beside it, within a budget.

mod files;
mod index;
mod place;
mod sidecar;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use squall_types::{Level, Outcome, Report};

use crate::limited::Limited;
use index::{Budget, Index};
use place::Digest;
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
    /// Bytes to leave free on the disk.
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
    /// The disk is nearly full.
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

/// Locks for so many samples at a time.
const STRIPES: usize = 64;

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
    refused: Limited,
    started: SystemTime,
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
            refused: Limited::default(),
            started: SystemTime::now(),
        })
    }

    /// Looks once through the directory, so that what earlier runs kept counts
    /// and goes in its turn. May take long; samples are kept meanwhile.
    pub(crate) fn take_stock(&self) {
        let walked = files::walk(&self.config.dir, self.started, |found| {
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
        self.enforce();
        let index = self.index();
        tracing::info!(
            dir = %self.config.dir.display(),
            samples = index.len(),
            bytes = index.bytes(),
            "samples kept"
        );
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
        let _stripe = self.stripe(&digest);
        self.check_room(content.len() as u64)?;
        let dir = &self.config.dir;
        let folder = place::folder(dir, &digest);
        if files::make_folder(&folder)? && self.config.fsync {
            files::sync_dir(dir)?;
        }
        let sample = place::sample(dir, &digest);
        if !files::has_len(&sample, content.len() as u64) {
            files::write(&sample, content, self.config.fsync)?;
        }
        let sidecar = place::sidecar(dir, &digest);
        let present = files::read(&sidecar, 2 * sidecar::BYTES_MAX as u64);
        let facts = Sidecar::next(present.as_deref(), report);
        files::write(&sidecar, &facts, self.config.fsync)?;
        if self.config.fsync {
            files::sync_dir(&folder)?;
        }
        let (sample, sidecar) = (content.len() as u64, facts.len() as u64);
        self.index().saw(digest, sample, sidecar, now_ms());
        Ok(())
    }

    fn check_room(&self, len: u64) -> Result<(), KeepError> {
        if let Some(max) = self.config.bytes_max
            && len > max
        {
            return Err(KeepError::TooLarge { len, max });
        }
        let free = files::free_bytes(&self.config.dir)?;
        let reserve = self.config.free_bytes_min;
        if free < reserve.saturating_add(len) {
            return Err(KeepError::NoRoom { free, reserve, len });
        }
        Ok(())
    }

    /// Removes what is over the budget. To be called now and then as well:
    /// samples grow old without any being added.
    pub(crate) fn enforce(&self) {
        let now = now_ms();
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
            // Without its index entry also where it cannot be removed, or this
            // would never end.
            self.index().remove(&digest);
            let dir = &self.config.dir;
            for path in [place::sample(dir, &digest), place::sidecar(dir, &digest)] {
                if let Err(error) = files::remove(&path) {
                    self.tell(&error, "a kept sample over the budget was not removed");
                }
            }
        }
    }

    fn tell(&self, error: &KeepError, what: &'static str) {
        if let Some(suppressed) = self.refused.pass() {
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

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(now.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
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
