//! What all handles, claims and the committer of one queue share.

use std::{
    fs::File,
    hash::{DefaultHasher, Hasher},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    EnqueueError, FullUnit, QueueConfig, body::IncomingDir, claims::Claims, fs, layout::Layout,
    state::State, store::Store,
};

pub(crate) struct Shared {
    pub(crate) config: QueueConfig,
    pub(crate) layout: Layout,
    pub(crate) instance: [u8; 8],
    pub(crate) incoming: Arc<IncomingDir>,
    pub(crate) store: Store,
    pub(crate) claims: Claims,
    pub(crate) state: Mutex<State>,
    /// Wakes workers of both lanes.
    pub(crate) work: Condvar,
    /// Wakes workers that take synchronous checks only.
    pub(crate) immediate_work: Condvar,
    /// Wakes the committer.
    pub(crate) commit: Condvar,
    /// Wakes whoever waits for the committer's end.
    pub(crate) ended: Condvar,
    /// Wakes the thread that asks whether verdicts may be committed.
    pub(crate) gate: Condvar,
    /// Bytes of segments and large samples, as of the last commit.
    pub(crate) spool_bytes: AtomicU64,
    /// Held as long as anything of the queue lives.
    pub(crate) _lock: File,
}

impl Shared {
    /// A panic while the lock was held leaves whole values only: every change
    /// under it is a few assignments that cannot panic in between.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which line a source stands in. Keyed with the instance, so that nobody
    /// can choose a source's name to share another's line.
    pub(crate) fn source_key(&self, source: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.instance);
        hasher.write(source.as_bytes());
        hasher.finish()
    }

    pub(crate) fn spool_bytes(&self) -> u64 {
        self.spool_bytes.load(Ordering::Relaxed) + self.incoming.bytes.load(Ordering::Relaxed)
    }

    /// Wakes workers for `n` new samples of the durable lane.
    pub(crate) fn wake_workers(&self, n: usize) {
        if n == 1 {
            self.work.notify_one();
        } else if n > 1 {
            self.work.notify_all();
        }
    }

    /// Returns the bytes free on the disk.
    pub(crate) fn free_bytes(&self) -> Result<u64, EnqueueError> {
        fs::free_bytes(&self.layout.dir).map_err(|error| {
            EnqueueError::Io(fs::failed("examine the disk of", &self.layout.dir)(error))
        })
    }

    /// Makes room for a sample of `bytes`, of which `unwritten` are not on the
    /// disk yet, or says why there is none.
    pub(crate) fn admit(
        self: &Arc<Self>,
        bytes: u64,
        unwritten: u64,
    ) -> Result<Admission, EnqueueError> {
        let free_bytes = self.free_bytes()?;
        let mut state = self.lock();
        self.examine(&state, free_bytes, bytes, unwritten)?;
        state.admitted += 1;
        state.admitted_bytes += bytes;
        state.admitted_unwritten += unwritten;
        drop(state);
        Ok(Admission {
            shared: Arc::clone(self),
            bytes,
            unwritten,
            settled: false,
        })
    }

    /// Says why there is no room for a sample of `bytes`, of which `unwritten`
    /// are not on the disk yet.
    pub(crate) fn examine(
        &self,
        state: &State,
        free_bytes: u64,
        bytes: u64,
        unwritten: u64,
    ) -> Result<(), EnqueueError> {
        let limits = &self.config.limits;
        if state.closing {
            return Err(EnqueueError::Closed);
        }
        if let Some(error) = &state.down {
            return Err(EnqueueError::Io(error.clone()));
        }
        let samples = state.index.len() + state.scanning.len() as u64 + state.admitted;
        if samples >= limits.samples_max {
            return Err(EnqueueError::Full {
                used: samples,
                max: limits.samples_max,
                unit: FullUnit::Samples,
            });
        }
        let used = state.live_bytes + state.admitted_bytes;
        if used.saturating_add(bytes) > limits.bytes_max {
            return Err(EnqueueError::Full {
                used,
                max: limits.bytes_max,
                unit: FullUnit::Bytes,
            });
        }
        let needed = unwritten.saturating_add(state.admitted_unwritten);
        if free_bytes < limits.free_bytes_min.saturating_add(needed) {
            return Err(EnqueueError::NoSpace {
                free_bytes,
                free_bytes_min: limits.free_bytes_min,
            });
        }
        Ok(())
    }
}

/// Room in the queue, given back when dropped.
pub(crate) struct Admission {
    shared: Arc<Shared>,
    bytes: u64,
    unwritten: u64,
    settled: bool,
}

impl Admission {
    /// Gives the room back at the moment the sample itself is counted.
    pub(crate) fn settle(mut self, state: &mut State) {
        self.settled = true;
        self.give_back(state);
    }

    fn give_back(&self, state: &mut State) {
        state.admitted -= 1;
        state.admitted_bytes -= self.bytes;
        state.admitted_unwritten -= self.unwritten;
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if !self.settled {
            self.give_back(&mut self.shared.lock());
        }
    }
}

impl std::fmt::Debug for Admission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admission")
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}
