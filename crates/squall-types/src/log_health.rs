//! How a log file fares, for those who watch over the service.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Counts of one log file since the start, and what it owes now; shared by
/// those who write it and those who show it. Reading it never waits for the
/// log.
#[derive(Debug, Default)]
pub struct LogHealth {
    refused_lines: AtomicU64,
    unlogged: AtomicU64,
    backlog_bytes: AtomicU64,
    /// Milliseconds since 1970-01-01 UTC; 0 for never.
    backlog_since: AtomicU64,
    writing: Since,
    syncing: Since,
}

/// Since when something is under way. Locked for an assignment only.
type Since = Mutex<Option<Instant>>;

/// A write or a sync that is under way, until this is dropped.
#[derive(Debug)]
pub struct UnderWay<'a>(&'a Since);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        set(self.0, None);
    }
}

impl LogHealth {
    /// Time after which a write that has not returned is taken for hanging.
    pub const PATIENCE: Duration = Duration::from_secs(5);

    /// Counts lines that the log refused and its backlog took.
    pub fn count_refused_lines(&self, lines: u64) {
        self.refused_lines.fetch_add(lines, Ordering::Relaxed);
    }

    /// Counts what was found in a sample that neither the log nor its backlog
    /// took.
    pub fn count_unlogged(&self) {
        self.unlogged.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes how many bytes wait in the backlog. `since` is when they began to,
    /// if that is known of an earlier process.
    pub fn note_backlog(&self, bytes: u64, since: Option<SystemTime>) {
        self.backlog_bytes.store(bytes, Ordering::Relaxed);
        if bytes == 0 {
            self.backlog_since.store(0, Ordering::Relaxed);
            return;
        }
        let since = since.map_or_else(now_ms, ms);
        // Kept from the first that still waits on.
        let _ = self
            .backlog_since
            .compare_exchange(0, since, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Notes that a write begins. One at a time.
    pub fn begin_write(&self) -> UnderWay<'_> {
        set(&self.writing, Some(Instant::now()));
        UnderWay(&self.writing)
    }

    /// Notes that the log is about to be forced to stable storage. One at a
    /// time.
    pub fn begin_sync(&self) -> UnderWay<'_> {
        set(&self.syncing, Some(Instant::now()));
        UnderWay(&self.syncing)
    }

    /// Returns how many lines the log refused and its backlog took.
    #[must_use]
    pub fn refused_lines(&self) -> u64 {
        self.refused_lines.load(Ordering::Relaxed)
    }

    /// Returns how often what was found in a sample could be put nowhere.
    #[must_use]
    pub fn unlogged(&self) -> u64 {
        self.unlogged.load(Ordering::Relaxed)
    }

    /// Returns how many bytes wait in the backlog.
    #[must_use]
    pub fn backlog_bytes(&self) -> u64 {
        self.backlog_bytes.load(Ordering::Relaxed)
    }

    /// Returns for how long lines have been waiting in the backlog.
    #[must_use]
    pub fn backlog_age(&self) -> Duration {
        match self.backlog_since.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => Duration::from_millis(now_ms().saturating_sub(since)),
        }
    }

    /// Tells whether a write does not return.
    #[must_use]
    pub fn write_hangs(&self) -> bool {
        is_long(&self.writing)
    }

    /// Tells whether a write or a sync does not return.
    #[must_use]
    pub fn hangs(&self) -> bool {
        self.write_hangs() || is_long(&self.syncing)
    }
}

fn set(since: &Since, value: Option<Instant>) {
    *since.lock().unwrap_or_else(PoisonError::into_inner) = value;
}

fn is_long(since: &Since) -> bool {
    let since = since.lock().unwrap_or_else(PoisonError::into_inner);
    since.is_some_and(|since| since.elapsed() >= LogHealth::PATIENCE)
}

fn now_ms() -> u64 {
    ms(SystemTime::now())
}

fn ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_is_that_of_the_first_that_waits() {
        let health = LogHealth::default();
        let hour = Duration::from_secs(3600);
        health.note_backlog(10, Some(SystemTime::now() - hour));
        health.note_backlog(20, None);
        assert!(health.backlog_age() >= hour);
        assert_eq!(health.backlog_bytes(), 20);
        health.note_backlog(0, None);
        assert_eq!(health.backlog_age(), Duration::ZERO);
        health.note_backlog(5, None);
        assert!(health.backlog_age() < hour);
    }
}
