//! A finding as the first API generation shows it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What was found on one file, or that the file could not be scanned
/// completely. Every key is always present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v0::Finding)]
pub struct Finding {
    /// `Alert`, `Warning` or `Notice`.
    #[schema(example = "Alert")]
    pub level: String,
    /// The part of the scanner that reports: `Filescan`.
    #[schema(example = "Filescan")]
    pub module: String,
    /// The same for every finding of a level; `File not scanned completely`
    /// for a file that never passes for clean.
    #[schema(example = "Malware file found")]
    pub message: String,
    /// The total score, 0 to 100.
    #[schema(example = 94, minimum = 0, maximum = 100)]
    pub score: u8,
    /// The file.
    pub context: Context,
    /// What matched, highest sub-score first. May hold fewer entries than
    /// `context.reasons_count` when there are very many.
    pub matches: Vec<Match>,
}

/// Facts about the file of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v0::Context)]
pub struct Context {
    /// The file's extension, lower case, with the dot; empty when there is none.
    #[schema(example = ".txt")]
    pub ext: String,
    /// The file's name on the sender, normally its absolute path.
    #[schema(example = "C:\\temp\\test.txt")]
    pub file: String,
    /// The first twenty bytes in hexadecimal, ` / `, then those of them that
    /// are printable ASCII.
    #[serde(rename = "firstBytes")]
    #[schema(example = "3c256576616c2072657175657374280a / <%eval request(")]
    pub first_bytes: String,
    /// MD5 of the file in hexadecimal; empty when the file could not be read.
    #[schema(example = "d41d8cd98f00b204e9800998ecf8427e")]
    pub md5: String,
    /// SHA-1 of the file in hexadecimal; empty when the file could not be read.
    #[schema(example = "da39a3ee5e6b4b0d3255bfef95601890afd80709")]
    pub sha1: String,
    /// SHA-256 of the file in hexadecimal; empty when the file could not be read.
    #[schema(example = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    pub sha256: String,
    /// Size of the file in bytes; 0 when the file could not be read.
    #[schema(example = 16)]
    pub size: u64,
    /// What the content is: `EXE`, `ZIP`, `PHP`, … `UNKNOWN`.
    #[serde(rename = "type")]
    #[schema(example = "JSP")]
    pub file_type: String,
    /// The sample the file is, or was unpacked from.
    #[schema(example = 12)]
    pub sample_id: u64,
    /// How many signatures matched, or how many reasons there are.
    #[schema(example = 2)]
    pub reasons_count: u64,
}

/// One signature that matched, or one reason why the scan was not complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v0::Match)]
pub struct Match {
    /// The rule's name; empty for signatures without one.
    #[schema(example = "WEBSHELL_JSP_Eval")]
    pub rulename: String,
    /// What the signature looks for, in words.
    #[schema(example = "Detects a one-line web shell")]
    pub reason: String,
    /// Where to read more, separated by `, `.
    #[serde(rename = "ref")]
    #[schema(example = "https://example.org/report")]
    pub reference: String,
    /// The date of the rule as the rule says it.
    #[schema(example = "2020-07-31")]
    pub ruledate: String,
    /// Who wrote the rule.
    #[schema(example = "Jane Doe")]
    pub author: String,
    /// The sub-score; negative for a signature that speaks for the file.
    #[schema(example = 75)]
    pub subscore: i32,
    /// Tags in upper case.
    #[schema(example = json!(["WEBSHELL"]))]
    pub tags: Vec<String>,
    /// What matched, as text; bytes that are no text are shown as `\xNN`. Long
    /// texts and long lists are cut.
    #[schema(example = json!(["<%eval request("]))]
    pub matched: Vec<String>,
    /// The kind of the signature.
    #[schema(example = "YARA Rule")]
    pub sigclass: String,
    /// Where the signature came from: `internal`, `custom` or `external`.
    #[schema(example = "internal")]
    pub sigtype: String,
}
