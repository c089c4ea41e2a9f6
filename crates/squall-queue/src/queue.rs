//! The handle that servers and workers hold.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use squall_types::SampleId;
use tokio::sync::oneshot;

use crate::{
    Body, BodyWriter, CheckError, Checked, Claim, Claimed, CompleteError, Completion, EnqueueError,
    History, Lanes, Limits, OpenError, QueueConfig, ReadError, Recovery, SampleState, SampleTimes,
    Stats, StorageError,
    body::Content,
    clock,
    closer::Closer,
    committer,
    lane::Job,
    rate::{self, Pressure},
    recent,
    record::Extent,
    recovery, results,
    shared::Shared,
    state::Arrival,
};

/// The durable queue of samples, their results, and the lane of synchronous
/// checks. Clones are handles of the same queue.
///
/// Dropping the last handle closes the queue like
/// [`close_blocking`](Self::close_blocking).
#[derive(Clone)]
pub struct Queue {
    pub(crate) shared: Arc<Shared>,
    pub(crate) closer: Arc<Closer>,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("dir", &self.shared.config.dir)
            .finish_non_exhaustive()
    }
}

impl Queue {
    /// Opens the queue in `config.dir`, or makes it, and repairs what a crash
    /// left behind.
    ///
    /// # Errors
    ///
    /// Fails when another process has it open, when the file system refuses, or
    /// when the database is damaged beyond repair. The message says what to do.
    pub fn open(mut config: QueueConfig) -> Result<(Self, Recovery), OpenError> {
        let dir = config.dir.clone();
        let limits = &mut config.limits;
        limits.free_bytes_min = limits.free_bytes_min.max(Limits::FREE_BYTES_FLOOR);
        let (shared, ledger, recovery) = recovery::open(config)?;
        let shared = Arc::new(shared);
        let threads =
            committer::start(&shared, ledger).map_err(|source| OpenError::Io { dir, source })?;
        let closer = Arc::new(Closer::new(Arc::clone(&shared), threads));
        Ok((Self { shared, closer }, recovery))
    }

    /// Begins to take the bytes of a sample.
    #[must_use]
    pub fn body(&self) -> BodyWriter {
        BodyWriter::new(Arc::clone(&self.shared.incoming))
    }

    /// Puts a sample into the durable lane and returns its id once the
    /// configured [`Durability`](crate::Durability) is met. Must be called
    /// within a tokio runtime.
    ///
    /// `submission` is stored beside the sample and handed to the worker.
    /// Samples of one `source` are scanned in the order they came; the sources
    /// take turns. When the future is dropped the sample may have been taken.
    ///
    /// # Errors
    ///
    /// Fails when a limit is reached, the queue is closed, or the disk refuses.
    /// The sample is not in the queue then.
    pub async fn enqueue(
        &self,
        body: Body,
        submission: Vec<u8>,
        source: &str,
    ) -> Result<SampleId, EnqueueError> {
        self.enqueue_for(body, submission, source, 0).await
    }

    /// Does what [`enqueue`](Self::enqueue) does, and notes whose sample it
    /// is: [`owner`](Self::owner) returns that number, as long as anything is
    /// known of the sample. 0 stands for nobody.
    ///
    /// # Errors
    ///
    /// Fails like [`enqueue`](Self::enqueue).
    pub async fn enqueue_for(
        &self,
        body: Body,
        submission: Vec<u8>,
        source: &str,
        owner: u64,
    ) -> Result<SampleId, EnqueueError> {
        let extent = Extent {
            body_len: body.len(),
            body_crc: body.crc(),
            submission_len: u32::try_from(submission.len()).map_err(|_| too_long())?,
            submission_crc: crc32fast::hash(&submission),
        };
        let unwritten = match body.content {
            Content::Memory(_) => extent.bytes(),
            Content::File(_) => 0,
        };
        let admission = self.shared.admit(extent.bytes(), unwritten)?;
        let source_key = self.shared.source_key(source);
        let (answer, answered) = oneshot::channel();
        let arrival = Arrival {
            body,
            submission,
            extent,
            source_key,
            enqueued_at_us: clock::now_us(),
            owner,
            answer,
            admission,
        };
        let arrival = committer::prepare(&self.shared, arrival).await?;
        {
            let mut state = self.shared.lock();
            if state.closing {
                return Err(EnqueueError::Closed);
            }
            state.arrivals.push_back(arrival);
        }
        self.shared.commit.notify_one();
        answered.await.unwrap_or(Err(EnqueueError::Closed))
    }

    /// Puts a sample into the immediate lane and waits for its verdict. It is
    /// kept in memory and never survives a restart. Dropping the future cancels
    /// a check whose scan has not begun.
    ///
    /// # Errors
    ///
    /// Fails when too many checks wait, the queue closes, or the worker gives
    /// up without a verdict.
    pub async fn check(&self, body: Body, submission: Vec<u8>) -> Result<Checked, CheckError> {
        let (answer, answered) = oneshot::channel();
        let id = self.push_check(body, submission, answer)?;
        self.shared.wake_immediate();
        let cancel = CancelCheck {
            shared: &self.shared,
            id,
        };
        let verdict = answered.await;
        std::mem::forget(cancel);
        match verdict {
            Ok(verdict) => Ok(Checked { id, verdict }),
            Err(_) => Err(self.shared.lock().unanswered()),
        }
    }

    fn push_check(
        &self,
        body: Body,
        submission: Vec<u8>,
        answer: oneshot::Sender<crate::Verdict>,
    ) -> Result<SampleId, CheckError> {
        let max = self.shared.config.limits.immediate_max;
        let mut state = self.shared.lock();
        if state.takes_no_checks() {
            return Err(CheckError::Closed);
        }
        let waiting = state.lane.len();
        let busy = CheckError::Busy { waiting, max };
        if waiting >= max {
            return Err(busy);
        }
        // Without ids the disk has refused for long; the sender may come back.
        let id = state.reserved_id().ok_or(busy)?;
        state.counters.accepted += 1;
        state.lane.push(Job {
            id,
            body,
            submission,
            answer,
            queued: Instant::now(),
            attempts: 0,
        });
        Ok(id)
    }

    /// Returns where a sample of the durable lane is, or `None` when the id is
    /// unknown or its result was evicted.
    ///
    /// # Errors
    ///
    /// Fails when the state cannot be read or is damaged.
    pub fn status(&self, id: SampleId) -> Result<Option<SampleState>, ReadError> {
        results::status(&self.shared, id)
    }

    /// Returns whose a sample of the durable lane is: 0 for nobody's, and
    /// `None` when [`status`](Self::status) knows nothing of it.
    ///
    /// # Errors
    ///
    /// Fails when the record cannot be read or is damaged.
    pub fn owner(&self, id: SampleId) -> Result<Option<u64>, ReadError> {
        results::owner(&self.shared, id)
    }

    /// Waits for a sample and takes it; returns `None` once claims are
    /// stopped. Blocks the thread. Synchronous checks go first.
    ///
    /// `slot` is the number of the worker, from 0. No two workers may use one
    /// slot at the same time.
    #[must_use]
    pub fn claim(&self, lanes: Lanes, slot: usize) -> Option<Claim> {
        loop {
            match self.shared.take(lanes, slot, &|| false) {
                Claimed::Sample(claim) => return Some(claim),
                // Dropped: whoever claims like this cannot answer.
                Claimed::Probe(_) => {}
                Claimed::Stopped | Claimed::Left => return None,
            }
        }
    }

    /// Like [`claim`](Self::claim), and comes back without a sample when there
    /// is a [`Probe`](crate::Probe) to answer, or when `leave` becomes true. It is asked before every wait, which lasts a
    /// second at most, and must not call the queue.
    #[must_use]
    pub fn claim_unless(&self, lanes: Lanes, slot: usize, leave: impl Fn() -> bool) -> Claimed {
        self.shared.take(lanes, slot, &leave)
    }

    /// Takes the verdict on a claimed sample. It can be read at once and is on
    /// the disk within moments; a crash before that repeats the scan.
    ///
    /// # Errors
    ///
    /// Fails when the queue was closed meanwhile, or when the result is too
    /// large; the sample counts as failed in the latter case.
    pub fn complete(&self, mut claim: Claim, completion: Completion) -> Result<(), CompleteError> {
        let (id, queued_for) = (claim.id(), claim.queued_for());
        match claim.work.take() {
            Some(work) => self.shared.complete(id, work, queued_for, completion),
            None => Ok(()),
        }
    }

    /// Takes back a claimed sample that was not scanned, at a shutdown for
    /// instance. It is the next of its source.
    pub fn hand_back(&self, mut claim: Claim) {
        if let Some(work) = claim.work.take() {
            self.shared.hand_back(claim.id(), work);
        }
    }

    /// Counts an attempt for a sample of the durable lane whose scan does not
    /// end and which is not going to be waited for, before
    /// [`close`](Self::close): the second time the sample fails. One whose scan
    /// merely takes long at the end is not to be blamed.
    ///
    /// # Errors
    ///
    /// Fails when the sample's record cannot be read; it is not blamed then.
    pub fn blame(&self, id: SampleId) -> Result<(), StorageError> {
        self.shared.blame(id)
    }

    /// Returns what the queue holds and did, consistent in itself.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let spool_bytes = self.shared.spool_bytes();
        self.shared.lock().stats(spool_bytes)
    }

    /// Returns the time that `percent` of the last thousand scans did not
    /// exceed; `None` before the first scan.
    #[must_use]
    pub fn scan_time_percentile(&self, percent: usize) -> Option<Duration> {
        let times_us = self.shared.lock().last_scans.times_us();
        recent::percentile(times_us, percent)
    }

    /// Returns how long samples took since the queue was opened.
    #[must_use]
    pub fn sample_times(&self) -> SampleTimes {
        self.shared.lock().times.clone()
    }

    /// Estimates, from what waits and how fast it drains, when a sender that
    /// was refused should try again: 1 to 600 whole seconds.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        let stats = self.stats();
        rate::retry_after(Pressure {
            waiting: stats.waiting,
            waiting_max: self.shared.config.limits.samples_max,
            immediate_waiting: stats.immediate_waiting,
            drain_per_second: stats.drain_rate_per_second,
            storage_ok: stats.storage_ok,
        })
    }

    /// Adds `n` to the present minute of a history.
    /// [`History::Queue`] and [`History::Samples`] are recorded by the queue.
    pub fn record(&self, history: History, n: u64) {
        let minute = clock::now_minute();
        self.shared.lock().histories.add(history, minute, n);
    }

    /// Returns a history, in the order of time: minutes since 1970-01-01 UTC
    /// and their values. Minutes whose value is 0 may be missing. Reaches back
    /// a year; the last seconds may be missing after a crash.
    #[must_use]
    pub fn history(&self, history: History) -> Vec<(i64, u64)> {
        self.shared.lock().histories.values(history)
    }

    /// Returns a random value that was drawn when the data directory was made.
    #[must_use]
    pub fn instance(&self) -> [u8; 8] {
        self.shared.instance
    }

    /// Lets [`claim`](Self::claim) return `None` from now on, also where it is
    /// waiting. Checks that wait, or are handed back, end with
    /// [`CheckError::Closed`]: nobody would take them any more.
    pub fn stop_claims(&self) {
        let unanswered = {
            let mut state = self.shared.lock();
            state.stopped = true;
            state.probe = None;
            state.clear_lane()
        };
        // Outside the lock: it may remove files.
        drop(unanswered);
        self.shared.work.notify_all();
        self.shared.immediate_work.notify_all();
    }

    /// Closes the queue: refuses new samples, ends waiting checks with
    /// [`CheckError::Closed`], and stores everything, the exact counters
    /// included. Samples still claimed are scanned again after the next start.
    ///
    /// # Errors
    ///
    /// Fails when the last changes could not be stored; scans whose results
    /// they held are repeated after the next start.
    pub async fn close(self) -> Result<(), StorageError> {
        tokio::task::spawn_blocking(move || self.close_blocking())
            .await
            .unwrap_or_else(|error| Err(StorageError::other("close the queue", &error.to_string())))
    }

    /// Like [`close`](Self::close); blocks the thread.
    ///
    /// # Errors
    ///
    /// Fails like [`close`](Self::close).
    pub fn close_blocking(&self) -> Result<(), StorageError> {
        self.closer.close()
    }
}

/// Takes a check out of the lane when its future is dropped.
struct CancelCheck<'a> {
    shared: &'a Shared,
    id: SampleId,
}

impl Drop for CancelCheck<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        let job = state.lane.cancel(self.id);
        if job.is_some() {
            state.uncount_immediate();
        }
        drop(state);
        // Outside the lock: it may remove a file.
        drop(job);
    }
}

fn too_long() -> EnqueueError {
    EnqueueError::Io(StorageError::other(
        "store the submission",
        "it has more than 4 GiB",
    ))
}
