//! What came of a load.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

/// Counts of one thread, or of all.
#[derive(Default)]
pub(crate) struct Tally {
    latencies_us: Vec<u32>,
    statuses: BTreeMap<u16, u64>,
    bytes: u64,
    found: u64,
    /// Answers 503 after which the upload was sent again.
    pub(crate) refused: u64,
}

impl Tally {
    /// Notes one answered upload.
    pub(crate) fn note(&mut self, status: u16, found: bool, len: usize, took: Duration) {
        *self.statuses.entry(status).or_default() += 1;
        self.bytes += len as u64;
        self.found += u64::from(found);
        self.latencies_us
            .push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    /// Adds what another thread noted.
    pub(crate) fn add(&mut self, other: Self) {
        self.latencies_us.extend(other.latencies_us);
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.bytes += other.bytes;
        self.found += other.found;
        self.refused += other.refused;
    }

    /// Shows everything; `cpu` is the processor time of this process.
    pub(crate) fn json(mut self, elapsed: Duration, cpu: Duration) -> Value {
        self.latencies_us.sort_unstable();
        let requests = self.latencies_us.len();
        let ok = self.statuses.get(&200).copied().unwrap_or_default();
        let other: u64 = self.statuses.values().sum::<u64>() - ok;
        let statuses: BTreeMap<String, u64> = self
            .statuses
            .iter()
            .map(|(status, count)| (status.to_string(), *count))
            .collect();
        json!({
            "requests": requests,
            "ok": ok,
            "other": other,
            "statuses": statuses,
            "refused": self.refused,
            "found": self.found,
            "bytes": self.bytes,
            "seconds": elapsed.as_secs_f64(),
            "cpu_seconds": cpu.as_secs_f64(),
            "p50_us": percentile(&self.latencies_us, 50),
            "p90_us": percentile(&self.latencies_us, 90),
            "p99_us": percentile(&self.latencies_us, 99),
            "max_us": self.latencies_us.last(),
        })
    }
}

/// Returns the value that `percent` of all do not exceed; `sorted` in rising
/// order.
fn percentile(sorted: &[u32], percent: usize) -> Option<u32> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

/// Returns the processor time this process has used, in steps of 10 ms.
pub(crate) fn cpu_time() -> Duration {
    const TICKS_PER_SECOND: u64 = 100;
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may hold anything, come the fields from 3 on;
    // 14 and 15 are the times in user and kernel mode.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values: Vec<u32> = (1..=200).collect();
        assert_eq!(percentile(&values, 50), Some(100));
        assert_eq!(percentile(&values, 99), Some(198));
        assert_eq!(percentile(&[5], 99), Some(5));
        assert_eq!(percentile(&[], 99), None);
    }

    #[test]
    fn tallies_add_up() {
        let mut one = Tally::default();
        one.note(200, true, 10, Duration::from_micros(7));
        let mut two = Tally::default();
        two.note(400, false, 5, Duration::from_micros(9));
        one.add(two);
        let json = one.json(Duration::from_secs(1), Duration::ZERO);
        assert_eq!(json["requests"], 2);
        assert_eq!(json["ok"], 1);
        assert_eq!(json["other"], 1);
        assert_eq!(json["found"], 1);
        assert_eq!(json["bytes"], 15);
        assert_eq!(json["p99_us"], 9);
    }
}
