//! Keeps the log readable when the same thing happens a thousand times a
//! second.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Lets one line through per interval and counts the others.
#[derive(Debug)]
pub(crate) struct Throttle {
    interval: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    suppressed: u64,
}

impl Throttle {
    /// Lets one line through every `interval`.
    pub(crate) fn new(interval: Duration) -> Self {
        Self {
            interval,
            state: Mutex::default(),
        }
    }

    /// Returns how many lines were suppressed since the last one if a line may
    /// be written now.
    pub(crate) fn admit(&self) -> Option<u64> {
        let mut state = crate::lock(&self.state);
        let now = Instant::now();
        if state.last.is_some_and(|last| now - last < self.interval) {
            state.suppressed += 1;
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_passes_and_the_rest_is_counted() {
        let throttle = Throttle::new(Duration::from_millis(50));
        assert_eq!(throttle.admit(), Some(0));
        assert_eq!(throttle.admit(), None);
        assert_eq!(throttle.admit(), None);
        std::thread::sleep(Duration::from_millis(60));
        assert_eq!(throttle.admit(), Some(2));
    }
}
