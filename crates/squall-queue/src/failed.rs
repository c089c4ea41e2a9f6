//! The failed samples: what became of each, and another try.

use std::{
    ops::Bound,
    sync::mpsc::{self, RecvTimeoutError},
    time::{Duration, Instant},
};

use squall_types::SampleId;

use crate::{
    BodyError, Queue, RetryError, SampleState,
    record::{Place, SampleRecord},
    results, spool,
    state::Change,
};

/// What the reason is when it cannot be read.
const REASON_UNKNOWN: &str = "the reason is no longer known";

/// Longest wait until a retry is on the disk.
const RETRY_WAIT_MAX: Duration = Duration::from_secs(5);

/// A failed sample that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedSample {
    /// Its id.
    pub id: SampleId,
    /// Why it could not be scanned.
    pub reason: String,
    /// Scans of it that ended without a verdict.
    pub attempts: u32,
    /// Size of its body in bytes.
    pub size_bytes: u64,
    /// When it was put into the queue, in microseconds since 1970-01-01 UTC.
    pub enqueued_at_us: i64,
    /// The submission as it was given to [`Queue::enqueue`]; `None` when it
    /// cannot be read any more.
    pub submission: Option<Vec<u8>>,
    /// Whether its bytes are there, so that it can be retried.
    pub retryable: bool,
}

impl Queue {
    /// Returns the failed samples that are kept, oldest first.
    #[must_use]
    pub fn failed(&self) -> Vec<SampleId> {
        self.shared.lock().failed.keys().copied().collect()
    }

    /// Returns how many failed samples are kept.
    #[must_use]
    pub fn failed_kept(&self) -> u64 {
        self.shared.lock().failed.len() as u64
    }

    /// Returns what is known of the first `n_max` failed samples whose id is
    /// above `after`, oldest first. Reads from the disk: blocks the thread.
    #[must_use]
    pub fn failed_samples(&self, after: Option<SampleId>, n_max: usize) -> Vec<FailedSample> {
        let records: Vec<(SampleId, SampleRecord)> = {
            let state = self.shared.lock();
            let begin = after.map_or(Bound::Unbounded, Bound::Excluded);
            let behind = state.failed.range((begin, Bound::Unbounded));
            let behind = behind.take(n_max);
            behind.map(|(id, record)| (*id, *record)).collect()
        };
        let described = records.into_iter();
        described
            .map(|(id, record)| self.describe_failed(id, record))
            .collect()
    }

    fn describe_failed(&self, id: SampleId, record: SampleRecord) -> FailedSample {
        let opened = match spool::open(&self.shared.layout, id, &record) {
            // The committer may have moved it to another segment meanwhile.
            Err(BodyError::Damaged { .. }) => {
                let moved = self.shared.lock().failed.get(&id).copied();
                spool::open(&self.shared.layout, id, &moved.unwrap_or(record))
            }
            opened => opened,
        };
        let reason = match results::status(&self.shared, id) {
            Ok(Some(SampleState::Failed(reason))) => reason,
            _ => REASON_UNKNOWN.to_owned(),
        };
        FailedSample {
            id,
            reason,
            attempts: record.attempts,
            size_bytes: record.extent.body_len,
            enqueued_at_us: record.enqueued_at_us,
            retryable: record.place != Place::Lost,
            submission: opened.ok().map(|opened| opened.submission),
        }
    }

    /// Puts a failed sample back into the queue, at the end of its source's
    /// line. Blocks until that is on the disk, five seconds at most.
    ///
    /// # Errors
    ///
    /// Fails when no kept failed sample has this id, its bytes are lost, the
    /// queue is closed, or the disk refuses or takes too long.
    pub fn retry(&self, id: SampleId) -> Result<(), RetryError> {
        let mut outcomes = self.retry_many(&[id]);
        outcomes.pop().unwrap_or(Err(RetryError::NotFailed { id }))
    }

    /// Like [`retry`](Self::retry) for many samples at once, which share a
    /// flush. Returns the outcomes in the order of `ids`.
    #[must_use]
    pub fn retry_many(&self, ids: &[SampleId]) -> Vec<Result<(), RetryError>> {
        let waiting: Vec<_> = ids.iter().map(|&id| self.begin_retry(id)).collect();
        self.shared.commit.notify_one();
        self.shared.gate.notify_one();
        let deadline = Instant::now() + RETRY_WAIT_MAX;
        let wait = |(&id, begun): (&SampleId, Result<mpsc::Receiver<_>, RetryError>)| {
            let answered = begun?;
            let left = deadline.saturating_duration_since(Instant::now());
            answered
                .recv_timeout(left)
                .unwrap_or_else(|error| match error {
                    RecvTimeoutError::Timeout => self.give_up_retry(id, &answered),
                    RecvTimeoutError::Disconnected => Err(RetryError::Closed),
                })
        };
        ids.iter().zip(waiting).map(wait).collect()
    }

    /// Takes back a retry that takes too long, unless it is done by now.
    fn give_up_retry(
        &self,
        id: SampleId,
        answered: &mpsc::Receiver<Result<(), RetryError>>,
    ) -> Result<(), RetryError> {
        if self.shared.lock().withdraw_retry(id) {
            return Err(RetryError::Unsettled { id });
        }
        answered.try_recv().unwrap_or(Err(RetryError::Slow { id }))
    }

    fn begin_retry(
        &self,
        id: SampleId,
    ) -> Result<mpsc::Receiver<Result<(), RetryError>>, RetryError> {
        let (answer, answered) = mpsc::sync_channel(1);
        let mut state = self.shared.lock();
        if state.closing {
            return Err(RetryError::Closed);
        }
        // Nothing is written before the disk is willing again.
        if let Some(source) = state.down.clone() {
            return Err(RetryError::Storage { id, source });
        }
        let record = match state.failed.get(&id) {
            None => return Err(RetryError::NotFailed { id }),
            Some(record) if record.place == Place::Lost => {
                return Err(RetryError::BytesLost { id });
            }
            Some(record) => *record,
        };
        state.forget_failed(id);
        state.urgent = true;
        state.push_change(Change::Retry { id, record, answer });
        Ok(answered)
    }
}
