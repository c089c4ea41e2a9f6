//! Verdicts on what was scanned before, so that the same bytes under a name
//! that the signatures cannot tell from the other are not scanned twice.
//!
//! | under | stored |
//! | --- | --- |
//! | content | the first verdict, after the name that it is for and whether it holds for the class of that ([`FirstVerdict`]) |
//! | content and class of the name | a verdict that holds for the class |
//! | content and name | a verdict that holds for this name only |
//!
//! A verdict is `0` where nothing was found, else `2` and the outcome as JSON.
//!
//! The class of a name, which the engine has to be asked for, is thereby needed
//! only for content that was met under another name: not for what is new, nor
//! for what comes again as it was.
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
use squall_engine::{Reuse, ScanLimits, Scanner, VerdictKey, VerdictKeys, renamed};
use squall_queue::Queue;
use squall_types::{FileFacts, Outcome, Submission};

use crate::in_flight::InFlight;
use crate::limited::Limited;
use crate::signatures::Held;

const CLEAN: u8 = 0;
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

/// What a sample is looked up and kept under.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys {
    of_sample: VerdictKeys,
    /// That of the class of its name; `None` as long as nothing is known of its
    /// content.
    class: Option<VerdictKey>,
}

impl Keys {
    /// Returns what a sample has in common with those that may have its verdict.
    pub(crate) fn shared(&self) -> VerdictKey {
        self.class.unwrap_or(self.of_sample.by_content)
    }

    /// Tells whether a verdict is of use for others of the same
    /// [`shared`](Self::shared) key: where that is the content, for some at least.
    pub(crate) fn may_hold(&self, reuse: Reuse) -> bool {
        match reuse {
            Reuse::Never => false,
            Reuse::SameName => self.class.is_none(),
            Reuse::SameClass => true,
        }
    }
}

impl Known<'_> {
    /// Returns what a scan of the sample would say, if that is known, and the
    /// keys of the sample; `None` where no verdict may be used twice.
    pub(crate) fn find(
        &self,
        scanner: &mut Scanner<'_>,
        submission: &Submission,
    ) -> Option<(Option<Outcome>, Keys)> {
        let sha256 = &submission.digests.sha256;
        let mut keys = Keys {
            of_sample: scanner.verdict_keys(sha256, &submission.file_name)?,
            class: None,
        };
        let outcome = self.outcome(scanner, submission, &mut keys);
        self.cache.count(outcome.is_some());
        Some((outcome, keys))
    }

    fn outcome(
        &self,
        scanner: &mut Scanner<'_>,
        submission: &Submission,
        keys: &mut Keys,
    ) -> Option<Outcome> {
        let get = |key| self.cache.get(self.epoch, key);
        let verdict_of = |key| verdict(&get(key)?, submission);
        let stored = get(&keys.of_sample.by_content)?;
        let first = FirstVerdict::read(&stored);
        let name = &submission.file_name;
        if let Some(first) = first.filter(|first| first.name == name.as_bytes()) {
            return verdict(first.verdict, submission);
        }
        if let Some(outcome) = verdict_of(&keys.of_sample.by_name) {
            return Some(outcome);
        }
        let sha256 = &submission.digests.sha256;
        let class = scanner.class_key(sha256, name);
        keys.class = Some(class);
        let same = first.filter(|first| {
            let first_name = std::str::from_utf8(first.name);
            first.holds_for_class
                && first_name.is_ok_and(|name| scanner.class_key(sha256, name) == class)
        });
        match same {
            Some(first) => verdict(first.verdict, submission),
            None => verdict_of(&class),
        }
    }

    /// Keeps what a scan said.
    pub(crate) fn keep(&self, keys: &Keys, reuse: Reuse, name: &str, outcome: &Outcome) {
        let mut value = Vec::new();
        let key = match (reuse, &keys.class) {
            (Reuse::Never, _) => return,
            (_, None) => {
                let holds_for_class = reuse == Reuse::SameClass;
                FirstVerdict::begin(&mut value, name, holds_for_class);
                &keys.of_sample.by_content
            }
            (Reuse::SameClass, Some(class)) => class,
            (Reuse::SameName, Some(_)) => &keys.of_sample.by_name,
        };
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

/// The first verdict on a content: a byte that is 1 if it holds for the class of
/// the name, the length of the name in 4 bytes (little-endian), the name, the
/// verdict.
#[derive(Clone, Copy)]
struct FirstVerdict<'a> {
    holds_for_class: bool,
    name: &'a [u8],
    verdict: &'a [u8],
}

impl<'a> FirstVerdict<'a> {
    fn read(stored: &'a [u8]) -> Option<Self> {
        let (&holds_for_class, rest) = stored.split_first()?;
        let (len, rest) = rest.split_first_chunk()?;
        let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
        let (name, verdict) = rest.split_at_checked(len)?;
        Some(Self {
            holds_for_class: holds_for_class == 1,
            name,
            verdict,
        })
    }

    /// Writes what stands before the verdict.
    fn begin(value: &mut Vec<u8>, name: &str, holds_for_class: bool) {
        // A name longer than that is no name of a class: it will not be met.
        let len = u32::try_from(name.len()).unwrap_or(u32::MAX);
        value.push(u8::from(holds_for_class));
        value.extend_from_slice(&len.to_le_bytes());
        value.extend_from_slice(name.as_bytes());
    }
}

/// Reads a verdict. What cannot be read is scanned again.
fn verdict(stored: &[u8], submission: &Submission) -> Option<Outcome> {
    match stored.split_first()? {
        (&CLEAN, []) => Some(clean(submission)),
        (&OUTCOME, json) => serde_json::from_slice(json)
            .ok()
            .map(|outcome| renamed(outcome, &submission.file_name)),
        _ => None,
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
