//! Messages that may have a cause a thousand times a second, told now and then.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lets a message through at most once in [`Limited::INTERVAL`].
#[derive(Default)]
pub(crate) struct Limited(Mutex<Told>);

#[derive(Default)]
struct Told {
    last: Option<Instant>,
    suppressed: u64,
}

impl Limited {
    /// How long it is silent after a message.
    pub(crate) const INTERVAL: Duration = Duration::from_secs(30);

    /// Returns how many were kept back since the last message if it is time
    /// for one, else counts this one as kept back.
    pub(crate) fn pass(&self) -> Option<u64> {
        self.pass_at(Instant::now())
    }

    fn pass_at(&self, now: Instant) -> Option<u64> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told
            .last
            .is_some_and(|last| now.duration_since(last) < Self::INTERVAL)
        {
            told.suppressed += 1;
            return None;
        }
        told.last = Some(now);
        Some(std::mem::take(&mut told.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_of_two_is_kept_back_and_counted() {
        let limited = Limited::default();
        let start = Instant::now();
        assert_eq!(limited.pass_at(start), Some(0));
        assert_eq!(limited.pass_at(start + Limited::INTERVAL / 2), None);
        assert_eq!(limited.pass_at(start + Limited::INTERVAL), Some(1));
        assert_eq!(limited.pass_at(start + Limited::INTERVAL * 2), Some(0));
    }
}
