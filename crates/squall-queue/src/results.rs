//! Reading results back.

use std::os::unix::fs::FileExt;

use squall_types::SampleId;

use crate::{
    Queue, ReadError, SampleState, StorageError, Verdict, fs, keys,
    record::{ResultPlace, ResultRecord, SampleRecord},
    segment::{self},
    segments,
    shared::Shared,
};

impl Queue {
    /// Returns the ids of the samples whose results are kept, oldest first.
    /// Reads from the disk: blocks the thread.
    ///
    /// # Errors
    ///
    /// Fails when the disk does.
    pub fn results_kept(&self) -> Result<Vec<SampleId>, StorageError> {
        let mut ids = Vec::new();
        self.shared
            .store
            .scan(keys::RESULTS, |key, _| ids.extend(keys::parse_id(key)))?;
        Ok(ids)
    }
}

/// Returns where a sample is.
///
/// Memory is asked first, then the sample's record, then its result: whatever
/// the committer does in between, one of the three knows the sample.
pub(crate) fn status(shared: &Shared, id: SampleId) -> Result<Option<SampleState>, ReadError> {
    {
        let state = shared.lock();
        if let Some(verdict) = state.recent.get(&id) {
            let verdict: Verdict = (**verdict).clone();
            drop(state);
            return Ok(Some(verdict.into()));
        }
        if state.scanning.contains_key(&id) {
            return Ok(Some(SampleState::Scanning));
        }
    }
    let get = |key: &[u8]| {
        shared
            .store
            .get(key)
            .map_err(|source| ReadError::Storage { id, source })
    };
    let sample = get(&keys::sample(id))?;
    if let Some(sample) = &sample {
        let sample = SampleRecord::decode(sample).ok_or(ReadError::Damaged { id })?;
        if !sample.failed {
            return Ok(Some(SampleState::Waiting));
        }
    }
    let Some(result) = get(&keys::result(id))? else {
        let reason_lost = || SampleState::Failed("the reason is lost".to_owned());
        return Ok(sample.map(|_| reason_lost()));
    };
    let result = ResultRecord::decode(&result).ok_or(ReadError::Damaged { id })?;
    let Some(bytes) = read(shared, id, result.place)? else {
        return Ok(None);
    };
    Ok(Some(if result.failed {
        SampleState::Failed(String::from_utf8_lossy(&bytes).into_owned())
    } else {
        SampleState::Complete(bytes)
    }))
}

/// Returns whose a sample is.
///
/// Its record goes in the same batch that its result comes with, so asking for
/// the record first misses neither.
pub(crate) fn owner(shared: &Shared, id: SampleId) -> Result<Option<u64>, ReadError> {
    let get = |key: &[u8]| {
        let found = shared.store.get(key);
        found.map_err(|source| ReadError::Storage { id, source })
    };
    if let Some(sample) = get(&keys::sample(id))? {
        let sample = SampleRecord::decode(&sample).ok_or(ReadError::Damaged { id })?;
        return Ok(Some(sample.owner));
    }
    let Some(result) = get(&keys::result(id))? else {
        return Ok(None);
    };
    let result = ResultRecord::decode(&result).ok_or(ReadError::Damaged { id })?;
    Ok(Some(result.owner))
}

/// Reads the bytes of a result; `None` when it was evicted meanwhile.
fn read(shared: &Shared, id: SampleId, place: ResultPlace) -> Result<Option<Vec<u8>>, ReadError> {
    let (no, offset, len, crc) = match place {
        ResultPlace::Inline(bytes) => return Ok(Some(bytes)),
        ResultPlace::Segment {
            no,
            offset,
            len,
            crc,
        } => (no, offset, len, crc),
    };
    let path = shared.layout.results.join(segments::file_name(no));
    let file = match fs::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let gone = shared.store.get(&keys::result(id));
            return match gone {
                Ok(None) => Ok(None),
                _ => Err(ReadError::Damaged { id }),
            };
        }
        Err(source) => return Err(ReadError::Storage { id, source }),
    };
    let mut bytes = Vec::new();
    let size = usize::try_from(len).map_err(|_| ReadError::Damaged { id })?;
    if bytes.try_reserve_exact(size).is_err() {
        let source = StorageError::other("read a result", "there is no memory for it");
        return Err(ReadError::Storage { id, source });
    }
    bytes.resize(size, 0);
    file.read_exact_at(&mut bytes, segment::submission_offset(offset))
        .map_err(|_| ReadError::Damaged { id })?;
    if crc32fast::hash(&bytes) != crc {
        return Err(ReadError::Damaged { id });
    }
    Ok(Some(bytes))
}
