//! Opening a data directory: taking stock, repairing, starting clean.
//!
//! Order: lock; open the database; read records, results, counters and
//! histories; compare with the spool; count the crash against the samples that
//! were being scanned; check that the counts add up; store all repairs in one
//! batch; only then delete what nothing refers to. A crash in between changes
//! nothing but that the next start does it again.

use std::{
    collections::HashSet,
    fs::{File, TryLockError},
    io::Read,
    path::Path,
    sync::{Arc, Condvar, Mutex, atomic::AtomicU64},
};

use squall_types::SampleId;

use crate::{
    Durability, OpenError, QueueConfig, StorageError,
    body::IncomingDir,
    claims::{self, Claims},
    fs::{self, failed},
    inventory::Inventory,
    keys,
    layout::Layout,
    ledger::Ledger,
    shared::Shared,
    state::{Ids, State},
    stock::{self, Spool},
    store::{Batch, Store},
};

/// The format of the data directory that this version writes.
const FORMAT: u32 = 1;

/// Damage described one by one; more is only counted.
pub(crate) const DAMAGE_MAX: usize = 1000;

/// What opening a queue found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// There was no queue before.
    pub is_new: bool,
    /// The queue was closed in order.
    pub clean: bool,
    /// Samples waiting.
    pub waiting: u64,
    /// Results that can be read.
    pub results: u64,
    /// Failed samples kept.
    pub failed: u64,
    /// Samples that were being scanned when the process ended. They are
    /// scanned again, one at a time.
    pub crashed: Vec<SampleId>,
    /// Those of them that failed now, since it was the second time.
    pub put_aside: Vec<SampleId>,
    /// What is not intact: the first thousand of [`damaged`](Self::damaged).
    pub damage: Vec<Damage>,
    /// How many records and samples are not intact. Samples among them failed.
    pub damaged: u64,
    /// Samples whose record was lost and rebuilt from the spool.
    pub salvaged: u64,
    /// By how much the samples accepted differ from those accounted for; the
    /// counters were corrected.
    pub counter_difference: i64,
    /// Files and segments removed that nothing referred to.
    pub orphans_removed: u64,
    /// Incomplete uploads removed.
    pub incoming_removed: u64,
}

/// Something that was not intact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The sample, where one is concerned.
    pub id: Option<SampleId>,
    /// What is wrong, in words.
    pub description: String,
}

impl Recovery {
    pub(crate) fn damage(&mut self, id: Option<SampleId>, description: impl Into<String>) {
        self.damaged += 1;
        if self.damage.len() < DAMAGE_MAX {
            self.damage.push(Damage {
                id,
                description: description.into(),
            });
        }
    }
}

/// Opens the data directory of `config`.
pub(crate) fn open(config: QueueConfig) -> Result<(Shared, Ledger, Recovery), OpenError> {
    let dir = config.dir.clone();
    let io_failed = |source| OpenError::Io {
        dir: dir.clone(),
        source,
    };
    let layout = Layout::new(&dir);
    create_dirs(&layout).map_err(io_failed)?;
    let lock = lock(&layout)?;
    let instance = instance(&layout).map_err(io_failed)?;
    let (claims, found) = Claims::open(&layout.claims).map_err(io_failed)?;
    let durable = config.durability == Durability::Fsync;
    let damaged = |source| unusable(&dir, &layout.db, source);
    let store = Store::open(&layout.db, durable).map_err(damaged)?;
    if durable {
        sync_names(&layout).map_err(io_failed)?;
    }
    check_format(&store, &dir, damaged)?;
    let mut recovery = Recovery::default();
    let mut inventory = Inventory::read(&store, &mut recovery).map_err(damaged)?;
    let spool = Spool::list(&layout).map_err(io_failed)?;
    let (state, ledger) = settle(
        &config,
        &layout,
        &store,
        &spool,
        &mut inventory,
        &found,
        &mut recovery,
    )
    .map_err(io_failed)?;
    // In this order, so that what counts as a crash is counted once.
    claims
        .clear_all()
        .and_then(|()| claims.reserve_ids(state.ids.reserved))
        .map_err(io_failed)?;
    let spool_bytes = ledger.spool_bytes();
    let shared = Shared {
        incoming: Arc::new(IncomingDir {
            path: layout.incoming.clone(),
            inline_len_max: config.inline_len_max,
            free_bytes_min: config.limits.free_bytes_min,
            next: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }),
        config,
        layout,
        instance,
        store,
        claims,
        state: Mutex::new(state),
        work: Condvar::new(),
        immediate_work: Condvar::new(),
        commit: Condvar::new(),
        ended: Condvar::new(),
        gate: Condvar::new(),
        spool_bytes: AtomicU64::new(spool_bytes),
        _lock: lock,
    };
    Ok((shared, ledger, recovery))
}

/// Tells a database that cannot be read from a disk that cannot be written:
/// nobody is to move a good database away for want of space.
fn unusable(dir: &Path, db: &Path, source: StorageError) -> OpenError {
    if source.is_refusal() {
        OpenError::Io {
            dir: dir.to_owned(),
            source,
        }
    } else {
        OpenError::Damaged {
            db: db.to_owned(),
            source,
        }
    }
}

fn create_dirs(layout: &Layout) -> Result<(), StorageError> {
    for dir in [
        &layout.dir,
        &layout.segments,
        &layout.files,
        &layout.incoming,
        &layout.results,
    ] {
        fs::create_dir(dir)?;
    }
    for dir in [&layout.dir, &layout.dir.join("spool")] {
        fs::sync_dir(dir)?;
    }
    Ok(())
}

/// Forces the names above the database to stable storage; those in it the store
/// sees to. Where the directory above may not be read, its names reach the disk in
/// the system's own time, unless whoever closed it has seen to that.
fn sync_names(layout: &Layout) -> Result<(), StorageError> {
    fs::sync_dir(&layout.dir)?;
    let above = layout.dir.parent().filter(|dir| *dir != Path::new(""));
    match fs::sync_dir(above.unwrap_or(Path::new("."))) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}

fn lock(layout: &Layout) -> Result<File, OpenError> {
    let dir = layout.dir.clone();
    let file = match fs::open_or_create(&layout.lock) {
        Ok(file) => file,
        Err(source) => return Err(OpenError::Io { dir, source }),
    };
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { dir }),
        Err(TryLockError::Error(error)) => Err(OpenError::Io {
            dir,
            source: failed("lock file", &layout.lock)(error),
        }),
    }
}

/// Reads the instance, or draws it.
fn instance(layout: &Layout) -> Result<[u8; 8], StorageError> {
    let path = &layout.instance;
    let mut instance = [0; 8];
    let mut file = fs::open_or_create(path)?;
    if file.read_exact(&mut instance).is_ok() && instance != [0; 8] {
        return Ok(instance);
    }
    let random = Path::new("/dev/urandom");
    fs::open(random)?
        .read_exact(&mut instance)
        .map_err(failed("read", random))?;
    std::os::unix::fs::FileExt::write_all_at(&file, &instance, 0)
        .and_then(|()| file.sync_all())
        .map_err(failed("write file", path))?;
    fs::sync_dir(&layout.dir)?;
    Ok(instance)
}

fn check_format(
    store: &Store,
    dir: &Path,
    damaged: impl Fn(StorageError) -> OpenError,
) -> Result<(), OpenError> {
    let stored = store.get(keys::FORMAT).map_err(damaged)?;
    let found = stored.and_then(|bytes| Some(u32::from_be_bytes(bytes.try_into().ok()?)));
    match found {
        Some(found) if found > FORMAT => Err(OpenError::Version {
            dir: dir.to_owned(),
            found,
            known: FORMAT,
        }),
        _ => Ok(()),
    }
}

/// Compares what was read, decides what is true, and stores the decision.
fn settle(
    config: &QueueConfig,
    layout: &Layout,
    store: &Store,
    spool: &Spool,
    inventory: &mut Inventory,
    found: &claims::Found,
    recovery: &mut Recovery,
) -> Result<(State, Ledger), StorageError> {
    let mut batch = Batch::default();
    stock::check_samples(spool, inventory, recovery, &mut batch);
    stock::salvage(
        layout,
        spool,
        found.commits,
        inventory,
        recovery,
        &mut batch,
    );
    // After an orderly end, what was still being scanned was handed back: the
    // limit of the shutdown was too short for it, which is no fault of its own.
    if !inventory.clean {
        stock::count_crash(&found.claimed, inventory, recovery, &mut batch);
    }
    stock::check_results(spool, inventory, recovery, &mut batch);
    stock::check_counters(inventory, recovery);
    let reserved = [inventory.ids_reserved, found.ids_reserved, spool.ids_used()]
        .into_iter()
        .flatten()
        .max()
        .unwrap_or(1)
        .max(inventory.ids_used() + 1);
    batch.insert(keys::COUNTERS, inventory.counters.encode());
    batch.insert(keys::COMMITS, inventory.commits.to_be_bytes().to_vec());
    batch.insert(keys::FORMAT, FORMAT.to_be_bytes().to_vec());
    batch.insert(
        keys::IDS_RESERVED,
        (reserved + IDS_FIRST).to_be_bytes().to_vec(),
    );
    batch.remove(keys::CLEAN);
    store.write(batch)?;
    let (state, ledger) = build(config, layout, inventory, spool, reserved, recovery);
    remove_orphans(layout, spool, inventory, recovery);
    Ok((state, ledger))
}

/// Ids reserved at the start, for checks that come before the first commit.
const IDS_FIRST: u64 = 1 << 16;

fn build(
    config: &QueueConfig,
    layout: &Layout,
    inventory: &mut Inventory,
    spool: &Spool,
    first_id: u64,
    recovery: &mut Recovery,
) -> (State, Ledger) {
    let ids = Ids {
        next: first_id,
        reserved: first_id + IDS_FIRST,
    };
    let mut state = State::new(ids, inventory.counters);
    let mut ledger = stock::ledger(config, layout, spool, inventory);
    for &(id, record) in &inventory.samples {
        ledger.retain(&record);
        state.live_bytes += record.extent.bytes();
        let entry = crate::commit::entry(id, &record);
        if record.failed {
            state.keep_failed(id, record);
        } else if record.attempts > 0 {
            state.index.push_suspect(record.source_key, entry);
        } else {
            state.index.push(record.source_key, entry);
        }
    }
    state.histories = std::mem::take(&mut inventory.histories);
    recovery.is_new = inventory.is_new();
    recovery.clean = inventory.clean;
    recovery.waiting = state.index.len();
    recovery.failed = state.failed.len() as u64;
    recovery.results = ledger.kept.len() as u64;
    ledger.bodies.reap();
    ledger.results.reap();
    (state, ledger)
}

/// Deletes incomplete uploads and large samples without a record. Segments are
/// deleted by whoever counts what is live in them.
fn remove_orphans(layout: &Layout, spool: &Spool, inventory: &Inventory, recovery: &mut Recovery) {
    let named: HashSet<SampleId> = inventory.samples.iter().map(|&(id, _)| id).collect();
    for (path, id) in spool.files(layout) {
        if id.is_none_or(|id| !named.contains(&id)) && fs::remove(&path).is_ok() {
            recovery.orphans_removed += 1;
        }
    }
    let live: HashSet<u32> = inventory.segments_in_use();
    recovery.orphans_removed += spool
        .segments
        .keys()
        .filter(|no| !live.contains(no))
        .count() as u64;
    for path in &spool.incoming {
        if fs::remove(path).is_ok() {
            recovery.incoming_removed += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_disk_that_refuses_is_not_called_a_damaged_database() {
        let (dir, db) = (Path::new("/data"), Path::new("/data/db"));
        for (kind, refused) in [
            (io::ErrorKind::StorageFull, true),
            (io::ErrorKind::QuotaExceeded, true),
            (io::ErrorKind::ReadOnlyFilesystem, true),
            (io::ErrorKind::PermissionDenied, true),
            (io::ErrorKind::InvalidData, false),
            (io::ErrorKind::Other, false),
        ] {
            let error = unusable(dir, db, StorageError::new("open", kind.into()));
            assert_eq!(matches!(error, OpenError::Io { .. }), refused, "{kind}");
        }
    }
}
