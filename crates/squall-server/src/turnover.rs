//! When a sender that found no place should come again, from how fast places
//! are given back.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use squall_queue::DrainRate;

/// Longest time a sender is told to wait.
const WAIT_MAX: Duration = Duration::from_secs(600);

/// The places of one kind that were given back, over the last minute.
#[derive(Debug)]
pub(crate) struct Turnover(Mutex<DrainRate>);

impl Turnover {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(DrainRate::new(Instant::now())))
    }

    /// Notes that a place was given back.
    pub(crate) fn record(&self) {
        crate::lock(&self.0).record(Instant::now());
    }

    /// Returns how long it takes, at the present rate, until a tenth of the
    /// places `in_use` is free, so that those who come back find more than one.
    /// `patience` is when those that do not move are cut, at the latest.
    pub(crate) fn until_free(&self, in_use: u64, patience: Duration) -> Duration {
        let per_second = crate::lock(&self.0).per_second(Instant::now());
        let ahead = (in_use / 10).max(1) as f64;
        if per_second <= 0.0 {
            return patience.min(WAIT_MAX);
        }
        let seconds = (ahead / per_second).min(WAIT_MAX.as_secs_f64());
        Duration::from_secs_f64(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_follows_how_fast_places_are_given_back() {
        let turnover = Turnover::new();
        let patience = Duration::from_secs(30);
        // Nothing moves: those in the way are cut at some time.
        assert_eq!(turnover.until_free(100, patience), patience);
        for _ in 0..5 {
            turnover.record();
        }
        // Ten are ahead, and five end in the second that has passed at most.
        let wait = turnover.until_free(100, patience);
        assert!(
            wait >= Duration::from_secs(2) && wait < Duration::from_secs(20),
            "{wait:?}"
        );
        let wait = turnover.until_free(5, patience);
        assert!(wait < Duration::from_secs(2), "{wait:?}");
        assert!(turnover.until_free(u64::MAX, patience) <= WAIT_MAX);
    }
}
