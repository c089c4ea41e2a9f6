//! Answers on what was found before: findings, sources and collector runs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Finding;

/// What an analyst made of a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = v1::ReviewState)]
pub enum ReviewState {
    /// Nobody has looked at it, or it was opened again.
    #[default]
    Open,
    /// Somebody has looked at it.
    Reviewed,
    /// It is a false positive.
    FalsePositive,
}

impl ReviewState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Reviewed, Self::FalsePositive];

    /// Returns the name that requests and answers use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Reviewed => "reviewed",
            Self::FalsePositive => "false_positive",
        }
    }
}

/// A finding in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::FindingRow)]
pub struct FindingRow {
    /// Names the finding.
    #[schema(example = "AAECAwQFBgcICQoL-0")]
    pub event_id: String,
    /// When the scan ended, RFC 3339 with microseconds, UTC.
    #[schema(example = "2026-11-24T08:30:00.123456Z")]
    pub time: String,
    /// The sample; null where the finding was read from a log.
    pub sample_id: Option<u64>,
    /// `Alert`, `Warning` or `Notice`.
    #[schema(example = "Alert")]
    pub level: String,
    /// The total score, 0 to 100; 0 of a file that was not scanned completely.
    #[schema(example = 94)]
    pub score: u8,
    /// The source.
    #[schema(example = "web-01.example.org")]
    pub source: String,
    /// The run of the service, or of the collector that sent the sample.
    #[schema(example = "S-r4GhEhEiIRg")]
    pub scan_id: String,
    /// The name on the sender, cut to 4096 characters; a member's is
    /// `outer.zip|inner/x.js`.
    #[schema(example = "C:\\temp\\x.exe")]
    pub name: String,
    /// How many containers the file was in; 0 for the sample itself.
    pub depth: u64,
    /// What the content is.
    #[schema(rename = "type", example = "EXE")]
    #[serde(rename = "type")]
    pub file_type: String,
    /// Size in bytes.
    pub size: u64,
    /// MD5 in hexadecimal; null where the file could not be read.
    pub md5: Option<String>,
    /// SHA-1 in hexadecimal.
    pub sha1: Option<String>,
    /// SHA-256 in hexadecimal.
    pub sha256: Option<String>,
    /// What matched, highest sub-score first.
    pub rules: Vec<RuleScore>,
    /// How many signatures matched.
    pub reason_count: u64,
    /// The tags of all that matched.
    pub tags: Vec<String>,
    /// Whether something could not be looked at, or was cut in the finding.
    pub has_issues: bool,
    /// What an analyst made of it.
    pub review: ReviewState,
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::RuleScore)]
pub struct RuleScore {
    /// Its name; of a signature without one, its kind.
    #[schema(example = "WEBSHELL_JSP_Eval")]
    pub name: String,
    /// Its sub-score.
    #[schema(example = 75)]
    pub score: i32,
}

/// A page of findings, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::FindingPage)]
pub struct FindingPage {
    /// The findings.
    pub findings: Vec<FindingRow>,
    /// Where the next page begins; null on the last one.
    pub cursor: Option<String>,
}

/// All that is known of a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::FindingDetails)]
pub struct FindingDetails {
    /// The finding as lists show it.
    pub summary: FindingRow,
    /// The finding in the v3 log form.
    pub finding: Finding,
    /// What each entry of the finding's `reasons` adds to the score.
    pub shares: Vec<Share>,
    /// What an analyst made of it; null if nobody ever did.
    pub review: Option<Review>,
    /// Where else the file, its name and its rules were seen.
    pub sightings: Vec<Sighting>,
    /// SHA-256 of the sample that the file is, or is inside of, by which
    /// `samples/{sha256}/zip` finds it; null where it is not known.
    #[serde(default)]
    pub sample_sha256: Option<String>,
    /// Where the file can be looked up elsewhere, as `lookup-link` is set.
    #[serde(default)]
    pub lookups: Vec<Lookup>,
    /// Whether that sample was kept, so that an analyst can have it.
    #[serde(default)]
    pub sample_kept: bool,
    /// What the list of trusted hashes says of the content (who, when and why),
    /// if it is on it. Null otherwise.
    #[serde(default)]
    pub trusted: Option<String>,
    /// Whether the set in force trusts the content: then nothing is reported on
    /// it any more. After a roll-back it may not, with the content on the list.
    #[serde(default)]
    pub trusted_in_force: bool,
    /// From which scores on a finding has which level.
    #[serde(default)]
    pub levels: Levels,
}

/// From which scores on a finding has which level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Levels)]
pub struct Levels {
    /// The lowest score that is reported, as a Notice.
    #[schema(example = 40)]
    pub notice: u8,
    /// The lowest score of a Warning.
    #[schema(example = 60)]
    pub warning: u8,
    /// The lowest score of an Alert.
    #[schema(example = 81)]
    pub alert: u8,
    /// The sub-score that at least one match of an Alert exceeds.
    #[schema(example = 75)]
    pub alert_subscore_above: i32,
}

/// A page elsewhere that may know more of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Lookup)]
pub struct Lookup {
    /// What it is called.
    #[schema(example = "VirusTotal")]
    pub name: String,
    /// Its address, `http://…` or `https://…`.
    pub url: String,
}

/// A reason's part of the total score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Share)]
pub struct Share {
    /// The signature's name, else its kind.
    pub rule: String,
    /// The sub-score.
    pub subscore: i32,
    /// The points that it adds, before the total is clamped and rounded.
    pub points: f64,
}

/// What an analyst made of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Review)]
pub struct Review {
    /// The state.
    pub state: ReviewState,
    /// Why.
    pub note: String,
    /// Who says so.
    pub who: String,
    /// When, RFC 3339, UTC.
    pub time: String,
}

/// A request to change what is made of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = v1::ReviewRequest)]
pub struct ReviewRequest {
    /// The state.
    pub state: ReviewState,
    /// Why; 4096 characters at most.
    #[serde(default)]
    pub note: String,
    /// Who says so; 256 characters at most.
    #[serde(default)]
    pub who: String,
}

/// What the other findings share with a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = v1::SightingBy)]
pub enum SightingBy {
    /// The content, by its SHA-256.
    Hash,
    /// The last part of the name, whatever the case of its letters.
    Name,
    /// A rule.
    Rule,
}

/// Other findings that share something with a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Sighting)]
pub struct Sighting {
    /// What is shared.
    pub by: SightingBy,
    /// Its value.
    pub value: String,
    /// How many other findings share it: 1000 at most where it is the content,
    /// else 100.
    pub findings: u64,
    /// The sources of those, as many as there are different ones among them.
    pub sources: u64,
    /// Whether there are more than were counted.
    pub more: bool,
    /// The newest of them.
    pub latest: Vec<FindingRow>,
}

/// A sender of samples.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::SourceRow)]
pub struct SourceRow {
    /// Its name.
    #[schema(example = "web-01.example.org")]
    pub source: String,
    /// When its first sample came, RFC 3339, UTC.
    pub first_seen: String,
    /// When its last sample came.
    pub last_seen: String,
    /// Samples accepted from it.
    pub samples: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// What it sent its last sample with, the `User-Agent`.
    #[schema(example = "thunderstorm-collector/0.5")]
    pub agent: String,
    /// Findings kept of its samples.
    pub findings: LevelCounts,
}

/// Findings by level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::LevelCounts)]
pub struct LevelCounts {
    /// Alerts.
    pub alert: u64,
    /// Warnings.
    pub warning: u64,
    /// Notices, files that were not scanned completely among them.
    pub notice: u64,
}

/// A page of sources, the one heard of last first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::SourcePage)]
pub struct SourcePage {
    /// The sources.
    pub sources: Vec<SourceRow>,
    /// Where the next page begins; null on the last one.
    pub cursor: Option<String>,
}

/// A source and its collector runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::SourceDetails)]
pub struct SourceDetails {
    /// The source.
    pub source: SourceRow,
    /// Its newest collector runs, a hundred at most.
    pub collections: Vec<CollectionRow>,
}

/// A collector's run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::CollectionRow)]
pub struct CollectionRow {
    /// Its id.
    pub scan_id: String,
    /// The source, as the collector names it.
    pub source: String,
    /// The collector, as it names itself.
    pub collector: String,
    /// When it began, RFC 3339, UTC.
    pub began: String,
    /// When it said that it ended; null if it never did.
    pub ended: Option<String>,
    /// `incomplete` until it says how it ended: `end`, `interrupted` or `abort`.
    #[schema(example = "incomplete")]
    pub state: String,
    /// When its source last sent a sample, with whatever id; null if it never
    /// did. Tells a run that goes on from one that died.
    #[serde(default)]
    pub last_seen: Option<String>,
    /// Samples accepted under its id.
    pub samples: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// Findings kept of those.
    pub findings: LevelCounts,
    /// What the collector says it did; null if it does not say.
    pub stats: Option<crate::v0::CollectionStats>,
}

/// A page of collector runs, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::CollectionPage)]
pub struct CollectionPage {
    /// The runs.
    pub collections: Vec<CollectionRow>,
    /// Where the next page begins; null on the last one.
    pub cursor: Option<String>,
}
