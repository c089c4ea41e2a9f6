//! The cache as its users see it: tables that share the keys among them, and
//! the file.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::entry;
use crate::file::{FileError, Found, Store};
use crate::table::{Place, Table};
use crate::{KEY_LEN, Key};

/// The keys are shared among so many tables, each with a lock of its own, so
/// that threads hardly ever wait for each other.
const SHARDS: usize = 8;

/// The file is written anew when it has more than this many times the bytes
/// that the entries may have.
const FILE_GROWTH_MAX: u64 = 2;

/// How large a cache is and where it survives.
#[derive(Clone, Debug)]
pub struct Config {
    /// The most bytes in memory, all that it needs included.
    pub bytes_max: usize,
    /// The file; `None` for none.
    pub path: Option<PathBuf>,
}

/// What the cache holds and did since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Searches that found what they looked for (see [`Cache::count`]).
    pub hits: u64,
    /// Searches that did not.
    pub misses: u64,
    /// Entries that had to go for others.
    pub evictions: u64,
    /// Entries.
    pub entries: u64,
    /// Bytes of memory.
    pub bytes: u64,
    /// The most bytes of memory.
    pub bytes_max: u64,
}

/// A right to use the cache under the identity it was given for. It ends when
/// another begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(u64);

/// What a table holds, and for whom.
#[derive(Debug)]
struct Shard {
    table: Table,
    epoch: u64,
    /// Where what is not in the file yet begins.
    unsaved: Place,
}

/// The identity in force.
#[derive(Debug, Default)]
struct Present {
    identity: Option<[u8; 32]>,
    /// Its place in the order of identities, as the user counts.
    order: u64,
    epoch: u64,
}

/// A bounded map that survives restarts. All its methods may be called from
/// any thread at any time.
pub struct Cache {
    config: Config,
    present: Mutex<Present>,
    shards: [Mutex<Shard>; SHARDS],
    /// Held by whoever writes the file.
    store: Mutex<Option<(u64, Store)>>,
    hits: AtomicU64,
    misses: AtomicU64,
    /// Evictions under identities before.
    evicted_before: AtomicU64,
}

impl Cache {
    /// Makes an empty cache. The file is read by [`save`](Self::save), once an
    /// identity tells which.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let bytes_max = config.bytes_max / SHARDS;
        Self {
            config,
            present: Mutex::default(),
            shards: std::array::from_fn(|_| Mutex::new(Shard::new(bytes_max, 0))),
            store: Mutex::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            evicted_before: AtomicU64::new(0),
        }
    }

    /// Says what values depend on besides their keys, and returns the right to
    /// use those that were stored under the same identity; all others are
    /// forgotten. `order` counts up from identity to identity: `None` if a
    /// later one has begun already.
    pub fn begin(&self, order: u64, identity: [u8; 32]) -> Option<Epoch> {
        let mut present = lock(&self.present);
        if order < present.order {
            return None;
        }
        present.order = order;
        if present.identity != Some(identity) {
            present.identity = Some(identity);
            present.epoch += 1;
            for shard in &self.shards {
                let mut shard = lock(shard);
                let evictions = shard.table.evictions();
                self.evicted_before.fetch_add(evictions, Ordering::Relaxed);
                *shard = Shard::new(self.config.bytes_max / SHARDS, present.epoch);
            }
        }
        Some(Epoch(present.epoch))
    }

    /// Returns the value of a key.
    pub fn get(&self, epoch: Epoch, key: &Key) -> Option<Vec<u8>> {
        let mut shard = self.shard(key);
        let is_current = shard_epoch_is(shard.epoch, epoch);
        let found = is_current.then(|| shard.table.get(key).map(<[u8]>::to_vec));
        found.flatten()
    }

    /// Counts what came of a search, which may be of several keys.
    pub fn count(&self, was_found: bool) {
        let count = if was_found { &self.hits } else { &self.misses };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Stores a value, instead of the one before if there is one. Has no effect
    /// when the epoch has ended, or for a value that would take a large part
    /// of the cache.
    pub fn insert(&self, epoch: Epoch, key: &Key, value: &[u8]) {
        let mut shard = self.shard(key);
        if shard_epoch_is(shard.epoch, epoch) {
            shard.table.insert(key, value);
        }
    }

    /// Returns what the cache holds and did.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = Stats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            bytes_max: self.config.bytes_max as u64,
            evictions: self.evicted_before.load(Ordering::Relaxed),
            ..Stats::default()
        };
        for shard in &self.shards {
            let shard = lock(shard);
            stats.entries += shard.table.len() as u64;
            stats.bytes += shard.table.bytes() as u64;
            stats.evictions += shard.table.evictions();
        }
        stats
    }

    /// Appends to the file what is new, after reading it if the identity has
    /// just begun. Blocks on the disk, which no other method does; to be called
    /// now and then from a thread of its own.
    ///
    /// # Errors
    ///
    /// Fails if the file system refuses. What is not in the file is only
    /// forgotten with the next restart; the next call tries again.
    pub fn save(&self) -> Result<Saved, FileError> {
        let Some(path) = &self.config.path else {
            return Ok(Saved::default());
        };
        let (identity, epoch) = {
            let present = lock(&self.present);
            match present.identity {
                Some(identity) => (identity, present.epoch),
                None => return Ok(Saved::default()),
            }
        };
        let mut slot = lock(&self.store);
        let mut saved = Saved::default();
        let mut store = match slot.take() {
            Some((of, store)) if of == epoch => store,
            _ => {
                let load = |entries: &[u8]| saved.loaded += self.load(epoch, entries);
                let (store, found) = Store::open(path, &identity, load)?;
                saved.dropped = match found {
                    Found::Nothing | Found::Whole => None,
                    Found::Other => Some(Dropped::Other),
                    Found::Damaged(bytes) => Some(Dropped::Damaged(bytes)),
                };
                store
            }
        };
        let written = self.append_new(epoch, &mut store);
        let written = written.and_then(|()| self.rewrite_if_large(epoch, &mut store));
        *slot = Some((epoch, store));
        written.map(|()| saved)
    }

    /// Takes entries of the file that are not there yet.
    fn load(&self, epoch: u64, entries: &[u8]) -> u64 {
        let mut loaded = 0;
        for (_, entry) in entry::each(entries) {
            let mut shard = self.shard(entry.key);
            if shard.epoch == epoch && !shard.table.contains(entry.key) {
                let all_saved = shard.unsaved == shard.table.end();
                shard.table.insert(entry.key, entry.value);
                if all_saved {
                    shard.unsaved = shard.table.end();
                }
                loaded += 1;
            }
        }
        loaded
    }

    fn append_new(&self, epoch: u64, store: &mut Store) -> Result<(), FileError> {
        for shard in &self.shards {
            loop {
                let (entries, next) = {
                    let shard = lock(shard);
                    if shard.epoch != epoch || shard.unsaved == shard.table.end() {
                        break;
                    }
                    shard.table.copy_from(shard.unsaved)
                };
                store.append(&entries)?;
                let mut shard = lock(shard);
                if shard.epoch == epoch {
                    shard.unsaved = next;
                }
            }
        }
        Ok(())
    }

    /// Writes the file anew when most of it is entries that are gone.
    fn rewrite_if_large(&self, epoch: u64, store: &mut Store) -> Result<(), FileError> {
        if store.len() <= self.config.bytes_max as u64 * FILE_GROWTH_MAX {
            return Ok(());
        }
        let mut rewritten = store.rewrite()?;
        for shard in &self.shards {
            let mut place = lock(shard).table.start();
            loop {
                let (entries, next) = {
                    let shard = lock(shard);
                    if shard.epoch != epoch || place == shard.table.end() {
                        break;
                    }
                    shard.table.copy_from(place)
                };
                rewritten.append(&entries)?;
                place = next;
            }
            let mut shard = lock(shard);
            if shard.epoch == epoch {
                shard.unsaved = place;
            }
        }
        store.replace(rewritten)
    }

    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        // The first bytes are the hash within the table.
        lock(&self.shards[usize::from(key[KEY_LEN - 1]) % SHARDS])
    }
}

/// What a call of [`Cache::save`] came upon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Entries read from the file.
    pub loaded: u64,
    /// What of an earlier file was dropped.
    pub dropped: Option<Dropped>,
}

/// Why entries of an earlier file were dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// They were stored under another identity.
    Other,
    /// So many bytes are damaged or follow damaged ones.
    Damaged(u64),
}

impl Shard {
    fn new(bytes_max: usize, epoch: u64) -> Self {
        let table = Table::new(bytes_max);
        Self {
            unsaved: table.end(),
            table,
            epoch,
        }
    }
}

fn shard_epoch_is(of_shard: u64, epoch: Epoch) -> bool {
    of_shard == epoch.0
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in here panics on any entry; where it did, a table that lost
    // something is as good as one that never had it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
