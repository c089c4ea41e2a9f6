//! How long to wait for a receiver that is away.

use std::time::Duration;

/// The first wait, and the longest.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// Waits that get longer as long as nothing arrives.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Returns how long to wait now, about: receivers that serve many senders
    /// are not asked by all of them at once.
    pub(crate) fn next(&mut self) -> Duration {
        let doubled = FIRST * 2_u32.pow(self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        let wait = doubled.min(LONGEST);
        // Taken from the clock: nobody gains from guessing it.
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        let share = f64::from(now.subsec_nanos() % 1000) / 1000.0;
        wait.mul_f64(0.75 + share / 4.0)
    }

    /// Notes that something arrived.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_begin_anew() {
        let mut backoff = Backoff::default();
        let first = backoff.next();
        assert!(first <= FIRST && first >= FIRST.mul_f64(0.7));
        for _ in 0..40 {
            assert!(backoff.next() <= LONGEST);
        }
        assert!(backoff.next() > LONGEST.mul_f64(0.7));
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }
}
