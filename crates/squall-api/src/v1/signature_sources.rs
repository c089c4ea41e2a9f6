//! Where the signatures in force come from.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The answer to `signatures/sources`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::SignatureSources)]
pub struct SignatureSources {
    /// Every place that signatures are read from.
    pub sources: Vec<SignatureSource>,
    /// Hours between two updates of those that are fetched; null where that is
    /// done on request only.
    pub update_interval_hours: Option<u32>,
    /// Whether they are being asked for something new at the moment.
    pub updating: bool,
}

/// A place that signatures are read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::SignatureSource)]
pub struct SignatureSource {
    /// What it is.
    pub kind: SignatureSourceKind,
    /// Its path or address; a user, password or query in an address is
    /// `(hidden)`.
    #[schema(example = "https://example.org/rules.zip")]
    pub location: String,
    /// YARA rules in force that come from there.
    #[schema(example = 5883)]
    pub rules: u64,
    /// Rules and lines of it that could not be used.
    #[schema(example = 0)]
    pub skipped: u64,
    /// What was fetched from there and is in force; null where nothing was.
    pub bundle: Option<SignatureBundle>,
    /// How it went when it was last asked for something new; null where it was
    /// not since the start.
    pub checked: Option<SourceCheck>,
}

/// What a place that signatures are read from is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::SignatureSourceKind)]
#[serde(rename_all = "snake_case")]
pub enum SignatureSourceKind {
    /// The set in the program.
    BuiltIn,
    /// A directory or bundle named by `signatures`.
    Packaged,
    /// A directory or bundle named by `custom-signatures`.
    Custom,
    /// One of `signature-sources`, which is asked for something new.
    Fetched,
    /// The bundle that was brought with `squall signatures update --from`.
    ByHand,
    /// The files that are written through the API.
    Own,
}

/// A bundle of signatures that was fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::SignatureBundle)]
pub struct SignatureBundle {
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// When it was fetched, RFC 3339.
    #[schema(example = "2026-11-24T08:30:00Z")]
    pub fetched_at: String,
}

/// An attempt to get something new from a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::SourceCheck)]
pub struct SourceCheck {
    /// When it ended, RFC 3339.
    #[schema(example = "2026-11-24T08:30:00Z")]
    pub at: String,
    /// How it ended.
    pub outcome: SourceCheckOutcome,
    /// Why it failed.
    pub error: Option<String>,
}

/// How an attempt to get something new from a source ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::SourceCheckOutcome)]
#[serde(rename_all = "snake_case")]
pub enum SourceCheckOutcome {
    /// What it offers is in force now.
    Updated,
    /// It offers what is there already.
    Unchanged,
    /// It could not be asked, or what it offers is not fit; nothing changed.
    Failed,
}
