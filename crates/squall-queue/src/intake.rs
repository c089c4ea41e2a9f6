//! The first half of a commit: bringing the bytes of arrived samples to the
//! disk.

use std::sync::Arc;

use squall_types::SampleId;
use tokio::sync::oneshot;

use crate::{
    Durability, EnqueueError, StorageError,
    body::{Content, IncomingFile},
    fs,
    ledger::Ledger,
    record::{Place, SampleRecord},
    segment::FrameHeader,
    shared::{Admission, Shared},
    state::Arrival,
};

/// A sample whose bytes are on the disk and whose record is not.
pub(crate) struct Stored {
    pub(crate) id: SampleId,
    pub(crate) record: SampleRecord,
    pub(crate) answer: oneshot::Sender<Result<SampleId, EnqueueError>>,
    pub(crate) admission: Admission,
}

/// Completes a large sample's file before the committer sees it, so that one
/// large sample does not hold up the others.
pub(crate) async fn prepare(
    shared: &Arc<Shared>,
    mut arrival: Arrival,
) -> Result<Arrival, EnqueueError> {
    if matches!(arrival.body.content, Content::Memory(_)) {
        return Ok(arrival);
    }
    let shared = Arc::clone(shared);
    let prepared = tokio::task::spawn_blocking(move || {
        if let Content::File(file) = &mut arrival.body.content {
            let mut tail = std::mem::take(&mut arrival.submission);
            // The file's name tells the id, which is not known yet.
            let header = FrameHeader {
                id: FrameHeader::UNNAMED,
                extent: arrival.extent,
                source_key: arrival.source_key,
                enqueued_at_us: arrival.enqueued_at_us,
            };
            tail.extend_from_slice(&header.encode());
            complete_file(&shared, file, &tail)?;
        }
        Ok(arrival)
    });
    let ended = |error: tokio::task::JoinError| {
        EnqueueError::Io(StorageError::other("store a sample", &error.to_string()))
    };
    prepared.await.map_err(ended)?
}

fn complete_file(
    shared: &Shared,
    file: &mut IncomingFile,
    tail: &[u8],
) -> Result<(), EnqueueError> {
    file.append(tail)
        .and_then(|()| match shared.config.durability {
            Durability::Fsync => file.sync(),
            Durability::Buffered => Ok(()),
        })
        .map_err(|error| refusal(shared, fs::failed("store sample in", file.path())(error)))
}

/// Says why the disk's refusal is a refusal of the sample.
pub(crate) fn refusal(shared: &Shared, error: StorageError) -> EnqueueError {
    if error.is_no_space() {
        EnqueueError::NoSpace {
            free_bytes: fs::free_bytes(&shared.layout.dir).unwrap_or(0),
            free_bytes_min: shared.config.limits.free_bytes_min,
        }
    } else {
        EnqueueError::Io(error)
    }
}

/// Brings the bytes of `arrivals` to the disk. Those that fail have their
/// answer already.
pub(crate) fn store(shared: &Shared, ledger: &mut Ledger, arrivals: Vec<Arrival>) -> Vec<Stored> {
    let mut ids = allocate(shared, arrivals.len());
    let mut small = Vec::new();
    let mut large = Vec::new();
    for arrival in arrivals {
        let Some(id) = ids.next() else { break };
        match &arrival.body.content {
            Content::Memory(_) => small.push((id, arrival)),
            Content::File(_) => large.push((id, arrival)),
        }
    }
    let mut stored = store_small(shared, ledger, small);
    stored.extend(store_large(shared, large));
    for stored in &stored {
        ledger.retain(&stored.record);
    }
    // So that each source's samples keep their order.
    stored.sort_unstable_by_key(|stored| stored.id);
    stored
}

fn allocate(shared: &Shared, n: usize) -> impl Iterator<Item = SampleId> {
    let mut state = shared.lock();
    let first = state.ids.next;
    // The batch that holds their records also reserves them.
    state.ids.next += n as u64;
    (first..first + n as u64).map_while(SampleId::new)
}

fn store_small(
    shared: &Shared,
    ledger: &mut Ledger,
    arrivals: Vec<(SampleId, Arrival)>,
) -> Vec<Stored> {
    if arrivals.is_empty() {
        return Vec::new();
    }
    match append_all(ledger, &arrivals) {
        Ok(places) => arrivals
            .into_iter()
            .zip(places)
            .map(|((id, arrival), place)| stored(id, arrival, place))
            .collect(),
        Err(error) => {
            tracing::error!(?error, samples = arrivals.len(), "cannot store samples");
            ledger.bodies.abandon();
            for (_, arrival) in arrivals {
                refuse(shared, arrival, &error);
            }
            Vec::new()
        }
    }
}

fn append_all(
    ledger: &mut Ledger,
    arrivals: &[(SampleId, Arrival)],
) -> Result<Vec<Place>, StorageError> {
    let mut places = Vec::with_capacity(arrivals.len());
    for (id, arrival) in arrivals {
        let Content::Memory(body) = &arrival.body.content else {
            continue;
        };
        let header = FrameHeader {
            id: *id,
            extent: arrival.extent,
            source_key: arrival.source_key,
            enqueued_at_us: arrival.enqueued_at_us,
        };
        let (no, offset) = ledger.bodies.append(&header, &arrival.submission, body)?;
        places.push(Place::Segment { no, offset });
    }
    ledger.bodies.sync()?;
    Ok(places)
}

fn store_large(shared: &Shared, arrivals: Vec<(SampleId, Arrival)>) -> Vec<Stored> {
    let mut done = Vec::with_capacity(arrivals.len());
    for (id, mut arrival) in arrivals {
        let content = std::mem::replace(&mut arrival.body.content, Content::Memory(Vec::new()));
        let Content::File(file) = content else {
            continue;
        };
        match file.keep(&shared.layout.file(id)) {
            Ok(()) => done.push((id, arrival)),
            Err(error) => refuse(shared, arrival, &error),
        }
    }
    let synced = match shared.config.durability {
        Durability::Fsync if !done.is_empty() => fs::sync_dir(&shared.layout.files),
        _ => Ok(()),
    };
    match synced {
        Ok(()) => done
            .into_iter()
            .map(|(id, arrival)| stored(id, arrival, Place::File))
            .collect(),
        Err(error) => {
            for (id, arrival) in done {
                // No record names the file; the next start would remove it too.
                let _ = fs::remove(&shared.layout.file(id));
                refuse(shared, arrival, &error);
            }
            Vec::new()
        }
    }
}

fn stored(id: SampleId, arrival: Arrival, place: Place) -> Stored {
    Stored {
        id,
        record: SampleRecord {
            failed: false,
            attempts: 0,
            place,
            extent: arrival.extent,
            source_key: arrival.source_key,
            enqueued_at_us: arrival.enqueued_at_us,
            owner: arrival.owner,
        },
        answer: arrival.answer,
        admission: arrival.admission,
    }
}

/// Answers an arrival that could not be stored.
pub(crate) fn refuse(shared: &Shared, arrival: Arrival, error: &StorageError) {
    let Arrival {
        answer, admission, ..
    } = arrival;
    drop(admission);
    // The sender may be gone.
    let _ = answer.send(Err(refusal(shared, error.clone())));
}
