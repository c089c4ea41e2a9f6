//! Comparing what the database says with what lies on the disk.

use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
};

use squall_types::SampleId;

use crate::{
    Durability, QueueConfig, Recovery, StorageError, fs,
    inventory::Inventory,
    keys,
    layout::{self, Layout},
    ledger::Ledger,
    record::{Extent, Place, ResultPlace, ResultRecord, SampleRecord},
    salvage, segment,
    segments::{self, Segments, Usage},
    store::Batch,
    take::ATTEMPTS_MAX,
};

/// The files under the data directory.
#[derive(Default)]
pub(crate) struct Spool {
    /// Segments of samples and their lengths.
    pub(crate) segments: BTreeMap<u32, u64>,
    /// Segments of results and their lengths.
    pub(crate) results: BTreeMap<u32, u64>,
    /// Large samples and the lengths of their files.
    pub(crate) large: BTreeMap<SampleId, u64>,
    /// Files among the large samples that do not belong there.
    strangers: Vec<PathBuf>,
    pub(crate) incoming: Vec<PathBuf>,
}

impl Spool {
    pub(crate) fn list(layout: &Layout) -> Result<Self, StorageError> {
        let mut spool = Self::default();
        let segments = |files: Vec<(String, u64)>| {
            files
                .into_iter()
                .filter_map(|(name, len)| Some((segments::parse_file_name(&name)?, len)))
                .collect()
        };
        spool.segments = segments(fs::list(&layout.segments)?);
        spool.results = segments(fs::list(&layout.results)?);
        for (name, len) in fs::list(&layout.files)? {
            match layout::parse_file_name(&name) {
                Some(id) => {
                    spool.large.insert(id, len);
                }
                None => spool.strangers.push(layout.files.join(name)),
            }
        }
        for (name, _) in fs::list(&layout.incoming)? {
            spool.incoming.push(layout.incoming.join(name));
        }
        Ok(spool)
    }

    /// One above the highest id that a file is named after.
    pub(crate) fn ids_used(&self) -> Option<u64> {
        self.large.last_key_value().map(|(id, _)| id.value() + 1)
    }

    /// Large samples and strangers among them.
    pub(crate) fn files(
        &self,
        layout: &Layout,
    ) -> impl Iterator<Item = (PathBuf, Option<SampleId>)> {
        self.large
            .keys()
            .map(|&id| (layout.file(id), Some(id)))
            .chain(self.strangers.iter().map(|path| (path.clone(), None)))
    }

    /// Says what is wrong with the bytes of a sample, as far as lengths tell.
    fn fault(&self, id: SampleId, record: &SampleRecord) -> Option<String> {
        let len = segment::frame_len(&record.extent)?;
        match record.place {
            Place::Lost => None,
            Place::File => match self.large.get(&id) {
                None => Some("its file is missing".to_owned()),
                Some(&found) if found != len => {
                    Some(format!("its file has {found} bytes, expected {len}"))
                }
                Some(_) => None,
            },
            Place::Segment { no, offset } => match self.segments.get(&no) {
                None => Some(format!("segment {no} is missing")),
                Some(&found) if found < offset.saturating_add(len) => {
                    Some(format!("segment {no} ends after {found} bytes, too early"))
                }
                Some(_) => None,
            },
        }
    }
}

/// Turns waiting samples whose bytes are not there into failed ones.
pub(crate) fn check_samples(
    spool: &Spool,
    inventory: &mut Inventory,
    recovery: &mut Recovery,
    batch: &mut Batch,
) {
    let mut newly_failed = 0;
    for (id, record) in &mut inventory.samples {
        let Some(fault) = spool.fault(*id, record) else {
            continue;
        };
        recovery.damage(
            Some(*id),
            format!("the bytes of sample {id} are lost: {fault}"),
        );
        record.place = Place::Lost;
        record.extent = Extent::default();
        if record.failed {
            batch.insert(&keys::sample(*id), record.encode());
        } else {
            newly_failed += 1;
            let reason = format!("the stored bytes are lost: {fault}");
            fail(batch, *id, record, &reason);
        }
    }
    inventory.counters.failed += newly_failed;
}

/// Rebuilds the records that are lost. Which ones, the spool tells: each sample
/// in it says who it is.
pub(crate) fn salvage(
    layout: &Layout,
    spool: &Spool,
    commits: Option<u64>,
    inventory: &mut Inventory,
    recovery: &mut Recovery,
    batch: &mut Batch,
) {
    let noted = commits.unwrap_or(0);
    let behind = noted.saturating_sub(inventory.commits);
    // So that the next start does not compare with the count that was lost.
    inventory.commits = inventory.commits.max(noted);
    if behind > 0 && inventory.counters_known {
        let what = format!("the database lost its last {behind} batches of changes");
        recovery.damage(None, what);
    }
    let suspicious = behind > 0
        || !inventory.unreadable.is_empty()
        || !inventory.counters_known
        || inventory.missing_samples() > 0;
    if !suspicious {
        return;
    }
    let known: HashSet<SampleId> = inventory
        .samples
        .iter()
        .map(|&(id, _)| id)
        .chain(inventory.results.iter().map(|result| result.id))
        .collect();
    let found = salvage::find(layout, spool, &known);
    let before = inventory.samples.len();
    for (id, record) in found {
        batch.insert(&keys::sample(id), record.encode());
        inventory.samples.push((id, record));
    }
    recovery.salvaged = (inventory.samples.len() - before) as u64;
    let rebuilt: HashSet<SampleId> = inventory.samples.iter().map(|&(id, _)| id).collect();
    for id in std::mem::take(&mut inventory.unreadable) {
        if rebuilt.contains(&id) {
            continue;
        }
        recovery.damage(Some(id), format!("the record of sample {id} is damaged"));
        let mut record = salvage::lost();
        fail(
            batch,
            id,
            &mut record,
            "the sample's record in the database is damaged",
        );
        inventory.counters.failed += 1;
        inventory.samples.push((id, record));
    }
    inventory.samples.sort_unstable_by_key(|&(id, _)| id);
}

/// Counts the end of the process against the samples that were being scanned.
pub(crate) fn count_crash(
    claimed: &[SampleId],
    inventory: &mut Inventory,
    recovery: &mut Recovery,
    batch: &mut Batch,
) {
    let claimed: HashSet<_> = claimed.iter().copied().collect();
    for (id, record) in &mut inventory.samples {
        // One that is done, or failed, was not cleared from its slot in time.
        if record.failed || !claimed.contains(id) {
            continue;
        }
        record.attempts += 1;
        recovery.crashed.push(*id);
        if record.attempts >= ATTEMPTS_MAX {
            recovery.put_aside.push(*id);
            inventory.counters.failed += 1;
            let reason = "the process died twice while this sample was being scanned";
            fail(batch, *id, record, reason);
        } else {
            batch.insert(&keys::sample(*id), record.encode());
        }
    }
}

/// Drops results that cannot be read.
pub(crate) fn check_results(
    spool: &Spool,
    inventory: &mut Inventory,
    recovery: &mut Recovery,
    batch: &mut Batch,
) {
    let mut lost: HashSet<SampleId> = HashSet::new();
    for &(id, no, end) in &inventory.result_ends {
        if spool.results.get(&no).is_none_or(|&len| len < end) {
            lost.insert(id);
        }
    }
    lost.extend(inventory.unreadable_results.drain(..));
    for &id in &lost {
        recovery.damage(Some(id), format!("the result of sample {id} is lost"));
        batch.remove(&keys::result(id));
    }
    inventory
        .results
        .retain(|result| !lost.contains(&result.id));
}

/// Makes the counters add up: what is stored is true, what was counted is not.
pub(crate) fn check_counters(inventory: &mut Inventory, recovery: &mut Recovery) {
    let waiting = inventory.waiting();
    if !inventory.counters_known {
        inventory.counters.scanned = inventory.results.len() as u64;
        inventory.counters.failed = inventory.samples.len() as u64 - waiting;
        inventory.counters.accepted =
            waiting + inventory.counters.scanned + inventory.counters.failed;
        return;
    }
    let counters = &mut inventory.counters;
    let accounted = counters.scanned + counters.failed + waiting;
    recovery.counter_difference =
        i64::try_from(i128::from(counters.accepted) - i128::from(accounted)).unwrap_or(i64::MAX);
    counters.accepted = accounted;
}

/// Makes the committer's books.
pub(crate) fn ledger(
    config: &QueueConfig,
    layout: &Layout,
    spool: &Spool,
    inventory: &Inventory,
) -> Ledger {
    let durable = config.durability == Durability::Fsync;
    let known = |lens: &BTreeMap<u32, u64>| {
        lens.iter()
            .map(|(&no, &len)| {
                (
                    no,
                    Usage {
                        len,
                        ..Usage::default()
                    },
                )
            })
            .collect()
    };
    let len_max = config.segment_len_max;
    let bodies = Segments::new(&layout.segments, len_max, durable, known(&spool.segments));
    let mut results = Segments::new(&layout.results, len_max, durable, known(&spool.results));
    for (no, bytes) in inventory.results.iter().filter_map(|result| result.segment) {
        results.retain(no, bytes);
    }
    Ledger {
        bodies,
        results,
        kept: inventory.results.iter().copied().collect(),
        counters: inventory.counters,
        commits: inventory.commits,
        file_bytes: 0,
        aborted: Vec::new(),
        restore: Vec::new(),
        doubtful: Vec::new(),
        reopen: false,
    }
}

/// Turns a sample into a failed one.
fn fail(batch: &mut Batch, id: SampleId, record: &mut SampleRecord, reason: &str) {
    record.failed = true;
    batch.insert(&keys::sample(id), record.encode());
    let result = ResultRecord {
        failed: true,
        place: ResultPlace::Inline(reason.as_bytes().to_vec()),
        owner: record.owner,
    };
    batch.insert(&keys::result(id), result.encode());
}

impl Inventory {
    fn waiting(&self) -> u64 {
        let waiting = self.samples.iter().filter(|(_, record)| !record.failed);
        waiting.count() as u64
    }

    /// How many accepted samples nothing is known of.
    fn missing_samples(&self) -> u64 {
        let accounted = self.counters.scanned + self.counters.failed + self.waiting();
        self.counters.accepted.saturating_sub(accounted)
    }
}
