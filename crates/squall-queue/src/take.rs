//! The workers' side: taking samples and giving them back.

use std::{
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use squall_types::SampleId;

use crate::{
    BodyError, Claim, Claimed, CompleteError, Completion, Lanes, StorageError, Verdict,
    claim::{Durable, Work},
    clock,
    counters::Times,
    index::Taken,
    keys,
    lane::Job,
    probe::Probe,
    record::{Extent, Place, SampleRecord},
    shared::Shared,
    spool,
    state::{Change, State},
    times::LaneOf,
};

/// Most bytes a result may have.
const RESULT_LEN_MAX: u64 = 64 << 20;
/// Most bytes of a failure's reason that are kept.
const REASON_LEN_MAX: usize = 1000;
/// Scans without a verdict after which a sample fails.
pub(crate) const ATTEMPTS_MAX: u32 = 2;
/// A worker looks again after this long even if nobody woke it.
const POLL: Duration = Duration::from_secs(1);

/// What a worker may do next.
enum Next {
    Stop,
    Leave,
    Probe(Probe),
    Immediate(Job),
    Durable(Taken),
}

impl Shared {
    /// Waits for a sample and takes it, unless `leave` becomes true, which is
    /// asked every [`POLL`].
    pub(crate) fn take(
        self: &Arc<Self>,
        lanes: Lanes,
        slot: usize,
        leave: &dyn Fn() -> bool,
    ) -> Claimed {
        loop {
            match self.next(lanes, leave) {
                Next::Stop => return Claimed::Stopped,
                Next::Leave => return Claimed::Left,
                Next::Probe(probe) => return Claimed::Probe(probe),
                Next::Immediate(job) => {
                    let queued_for = job.queued.elapsed();
                    let (shared, id) = (Arc::clone(self), job.id);
                    let work = Work::Immediate(job);
                    return Claimed::Sample(Claim::new(shared, id, queued_for, work));
                }
                Next::Durable(taken) => {
                    if let Some(claim) = self.open_taken(taken, slot) {
                        return Claimed::Sample(claim);
                    }
                }
            }
        }
    }

    fn next(&self, lanes: Lanes, leave: &dyn Fn() -> bool) -> Next {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return Next::Stop;
            }
            // First: it takes a moment, and must not wait for a long queue.
            if lanes == Lanes::All
                && let Some(probe) = state.probe.take()
            {
                return Next::Probe(probe);
            }
            if let Some(job) = state.lane.take() {
                state.immediate_scanning += 1;
                return Next::Immediate(job);
            }
            if lanes == Lanes::All
                && let Some(taken) = take_durable(&mut state)
            {
                return Next::Durable(taken);
            }
            if leave() {
                return Next::Leave;
            }
            state = self.wait_for_work(state, lanes);
        }
    }

    fn wait_for_work<'a>(
        &self,
        state: MutexGuard<'a, State>,
        lanes: Lanes,
    ) -> MutexGuard<'a, State> {
        let condvar = match lanes {
            Lanes::All => &self.work,
            Lanes::ImmediateOnly => &self.immediate_work,
        };
        condvar
            .wait_timeout(state, POLL)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    /// Opens a sample taken from the index. `None` when it cannot be scanned,
    /// now or ever; its case is settled then.
    fn open_taken(self: &Arc<Self>, taken: Taken, slot: usize) -> Option<Claim> {
        let id = SampleId::new(taken.entry.id)?;
        match self.try_open(id, taken, slot) {
            Ok(durable) => {
                let queued_for = clock::since(taken.entry.enqueued_at_us);
                let shared = Arc::clone(self);
                Some(Claim::new(shared, id, queued_for, Work::Durable(durable)))
            }
            Err(Unopened::Later(error)) => {
                tracing::warn!(sample_id = %id, ?error, "cannot open sample, will try again");
                self.give_back(id, taken);
                std::thread::sleep(POLL / 4);
                None
            }
            Err(Unopened::Never(record, reason)) => {
                tracing::error!(sample_id = %id, %reason, "sample cannot be scanned");
                self.finish(id, record, Verdict::Failed(reason), times_of(&taken));
                None
            }
        }
    }

    fn try_open(&self, id: SampleId, taken: Taken, slot: usize) -> Result<Durable, Unopened> {
        let mut record = self.record(id, &taken)?;
        let opened = match spool::open(&self.layout, id, &record) {
            // The committer may have moved it to another segment meanwhile.
            Err(BodyError::Damaged { .. }) => {
                record = self.record(id, &taken)?;
                spool::open(&self.layout, id, &record)
            }
            opened => opened,
        };
        let opened = opened.map_err(|error| match error {
            BodyError::Storage { source, .. } if source.is_shortage() => Unopened::Later(source),
            // The bytes stay where they are: the sample can be retried.
            other => Unopened::Never(record, reason_of(&other)),
        })?;
        self.claims.set(slot, id).map_err(Unopened::Later)?;
        Ok(Durable {
            taken,
            record,
            opened,
            slot: Some(slot),
        })
    }

    fn record(&self, id: SampleId, taken: &Taken) -> Result<SampleRecord, Unopened> {
        let stored = self.store.get(&keys::sample(id));
        let stored = stored.map_err(Unopened::Later)?;
        let record = stored.as_deref().and_then(SampleRecord::decode);
        record.ok_or_else(|| {
            let reason = "the sample's record in the database is missing or damaged";
            Unopened::Never(lost_record(taken), reason.to_owned())
        })
    }

    /// Takes a worker's verdict.
    pub(crate) fn complete(
        &self,
        id: SampleId,
        work: Work,
        queued_for: Duration,
        completion: Completion,
    ) -> Result<(), CompleteError> {
        let (verdict, result) = checked(id, completion.verdict);
        let wait_us = clock::micros(queued_for);
        let scan_us = clock::micros(completion.scan_time);
        match work {
            Work::Durable(durable) => {
                let times = Times {
                    scan_us,
                    wait_us,
                    total_us: clock::micros(clock::since(durable.taken.entry.enqueued_at_us)),
                };
                let Durable { record, slot, .. } = durable;
                if !self.finish(id, record, verdict, times) {
                    return Err(CompleteError::Closed { id });
                }
                self.clear_slot_of(slot);
            }
            Work::Immediate(job) => {
                let times = Times {
                    scan_us,
                    wait_us,
                    total_us: clock::micros(job.queued.elapsed()),
                };
                self.finish_immediate(verdict.is_failed(), times);
                // The sender may be gone; then nobody needs the answer.
                let _ = job.answer.send(verdict);
            }
        }
        result
    }

    /// Settles a sample of the durable lane. False when the queue is closed.
    fn finish(&self, id: SampleId, record: SampleRecord, verdict: Verdict, times: Times) -> bool {
        let mut state = self.lock();
        if state.ended || state.scanning.remove(&id).is_none() {
            return false;
        }
        let failed = verdict.is_failed();
        let record = SampleRecord { failed, ..record };
        state.count_verdict(LaneOf::Durable, failed, times);
        if failed {
            state.keep_failed(id, record);
        } else {
            state.live_bytes = state.live_bytes.saturating_sub(record.extent.bytes());
        }
        let verdict = Arc::new(verdict);
        state.recent.insert(id, Arc::clone(&verdict));
        state.push_change(Change::Done {
            id,
            record,
            verdict,
            times,
        });
        if state.changes.len() == 1 || state.is_pressing() {
            self.commit.notify_one();
        }
        if state.held.len() == 1 || state.held.is_pressing() {
            self.gate.notify_one();
        }
        // Another suspect may be waiting for this one.
        drop(state);
        self.work.notify_one();
        true
    }

    fn finish_immediate(&self, failed: bool, times: Times) {
        let mut state = self.lock();
        state.immediate_scanning -= 1;
        state.count_verdict(LaneOf::Immediate, failed, times);
        state.immediate.accepted += 1;
        state.immediate.finish(failed, times);
    }

    /// Takes a sample back as if it had not been claimed.
    pub(crate) fn hand_back(&self, id: SampleId, work: Work) {
        match work {
            Work::Durable(durable) => {
                self.give_back(id, durable.taken);
                self.clear_slot_of(durable.slot);
            }
            Work::Immediate(job) => {
                let mut state = self.lock();
                state.immediate_scanning -= 1;
                let unwanted = if state.takes_no_checks() || job.answer.is_closed() {
                    state.uncount_immediate();
                    Some(job)
                } else {
                    state.lane.give_back(job);
                    None
                };
                drop(state);
                // Outside the lock: it may remove a file.
                drop(unwanted);
                self.wake_immediate();
            }
        }
    }

    fn give_back(&self, id: SampleId, taken: Taken) {
        let mut state = self.lock();
        if state.scanning.remove(&id).is_some() {
            state.index.give_back(taken);
        }
        drop(state);
        self.work.notify_one();
    }

    /// Deals with a claim whose worker dropped it.
    pub(crate) fn abandoned(&self, id: SampleId, work: Work) {
        match work {
            Work::Durable(durable) => self.abandoned_durable(id, durable),
            // The sender learns from the dropped channel.
            Work::Immediate(job) => {
                self.finish_immediate(true, Times::default());
                drop(job);
            }
        }
    }

    fn abandoned_durable(&self, id: SampleId, durable: Durable) {
        let Durable {
            taken,
            record,
            slot,
            ..
        } = durable;
        self.count_attempt(id, record, taken);
        self.clear_slot_of(slot);
    }

    /// Counts a scan that does not end, as if it had been dropped.
    pub(crate) fn blame(&self, id: SampleId) -> Result<(), StorageError> {
        let Some(taken) = self.lock().scanning.get(&id).copied() else {
            return Ok(());
        };
        match self.record(id, &taken) {
            Ok(record) => {
                self.count_attempt(id, record, taken);
                Ok(())
            }
            Err(Unopened::Later(error)) => Err(error),
            // The next start finds its record missing.
            Err(Unopened::Never(..)) => Ok(()),
        }
    }

    fn count_attempt(&self, id: SampleId, mut record: SampleRecord, taken: Taken) {
        record.attempts += 1;
        tracing::warn!(sample_id = %id, attempts = record.attempts, "a scan ended without a verdict");
        if record.attempts >= ATTEMPTS_MAX {
            let reason =
                format!("the scan of this sample ended {ATTEMPTS_MAX} times without a verdict");
            self.finish(id, record, Verdict::Failed(reason), times_of(&taken));
        } else {
            // It stays among those being scanned until the disk knows that it
            // was tried.
            let change = Change::Attempt { id, record, taken };
            self.lock().push_change(change);
            self.commit.notify_one();
        }
    }

    pub(crate) fn wake_immediate(&self) {
        // One of each: whichever gets the lock first takes the check.
        self.immediate_work.notify_one();
        self.work.notify_one();
    }

    fn clear_slot_of(&self, slot: Option<usize>) {
        if let Some(slot) = slot {
            self.clear_slot(slot);
        }
    }

    pub(crate) fn clear_slot(&self, slot: usize) {
        if let Err(error) = self.claims.clear(slot) {
            // At worst a crash before the slot's next use counts an attempt
            // for a sample that is done, which the start notices.
            tracing::warn!(slot, ?error, "cannot clear the claim slot");
        }
    }
}

/// Why a taken sample could not be opened.
enum Unopened {
    /// The disk refuses at the moment.
    Later(StorageError),
    /// The bytes are not what they should be.
    Never(SampleRecord, String),
}

/// The error and its causes, for the sender.
fn reason_of(error: &BodyError) -> String {
    let mut reason = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        reason = format!("{reason}: {error}");
        cause = error.source();
    }
    reason
}

fn take_durable(state: &mut State) -> Option<Taken> {
    if state.down.is_some() || state.is_backlogged() {
        return None;
    }
    let suspects_allowed = !state.scanning.values().any(|taken| taken.suspect);
    let taken = state.index.take(suspects_allowed)?;
    let id = SampleId::new(taken.entry.id)?;
    state.scanning.insert(id, taken);
    Some(taken)
}

/// Keeps what is stored of a verdict within its bounds.
fn checked(id: SampleId, verdict: Verdict) -> (Verdict, Result<(), CompleteError>) {
    let len = verdict.bytes().len() as u64;
    match verdict {
        Verdict::Complete(_) if len > RESULT_LEN_MAX => {
            let max = RESULT_LEN_MAX;
            let error = CompleteError::TooLarge { id, len, max };
            let reason = format!("the result has {len} bytes, the limit is {max}");
            (Verdict::Failed(reason), Err(error))
        }
        Verdict::Failed(mut reason) => {
            reason.truncate(reason.floor_char_boundary(REASON_LEN_MAX));
            (Verdict::Failed(reason), Ok(()))
        }
        complete => (complete, Ok(())),
    }
}

fn times_of(taken: &Taken) -> Times {
    let waited = clock::micros(clock::since(taken.entry.enqueued_at_us));
    Times {
        scan_us: 0,
        wait_us: waited,
        total_us: waited,
    }
}

/// Stands for a record that is lost.
fn lost_record(taken: &Taken) -> SampleRecord {
    SampleRecord {
        failed: true,
        attempts: 0,
        place: Place::Lost,
        extent: Extent {
            // So that the bytes counted for it are taken off again.
            body_len: taken.entry.bytes,
            ..Extent::default()
        },
        source_key: taken.source_key,
        enqueued_at_us: taken.entry.enqueued_at_us,
        owner: 0,
    }
}
