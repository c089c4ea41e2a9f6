//! Which sample each worker is scanning, on disk before the scan begins.
//!
//! A slot is written without a flush: it survives the end of the process,
//! which is what a poisonous sample can bring about, and costs a microsecond.
//! The file also repeats how far ids are reserved and how many batches were
//! committed, for the case that the database is lost, or silently opens as it
//! was some batches ago.

use std::{fs::File, os::unix::fs::FileExt, path::Path};

use squall_types::SampleId;

use crate::{
    StorageError,
    codec::{Decoder, Encoder},
    fs::{self, failed},
};

const SLOT_LEN: usize = 16;
/// The places before the workers' slots.
const IDS: usize = 0;
const COMMITS: usize = 1;
const HEADER_SLOTS: usize = 2;
/// Workers beyond these are not told apart from crash to crash.
const SLOTS_MAX: usize = 4096;

/// The file with the slots.
#[derive(Debug)]
pub(crate) struct Claims {
    file: File,
    path: std::path::PathBuf,
}

/// What the file said when it was opened.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Samples that were being scanned.
    pub(crate) claimed: Vec<SampleId>,
    /// How far ids are reserved.
    pub(crate) ids_reserved: Option<u64>,
    /// How many batches were committed.
    pub(crate) commits: Option<u64>,
}

impl Claims {
    pub(crate) fn open(path: &Path) -> Result<(Self, Found), StorageError> {
        let file = fs::open_or_create(path)?;
        let meta = file.metadata().map_err(failed("examine file", path))?;
        let len = (meta.len() as usize).min(SLOT_LEN * (HEADER_SLOTS + SLOTS_MAX));
        let mut bytes = vec![0; len];
        file.read_exact_at(&mut bytes, 0)
            .map_err(failed("read file", path))?;
        let mut found = Found::default();
        for (at, slot) in bytes.chunks_exact(SLOT_LEN).enumerate() {
            let Some(value) = decode(slot) else { continue };
            match at {
                IDS => found.ids_reserved = Some(value),
                COMMITS => found.commits = Some(value),
                _ => found.claimed.extend(SampleId::new(value)),
            }
        }
        let claims = Self {
            file,
            path: path.to_owned(),
        };
        Ok((claims, found))
    }

    /// Notes that a worker begins with a sample.
    pub(crate) fn set(&self, slot: usize, id: SampleId) -> Result<(), StorageError> {
        self.write(HEADER_SLOTS + slot % SLOTS_MAX, &encode(id.value()))
    }

    /// Notes that a worker is done with its sample.
    pub(crate) fn clear(&self, slot: usize) -> Result<(), StorageError> {
        self.write(HEADER_SLOTS + slot % SLOTS_MAX, &[0; SLOT_LEN])
    }

    /// Empties all slots.
    pub(crate) fn clear_all(&self) -> Result<(), StorageError> {
        self.file
            .set_len((SLOT_LEN * HEADER_SLOTS) as u64)
            .and_then(|()| self.file.set_len(4096))
            .map_err(failed("clear file", &self.path))
    }

    /// Notes how far ids are reserved, on stable storage; with it whatever was
    /// noted before.
    pub(crate) fn reserve_ids(&self, end: u64) -> Result<(), StorageError> {
        self.write(IDS, &encode(end))?;
        let synced = fs::sync_data(&self.file);
        synced.map_err(failed("sync file", &self.path))
    }

    /// Notes how many batches were committed. Not flushed: it may only ever
    /// say less than the database.
    pub(crate) fn note_commits(&self, commits: u64) -> Result<(), StorageError> {
        self.write(COMMITS, &encode(commits))
    }

    fn write(&self, at: usize, slot: &[u8]) -> Result<(), StorageError> {
        self.file
            .write_all_at(slot, (at * SLOT_LEN) as u64)
            .map_err(failed("write file", &self.path))
    }
}

fn encode(value: u64) -> Vec<u8> {
    Encoder::default().u64(value).u32(1).seal()
}

fn decode(slot: &[u8]) -> Option<u64> {
    Decoder::sealed(slot)?.u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_outlive_the_handle_until_they_are_cleared() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("claims");
        let id = |value| SampleId::new(value).unwrap();
        let (claims, found) = Claims::open(&path).unwrap();
        assert_eq!(found.claimed, []);
        assert_eq!(found.ids_reserved, None);
        claims.set(0, id(5)).unwrap();
        claims.set(300, id(6)).unwrap();
        claims.set(1, id(7)).unwrap();
        claims.clear(1).unwrap();
        claims.reserve_ids(99).unwrap();
        claims.note_commits(3).unwrap();
        let (claims, found) = Claims::open(&path).unwrap();
        assert_eq!(found.claimed, [id(5), id(6)]);
        assert_eq!(found.ids_reserved, Some(99));
        claims.clear_all().unwrap();
        let (_, found) = Claims::open(&path).unwrap();
        assert_eq!(found.claimed, []);
        assert_eq!(found.ids_reserved, Some(99));
        assert_eq!(found.commits, Some(3));
    }
}
