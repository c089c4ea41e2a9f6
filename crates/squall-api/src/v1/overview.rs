//! The state of the service as the console shows it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::LevelCounts;

/// The state of the service at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Overview)]
pub struct Overview {
    /// The version of the program.
    pub version: String,
    /// When the service was started, RFC 3339.
    #[schema(example = "2026-11-24T08:30:00Z")]
    pub started_at: String,
    /// When this was true, RFC 3339.
    #[schema(example = "2026-11-24T08:30:00Z")]
    pub time: String,
    /// Samples.
    pub samples: SampleCounts,
    /// Scan threads.
    pub workers: u64,
    /// Scans under way.
    pub workers_busy: u64,
    /// Times of scans.
    pub scan_time: ScanTimes,
    /// Disk and spool.
    pub storage: Storage,
    /// Signatures; null while they are being loaded.
    pub signatures: Option<SignatureFacts>,
    /// The findings store; null where there is none.
    pub findings: Option<FindingsFeed>,
}

/// Samples at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::SampleCounts)]
pub struct SampleCounts {
    /// Accepted since the data directory was made.
    pub accepted: u64,
    /// Scanned.
    pub scanned: u64,
    /// Not to be scanned.
    pub failed: u64,
    /// Waiting in the durable queue.
    pub queued: u64,
    /// Synchronous checks waiting.
    pub checks_waiting: u64,
    /// Refused because a limit was reached.
    pub denied: u64,
    /// Scanned in the last minute, per second.
    pub rate_per_second: f64,
    /// How long the oldest sample of the queue has waited; null if none does.
    pub oldest_waiting_seconds: Option<f64>,
}

/// Times of scans in milliseconds; null before the first scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::ScanTimes)]
pub struct ScanTimes {
    /// The average since the data directory was made.
    pub average_milliseconds: Option<f64>,
    /// What 95 of 100 of the last thousand scans did not exceed.
    pub p95_milliseconds: Option<f64>,
}

/// What the disk holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Storage)]
pub struct Storage {
    /// Bytes of the samples that wait.
    pub queue_bytes: u64,
    /// Bytes the spool has on the disk.
    pub spool_bytes: u64,
    /// Bytes free on that disk; null where it does not tell.
    pub free_bytes: Option<u64>,
    /// False while the disk refuses samples.
    pub ok: bool,
}

/// The signature set in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::SignatureFacts)]
pub struct SignatureFacts {
    /// Its version.
    #[schema(example = "2026/11/24-083000")]
    pub version: String,
    /// Age of its newest file in seconds; null where the version is no time.
    pub age_seconds: Option<u64>,
    /// Active YARA rules.
    pub rules: u64,
    /// Active IOCs.
    pub iocs: u64,
    /// Rules and lines that could not be used.
    pub skipped: u64,
}

/// How the findings store is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::FindingsFeed)]
pub struct FindingsFeed {
    /// Findings stored.
    pub stored: u64,
    /// Findings that are not stored yet.
    pub waiting: u64,
    /// Whether some were put off, to be stored later.
    pub behind: bool,
}

/// Findings minute by minute, the oldest minute first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::FindingHistory)]
pub struct FindingHistory {
    /// Every minute asked for, those without findings included.
    pub minutes: Vec<MinuteFindings>,
}

/// The findings of a minute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::MinuteFindings)]
pub struct MinuteFindings {
    /// When it begins, RFC 3339, UTC.
    #[schema(example = "2026-11-24T08:30:00Z")]
    pub time: String,
    /// The findings kept of it.
    pub findings: LevelCounts,
}
