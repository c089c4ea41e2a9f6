//! How far the analysis of a queued sample has come.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far the analysis of a queued sample has come. Clients compare the text,
/// so it is fixed to the letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum SampleStatus {
    /// In the queue.
    #[serde(rename = "Waiting for execution")]
    Waiting,
    /// A worker has it.
    #[serde(rename = "Currently being scanned")]
    Scanning,
    /// Scanned; the answer carries the result.
    #[serde(rename = "Sample analysis complete")]
    Complete,
    /// Could not be scanned. This never means that nothing was found.
    #[serde(rename = "Sample analysis failed")]
    Failed,
}

impl SampleStatus {
    /// Returns the text that clients compare.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting for execution",
            Self::Scanning => "Currently being scanned",
            Self::Complete => "Sample analysis complete",
            Self::Failed => "Sample analysis failed",
        }
    }
}

impl fmt::Display for SampleStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
