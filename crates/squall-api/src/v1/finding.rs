//! A finding in the v3 log form: an element of an answer, a line of a JSON log.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{EncodedData, File};

/// The version of the log form, as every finding states it.
pub const LOG_VERSION: &str = "v3.0.0";

/// What was found on one file, or that the file could not be scanned
/// completely.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Finding)]
pub struct Finding {
    /// Always `THOR finding`.
    #[serde(rename = "type")]
    #[schema(example = "THOR finding")]
    pub object_type: String,
    /// When, where and by what.
    pub meta: Meta,
    /// The same for every finding of a level; `File not scanned completely`
    /// for a file on which nothing else was found.
    #[schema(example = "Malware file found")]
    pub message: String,
    /// The file.
    pub subject: File,
    /// The total score, 0 to 100.
    #[schema(example = 94, minimum = 0, maximum = 100)]
    pub score: u8,
    /// What matched, highest sub-score first. May hold fewer entries than
    /// `reason_count` says; an issue then says so.
    pub reasons: Vec<Reason>,
    /// How many signatures matched.
    #[schema(example = 2)]
    pub reason_count: u64,
    /// Files that the subject was unpacked from; null for the sample itself.
    pub context: Option<Vec<ContextObject>>,
    /// What could not be looked at, and what was cut in this finding.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<Issue>,
    /// The version of this form, [`LOG_VERSION`].
    #[schema(example = "v3.0.0")]
    pub log_version: String,
}

/// When, where and by what a finding was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Meta)]
pub struct Meta {
    /// When the scan ended, RFC 3339 with a fraction.
    #[schema(example = "2026-11-24T08:30:00.123456Z")]
    pub time: String,
    /// `Alert`, `Warning` or `Notice`.
    #[schema(example = "Alert")]
    pub level: String,
    /// The part of the scanner that reports: `Filescan`.
    #[schema(example = "Filescan")]
    pub module: String,
    /// The run of the service, or of the collector that sent the sample.
    #[schema(example = "S-r4GhEhEiIRg")]
    pub scan_id: String,
    /// Names this finding; a repeated scan of the same upload repeats it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "AAECAwQFBgcICQoL-0")]
    pub event_id: Option<String>,
    /// The source of the sample.
    #[schema(example = "web-01.example.org")]
    pub hostname: String,
}

/// One signature that matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Reason)]
pub struct Reason {
    /// Always `reason`.
    #[serde(rename = "type")]
    #[schema(example = "reason")]
    pub object_type: String,
    /// The signature in one line.
    #[schema(example = "YARA rule WEBSHELL_JSP_Eval / Detects a one-line web shell")]
    pub summary: String,
    /// The signature.
    pub signature: Signature,
    /// What it matched.
    pub matched: Vec<Matched>,
}

/// Facts about a signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Signature)]
pub struct Signature {
    /// The sub-score; negative for a signature that speaks for the file.
    #[schema(example = 75)]
    pub score: i32,
    /// Where to read more.
    pub reference: Vec<String>,
    /// `internal`, `custom` or `external`.
    #[schema(example = "internal")]
    pub origin: String,
    /// The kind of the signature.
    #[schema(example = "YARA Rule")]
    pub kind: String,
    /// The date of the rule as the rule says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "2020-07-31")]
    pub date: Option<String>,
    /// Tags in upper case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["WEBSHELL"]))]
    pub tags: Vec<String>,
    /// The rule's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "WEBSHELL_JSP_Eval")]
    pub rule_name: Option<String>,
    /// What it looks for, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Detects a one-line web shell")]
    pub description: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Jane Doe")]
    pub author: Option<String>,
    /// The signature's own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Known false positives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub false_positives: Vec<String>,
}

/// Something that a signature matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Matched)]
pub struct Matched {
    /// The bytes that matched, cut to a limit.
    pub data: EncodedData,
    /// The bytes with those around them, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<EncodedData>,
    /// Where they begin in the field, in bytes.
    #[schema(example = 4096)]
    pub offset: u64,
    /// The part of the subject, as a JSON pointer.
    #[schema(example = "/content")]
    pub field: String,
}

/// Another file that helps to understand the subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::ContextObject)]
pub struct ContextObject {
    /// The file.
    pub object: File,
    /// How it relates to the subject.
    pub relations: Vec<Relation>,
}

/// How a file relates to the subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Relation)]
pub struct Relation {
    /// The kind: `derives from`.
    #[schema(example = "derives from")]
    pub relation_type: String,
    /// The name: `parent`.
    #[schema(example = "parent")]
    pub relation_name: String,
    /// Whether there can be only one.
    pub unique: bool,
}

/// Something that could not be looked at, or that was cut in the finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v1::Issue)]
pub struct Issue {
    /// The part of the finding it concerns, as a JSON pointer.
    #[schema(example = "/subject/content")]
    pub affected: String,
    /// `truncated`, `encrypted`, `limit`, `corrupt`, `timeout`, `unsupported`, `unreadable`.
    #[schema(example = "encrypted")]
    pub category: String,
    /// The same in words.
    #[schema(example = "no known password opens the member")]
    pub description: String,
}
