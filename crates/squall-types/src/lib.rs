//! Plain data shared by every part of Squall: samples, matches, scores, findings.
//!
//! Nothing here reads, writes, scans or speaks a protocol. The wire formats
//! live in `squall-api` and are built from these types in `squall-report`; the
//! `serde` derives serve only the stored form of a result, which
//! `squall-report` frames with a version.

mod finding;
mod finding_counts;
mod gaps;
mod log_health;
mod outcome_counts;
mod pe;
mod sample;
mod score;
mod signature;
mod thread_health;

pub use finding::{
    FileFacts, Finding, FirstBytes, Incomplete, IncompleteReason, MatchField, MatchedString,
    Outcome, Report,
};
pub use finding_counts::{FindingCounts, RuleCounts};
pub use gaps::GapCounts;
pub use log_health::{LogHealth, UnderWay};
pub use outcome_counts::OutcomeCounts;
pub use pe::{PeInfo, PeSignature};
pub use sample::{Digests, Origin, SampleId, ScanFacts, Submission};
pub use score::{ALERT_SUBSCORE_FLOOR, Level, Score, Thresholds, score_shares, total_score};
pub use signature::{Match, SignatureKind, SignatureOrigin, SignatureSummary};
pub use thread_health::ThreadHealth;
