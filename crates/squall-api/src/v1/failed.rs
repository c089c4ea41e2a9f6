//! Bodies about samples that could not be scanned.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A page of the samples that could not be scanned, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::FailedSamples)]
pub struct FailedSamples {
    /// How many there are on all pages.
    #[schema(example = 1)]
    pub total: u64,
    /// What to pass as `after` for the next page; not there on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 12)]
    pub next: Option<u64>,
    /// Those of this page.
    pub samples: Vec<FailedSample>,
}

/// A sample that could not be scanned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::FailedSample)]
pub struct FailedSample {
    /// Its id.
    #[schema(example = 12, minimum = 1)]
    pub id: u64,
    /// Why it could not be scanned, in words.
    #[schema(example = "the scan of this sample ended 2 times without a verdict")]
    pub reason: String,
    /// The host it is from; null when that is lost.
    #[schema(example = "web-01.example.org")]
    pub source: Option<String>,
    /// Its path on the sender; null when that is lost.
    #[schema(example = "/var/www/upload/x.php")]
    pub file_name: Option<String>,
    /// Its hash; null when that is lost.
    pub sha256: Option<String>,
    /// Its size in bytes.
    #[schema(example = 1_352_192)]
    pub size_bytes: u64,
    /// When it was received, RFC 3339.
    #[schema(example = "2026-11-24T08:30:00.123456Z")]
    pub received_at: String,
    /// Scans that ended without a verdict: the process crashed or was killed.
    /// 0 if the scan itself said that it failed.
    #[schema(example = 2)]
    pub attempts: u32,
    /// Whether its bytes are there, so that it can be scanned again.
    #[schema(example = true)]
    pub retryable: bool,
}

/// The answer to a wish to scan failed samples again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Retried)]
pub struct Retried {
    /// How many are in the queue again.
    #[schema(example = 1)]
    pub retried: u64,
    /// How many could not be put back.
    #[schema(example = 0)]
    pub not_retried: u64,
}
