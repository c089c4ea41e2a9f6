//! Bodies of the second API generation, `/api/v1/…`.
//!
//! The histories and the collector messages are those of [`crate::v0`] and
//! [`crate::History`].

mod failed;
mod file;
mod finding;
mod health;
mod library;
mod overview;
mod rule_costs;
mod service;
mod session;
mod signature_sources;
mod signatures;
mod store;
mod system;

pub use failed::{FailedSample, FailedSamples, Retried};
pub use file::{
    Content, ContentElement, EncodedData, Encoding, File, FirstBytes, Hashes, PeInfo, PeSignature,
};
pub use finding::{
    ContextObject, Finding, Issue, LOG_VERSION, Matched, Meta, Reason, Relation, Signature,
};
pub use health::{HealthCheck, Liveness, Readiness, ReadinessChecks};
pub use library::{
    DistrustRequest, FileProblem, OwnFile, OwnFileOutcome, OwnFileText, OwnFiles, RulePage,
    RuleRow, RuleSource, TrustRequest, Trusted,
};
pub use overview::{
    FindingHistory, FindingsFeed, MinuteFindings, Overview, SampleCounts, ScanTimes,
    SignatureFacts, Storage,
};
pub use rule_costs::{MeasuredCosts, RuleCost, RuleCosts};
pub use service::{AsyncResult, Counters, Error, Info, Status, VersionInfo};
pub use session::{Session, SessionRequest};
pub use signature_sources::{
    SignatureBundle, SignatureSource, SignatureSourceKind, SignatureSources, SourceCheck,
    SourceCheckOutcome,
};
pub use signatures::{SignatureChange, SignatureChangeOutcome, SignatureSet, Signatures};
pub use store::{
    CollectionPage, CollectionRow, FindingDetails, FindingPage, FindingRow, LevelCounts, Levels,
    Lookup, Review, ReviewRequest, ReviewState, RuleScore, Share, Sighting, SightingBy,
    SourceDetails, SourcePage, SourceRow,
};
pub use system::{Check, CheckState, Configuration, LogTail, SelfCheck, SettingInForce};
