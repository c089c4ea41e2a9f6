//! Moving the last samples of an old segment, so that it can be deleted.
//!
//! Waiting samples leave their segments by themselves. Failed ones stay for a
//! retry and would keep whole segments: those are moved. Only segments in which
//! nothing else is live are touched, so no worker can have the sample, and none
//! whose verdict is held back: it would be stored with the place of before.

use std::collections::HashMap;
use std::os::unix::fs::FileExt;

use squall_types::SampleId;

#[cfg(test)]
use crate::fail_point::{self, FailPoint};
use crate::{
    StorageError, fs, keys,
    ledger::{Ledger, Release},
    record::{Place, SampleRecord},
    segment::{self, FrameHeader},
    shared::Shared,
    state::{Change, State},
    store::Batch,
};

/// A failed sample and where it is to be.
struct Move {
    id: SampleId,
    from: SampleRecord,
    to: SampleRecord,
}

/// Moves the survivors of one segment, if there is one worth it. Returns
/// whether there was.
pub(crate) fn compact(shared: &Shared, ledger: &mut Ledger) -> Result<bool, StorageError> {
    let sparse = ledger.bodies.sparse();
    if sparse.is_empty() {
        return Ok(false);
    }
    let Some((no, survivors)) = movable(&shared.lock(), &sparse) else {
        return Ok(false);
    };
    let moves = copy(ledger, no, survivors).inspect_err(|_| ledger.bodies.abandon())?;
    #[cfg(test)]
    fail_point::reached(shared, FailPoint::Copied);
    let mut batch = Batch::default();
    for moved in &moves {
        batch.insert(&keys::sample(moved.id), moved.to.encode());
    }
    if let Err(error) = shared.store.write(batch) {
        ledger.reopen = true;
        shared.lock().down = Some(error.clone());
        for Move { id, from, to } in moves {
            ledger.retain(&to);
            ledger.restore.push((id, from));
            ledger.doubtful.push(Release::Sample { id, record: to });
        }
        return Err(error);
    }
    #[cfg(test)]
    fail_point::reached(shared, FailPoint::Moved);
    tracing::debug!(segment = no, samples = moves.len(), "moved failed samples");
    let mut state = shared.lock();
    for moved in &moves {
        redirect(&mut state, moved);
    }
    drop(state);
    for Move { id, from, to } in moves {
        ledger.retain(&to);
        ledger.release(&shared.layout, Release::Sample { id, record: from });
    }
    ledger.bodies.reap();
    Ok(true)
}

/// Returns the first of the segments, each with how many samples are live in it,
/// in which those are all failed ones that may be moved, and them.
fn movable(state: &State, sparse: &[(u32, u64)]) -> Option<(u32, Vec<(SampleId, SampleRecord)>)> {
    let mut survivors: HashMap<u32, Vec<_>> = HashMap::new();
    survivors.extend(sparse.iter().map(|&(no, _)| (no, Vec::new())));
    for (&id, &record) in &state.failed {
        if let Place::Segment { no, .. } = record.place
            && !state.held.holds(id)
            && let Some(survivors) = survivors.get_mut(&no)
        {
            survivors.push((id, record));
        }
    }
    sparse.iter().find_map(|&(no, live)| {
        let survivors = survivors.remove(&no)?;
        (survivors.len() as u64 == live).then_some((no, survivors))
    })
}

fn copy(
    ledger: &mut Ledger,
    no: u32,
    survivors: Vec<(SampleId, SampleRecord)>,
) -> Result<Vec<Move>, StorageError> {
    let path = ledger.bodies.path(no);
    let file = fs::open(&path)?;
    let mut moves = Vec::with_capacity(survivors.len());
    for (id, from) in survivors {
        let Place::Segment { offset, .. } = from.place else {
            continue;
        };
        let extent = from.extent;
        let len = extent.bytes() as usize;
        let mut bytes = vec![0; len];
        // Damaged bytes are moved as they are: their checksum tells.
        file.read_exact_at(&mut bytes, segment::submission_offset(offset))
            .map_err(fs::failed("read segment", &path))?;
        let (submission, body) = bytes.split_at(extent.submission_len as usize);
        let header = FrameHeader {
            id,
            extent,
            source_key: from.source_key,
            enqueued_at_us: from.enqueued_at_us,
        };
        let (no, offset) = ledger.bodies.append(&header, submission, body)?;
        let place = Place::Segment { no, offset };
        let to = SampleRecord { place, ..from };
        moves.push(Move { id, from, to });
    }
    ledger.bodies.sync()?;
    Ok(moves)
}

/// Tells everything that knows the sample where it is now.
fn redirect(state: &mut State, moved: &Move) {
    if let Some(record) = state.failed.get_mut(&moved.id) {
        record.place = moved.to.place;
    }
    for change in &mut state.changes {
        let (Change::Done { id, record, .. }
        | Change::Attempt { id, record, .. }
        | Change::Retry { id, record, .. }) = change;
        if *id == moved.id {
            record.place = moved.to.place;
        }
    }
}
