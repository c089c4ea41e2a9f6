//! What the database says at a start.

use std::collections::HashSet;

use squall_types::SampleId;

use crate::{
    Recovery, StorageError,
    counters::Counters,
    history::Histories,
    keys,
    ledger::KeptResult,
    record::{Place, ResultPlace, ResultRecord, SampleRecord},
    store::Store,
};

/// Everything the database holds, without the bytes of results.
#[derive(Default)]
pub(crate) struct Inventory {
    /// Waiting and failed samples, in the order of their ids.
    pub(crate) samples: Vec<(SampleId, SampleRecord)>,
    /// Samples whose record cannot be read.
    pub(crate) unreadable: Vec<SampleId>,
    /// Results of scanned samples, in the order of the ids.
    pub(crate) results: Vec<KeptResult>,
    /// Where those in segments end: segment, end of the frame.
    pub(crate) result_ends: Vec<(SampleId, u32, u64)>,
    pub(crate) unreadable_results: Vec<SampleId>,
    pub(crate) counters: Counters,
    /// The counters could be read, or the directory is new.
    pub(crate) counters_known: bool,
    pub(crate) ids_reserved: Option<u64>,
    pub(crate) commits: u64,
    pub(crate) histories: Histories,
    pub(crate) clean: bool,
}

impl Inventory {
    pub(crate) fn read(store: &Store, recovery: &mut Recovery) -> Result<Self, StorageError> {
        let mut inventory = Self::default();
        inventory.read_samples(store)?;
        inventory.read_results(store)?;
        store.scan(keys::HISTORIES, |key, value| {
            let value = value.try_into().map(u64::from_be_bytes);
            if let (Some((history, minute)), Ok(value)) = (keys::parse_history(key), value) {
                inventory.histories.load(history, minute, value);
            }
        })?;
        if let Some(counters) = store.get(keys::COUNTERS)? {
            match Counters::decode(&counters) {
                Some(counters) => {
                    inventory.counters = counters;
                    inventory.counters_known = true;
                }
                None => recovery.damage(None, "the counters are damaged; they start anew"),
            }
        }
        if let Some(reserved) = store.get(keys::IDS_RESERVED)? {
            inventory.ids_reserved = reserved.try_into().ok().map(u64::from_be_bytes);
            if inventory.ids_reserved.is_none() {
                recovery.damage(None, "the record of the ids in use is damaged");
            }
        }
        if let Some(commits) = store.get(keys::COMMITS)? {
            inventory.commits = commits.try_into().map_or(0, u64::from_be_bytes);
        }
        inventory.clean = store.get(keys::CLEAN)?.is_some();
        Ok(inventory)
    }

    /// Whether nothing was ever stored.
    pub(crate) fn is_new(&self) -> bool {
        self.ids_reserved.is_none()
            && !self.counters_known
            && self.samples.is_empty()
            && self.results.is_empty()
    }

    /// The highest id that anything has.
    pub(crate) fn ids_used(&self) -> u64 {
        let samples = self.samples.last().map_or(0, |(id, _)| id.value());
        let results = self.results.last().map_or(0, |result| result.id.value());
        samples.max(results)
    }

    /// The segments that hold bytes of samples.
    pub(crate) fn segments_in_use(&self) -> HashSet<u32> {
        self.samples
            .iter()
            .filter_map(|(_, record)| match record.place {
                Place::Segment { no, .. } => Some(no),
                Place::File | Place::Lost => None,
            })
            .collect()
    }

    fn read_samples(&mut self, store: &Store) -> Result<(), StorageError> {
        store.scan(keys::SAMPLES, |key, value| {
            let Some(id) = keys::parse_id(key) else {
                return;
            };
            match SampleRecord::decode(value) {
                Some(record) => self.samples.push((id, record)),
                None => self.unreadable.push(id),
            }
        })
    }

    fn read_results(&mut self, store: &Store) -> Result<(), StorageError> {
        store.scan(keys::RESULTS, |key, value| {
            let Some(id) = keys::parse_id(key) else {
                return;
            };
            let Some(result) = ResultRecord::decode(value) else {
                self.unreadable_results.push(id);
                return;
            };
            let segment = match result.place {
                ResultPlace::Inline(_) => None,
                ResultPlace::Segment {
                    no, offset, len, ..
                } => {
                    let start = crate::segment::submission_offset(offset);
                    self.result_ends.push((id, no, start.saturating_add(len)));
                    Some((no, len))
                }
            };
            if !result.failed {
                self.results.push(KeptResult { id, segment });
            }
        })
    }
}
