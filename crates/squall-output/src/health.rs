//! How the delivery to a remote receiver fares, for those who watch over the
//! service.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Counts of one receiver since the start, and what is yet to be sent to it;
/// shared by those who send and those who show it.
#[derive(Debug, Default)]
pub struct OutputHealth {
    target: String,
    sent: AtomicU64,
    dropped: AtomicU64,
    waiting: AtomicU64,
    lag_bytes: AtomicU64,
    /// When the oldest that is yet to be sent was found, in milliseconds since
    /// 1970-01-01 UTC; 0 for none.
    oldest: AtomicU64,
}

impl OutputHealth {
    /// Makes the counts, all of them 0, of a receiver with that name.
    #[must_use]
    pub fn new(target: impl Into<String>) -> Self {
        Self {
            target: target.into(),
            ..Self::default()
        }
    }

    /// Returns the receiver as it is shown: without secrets.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Counts events that were sent.
    pub fn count_sent(&self, events: u64) {
        self.sent.fetch_add(events, Ordering::Relaxed);
    }

    /// Counts events that are given up.
    pub fn count_dropped(&self, events: u64) {
        self.dropped.fetch_add(events, Ordering::Relaxed);
    }

    /// Notes how many events are yet to be sent, and how many bytes they have.
    pub fn note_lag(&self, events: u64, bytes: u64) {
        self.waiting.store(events, Ordering::Relaxed);
        self.lag_bytes.store(bytes, Ordering::Relaxed);
        if bytes == 0 {
            self.oldest.store(0, Ordering::Relaxed);
        }
    }

    /// Notes when the oldest that is yet to be sent was found, in milliseconds
    /// since 1970-01-01 UTC.
    pub fn note_oldest(&self, time_ms: u64) {
        self.oldest.store(time_ms, Ordering::Relaxed);
    }

    /// Returns how many events were sent, those that were sent again included.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Returns how many events were given up before they were known to have
    /// arrived.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Returns how many events are yet to be sent.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Returns how many bytes are yet to be sent.
    #[must_use]
    pub fn lag_bytes(&self) -> u64 {
        self.lag_bytes.load(Ordering::Relaxed)
    }

    /// Returns the age of the oldest that is yet to be sent.
    #[must_use]
    pub fn age(&self) -> Duration {
        match self.oldest.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            oldest => Duration::from_millis(now_ms().saturating_sub(oldest)),
        }
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_to_send_has_no_age() {
        let health = OutputHealth::new("siem");
        health.note_lag(1, 10);
        health.note_oldest(now_ms() - 5000);
        assert!(health.age() >= Duration::from_secs(5));
        health.note_lag(0, 0);
        assert_eq!(health.age(), Duration::ZERO);
    }
}
