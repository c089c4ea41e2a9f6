//! Bodies of the second API generation that are not findings.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Finding;
use crate::SampleStatus;

/// The answer to `getAsyncResults`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::AsyncResult)]
pub struct AsyncResult {
    /// How far the analysis has come.
    pub status: SampleStatus,
    /// What was found, `[]` for a clean sample; only with the status
    /// `Sample analysis complete`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Vec<Finding>>,
}

/// The body of every refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Error)]
pub struct Error {
    /// What is wrong, in words.
    #[schema(example = "no part named `file` in the request")]
    pub message: String,
}

impl Error {
    /// Makes the body from what is wrong, in words.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

/// The answer to `info`: facts that change only with a restart or new
/// signatures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Info)]
pub struct Info {
    /// What is running.
    pub version_info: VersionInfo,
    /// The settings the service was started with, as command line arguments.
    #[schema(example = json!(["--server-port", "8080"]))]
    pub arguments: Vec<String>,
    /// When the licence ends, RFC 3339: never.
    #[schema(example = "9999-12-31T23:59:59Z")]
    pub license_expiration: String,
    /// To whom the service is licensed.
    #[schema(example = "")]
    pub license_owner: String,
    /// Samples an hour; 0 for no limit.
    #[schema(example = 0)]
    pub scan_speed_limitation: u64,
    /// How many samples are scanned at the same time.
    #[schema(example = 2)]
    pub threads: u64,
}

/// The versions of the service and of what it has loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::VersionInfo)]
pub struct VersionInfo {
    /// The version of this service.
    #[schema(example = "0.1.0")]
    pub thor: String,
    /// When the service was built.
    #[schema(example = "2026-11-24 08:30:00")]
    pub build: String,
    /// The loaded signature set, `YYYY/MM/DD-HHMMSS`.
    #[schema(example = "2026/11/24-083000")]
    pub signatures: String,
    /// The version of the Sigma rules; empty when there are none.
    #[schema(example = "")]
    pub sigma: String,
}

/// The answer to `status`: live counters.
///
/// `accepted_samples = scanned_samples + failed_samples + waiting_samples +
/// scanning_samples` at every moment, across restarts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Status)]
pub struct Status {
    /// What both generations tell.
    #[serde(flatten)]
    pub counters: Counters,
    /// Samples accepted since the data directory was made.
    #[schema(example = 1004)]
    pub accepted_samples: u64,
    /// Samples that could not be scanned. One that is scanned again is no
    /// longer counted here.
    #[schema(example = 0)]
    pub failed_samples: u64,
    /// Samples that wait, in the queue or as synchronous checks.
    #[schema(example = 3)]
    pub waiting_samples: u64,
    /// Samples being scanned.
    #[schema(example = 1)]
    pub scanning_samples: u64,
}

/// The live counters that both generations tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Counters)]
pub struct Counters {
    /// Seconds since the service was started.
    #[schema(example = 3600)]
    pub uptime_seconds: u64,
    /// Samples whose result can be, or could be, read.
    #[schema(example = 1000)]
    pub scanned_samples: u64,
    /// Samples that wait in the queue.
    #[schema(example = 3)]
    pub queued_async_requests: u64,
    /// Average time a sample was scanned for, in milliseconds.
    #[schema(example = 4)]
    pub avg_scan_time_milliseconds: u64,
    /// Average time from a sample's receipt to its result, in milliseconds.
    #[schema(example = 9)]
    pub avg_total_time_milliseconds: u64,
    /// Average time a sample waited for a worker, in milliseconds.
    #[schema(example = 5)]
    pub avg_wait_time_milliseconds: u64,
    /// Samples that were refused because the service was busy, in the last
    /// year; the sum of `deniedHistory`.
    #[schema(example = 0)]
    pub denied_requests: u64,
    /// Refused samples among all that were sent, 0 to 1.
    #[schema(example = 0.0, minimum = 0, maximum = 1)]
    pub denied_request_proportion: f64,
    /// How often a sample was sent back for the quota since the start.
    #[schema(example = 0)]
    pub quota_waits: u64,
    /// How long samples were told to wait for the quota since the start, in
    /// milliseconds.
    #[schema(example = 0)]
    pub quota_wait_time_milliseconds: u64,
}
