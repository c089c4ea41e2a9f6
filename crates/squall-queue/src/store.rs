//! The database. No other module knows that it is sled.
//!
//! What must be known of sled 0.34:
//! - its `flush` ends in `sync_file_range`, which forces neither the disk's
//!   cache nor the file's size, so a flush is followed by an `fdatasync`;
//! - after one failed write it refuses everything until it is opened anew;
//! - it panics on some damage, so every call is guarded;
//! - it takes the snapshot that it was writing when the process was killed for a
//!   finished one, and then calls the database corrupt: see [`remove_unfinished`];
//! - a thread waiting for a flush may miss the news of a failed write: see
//!   [`Store::rescue`].

use std::{
    fs::File,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

use crate::{
    StorageError,
    fs::{self, failed},
};

const CACHE_BYTES: u64 = 32 << 20;

/// Writes that become durable together or not at all.
#[derive(Default)]
pub(crate) struct Batch(sled::Batch);

impl Batch {
    pub(crate) fn insert(&mut self, key: &[u8], value: Vec<u8>) {
        self.0.insert(key, value);
    }

    pub(crate) fn remove(&mut self, key: &[u8]) {
        self.0.remove(key);
    }
}

struct Handle {
    db: sled::Db,
    /// sled's own file, opened once more for `fdatasync`.
    file: File,
}

/// The database, which may be closed for a while when the disk refuses.
pub(crate) struct Store {
    path: PathBuf,
    durable: bool,
    handle: RwLock<Option<Handle>>,
    flushing_since: Mutex<Option<Instant>>,
    /// The test lets the next write be reported as failed although it is done.
    #[cfg(test)]
    pub(crate) doubtful: std::sync::atomic::AtomicBool,
}

impl Store {
    pub(crate) fn open(path: &Path, durable: bool) -> Result<Self, StorageError> {
        let handle = open_handle(path)?;
        if durable {
            sync_names(path)?;
        }
        Ok(Self {
            handle: RwLock::new(Some(handle)),
            path: path.to_owned(),
            durable,
            flushing_since: Mutex::new(None),
            #[cfg(test)]
            doubtful: Default::default(),
        })
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        self.with("read from", |handle| {
            Ok(handle.db.get(key)?.map(|value| value.to_vec()))
        })
    }

    /// Calls `visit` with every record whose key begins with `prefix`, in the
    /// order of the keys.
    pub(crate) fn scan(
        &self,
        prefix: &[u8],
        mut visit: impl FnMut(&[u8], &[u8]),
    ) -> Result<(), StorageError> {
        self.with("read from", |handle| {
            for record in handle.db.scan_prefix(prefix) {
                let (key, value) = record?;
                visit(&key, &value);
            }
            Ok(())
        })
    }

    /// Applies a batch; it is as durable as the queue promises when this
    /// returns. Called by one thread only: sled may lose a wake-up otherwise.
    pub(crate) fn write(&self, batch: Batch) -> Result<(), StorageError> {
        self.with("write to", |handle| {
            handle.db.apply_batch(batch.0)?;
            self.set_flushing(Some(Instant::now()));
            let flushed = handle.db.flush();
            self.set_flushing(None);
            flushed?;
            if self.durable {
                fs::sync_data(&handle.file)?;
            }
            #[cfg(test)]
            if self
                .doubtful
                .swap(false, std::sync::atomic::Ordering::Relaxed)
            {
                return Err(io::Error::other("the test wants it so"));
            }
            Ok(())
        })
    }

    /// Wakes a flush that missed the news of a failed write: another flush,
    /// started by another thread, tells it. Cheap when nothing is stuck.
    pub(crate) fn rescue(&self) {
        const PATIENCE: Duration = Duration::from_secs(2);
        let since = *self
            .flushing_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if since.is_some_and(|since| since.elapsed() > PATIENCE) {
            let flushed = self.with("flush", |handle| Ok(handle.db.flush().map(|_| ())?));
            tracing::warn!(?flushed, "the database takes long to flush");
        }
    }

    /// Opens the database anew after a failure.
    pub(crate) fn reopen(&self) -> Result<(), StorageError> {
        self.close()?;
        forget_pages(&self.path);
        let handle = open_handle(&self.path)?;
        *self.handle.write().unwrap_or_else(PoisonError::into_inner) = Some(handle);
        Ok(())
    }

    /// Closes the database.
    ///
    /// Fails, and leaves it open, where the disk refuses even to sync it: sled
    /// panics on its way out then.
    pub(crate) fn close(&self) -> Result<(), StorageError> {
        let mut guard = self.handle.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = guard.as_ref() {
            let synced = handle.file.sync_all();
            synced.map_err(failed("sync database", &self.path))?;
        }
        let handle = guard.take();
        drop(guard);
        // All that was promised is on the disk already.
        if catch_unwind(AssertUnwindSafe(move || drop(handle))).is_err() {
            tracing::warn!(path = %self.path.display(), "the database could not be closed in order");
        }
        Ok(())
    }

    /// Lets go of the database as a crash would. What was promised is on the
    /// disk; the process keeps its memory and its lock until it ends.
    pub(crate) fn abandon(&self) {
        let mut guard = self.handle.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::forget(guard.take());
    }

    fn with<T>(
        &self,
        verb: &str,
        operation: impl FnOnce(&Handle) -> Result<T, io::Error>,
    ) -> Result<T, StorageError> {
        let guard = self.handle.read().unwrap_or_else(PoisonError::into_inner);
        let name = || format!("{verb} database `{}`", self.path.display());
        let Some(handle) = guard.as_ref() else {
            return Err(StorageError::other(name(), "it is closed"));
        };
        guarded(|| operation(handle)).map_err(|error| StorageError::new(name(), error))
    }

    fn set_flushing(&self, since: Option<Instant>) {
        *self
            .flushing_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = since;
    }
}

/// Forces what sled makes once, and the names of its files, to stable storage;
/// it does neither itself.
fn sync_names(path: &Path) -> Result<(), StorageError> {
    let conf = path.join("conf");
    let synced = fs::sync_data(&fs::open(&conf)?);
    synced.map_err(failed("sync file", &conf))?;
    fs::sync_dir(path)
}

/// Lets the system forget what it has of the database in memory: after a failed
/// sync that is what should be on the disk, and need not be what is there. The
/// system tells such a failure once, so another sync proves nothing.
fn forget_pages(path: &Path) {
    let Ok(file) = fs::open(&path.join("db")) else {
        // Opening it will fail too, and tell why.
        return;
    };
    if let Err(error) = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed) {
        tracing::warn!(%error, "cannot read the database from the disk again");
    }
}

fn open_handle(path: &Path) -> Result<Handle, StorageError> {
    remove_unfinished(path).map_err(failed("open database", path))?;
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(CACHE_BYTES)
        .flush_every_ms(None);
    let db = open_patiently(&config).map_err(failed("open database", path))?;
    let file = fs::open(&path.join("db"))?;
    Ok(Handle { db, file })
}

/// Removes snapshots that were not finished. A snapshot only saves sled from
/// reading its whole log; the one before stays until the next is complete, and
/// has its name without this ending.
fn remove_unfinished(path: &Path) -> io::Result<()> {
    let entries = match std::fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.starts_with(b"snap.") && name.ends_with(b".generating") {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Opens the database as soon as nothing holds it any more. The caller has
/// locked the data directory, so that can only be a thread of sled's own pool
/// that has not let go yet of a database closed a moment ago.
fn open_patiently(config: &sled::Config) -> io::Result<sled::Db> {
    const PATIENCE: Duration = Duration::from_secs(10);
    let started = Instant::now();
    loop {
        let opened = guarded(|| Ok(config.open()?));
        match opened {
            Err(error)
                if error.to_string().contains("could not acquire lock")
                    && started.elapsed() < PATIENCE =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            opened => return opened,
        }
    }
}

/// Turns a panic of sled into an error.
fn guarded<T>(operation: impl FnOnce() -> Result<T, io::Error>) -> Result<T, io::Error> {
    catch_unwind(AssertUnwindSafe(operation)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("unknown cause");
        Err(io::Error::other(format!("the database gave up: {text}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_survives_closing_and_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("db"), true).unwrap();
        let mut batch = Batch::default();
        batch.insert(b"a1", vec![1]);
        batch.insert(b"b1", vec![2]);
        store.write(batch).unwrap();
        store.close().unwrap();
        assert!(store.get(b"a1").is_err());
        store.reopen().unwrap();
        assert_eq!(store.get(b"a1").unwrap(), Some(vec![1]));
        let mut seen = Vec::new();
        store
            .scan(b"b", |key, value| seen.push((key.to_vec(), value.to_vec())))
            .unwrap();
        assert_eq!(seen, [(b"b1".to_vec(), vec![2])]);
    }

    #[test]
    fn a_snapshot_that_a_kill_left_unfinished_is_no_damage() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        let store = Store::open(&path, true).unwrap();
        let mut batch = Batch::default();
        batch.insert(b"a", vec![1]);
        store.write(batch).unwrap();
        store.close().unwrap();
        std::fs::write(path.join("snap.00000000000FFFFF.generating"), b"half").unwrap();
        store.reopen().unwrap();
        assert_eq!(store.get(b"a").unwrap(), Some(vec![1]));
    }

    #[test]
    fn a_panic_becomes_an_error() {
        let error = guarded::<()>(|| panic!("broken page")).unwrap_err();
        assert!(error.to_string().contains("broken page"));
    }
}
