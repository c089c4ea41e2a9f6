//! Whether the service lives, and whether it is ready.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether the process works at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Liveness)]
pub struct Liveness {
    /// Whether it does; if not, only a restart helps.
    pub alive: bool,
    /// Why it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether samples can be sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Readiness)]
pub struct Readiness {
    /// Whether all checks passed.
    pub ready: bool,
    /// The version of the program.
    #[schema(example = "0.1.0")]
    pub version: String,
    /// What was checked.
    pub checks: ReadinessChecks,
}

/// What has to be so for samples to be taken and scanned.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::ReadinessChecks)]
pub struct ReadinessChecks {
    /// The service is not being stopped.
    pub running: HealthCheck,
    /// Signatures are loaded.
    pub signatures: HealthCheck,
    /// The disk of the queue took what was written to it in the last minute.
    pub queue: HealthCheck,
    /// A scan thread found the EICAR test file in the last minute.
    pub scan: HealthCheck,
}

impl ReadinessChecks {
    /// Returns the checks with their names.
    #[must_use]
    pub fn named(&self) -> [(&'static str, &HealthCheck); 4] {
        [
            ("running", &self.running),
            ("signatures", &self.signatures),
            ("queue", &self.queue),
            ("scan", &self.scan),
        ]
    }
}

/// How a check went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::HealthCheck)]
pub struct HealthCheck {
    /// Whether it passed.
    pub ok: bool,
    /// Why it did not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "the disk refuses: read-only filesystem")]
    pub reason: Option<String>,
    /// When it last passed, in seconds before now; for what is tried now and
    /// then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passed_seconds_ago: Option<f64>,
}
