//! Verdicts that wait until what they rely on is safe elsewhere: a finding in a
//! log file, for instance, before the sample it was found in is forgotten.

use std::{collections::HashSet, sync::OnceLock};

use squall_types::SampleId;

use crate::{Queue, StorageError, commit::Round, shared::Shared, state::Change};

type Ready = Box<dyn Fn() -> bool + Send + Sync>;

/// Who is asked before verdicts reach the disk.
#[derive(Default)]
pub(crate) struct BeforeResults(OnceLock<Ready>);

impl Queue {
    /// Lets `ready` be asked before verdicts of the durable lane reach the
    /// disk. Once, right after the queue was opened; a second call changes
    /// nothing.
    ///
    /// It is called from the thread that commits, with no lock held, after
    /// those verdicts were given: whatever a worker wrote before
    /// [`complete`](Self::complete) is there. While it returns false, the
    /// verdicts can be read but are not on the disk: a crash repeats their
    /// scans. It is asked again every 100 ms or so. Samples are taken and
    /// acknowledged meanwhile, and workers pause once too many verdicts wait,
    /// so it has to say true in the end. Verdicts it still holds back when the
    /// queue closes are dropped, and their samples scanned again after the
    /// next start.
    pub fn before_results(&self, ready: impl Fn() -> bool + Send + Sync + 'static) {
        if self.shared.before_results.0.set(Box::new(ready)).is_err() {
            tracing::error!("the queue asks somebody else before it stores results");
        }
    }
}

/// Takes the verdicts out of a round if they may not be stored yet.
pub(crate) fn hold_back(shared: &Shared, round: &mut Round) {
    let Some(ready) = shared.before_results.0.get() else {
        return;
    };
    let verdicts: HashSet<SampleId> = round.changes.iter().filter_map(verdict_on).collect();
    let held = !verdicts.is_empty() && !ready();
    let mut state = shared.lock();
    state.held = held;
    if !held {
        return;
    }
    // One of them may be a failure that is not on the disk yet.
    for (id, record) in std::mem::take(&mut round.evicted) {
        state.live_bytes += record.extent.bytes();
        state.keep_failed(id, record);
    }
    // With all that befell the same samples, so that it keeps its order. The
    // rest goes on: somebody may wait for it.
    let changes = std::mem::take(&mut round.changes).into_iter();
    let (changes, rest): (Vec<_>, Vec<_>) =
        changes.partition(|change| verdicts.contains(&change.id()));
    round.changes = rest;
    if round.last {
        state.down = Some(StorageError::other(
            "store the last results",
            "what they rely on could not be stored; their samples are scanned again",
        ));
        return;
    }
    let later = std::mem::take(&mut state.changes);
    state.changes_bytes = 0;
    for change in changes.into_iter().chain(later) {
        state.push_change(change);
    }
}

fn verdict_on(change: &Change) -> Option<SampleId> {
    match change {
        Change::Done { id, .. } => Some(*id),
        Change::Attempt { .. } | Change::Retry { .. } => None,
    }
}
