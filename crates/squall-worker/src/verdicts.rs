//! Verdicts on what was scanned before, so that the same bytes under a name
//! that the signatures cannot tell from the other are not scanned twice.
//!
//! | stored | under | what |
//! | --- | --- | --- |
//! | `0` | content and class of the name | nothing was found |
//! | `1` | content and class of the name | look under content and name |
//! | `2` and JSON | either | the outcome |
//!
//! Only what the engine says may be reused is stored ([`Reuse`]). The keys are
//! the engine's; what else a verdict depends on (the signatures, the limits,
//! this program) is the identity of the cache.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Builder;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use squall_cache::{Cache, Config, Dropped, Epoch, Saved};
use squall_engine::{Reuse, ScanLimits, VerdictKeys, renamed};
use squall_queue::Queue;
use squall_types::{FileFacts, Outcome, Submission};

use crate::in_flight::InFlight;
use crate::limited::Limited;
use crate::signatures::Held;

const CLEAN: u8 = 0;
const BY_NAME: u8 = 1;
const OUTCOME: u8 = 2;

/// How often what is new is written to the disk.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);

/// How verdicts are kept.
#[derive(Clone, Debug)]
pub struct VerdictConfig {
    /// The most bytes of memory for them.
    pub bytes_max: usize,
    /// The file in which they survive a restart; `None` for none.
    pub path: Option<PathBuf>,
    /// What tells this build of the program from any other: another one may
    /// say something else of the same file.
    pub program: String,
}

/// The verdicts of earlier scans.
pub struct Verdicts {
    cache: Arc<Cache>,
    program: String,
    refused: Limited,
    /// The last generation of signatures of which it was told that none of
    /// their verdicts is kept.
    told: AtomicU64,
}

/// Verdicts of one signature set, and what the limits made of them.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    cache: &'a Cache,
    epoch: Epoch,
}

impl Verdicts {
    /// Makes an empty store. What an earlier run left is read once the
    /// signatures are known.
    #[must_use]
    pub fn new(config: VerdictConfig) -> Self {
        Self {
            cache: Arc::new(Cache::new(Config {
                bytes_max: config.bytes_max,
                path: config.path,
            })),
            program: config.program,
            refused: Limited::default(),
            told: AtomicU64::new(0),
        }
    }

    /// Returns the cache, for its figures.
    #[must_use]
    pub fn cache(&self) -> &Arc<Cache> {
        &self.cache
    }

    /// Returns the verdicts that are good with a signature set; `None` if none
    /// are, or if the set was replaced meanwhile.
    pub(crate) fn of(&self, held: &Held, limits: &ScanLimits) -> Option<Known<'_>> {
        let generation = held.generation();
        if let Some(reason) = held.set.no_reuse() {
            if self.told.swap(generation, Ordering::Relaxed) != generation {
                tracing::warn!(reason, "no verdict is used twice with these signatures");
            }
            return None;
        }
        let mut identity = Sha256::new();
        // The limits with all their fields, also those that are still to come.
        let texts = [
            held.set.fingerprint().to_string(),
            format!("{limits:?}"),
            self.program.clone(),
        ];
        for text in texts {
            identity.update((text.len() as u64).to_le_bytes());
            identity.update(text);
        }
        let epoch = self.cache.begin(generation, identity.finalize().into())?;
        Some(Known {
            cache: &self.cache,
            epoch,
        })
    }

    /// Writes what is new to the disk.
    pub(crate) fn save(&self) {
        match self.cache.save() {
            Ok(saved) => tell(saved),
            Err(error) => {
                if let Some(suppressed) = self.refused.pass() {
                    tracing::warn!(
                        suppressed,
                        error = &error as &dyn std::error::Error,
                        "verdicts cannot be kept for the next start"
                    );
                }
            }
        }
    }
}

fn tell(saved: Saved) {
    match saved.dropped {
        None => {}
        Some(Dropped::Other) => {
            tracing::info!("verdicts of other signatures, settings or versions were dropped");
        }
        Some(Dropped::Damaged(bytes)) => {
            tracing::warn!(bytes, "kept verdicts are damaged and were dropped");
        }
    }
    if saved.loaded > 0 {
        tracing::info!(verdicts = saved.loaded, "verdicts of earlier scans read");
    }
}

impl Known<'_> {
    /// Returns what a scan of the sample would say.
    pub(crate) fn find(&self, keys: &VerdictKeys, submission: &Submission) -> Option<Outcome> {
        let mut value = self.cache.get(self.epoch, &keys.by_class)?;
        if value == [BY_NAME] {
            value = self.cache.get(self.epoch, &keys.by_name)?;
        }
        let name = &submission.file_name;
        match value.split_first()? {
            (&CLEAN, []) => Some(clean(submission)),
            // What cannot be read is scanned again.
            (&OUTCOME, json) => serde_json::from_slice(json)
                .ok()
                .map(|outcome| renamed(outcome, name)),
            _ => None,
        }
    }

    /// Keeps what a scan said.
    pub(crate) fn keep(&self, keys: &VerdictKeys, reuse: Reuse, outcome: &Outcome) {
        let key = match reuse {
            Reuse::Never => return,
            Reuse::SameClass => &keys.by_class,
            Reuse::SameName => {
                self.cache.insert(self.epoch, &keys.by_class, &[BY_NAME]);
                &keys.by_name
            }
        };
        let mut value = Vec::new();
        if outcome.is_clean() {
            value.push(CLEAN);
        } else {
            value.push(OUTCOME);
            if serde_json::to_writer(&mut value, outcome).is_err() {
                return;
            }
        }
        self.cache.insert(self.epoch, key, &value);
    }
}

/// The outcome of a clean sample: of what a scan finds out about one nobody
/// asks for more than this.
fn clean(submission: &Submission) -> Outcome {
    Outcome {
        sample: FileFacts {
            path: submission.file_name.clone(),
            size_bytes: submission.size_bytes,
            digests: submission.digests,
            ..FileFacts::default()
        },
        ..Outcome::default()
    }
}

/// Writes verdicts to the disk now and then, and hands back what waited too
/// long for one; ends when it is dropped.
pub(crate) struct Saving {
    _end: Sender<()>,
}

impl Saving {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be started.
    pub(crate) fn start(
        verdicts: &Arc<Verdicts>,
        in_flight: &Arc<InFlight>,
        queue: &Queue,
    ) -> io::Result<Self> {
        let (end, ended): (_, Receiver<()>) = channel();
        let verdicts = Arc::clone(verdicts);
        let (in_flight, queue) = (Arc::clone(in_flight), queue.clone());
        let thread = Builder::new().name("verdicts".to_owned());
        thread.spawn(move || {
            while ended.recv_timeout(SAVE_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                verdicts.save();
                for claim in in_flight.waited_too_long() {
                    queue.hand_back(claim);
                }
            }
        })?;
        Ok(Self { _end: end })
    }
}
