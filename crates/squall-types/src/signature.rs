//! What is said about a signature and about one of its hits.

use serde::{Deserialize, Serialize};

use crate::MatchedString;

/// Where a signature came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SignatureOrigin {
    /// The packaged set.
    Internal,
    /// The operator's own.
    Custom,
    /// A third party's, fetched at run time.
    External,
}

impl SignatureOrigin {
    /// Returns the name that reports show.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Custom => "custom",
            Self::External => "external",
        }
    }
}

/// What kind of signature matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SignatureKind {
    /// A YARA rule.
    YaraRule,
    /// A regular expression on the file's path.
    FilenameIoc,
    /// A digest.
    HashIoc,
    /// A STIX indicator.
    StixIoc,
    /// A string in the file's text.
    KeywordIoc,
    /// A host name or address in the file's text.
    DomainIoc,
    /// A Sigma rule.
    SigmaRule,
    /// A check that is built in.
    InternalHeuristic,
}

impl SignatureKind {
    /// Returns the name that reports show.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::YaraRule => "YARA Rule",
            Self::FilenameIoc => "Filename IOC",
            Self::HashIoc => "Hash IOC",
            Self::StixIoc => "STIX IOC",
            Self::KeywordIoc => "Keyword IOC",
            Self::DomainIoc => "Domain IOC",
            Self::SigmaRule => "Sigma Rule",
            Self::InternalHeuristic => "Internal Heuristic",
        }
    }
}

/// One signature that matched a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Match {
    /// What kind of signature it is.
    pub kind: SignatureKind,
    /// Where the signature came from.
    pub origin: SignatureOrigin,
    /// The rule's name; empty for signatures without one.
    pub rule_name: String,
    /// What the signature looks for, in words.
    pub description: String,
    /// Who wrote it.
    pub author: Option<String>,
    /// Where to read more.
    pub references: Vec<String>,
    /// When it was written or last changed, as the signature says it.
    pub date: Option<String>,
    /// The signature's own id.
    pub id: Option<String>,
    /// Known false positives, as the signature says them.
    pub false_positives: Vec<String>,
    /// Tags in upper case, each once.
    pub tags: Vec<String>,
    /// The sub-score; negative for a signature that speaks for the file.
    pub subscore: i32,
    /// What matched, in the order of the offsets.
    pub strings: Vec<MatchedString>,
}

/// What is loaded: the figures that the service shows of a signature set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignatureSummary {
    /// `YYYY/MM/DD-HHMMSS`, UTC.
    pub version: String,
    /// When the newest of the published files was changed, in the same form:
    /// of a set that has only the operator's own, the newest of those.
    pub updated: String,
    /// Name and version of the engine, for instance `YARA-X 1.22.1`.
    pub engine: String,
    /// Active YARA rules.
    pub rules: u64,
    /// Active IOCs.
    pub iocs: u64,
    /// Rules and lines that could not be used.
    pub skipped: u64,
}
