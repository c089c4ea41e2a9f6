//! How long the last scans took, one by one: an average hides the slow ones.

use std::time::Duration;

/// Scans remembered.
const SCANS_MAX: usize = 1000;

/// The times of the last scans.
#[derive(Debug, Default)]
pub(crate) struct RecentScans {
    times_us: Vec<u64>,
    /// Which is overwritten next, once all places are taken.
    next: usize,
}

impl RecentScans {
    pub(crate) fn record(&mut self, scan_us: u64) {
        if self.times_us.len() < SCANS_MAX {
            self.times_us.push(scan_us);
        } else {
            self.times_us[self.next] = scan_us;
            self.next = (self.next + 1) % SCANS_MAX;
        }
    }

    /// Returns the times, in no order.
    pub(crate) fn times_us(&self) -> Vec<u64> {
        self.times_us.clone()
    }
}

/// Returns the time that `percent` of the scans did not exceed; `None` of no
/// scans.
pub(crate) fn percentile(mut times_us: Vec<u64>, percent: usize) -> Option<Duration> {
    let rank = (times_us.len() * percent).div_ceil(100);
    let index = rank.saturating_sub(1);
    if times_us.is_empty() {
        return None;
    }
    let (_, time_us, _) = times_us.select_nth_unstable(index);
    Some(Duration::from_micros(*time_us))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentile_is_a_time_that_was_measured() {
        assert_eq!(percentile(vec![], 95), None);
        assert_eq!(percentile(vec![7], 95), Some(Duration::from_micros(7)));
        let times = (1..=100).rev().collect();
        assert_eq!(percentile(times, 95), Some(Duration::from_micros(95)));
    }

    #[test]
    fn only_the_last_scans_count() {
        let mut recent = RecentScans::default();
        for _ in 0..SCANS_MAX {
            recent.record(1_000_000);
        }
        for time_us in 0..SCANS_MAX as u64 {
            recent.record(time_us);
        }
        let times = recent.times_us();
        assert_eq!(times.len(), SCANS_MAX);
        assert_eq!(percentile(times, 100), Some(Duration::from_micros(999)));
    }
}
