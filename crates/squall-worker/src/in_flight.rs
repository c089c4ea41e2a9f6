//! Samples that are the same as one that is being scanned: they wait for its
//! verdict beside the queue, and their workers take other samples meanwhile.
//!
//! When the first scan gives no verdict that holds for the others, or takes much
//! longer than a scan may, they go back to the queue, and samples like them no
//! longer wait for each other.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use squall_engine::VERDICT_KEY_LEN;
use squall_queue::Claim;

/// What is equal for samples that may have one verdict.
pub(crate) type Key = [u8; VERDICT_KEY_LEN];

/// Samples that wait at the same time; further ones are scanned. Each may
/// hold an open file.
const WAITING_MAX: usize = 256;

/// Keys of samples that do not wait for each other.
const ALONE_MAX: usize = 4096;

/// What is being scanned, and what waits for it.
pub(crate) struct InFlight {
    state: Mutex<State>,
    wait_max: Duration,
}

/// A scan, and what waits for it.
struct Scan {
    began: Instant,
    waiting: Vec<Claim>,
}

#[derive(Default)]
struct State {
    scans: HashMap<Key, Scan>,
    waiting: usize,
    alone: HashSet<Key>,
}

/// What a sample is among those being scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The first of its kind: whoever asked scans it and then calls
    /// [`InFlight::end`].
    First,
    /// One like it is being scanned.
    Second,
    /// It is none of anybody's business.
    Alone,
}

impl InFlight {
    /// Begins with nothing. A scan may take `time_max`, and what follows it some
    /// time more.
    pub(crate) fn new(time_max: Duration) -> Self {
        Self {
            state: Mutex::default(),
            wait_max: time_max.saturating_mul(2),
        }
    }

    /// Tells whether to scan a sample.
    pub(crate) fn begin(&self, key: Key) -> Place {
        let mut state = self.lock();
        if state.alone.contains(&key) {
            return Place::Alone;
        }
        match state.scans.entry(key) {
            Entry::Occupied(_) => Place::Second,
            Entry::Vacant(vacant) => {
                vacant.insert(Scan {
                    began: Instant::now(),
                    waiting: Vec::new(),
                });
                Place::First
            }
        }
    }

    /// Lays a sample aside until the one like it is done. Gives it back when
    /// that is so already, or when too many wait.
    pub(crate) fn wait(&self, key: Key, mut claim: Claim) -> Option<Claim> {
        let mut state = self.lock();
        if state.waiting >= WAITING_MAX {
            return Some(claim);
        }
        let Some(scan) = state.scans.get_mut(&key) else {
            return Some(claim);
        };
        claim.lay_aside();
        scan.waiting.push(claim);
        state.waiting += 1;
        None
    }

    /// Ends the scan of a first sample, and returns those that waited for it.
    /// `holds` tells whether its verdict holds for samples like it.
    pub(crate) fn end(&self, key: Key, holds: bool) -> Vec<Claim> {
        let mut state = self.lock();
        let scan = state.scans.remove(&key);
        let waited = scan.map(|scan| scan.waiting).unwrap_or_default();
        state.waiting -= waited.len();
        if !holds {
            state.leave_alone(key);
        }
        waited
    }

    /// Returns those that wait for a scan which seems not to end.
    pub(crate) fn waited_too_long(&self) -> Vec<Claim> {
        let mut state = self.lock();
        let late = |scan: &Scan| !scan.waiting.is_empty() && scan.began.elapsed() > self.wait_max;
        let keys: Vec<Key> = state
            .scans
            .iter()
            .filter(|(_, scan)| late(scan))
            .map(|(key, _)| *key)
            .collect();
        let mut back = Vec::new();
        for key in keys {
            if let Some(scan) = state.scans.get_mut(&key) {
                back.append(&mut scan.waiting);
            }
            state.leave_alone(key);
        }
        state.waiting -= back.len();
        back
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while holding it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn leave_alone(&mut self, key: Key) {
        if self.alone.len() >= ALONE_MAX {
            self.alone.clear();
        }
        self.alone.insert(key);
    }
}
