//! Scans that neither end nor heed their time limit.
//!
//! A thread cannot be stopped from outside, so such a scan holds its own until
//! the process ends. It is told while it lasts, and counted against its sample
//! at the end: the second time the sample is put aside.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use squall_engine::ScanLimits;
use squall_types::{SampleId, ThreadHealth};

/// What a scan thread is scanning, and since when.
#[derive(Debug, Default)]
pub(crate) struct Current(Mutex<Option<(SampleId, Instant)>>);

/// A scan that is under way, until this is dropped.
pub(crate) struct Scanning<'a>(&'a Current);

impl Current {
    /// Notes that a scan begins.
    pub(crate) fn begin(&self, id: SampleId) -> Scanning<'_> {
        self.set(Some((id, Instant::now())));
        Scanning(self)
    }

    fn set(&self, value: Option<(SampleId, Instant)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = value;
    }

    fn get(&self) -> Option<(SampleId, Instant)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Scanning<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

/// What all scan threads are scanning.
#[derive(Clone, Debug)]
pub(crate) struct Scans {
    current: Vec<Arc<Current>>,
    /// How many of them, the first ones, take synchronous checks only.
    sync_only: usize,
    overdue_after: Duration,
}

impl Scans {
    /// Makes the books of so many threads, of which the first `sync_only` take
    /// synchronous checks only.
    pub(crate) fn new(threads: usize, sync_only: usize, limits: &ScanLimits) -> Self {
        // A scan in order ends soon after its limit. On a machine that is
        // overloaded it may take a multiple, and is not to blame.
        let overdue_after = limits.time_max.saturating_mul(3) + Duration::from_secs(60);
        Self {
            current: (0..threads).map(|_| Arc::default()).collect(),
            sync_only,
            overdue_after,
        }
    }

    /// Returns the book of a thread, counted from 0.
    pub(crate) fn of(&self, thread: usize) -> Arc<Current> {
        Arc::clone(&self.current[thread])
    }

    /// Returns the samples whose scans should have ended long ago.
    pub(crate) fn overdue(&self) -> Vec<SampleId> {
        self.overdue_at(Instant::now())
    }

    fn overdue_at(&self, now: Instant) -> Vec<SampleId> {
        let threads = self.current.iter();
        threads
            .filter_map(|current| self.stuck_in(current, now))
            .collect()
    }

    /// Notes how many threads are stuck, and whether no other takes samples of
    /// the queue.
    pub(crate) fn note(&self, health: &ThreadHealth) {
        self.note_at(health, Instant::now());
    }

    fn note_at(&self, health: &ThreadHealth, now: Instant) {
        let is_stuck = |current: &Arc<Current>| self.stuck_in(current, now).is_some();
        let stuck = self.current.iter().filter(|thread| is_stuck(thread));
        let stalled = self.current.iter().skip(self.sync_only).all(is_stuck);
        health.note(stuck.count() as u64, stalled);
    }

    /// Returns the sample of a thread whose scan should have ended long ago.
    fn stuck_in(&self, current: &Current, now: Instant) -> Option<SampleId> {
        let (id, since) = current.get()?;
        (now.saturating_duration_since(since) >= self.overdue_after).then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_far_beyond_its_limit_is_overdue() {
        let limits = ScanLimits {
            time_max: Duration::from_secs(100),
            ..ScanLimits::default()
        };
        let scans = Scans::new(2, 0, &limits);
        let id = SampleId::new(7).expect("an id");
        let (first, second) = (scans.of(0), scans.of(1));
        let scanning = first.begin(id);
        drop(second.begin(SampleId::new(8).expect("an id")));
        let at = |seconds| scans.overdue_at(Instant::now() + Duration::from_secs(seconds));
        assert_eq!(at(0), []);
        assert_eq!(at(200), []);
        assert_eq!(at(361), [id]);
        drop(scanning);
        assert_eq!(at(361), []);
    }

    #[test]
    fn it_stalls_when_all_threads_of_the_queue_are_stuck() {
        let scans = Scans::new(3, 1, &ScanLimits::default());
        let late = Instant::now() + scans.overdue_after + Duration::from_secs(1);
        let seen = || {
            let health = ThreadHealth::default();
            scans.note_at(&health, late);
            (health.stuck(), health.stalled())
        };
        let id = SampleId::new(7).expect("an id");
        let threads = [scans.of(0), scans.of(1), scans.of(2)];
        assert_eq!(seen(), (0, false));
        let _first = threads[0].begin(id);
        let second = threads[1].begin(id);
        assert_eq!(seen(), (2, false));
        let _third = threads[2].begin(id);
        assert_eq!(seen(), (3, true));
        drop(second);
        assert_eq!(seen(), (2, false));
    }
}
