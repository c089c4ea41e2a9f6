//! A group commit: everything that waits for the disk, in one batch.
//!
//! Bytes are on the disk before the record that names them, and a record is
//! gone before the bytes it named are deleted.

use squall_types::SampleId;

#[cfg(test)]
use crate::fail_point::{self, FailPoint};
use crate::{
    RetryError, StorageError,
    counters::Counters,
    history::HistoryChange,
    index::Entry,
    intake::{self, Stored},
    ledger::Ledger,
    plan::{self, Plan},
    record::SampleRecord,
    shared::Shared,
    state::{Arrival, Change, State},
};

/// Samples in one commit.
const ARRIVALS_MAX: usize = 4096;
/// Bytes of samples in one commit, so that no sender waits long for others.
const ARRIVAL_BYTES_MAX: u64 = 32 << 20;
/// Changes in one commit that hint at workers waiting for it.
const PAUSE_LIKELY: usize = 1024;

/// What one commit takes from the state.
pub(crate) struct Round {
    arrivals: Vec<Arrival>,
    pub(crate) changes: Vec<Change>,
    pub(crate) histories: Vec<HistoryChange>,
    pub(crate) immediate: Counters,
    /// Failed samples over the budget.
    pub(crate) evicted: Vec<(SampleId, SampleRecord)>,
    /// Nothing comes after it.
    pub(crate) last: bool,
}

impl Round {
    pub(crate) fn take(shared: &Shared, state: &mut State) -> Self {
        let mut bytes = 0;
        let mut arrivals = Vec::new();
        while arrivals.len() < ARRIVALS_MAX
            && bytes < ARRIVAL_BYTES_MAX
            && let Some(arrival) = state.arrivals.pop_front()
        {
            if arrival.body.is_in_memory() {
                bytes += arrival.extent.bytes();
            }
            arrivals.push(arrival);
        }
        state.changes_bytes = 0;
        state.urgent = false;
        let last = state.closing && state.arrivals.is_empty();
        if last && state.held.give_up() {
            state.down = Some(StorageError::other(
                "store the last results",
                "what they rely on could not be stored; their samples are scanned again",
            ));
        }
        Self {
            arrivals,
            changes: std::mem::take(&mut state.changes),
            histories: state.histories.take_changes(),
            immediate: std::mem::take(&mut state.immediate),
            evicted: evict_failed(shared, state),
            last,
        }
    }
}

/// Takes out the oldest failed samples over the budget: so many, and a quarter
/// of the spool's bytes.
fn evict_failed(shared: &Shared, state: &mut State) -> Vec<(SampleId, SampleRecord)> {
    let config = &shared.config;
    let mut samples_over = (state.failed.len() as u64).saturating_sub(config.failed_max);
    let mut bytes_over = state
        .failed_bytes
        .saturating_sub(config.limits.bytes_max / 4);
    let mut ids = Vec::new();
    for (&id, record) in &state.failed {
        if samples_over == 0 && bytes_over == 0 {
            break;
        }
        // That it failed must be on the disk before that it is gone.
        if !state.held.holds(id) {
            samples_over = samples_over.saturating_sub(1);
            bytes_over = bytes_over.saturating_sub(record.extent.bytes());
            ids.push(id);
        }
    }
    let mut evicted = Vec::new();
    for id in ids {
        if let Some(record) = state.forget_failed(id) {
            state.live_bytes = state.live_bytes.saturating_sub(record.extent.bytes());
            evicted.push((id, record));
        }
    }
    evicted
}

/// Commits a round. Returns whether it is on the disk; if not, all of it that
/// was promised to anybody is back in the state.
pub(crate) fn commit(shared: &Shared, ledger: &mut Ledger, mut round: Round) -> bool {
    let last = round.last;
    let arrivals = std::mem::take(&mut round.arrivals);
    let stored = intake::store(shared, ledger, arrivals);
    #[cfg(test)]
    fail_point::reached(shared, FailPoint::BytesStored);
    let committed = match plan::write(shared, ledger, &stored, &round) {
        Ok(plan) => {
            succeed(shared, ledger, stored, round, plan);
            true
        }
        Err(error) => {
            tracing::error!(
                ?error,
                "cannot commit to the data directory, will try again"
            );
            fail(shared, ledger, stored, round, &error);
            false
        }
    };
    if committed && let Err(error) = shared.claims.note_commits(ledger.commits) {
        // Only a silent loss of the database's last batches would go unnoticed.
        tracing::warn!(?error, "cannot note the number of commits");
    }
    if last {
        ledger.bodies.seal();
        ledger.results.seal();
    }
    ledger.bodies.reap();
    ledger.results.reap();
    shared
        .spool_bytes
        .store(ledger.spool_bytes(), std::sync::atomic::Ordering::Relaxed);
    committed
}

fn succeed(shared: &Shared, ledger: &mut Ledger, stored: Vec<Stored>, round: Round, plan: Plan) {
    let mut accepted = Vec::with_capacity(stored.len());
    let mut state = shared.lock();
    state.ids.reserved = plan.ids_reserved;
    for Stored {
        id,
        record,
        answer,
        admission,
    } in stored
    {
        admission.settle(&mut state);
        state.counters.accepted += 1;
        state.live_bytes += record.extent.bytes();
        state.index.push(record.source_key, entry(id, &record));
        accepted.push((id, answer));
    }
    // Workers may have paused for want of room for their verdicts.
    let paused = round.changes.len() > PAUSE_LIKELY;
    let mut answers = Vec::new();
    for change in round.changes {
        publish(&mut state, change, &mut answers);
    }
    state.note_queue_len();
    let waiting = state.index.len() as usize;
    drop(state);
    shared.wake_workers(if paused {
        waiting
    } else {
        waiting.min(accepted.len() + answers.len() + 1)
    });
    for (id, answer) in accepted {
        // Whoever asked may be gone; the sample is taken all the same.
        let _ = answer.send(Ok(id));
    }
    for answer in answers {
        let _ = answer.send(Ok(()));
    }
    #[cfg(test)]
    fail_point::reached(shared, FailPoint::Published);
    ledger.aborted.clear();
    ledger.restore.clear();
    for release in std::mem::take(&mut ledger.doubtful) {
        ledger.release(&shared.layout, release);
    }
    ledger.counters = plan.counters;
    for result in plan.kept {
        if let Some((no, bytes)) = result.segment {
            ledger.results.retain(no, bytes);
        }
        ledger.kept.push_back(result);
    }
    ledger.kept.drain(..plan.results_evicted);
    for release in plan.releases {
        ledger.release(&shared.layout, release);
    }
}

/// Notes in the state that a change is on the disk.
fn publish(
    state: &mut State,
    change: Change,
    answers: &mut Vec<std::sync::mpsc::SyncSender<Result<(), RetryError>>>,
) {
    match change {
        Change::Done { id, .. } => {
            state.recent.remove(&id);
        }
        Change::Attempt { id, record, taken } => {
            if state.scanning.remove(&id).is_some() {
                state.index.push_suspect(record.source_key, taken.entry);
            }
        }
        Change::Retry { id, record, answer } => {
            state.counters.failed = state.counters.failed.saturating_sub(1);
            let entry = entry(id, &record);
            state.index.push(record.source_key, entry);
            answers.push(answer);
        }
    }
}

fn fail(
    shared: &Shared,
    ledger: &mut Ledger,
    stored: Vec<Stored>,
    round: Round,
    error: &StorageError,
) {
    let mut retries = Vec::new();
    let mut state = shared.lock();
    state.down = Some(error.clone());
    state.immediate.add(&round.immediate);
    state.histories.put_back(&round.histories);
    for (id, record) in round.evicted {
        state.live_bytes += record.extent.bytes();
        state.keep_failed(id, record);
    }
    let later = std::mem::take(&mut state.changes);
    state.changes_bytes = 0;
    for change in round.changes.into_iter().chain(later) {
        if let Change::Retry { id, record, answer } = change {
            state.keep_failed(id, record);
            ledger.restore.push((id, record));
            retries.push((id, answer));
        } else {
            // It passed already.
            state.commit_change(change);
        }
    }
    drop(state);
    for (id, answer) in retries {
        let source = error.clone();
        let _ = answer.send(Err(RetryError::Storage { id, source }));
    }
    for Stored {
        id,
        record,
        answer,
        admission,
    } in stored
    {
        // The record may have reached the disk all the same.
        ledger.aborted.push((id, record));
        drop(admission);
        let _ = answer.send(Err(intake::refusal(shared, error.clone())));
    }
}

/// The entry of a waiting sample in the index.
pub(crate) fn entry(id: SampleId, record: &SampleRecord) -> Entry {
    Entry {
        id: id.value(),
        bytes: record.extent.bytes(),
        enqueued_at_us: record.enqueued_at_us,
    }
}
