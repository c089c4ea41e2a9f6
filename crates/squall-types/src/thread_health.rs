//! How the scan threads fare.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Which scan threads are stuck: in a scan that should have ended long ago.
/// Shared by those who scan and those who show it.
#[derive(Debug, Default)]
pub struct ThreadHealth {
    stuck: AtomicU64,
    stalled: AtomicBool,
}

impl ThreadHealth {
    /// Notes how many threads are stuck, and whether those are all that take
    /// samples of the queue.
    pub fn note(&self, stuck: u64, stalled: bool) {
        self.stuck.store(stuck, Ordering::Relaxed);
        self.stalled.store(stalled, Ordering::Relaxed);
    }

    /// Returns how many threads are stuck.
    #[must_use]
    pub fn stuck(&self) -> u64 {
        self.stuck.load(Ordering::Relaxed)
    }

    /// Tells whether no thread is left that would take samples of the queue.
    /// Nothing but a new process helps then.
    #[must_use]
    pub fn stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }
}
