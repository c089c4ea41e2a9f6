//! What rules cost in time.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The answer to `signatures/costs`: the last measurement, and whether one is
/// under way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::RuleCosts)]
pub struct RuleCosts {
    /// Whether rules are being timed at the moment.
    pub running: bool,
    /// Files that are done, of the measurement under way or the last one.
    pub files_done: u64,
    /// Files there are to do.
    pub files_total: u64,
    /// Samples of lately that a measurement could use now.
    pub samples_available: u64,
    /// Why the last measurement failed; null if it did not.
    pub error: Option<String>,
    /// What the last measurement found; null before the first one.
    pub measured: Option<MeasuredCosts>,
}

/// What a measurement found.
///
/// Each rule scans the samples alone, and what the same takes without any rule
/// is taken off. In the whole set rules share the search for their strings, so
/// the sum is more than a scan takes: the figures tell which rule to look at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::MeasuredCosts)]
pub struct MeasuredCosts {
    /// When it ended, RFC 3339.
    #[schema(example = "2026-11-24T08:30:00Z")]
    pub at: String,
    /// How long it took, in milliseconds.
    pub duration_milliseconds: u64,
    /// Samples it used: some that were scanned shortly before.
    pub samples: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// Microseconds a sample takes without any rule, on average.
    pub base_microseconds: f64,
    /// Whether another set is in force now than was measured.
    #[serde(default)]
    pub of_older_set: bool,
    /// The ten most expensive rules.
    pub rules: Vec<RuleCost>,
    /// The ten most expensive rule files.
    pub files: Vec<RuleCost>,
}

/// What a rule or a file of rules costs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::RuleCost)]
pub struct RuleCost {
    /// The file.
    pub file: String,
    /// The rule; null for the whole file.
    pub rule: Option<String>,
    /// Microseconds that it adds to the scan of a sample, on average.
    #[schema(example = 850.5)]
    pub microseconds: f64,
    /// Findings kept in which the rule matched, 10000 at most; null of files,
    /// and where no findings are kept.
    pub hits: Option<u64>,
}
