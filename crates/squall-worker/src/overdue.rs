//! Scans that neither end nor heed their time limit.
//!
//! A thread cannot be stopped from outside, so such a scan holds its own until
//! the process ends. It is told while it lasts, and counted against its sample
//! at the end: the second time the sample is put aside.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use squall_engine::ScanLimits;
use squall_types::SampleId;

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
    overdue_after: Duration,
}

impl Scans {
    /// Makes the books of so many threads.
    pub(crate) fn new(threads: usize, limits: &ScanLimits) -> Self {
        // A scan in order ends soon after its limit. On a machine that is
        // overloaded it may take a multiple, and is not to blame.
        let overdue_after = limits.time_max.saturating_mul(3) + Duration::from_secs(60);
        Self {
            current: (0..threads).map(|_| Arc::default()).collect(),
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
        let scans = self.current.iter().filter_map(|current| current.get());
        scans
            .filter(|(_, since)| now.saturating_duration_since(*since) >= self.overdue_after)
            .map(|(id, _)| id)
            .collect()
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
        let scans = Scans::new(2, &limits);
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
}
