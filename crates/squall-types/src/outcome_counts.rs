//! What scans came to, counted.

use crate::{FindingCounts, GapCounts, Outcome};

/// Counts of what scans came to since the start; shared by those who scan and
/// those who show it.
#[derive(Debug, Default)]
pub struct OutcomeCounts {
    /// What could not be looked at.
    pub gaps: GapCounts,
    /// What was found.
    pub findings: FindingCounts,
}

impl OutcomeCounts {
    /// Counts what the scan of a sample came to.
    pub fn count(&self, outcome: &Outcome) {
        self.gaps.count(outcome);
        self.findings.count(outcome);
    }
}
