//! What is told of the signatures.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The answer to `signatures`: what is in force and how the last change went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Signatures)]
pub struct Signatures {
    /// The set in force; absent while the first one is loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<SignatureSet>,
    /// The set that a roll-back would bring back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<SignatureSet>,
    /// What of the files could not be used in the set in force, the first two
    /// hundred.
    #[schema(example = json!(["rules/yara/a.yar:5:9: rule A: unknown pattern `$x`"]))]
    pub problems: Vec<String>,
    /// How many more there are.
    #[schema(example = 0)]
    pub problems_omitted: u64,
    /// What is used and should be looked at, the first two hundred.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// How many more there are.
    #[serde(default)]
    pub warnings_omitted: u64,
    /// How the last attempt to put another set in force went; absent until
    /// there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_change: Option<SignatureChange>,
    /// Changes that put another set in force, since the start.
    #[schema(example = 3)]
    pub changes: u64,
    /// Changes that failed, since the start.
    #[schema(example = 0)]
    pub failed_changes: u64,
    /// Whether `pure-yara` is set: lists of indicators and of trusted hashes,
    /// and heuristics, are not applied.
    #[serde(default)]
    pub pure_yara: bool,
    /// The version that was rolled back, while the files still are those of
    /// it: a reload would bring it back. Null otherwise.
    #[serde(default)]
    pub rolled_back: Option<String>,
}

/// A signature set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::SignatureSet)]
pub struct SignatureSet {
    /// The version that results name, `YYYY/MM/DD-HHMMSS`.
    #[schema(example = "2026/11/24-083000")]
    pub version: String,
    /// What tells it from any other set: SHA-256 in hexadecimal digits.
    pub fingerprint: String,
    /// Name and version of the engine.
    #[schema(example = "YARA-X 1.22.1")]
    pub engine: String,
    /// Active YARA rules.
    #[schema(example = 5883)]
    pub rules: u64,
    /// Active IOCs.
    #[schema(example = 4000)]
    pub iocs: u64,
    /// Rules and lines that could not be used.
    #[schema(example = 0)]
    pub skipped: u64,
    /// When it was put in force, RFC 3339.
    #[schema(example = "2026-11-24T08:30:00Z")]
    pub loaded_at: String,
    /// How long loading it took, in milliseconds.
    #[schema(example = 120)]
    pub load_time_milliseconds: u64,
    /// Whether its rules were compiled by an earlier run.
    pub from_cache: bool,
}

/// An attempt to put another set in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::SignatureChange)]
pub struct SignatureChange {
    /// When it ended, RFC 3339.
    #[schema(example = "2026-11-24T08:30:00Z")]
    pub at: String,
    /// What asked for it: `start`, `signal`, `files`, `request`, `update` or
    /// `rollback`.
    #[schema(example = "files")]
    pub trigger: String,
    /// How it ended.
    pub outcome: SignatureChangeOutcome,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    #[schema(example = 3100)]
    pub duration_milliseconds: u64,
}

/// How an attempt to put another set in force ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::SignatureChangeOutcome)]
#[serde(rename_all = "snake_case")]
pub enum SignatureChangeOutcome {
    /// Another set is in force.
    Replaced,
    /// The set before is in force again.
    RolledBack,
    /// The files are those of the set in force.
    Unchanged,
    /// The set in force stays, because the new one is not fit.
    Failed,
}
