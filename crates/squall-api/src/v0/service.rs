//! Bodies of the first API generation that are not findings.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Finding;
use crate::{SampleStatus, v1};

/// The answer to `checkAsync`. No other key, ever: a widespread shell collector
/// takes any body that holds the word `reason` for an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v0::Queued)]
pub struct Queued {
    /// The sample's id, from 1, below 2^53.
    #[schema(example = 12, minimum = 1)]
    pub id: u64,
}

/// The answer to `getAsyncResults`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v0::AsyncResult)]
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
#[schema(as = v0::Error)]
pub struct Error {
    /// What is wrong, in words.
    #[schema(example = "no part named `file` in the request")]
    pub reason: String,
    /// The same text, for clients that look for this key.
    #[schema(example = "no part named `file` in the request")]
    pub message: String,
}

impl Error {
    /// Makes the body from what is wrong, in words.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self {
            message: reason.clone(),
            reason,
        }
    }
}

/// The answer to `info`: facts that change only with a restart or new
/// signatures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v0::Info)]
pub struct Info {
    /// The version of this service.
    #[schema(example = "0.1.0")]
    pub thor_version: String,
    /// Name and version of the scanning engine.
    #[schema(example = "YARA-X 1.22.1")]
    pub yara_version: String,
    /// The loaded signature set, `YYYY/MM/DD-HHMMSS`.
    #[schema(example = "2026/11/24-083000")]
    pub signature_version: String,
    /// The version of the Sigma rules; empty when there are none.
    #[schema(example = "")]
    pub sigma_version: String,
    /// When the service was built, `YYYY-MM-DD HH:MM:SS`.
    #[schema(example = "2026-11-24 08:30:00")]
    pub thor_timestamp: String,
    /// How many samples are scanned at the same time.
    #[schema(example = 2)]
    pub threads: u64,
    /// The quota; 0 for none.
    #[schema(example = 0)]
    pub allowed_samples_per_hour: u64,
    /// When the licence ends: never.
    #[schema(example = "9999/12/31")]
    pub license_expiration_date: String,
    /// Active YARA rules.
    #[schema(example = 5883)]
    pub rules: u64,
    /// Active IOCs.
    #[schema(example = 1200)]
    pub iocs: u64,
}

/// The answer to `status`: live counters. The last four keys repeat others
/// under the names that the older Python client reads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v0::Status)]
pub struct Status {
    /// The counters.
    #[serde(flatten)]
    pub counters: v1::Counters,
    /// The same as `uptime_seconds`.
    #[schema(example = 3600)]
    pub uptime_s: u64,
    /// The same as `avg_scan_time_milliseconds`.
    #[schema(example = 4)]
    pub avg_scan_time_ms: u64,
    /// The same as `avg_total_time_milliseconds`.
    #[schema(example = 9)]
    pub avg_total_time_ms: u64,
    /// The same as `quota_wait_time_milliseconds`.
    #[schema(example = 0)]
    pub quota_wait_time_ms: u64,
}

impl From<v1::Counters> for Status {
    fn from(counters: v1::Counters) -> Self {
        Self {
            uptime_s: counters.uptime_seconds,
            avg_scan_time_ms: counters.avg_scan_time_milliseconds,
            avg_total_time_ms: counters.avg_total_time_milliseconds,
            quota_wait_time_ms: counters.quota_wait_time_milliseconds,
            counters,
        }
    }
}
