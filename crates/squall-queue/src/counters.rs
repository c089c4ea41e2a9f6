//! The counts that must add up, and what is shown of them.

use std::time::Duration;

use crate::codec::{Decoder, Encoder};

const VERSION: u8 = 1;

/// Totals over the life of the data directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) accepted: u64,
    pub(crate) scanned: u64,
    pub(crate) failed: u64,
    pub(crate) scan_time_us: u64,
    pub(crate) wait_time_us: u64,
    pub(crate) total_time_us: u64,
}

/// How long one sample took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    pub(crate) scan_us: u64,
    pub(crate) wait_us: u64,
    pub(crate) total_us: u64,
}

impl Counters {
    /// Counts a sample that has its verdict.
    pub(crate) fn finish(&mut self, failed: bool, times: Times) {
        if failed {
            self.failed += 1;
        } else {
            self.scanned += 1;
        }
        self.scan_time_us = self.scan_time_us.saturating_add(times.scan_us);
        self.wait_time_us = self.wait_time_us.saturating_add(times.wait_us);
        self.total_time_us = self.total_time_us.saturating_add(times.total_us);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.scanned += other.scanned;
        self.failed += other.failed;
        self.scan_time_us = self.scan_time_us.saturating_add(other.scan_time_us);
        self.wait_time_us = self.wait_time_us.saturating_add(other.wait_time_us);
        self.total_time_us = self.total_time_us.saturating_add(other.total_time_us);
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        Encoder::default()
            .u8(VERSION)
            .u64(self.accepted)
            .u64(self.scanned)
            .u64(self.failed)
            .u64(self.scan_time_us)
            .u64(self.wait_time_us)
            .u64(self.total_time_us)
            .seal()
    }

    pub(crate) fn decode(record: &[u8]) -> Option<Self> {
        let mut fields = Decoder::sealed(record)?;
        if fields.u8()? != VERSION {
            return None;
        }
        Some(Self {
            accepted: fields.u64()?,
            scanned: fields.u64()?,
            failed: fields.u64()?,
            scan_time_us: fields.u64()?,
            wait_time_us: fields.u64()?,
            total_time_us: fields.u64()?,
        })
    }
}

/// What the queue holds at one moment and what it did so far.
///
/// `accepted = scanned + failed + waiting + scanning + immediate_waiting +
/// immediate_scanning` holds in every value, across restarts. A check whose
/// sender went away before its scan began is no longer accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Samples accepted since the data directory was made, both lanes.
    pub accepted: u64,
    /// Samples with a result, both lanes.
    pub scanned: u64,
    /// Samples that could not be scanned, both lanes. One put back by a retry
    /// is no longer counted here.
    pub failed: u64,
    /// Samples waiting in the durable lane.
    pub waiting: u64,
    /// Samples of the durable lane being scanned.
    pub scanning: u64,
    /// Bytes of the samples waiting in the durable lane.
    pub waiting_bytes: u64,
    /// Bytes the spool occupies on the disk, incomplete uploads included.
    pub spool_bytes: u64,
    /// Synchronous checks waiting.
    pub immediate_waiting: u64,
    /// Synchronous checks being scanned.
    pub immediate_scanning: u64,
    /// How long the oldest sample of the durable lane has waited.
    pub oldest_waiting: Option<Duration>,
    /// Time spent scanning, in microseconds.
    pub scan_time_total_us: u64,
    /// Time samples waited for their scan, in microseconds.
    pub wait_time_total_us: u64,
    /// Time from arrival to verdict, in microseconds.
    pub total_time_total_us: u64,
    /// Samples that got their verdict in the last minute, per second.
    pub drain_rate_per_second: f64,
    /// False while the disk or the database refuses; the queue then tries
    /// again every second.
    pub storage_ok: bool,
}
