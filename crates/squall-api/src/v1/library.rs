//! The rules of the set in force, and the files that are written here.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Review;

/// A page of the rules in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::RulePage)]
pub struct RulePage {
    /// How many rules there are that meet the search.
    pub total: u64,
    /// Those of this page, by name.
    pub rules: Vec<RuleRow>,
    /// What to pass as `offset` for the next page; null on the last.
    pub next: Option<u64>,
}

/// A rule in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::RuleRow)]
pub struct RuleRow {
    /// Its name.
    pub name: String,
    /// The file that it is in.
    pub file: String,
    /// `internal`, `custom` or `external`.
    pub origin: String,
    /// Its sub-score.
    pub score: i32,
    /// What it looks for.
    pub description: String,
    /// Who wrote it.
    pub author: Option<String>,
    /// Its date as it says it.
    pub date: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Findings kept in which it matched, 10000 at most; null where no
    /// findings are kept.
    pub hits: Option<u64>,
    /// Microseconds that it adds to the scan of a sample, on average; null
    /// where it is not among the most expensive ones, or was not timed.
    #[serde(default)]
    pub microseconds: Option<f64>,
}

/// The text of a rule, as its file has it now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::RuleSource)]
pub struct RuleSource {
    /// The rule.
    pub name: String,
    /// The file that it is in.
    pub file: String,
    /// The line that it begins in, from 1.
    pub line: u32,
    /// The text; cut after 64 KiB.
    pub text: String,
}

/// The signature files that are written through the API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::OwnFiles)]
pub struct OwnFiles {
    /// The files, by name.
    pub files: Vec<OwnFile>,
}

/// A signature file that was written through the API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::OwnFile)]
pub struct OwnFile {
    /// Its name, which says what it holds: `*.yar`, `*hash-iocs.txt`, …
    #[schema(example = "mine.yar")]
    pub name: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// When it was last written, RFC 3339.
    pub modified: String,
    /// SHA-256 of its text. As the entity tag of `If-Match` it makes sure that a
    /// change is of this text.
    #[serde(default)]
    pub digest: String,
    /// Its text; null in lists.
    #[serde(default)]
    pub text: Option<String>,
}

/// A signature file to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = v1::OwnFileText)]
pub struct OwnFileText {
    /// Its text, 1 MiB at most.
    pub text: String,
    /// Only looks for mistakes.
    #[serde(default)]
    pub check_only: bool,
}

/// What became of a signature file that was to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::OwnFileOutcome)]
pub struct OwnFileOutcome {
    /// What happened, in words.
    pub message: String,
    /// Whether the file is written and in force.
    pub in_force: bool,
    /// What is wrong with the file.
    pub problems: Vec<FileProblem>,
}

/// Something that is wrong with a signature file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::FileProblem)]
pub struct FileProblem {
    /// The line, from 1, where it is known.
    pub line: Option<u32>,
    /// The column, in characters from 1, where it is known.
    pub column: Option<u32>,
    /// Whether it keeps the file from being written; else it is a warning.
    pub fatal: bool,
    /// What is wrong.
    pub reason: String,
}

/// A request to trust the content of a finding's file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = v1::TrustRequest)]
pub struct TrustRequest {
    /// Why; 4096 characters at most.
    #[serde(default)]
    pub note: String,
    /// Who says so; 256 characters at most.
    #[serde(default)]
    pub who: String,
    /// Whether the other findings kept of the same content are marked as well,
    /// the newest 1000.
    #[serde(default)]
    pub same_content: bool,
}

/// The body of a request not to trust a content any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = v1::DistrustRequest)]
pub struct DistrustRequest {
    /// Why; 4096 characters at most.
    #[serde(default)]
    pub note: String,
    /// Who says so; 256 characters at most.
    #[serde(default)]
    pub who: String,
}

/// What became of a request to trust a content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Trusted)]
pub struct Trusted {
    /// The SHA-256 that is trusted now: nothing is reported on it any more.
    pub sha256: String,
    /// The file of trusted hashes that it is in.
    pub list: String,
    /// The finding's review, which says so.
    pub review: Review,
    /// Findings marked as false positives by it.
    pub findings: u64,
}
