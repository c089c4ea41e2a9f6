//! The second half of a commit: one batch with the records, the counts and all
//! that follows from them.
//!
//! All counts in a batch agree with the records in it, so whichever batch is
//! the last to survive, they add up.

use squall_types::SampleId;

#[cfg(test)]
use crate::fail_point::{self, FailPoint};
use crate::{
    StorageError, Verdict,
    commit::Round,
    counters::Counters,
    intake::Stored,
    keys,
    ledger::{KeptResult, Ledger, Release},
    record::{Extent, ResultPlace, ResultRecord, SampleRecord},
    segment::FrameHeader,
    shared::Shared,
    state::Change,
    store::Batch,
};

/// Ids reserved ahead. They are lost at a crash; there are enough.
const IDS_AHEAD: u64 = 1 << 16;

/// What becomes true when the batch is durable.
#[derive(Default)]
pub(crate) struct Plan {
    batch: Batch,
    pub(crate) counters: Counters,
    pub(crate) kept: Vec<KeptResult>,
    /// Results that leave, counted from the oldest.
    pub(crate) results_evicted: usize,
    pub(crate) releases: Vec<Release>,
    pub(crate) ids_reserved: u64,
}

/// Writes the batch and returns what is true from then on.
pub(crate) fn write(
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
    for (id, record) in &ledger.restore {
        plan.batch.insert(&keys::sample(*id), record.encode());
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
    #[cfg(test)]
    fail_point::reached(shared, FailPoint::ResultsStored);
    plan_evictions(ledger, results_max, &mut plan, round);
    plan_totals(shared, &mut plan, round)?;
    let commits = ledger.commits + 1;
    plan.batch
        .insert(keys::COMMITS, commits.to_be_bytes().to_vec());
    let batch = std::mem::take(&mut plan.batch);
    if let Err(error) = shared.store.write(batch) {
        ledger.reopen = true;
        doubt_results(ledger, &plan);
        return Err(error);
    }
    #[cfg(test)]
    fail_point::reached(shared, FailPoint::BatchWritten);
    ledger.commits = commits;
    Ok(plan)
}

/// Keeps the results of a failed batch, whose records may have reached the
/// disk, until another batch is durable.
fn doubt_results(ledger: &mut Ledger, plan: &Plan) {
    for (no, bytes) in plan.kept.iter().filter_map(|result| result.segment) {
        ledger.results.retain(no, bytes);
        ledger.doubtful.push(Release::Result { no, bytes });
    }
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
                let owner = record.owner;
                let result = ResultRecord {
                    failed,
                    place,
                    owner,
                };
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

/// The record of a failed sample that is to be scanned again.
fn retried(record: &SampleRecord) -> SampleRecord {
    SampleRecord {
        failed: false,
        attempts: 0,
        ..*record
    }
}
