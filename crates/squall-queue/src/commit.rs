//! A group commit: everything that waits for the disk, in one batch.
//!
//! Bytes are on the disk before the record that names them, and a record is
//! gone before the bytes it named are deleted. All counts in a batch agree with
//! the records in it, so whichever batch is the last to survive, they add up.

use squall_types::SampleId;

use crate::{
    RetryError, StorageError, Verdict,
    counters::Counters,
    history::HistoryChange,
    index::Entry,
    intake::{self, Stored},
    keys,
    ledger::{KeptResult, Ledger, Release},
    record::{Extent, ResultPlace, ResultRecord, SampleRecord},
    segment::FrameHeader,
    shared::Shared,
    state::{Arrival, Change, State},
    store::Batch,
};

/// Samples in one commit.
const ARRIVALS_MAX: usize = 4096;
/// Bytes of samples in one commit, so that no sender waits long for others.
const ARRIVAL_BYTES_MAX: u64 = 32 << 20;
/// Ids reserved ahead. They are lost at a crash; there are enough.
const IDS_AHEAD: u64 = 1 << 16;

/// What one commit takes from the state.
pub(crate) struct Round {
    arrivals: Vec<Arrival>,
    changes: Vec<Change>,
    histories: Vec<HistoryChange>,
    immediate: Counters,
    /// Failed samples over the budget.
    evicted: Vec<(SampleId, SampleRecord)>,
    /// Nothing comes after it.
    last: bool,
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
        Self {
            arrivals,
            changes: std::mem::take(&mut state.changes),
            histories: state.histories.take_changes(),
            immediate: std::mem::take(&mut state.immediate),
            evicted: evict_failed(shared, state),
            last: state.closing && state.arrivals.is_empty(),
        }
    }

    pub(crate) fn is_last(&self) -> bool {
        self.last
    }
}

/// Takes out the oldest failed samples over the budget: as many as results,
/// and a quarter of the spool's bytes.
fn evict_failed(shared: &Shared, state: &mut State) -> Vec<(SampleId, SampleRecord)> {
    let config = &shared.config;
    let mut evicted = Vec::new();
    while state.failed.len() as u64 > config.results_max
        || state.failed_bytes > config.limits.bytes_max / 4
    {
        let Some((&id, _)) = state.failed.first_key_value() else {
            break;
        };
        if let Some(record) = state.forget_failed(id) {
            state.live_bytes = state.live_bytes.saturating_sub(record.extent.bytes());
            evicted.push((id, record));
        }
    }
    evicted
}

/// What becomes true when the batch is durable.
#[derive(Default)]
struct Plan {
    batch: Batch,
    counters: Counters,
    kept: Vec<KeptResult>,
    /// Results that leave, counted from the oldest.
    results_evicted: usize,
    releases: Vec<Release>,
    ids_reserved: u64,
}

/// Commits a round. Returns whether it is on the disk; if not, all of it that
/// was promised to anybody is back in the state.
pub(crate) fn commit(shared: &Shared, ledger: &mut Ledger, mut round: Round) -> bool {
    let arrivals = std::mem::take(&mut round.arrivals);
    let stored = intake::store(shared, ledger, arrivals);
    let committed = match write(shared, ledger, &stored, &round) {
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
    ledger.bodies.reap();
    ledger.results.reap();
    shared
        .spool_bytes
        .store(ledger.spool_bytes(), std::sync::atomic::Ordering::Relaxed);
    committed
}

fn write(
    shared: &Shared,
    ledger: &mut Ledger,
    stored: &[Stored],
    round: &Round,
) -> Result<Plan, StorageError> {
    let mut plan = Plan {
        counters: ledger.counters,
        ..Plan::default()
    };
    for &(id, record) in &ledger.aborted {
        plan.batch.remove(&keys::sample(id));
        plan.releases.push(Release::Sample { id, record });
    }
    for stored in stored {
        let key = keys::sample(stored.id);
        plan.batch.insert(&key, stored.record.encode());
        plan.counters.accepted += 1;
    }
    let results_max = shared.config.results_max;
    let changed = round
        .changes
        .iter()
        .try_for_each(|change| plan_change(ledger, results_max, &mut plan, change));
    if let Err(error) = changed.and_then(|()| ledger.results.sync()) {
        ledger.results.abandon();
        return Err(error);
    }
    plan_evictions(ledger, results_max, &mut plan, round);
    plan_totals(shared, &mut plan, round)?;
    let batch = std::mem::take(&mut plan.batch);
    shared.store.write(batch).inspect_err(|_| {
        ledger.reopen = true;
    })?;
    Ok(plan)
}

fn plan_change(
    ledger: &mut Ledger,
    results_max: u64,
    plan: &mut Plan,
    change: &Change,
) -> Result<(), StorageError> {
    match change {
        Change::Done {
            id,
            record,
            verdict,
            times,
        } => {
            let (id, record) = (*id, *record);
            plan.counters.finish(record.failed, *times);
            if record.failed {
                plan.batch.insert(&keys::sample(id), record.encode());
            } else {
                plan.batch.remove(&keys::sample(id));
                plan.releases.push(Release::Sample { id, record });
            }
            if results_max > 0 {
                let (place, segment) = place_result(ledger, id, verdict)?;
                let failed = record.failed;
                let result = ResultRecord { failed, place };
                plan.batch.insert(&keys::result(id), result.encode());
                if !failed {
                    plan.kept.push(KeptResult { id, segment });
                }
            }
        }
        Change::Attempt { id, record, .. } => {
            plan.batch.insert(&keys::sample(*id), record.encode());
        }
        Change::Retry { id, record, .. } => {
            let record = retried(record);
            plan.counters.failed = plan.counters.failed.saturating_sub(1);
            plan.batch.insert(&keys::sample(*id), record.encode());
            plan.batch.remove(&keys::result(*id));
        }
    }
    Ok(())
}

/// Decides where a result lies, and brings it there unless that is its record.
fn place_result(
    ledger: &mut Ledger,
    id: SampleId,
    verdict: &Verdict,
) -> Result<(ResultPlace, Option<(u32, u64)>), StorageError> {
    let bytes = verdict.bytes();
    if bytes.len() <= ResultRecord::INLINE_LEN_MAX {
        return Ok((ResultPlace::Inline(bytes.to_vec()), None));
    }
    let (len, crc) = (bytes.len() as u64, crc32fast::hash(bytes));
    let header = FrameHeader {
        id,
        extent: Extent {
            body_len: len,
            body_crc: crc,
            ..Extent::default()
        },
        source_key: 0,
        enqueued_at_us: 0,
    };
    let (no, offset) = ledger.results.append(&header, &[], bytes)?;
    let place = ResultPlace::Segment {
        no,
        offset,
        len,
        crc,
    };
    Ok((place, Some((no, len))))
}

fn plan_evictions(ledger: &Ledger, results_max: u64, plan: &mut Plan, round: &Round) {
    let total = ledger.kept.len() + plan.kept.len();
    let over = total.saturating_sub(usize::try_from(results_max).unwrap_or(usize::MAX));
    for result in ledger.kept.iter().chain(&plan.kept).take(over) {
        plan.batch.remove(&keys::result(result.id));
        if let Some((no, bytes)) = result.segment {
            plan.releases.push(Release::Result { no, bytes });
        }
    }
    plan.results_evicted = over;
    for &(id, record) in &round.evicted {
        plan.batch.remove(&keys::sample(id));
        plan.batch.remove(&keys::result(id));
        plan.releases.push(Release::Sample { id, record });
    }
}

fn plan_totals(shared: &Shared, plan: &mut Plan, round: &Round) -> Result<(), StorageError> {
    plan.counters.add(&round.immediate);
    plan.batch.insert(keys::COUNTERS, plan.counters.encode());
    let ids = shared.lock().ids;
    plan.ids_reserved = if round.last {
        ids.next
    } else if ids.next + IDS_AHEAD / 2 > ids.reserved {
        ids.next + IDS_AHEAD
    } else {
        ids.reserved
    };
    if plan.ids_reserved != ids.reserved {
        shared.claims.reserve_ids(plan.ids_reserved)?;
        let reserved = plan.ids_reserved.to_be_bytes().to_vec();
        plan.batch.insert(keys::IDS_RESERVED, reserved);
    }
    for change in &round.histories {
        let key = keys::history(change.history, change.minute);
        match change.value {
            Some(value) => plan.batch.insert(&key, value.to_be_bytes().to_vec()),
            None => plan.batch.remove(&key),
        }
    }
    if round.last {
        plan.batch.insert(keys::CLEAN, vec![1]);
    }
    Ok(())
}

fn succeed(shared: &Shared, ledger: &mut Ledger, stored: Vec<Stored>, round: Round, plan: Plan) {
    let added = stored.len();
    let mut state = shared.lock();
    state.ids.reserved = plan.ids_reserved;
    for stored in &stored {
        state.counters.accepted += 1;
        state.live_bytes += stored.record.extent.bytes();
        let entry = entry(stored.id, &stored.record);
        state.index.push(stored.record.source_key, entry);
    }
    let mut answers = Vec::new();
    for change in round.changes {
        publish(&mut state, change, &mut answers);
    }
    state.note_queue_len();
    drop(state);
    shared.wake_workers(added + answers.len());
    for Stored {
        id,
        answer,
        admission,
        ..
    } in stored
    {
        drop(admission);
        // Whoever asked may be gone; the sample is taken all the same.
        let _ = answer.send(Ok(id));
    }
    for answer in answers {
        let _ = answer.send(Ok(()));
    }
    ledger.aborted.clear();
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
            retries.push((id, answer));
        } else {
            state.push_change(change);
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

/// The record of a failed sample that is to be scanned again.
fn retried(record: &SampleRecord) -> SampleRecord {
    SampleRecord {
        failed: false,
        attempts: 0,
        ..*record
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
