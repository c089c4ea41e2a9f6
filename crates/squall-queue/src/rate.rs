//! How fast something drains, over the last minute.

use std::time::{Duration, Instant};

const WINDOW_SECONDS: usize = 60;

/// What ended, second by second: samples that got their verdict, for instance.
#[derive(Debug)]
pub struct DrainRate {
    started: Instant,
    /// `(second since the start, samples)`, one place for each second of the
    /// window.
    seconds: [(u64, u64); WINDOW_SECONDS],
}

impl DrainRate {
    /// Makes the rate of something that begins `now`.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            started: now,
            seconds: [(0, 0); WINDOW_SECONDS],
        }
    }

    /// Notes that one ended `now`.
    pub fn record(&mut self, now: Instant) {
        let second = self.second(now);
        let place = &mut self.seconds[(second % WINDOW_SECONDS as u64) as usize];
        if place.0 != second {
            *place = (second, 0);
        }
        place.1 += 1;
    }

    /// Returns how many end in a second, over the last minute, or since the start when that
    /// is shorter.
    #[must_use]
    pub fn per_second(&self, now: Instant) -> f64 {
        let second = self.second(now);
        let oldest = (second + 1).saturating_sub(WINDOW_SECONDS as u64);
        let samples: u64 = self
            .seconds
            .iter()
            .filter(|(at, _)| (oldest..=second).contains(at))
            .map(|(_, samples)| samples)
            .sum();
        let elapsed = now.saturating_duration_since(self.started).as_secs_f64();
        samples as f64 / elapsed.clamp(1.0, WINDOW_SECONDS as f64)
    }

    fn second(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.started).as_secs()
    }
}

/// What the estimate of [`retry_after`] rests on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pressure {
    pub(crate) waiting: u64,
    pub(crate) waiting_max: u64,
    pub(crate) immediate_waiting: u64,
    pub(crate) drain_per_second: f64,
    pub(crate) storage_ok: bool,
}

/// How long a sender should wait before it tries again: as long as the queue
/// needs, at its present rate, to get through the waiting checks and a tenth
/// of the durable samples, so that those who come back find room for more than
/// one of them.
pub(crate) fn retry_after(pressure: Pressure) -> Duration {
    /// What is said when nothing moves and nothing can be computed.
    const UNKNOWN_SECONDS: f64 = 60.0;
    let ahead = pressure.immediate_waiting
        + pressure
            .waiting
            .saturating_sub(pressure.waiting_max - pressure.waiting_max / 10)
            .max(pressure.waiting / 10);
    let seconds = if !pressure.storage_ok {
        30.0
    } else if ahead == 0 {
        1.0
    } else if pressure.drain_per_second > 0.0 {
        ahead as f64 / pressure.drain_per_second
    } else {
        UNKNOWN_SECONDS
    };
    Duration::from_secs(seconds.ceil().clamp(1.0, 600.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_covers_the_last_minute() {
        let start = Instant::now();
        let mut rate = DrainRate::new(start);
        for second in 0..120 {
            for _ in 0..10 {
                rate.record(start + Duration::from_secs(second));
            }
        }
        let now = start + Duration::from_secs(119);
        assert_eq!(rate.per_second(now), 10.0);
        assert_eq!(rate.per_second(now + Duration::from_secs(61)), 0.0);
    }

    #[test]
    fn the_estimate_follows_what_waits_and_how_fast_it_drains() {
        let pressure = Pressure {
            waiting: 10_000,
            waiting_max: 10_000,
            immediate_waiting: 0,
            drain_per_second: 10.0,
            storage_ok: true,
        };
        let seconds = |pressure| retry_after(pressure).as_secs();
        assert_eq!(seconds(pressure), 100);
        let fast = Pressure {
            drain_per_second: 1e6,
            ..pressure
        };
        assert_eq!(seconds(fast), 1);
        let stalled = Pressure {
            drain_per_second: 0.0,
            ..pressure
        };
        assert_eq!(seconds(stalled), 60);
        let crawling = Pressure {
            drain_per_second: 0.1,
            ..pressure
        };
        assert_eq!(seconds(crawling), 600);
        let idle = Pressure {
            waiting: 0,
            drain_per_second: 0.0,
            ..pressure
        };
        assert_eq!(seconds(idle), 1);
    }
}
