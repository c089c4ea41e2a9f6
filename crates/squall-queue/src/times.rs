//! How long samples took, counted by how long: an average hides the slow ones.

use crate::counters::Times;

/// The upper bounds of the ranges, in microseconds: from the quickest scan to a
/// queue that is hours behind.
const BOUNDS_US: [u64; 18] = [
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    300_000_000,
    1_800_000_000,
    7_200_000_000,
];

/// Times, counted by how long they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeCounts {
    /// How many were within each bound and beyond the one before.
    within: [u64; BOUNDS_US.len()],
    count: u64,
    sum_us: u64,
}

impl TimeCounts {
    fn record(&mut self, time_us: u64) {
        if let Some(at) = BOUNDS_US.iter().position(|&bound| time_us <= bound) {
            self.within[at] += 1;
        }
        self.count += 1;
        self.sum_us = self.sum_us.saturating_add(time_us);
    }

    /// Returns how many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns their sum in microseconds.
    #[must_use]
    pub fn sum_us(&self) -> u64 {
        self.sum_us
    }

    /// Returns, for each bound in microseconds, how many were within it.
    pub fn within(&self) -> impl Iterator<Item = (u64, u64)> {
        let sums = self.within.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        BOUNDS_US.into_iter().zip(sums)
    }
}

/// The times of one lane's samples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaneTimes {
    /// From arrival to claim.
    pub wait: TimeCounts,
    /// From arrival to verdict.
    pub total: TimeCounts,
}

/// The times of all samples since the queue was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleTimes {
    /// Of the scans, in both lanes.
    pub scan: TimeCounts,
    /// Of the durable lane.
    pub durable: LaneTimes,
    /// Of synchronous checks.
    pub immediate: LaneTimes,
}

/// Which lane a sample was in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LaneOf {
    Durable,
    Immediate,
}

impl SampleTimes {
    pub(crate) fn record(&mut self, lane: LaneOf, times: Times) {
        self.scan.record(times.scan_us);
        let lane = match lane {
            LaneOf::Durable => &mut self.durable,
            LaneOf::Immediate => &mut self.immediate,
        };
        lane.wait.record(times.wait_us);
        lane.total.record(times.total_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_within_every_bound_that_is_not_below_it() {
        let mut counts = TimeCounts::default();
        for time_us in [0, 1_000, 1_001, 7_200_000_000, 7_200_000_001] {
            counts.record(time_us);
        }
        let within: Vec<_> = counts.within().collect();
        assert_eq!(within[0], (1_000, 2));
        assert_eq!(within[1], (2_500, 3));
        assert_eq!(within[16], (1_800_000_000, 3));
        assert_eq!(within[17], (7_200_000_000, 4));
        assert_eq!((counts.count(), counts.sum_us()), (5, 14_400_002_002));
        assert!(BOUNDS_US.is_sorted());
    }

    #[test]
    fn the_lanes_are_told_apart_and_their_scans_are_not() {
        let mut times = SampleTimes::default();
        let took = |scan_us, wait_us| Times {
            scan_us,
            wait_us,
            total_us: scan_us + wait_us,
        };
        times.record(LaneOf::Durable, took(5, 7));
        times.record(LaneOf::Immediate, took(1, 2));
        assert_eq!(times.scan.sum_us(), 6);
        assert_eq!(times.durable.wait.sum_us(), 7);
        assert_eq!(times.immediate.total.sum_us(), 3);
    }
}
