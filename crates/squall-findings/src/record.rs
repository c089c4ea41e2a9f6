//! A finding as the store keeps it: the columns that are searched, and the
//! line of the JSON log that is shown.
//!
//! Records are made of the v3 form only, while the service runs as well as
//! from a log file, so that a rebuilt store gives the same answers.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use squall_api::v1::{Finding, Issue};
use squall_types::Level;

use crate::{number, text};

/// Characters of a name that are kept apart from the document, and searched.
pub(crate) const NAME_CHARS_MAX: usize = 4096;
/// Characters of the last part of a name, by which other sightings are found.
const BASE_CHARS_MAX: usize = 255;
/// Characters of sources, rules, tags and the like.
const LABEL_CHARS_MAX: usize = 1024;
/// Most rules and most tags of a finding that can be searched for.
const LABELS_MAX: usize = 100;
/// Longest event id that is believed.
const EVENT_ID_LEN_MAX: usize = 128;
/// Largest document; in a larger one the matched strings are left out.
pub(crate) const DOCUMENT_BYTES_MAX: usize = 1024 * 1024;

/// The sample that a finding is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleRef {
    /// Its id.
    pub id: u64,
    /// Its SHA-256, where it is known: what it is kept under.
    pub sha256: Option<[u8; 32]>,
}

/// A finding, ready to be stored.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) event_id: String,
    pub(crate) time_us: i64,
    /// Unknown of a finding that was read from a log.
    pub(crate) sample_id: Option<i64>,
    /// Of what is deep in a sample; of the others the finding itself tells it.
    pub(crate) sample_sha256: Option<[u8; 32]>,
    pub(crate) level: Level,
    pub(crate) score: u8,
    pub(crate) source: String,
    pub(crate) scan_id: String,
    pub(crate) name: String,
    pub(crate) base: String,
    pub(crate) depth: i64,
    pub(crate) file_type: String,
    pub(crate) size_bytes: i64,
    pub(crate) md5: Option<Vec<u8>>,
    pub(crate) sha1: Option<Vec<u8>>,
    pub(crate) sha256: Option<Vec<u8>>,
    pub(crate) reasons: i64,
    /// Name and sub-score.
    pub(crate) rules: Vec<(String, i32)>,
    pub(crate) tags: Vec<String>,
    pub(crate) issues: i64,
    pub(crate) words: String,
    /// The line of the JSON log, without its end.
    pub(crate) line: Vec<u8>,
}

/// Why a finding cannot be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("it has no known level")]
    Level,
    #[error("its time cannot be read")]
    Time,
    #[error("it is too large")]
    TooLarge,
}

impl Record {
    /// Makes the record of a finding.
    ///
    /// # Errors
    ///
    /// Fails if the finding is not one that this program writes.
    pub(crate) fn of(mut finding: Finding, sample: Option<SampleRef>) -> Result<Self, RecordError> {
        let level = number::level_named(&finding.meta.level).ok_or(RecordError::Level)?;
        let time: Timestamp = finding.meta.time.parse().map_err(|_| RecordError::Time)?;
        let words = text::words_of(&finding);
        let line = line(&mut finding)?;
        let event_id = match finding.meta.event_id.take() {
            Some(id) if (1..=EVENT_ID_LEN_MAX).contains(&id.len()) => id,
            _ => digest_id(&line),
        };
        let hashes = finding.subject.hashes.as_ref();
        let name: String = cut(&finding.subject.path, NAME_CHARS_MAX);
        Ok(Self {
            event_id,
            time_us: time.as_microsecond(),
            sample_id: sample.and_then(|sample| i64::try_from(sample.id).ok()),
            sample_sha256: sample
                .and_then(|sample| sample.sha256)
                .filter(|_| finding.subject.unpack_source.len() > 1),
            level,
            score: finding.score.min(100),
            source: cut(&finding.meta.hostname, LABEL_CHARS_MAX),
            scan_id: cut(&finding.meta.scan_id, LABEL_CHARS_MAX),
            base: base(&name),
            name,
            depth: i64::try_from(finding.subject.unpack_source.len()).unwrap_or(i64::MAX),
            file_type: cut(&finding.subject.magic_header, LABEL_CHARS_MAX),
            size_bytes: i64::try_from(finding.subject.size).unwrap_or(i64::MAX),
            md5: hashes.and_then(|hashes| unhex(&hashes.md5, 16)),
            sha1: hashes.and_then(|hashes| unhex(&hashes.sha1, 20)),
            sha256: hashes.and_then(|hashes| unhex(&hashes.sha256, 32)),
            reasons: i64::try_from(finding.reason_count).unwrap_or(i64::MAX),
            rules: rules(&finding),
            tags: tags(&finding),
            issues: i64::try_from(finding.issues.len()).unwrap_or(i64::MAX),
            words,
            line,
        })
    }
}

/// Writes the finding as a line of the JSON log; where it is too large,
/// without what matched, and says so.
fn line(finding: &mut Finding) -> Result<Vec<u8>, RecordError> {
    let write = |finding: &Finding| {
        let mut line = Vec::new();
        // Writing to memory cannot fail.
        let _ = squall_report::json::write_line(finding, &mut line);
        line.pop();
        line
    };
    let whole = write(finding);
    if whole.len() <= DOCUMENT_BYTES_MAX {
        return Ok(whole);
    }
    for reason in &mut finding.reasons {
        reason.matched.clear();
    }
    finding.subject.content.elements.clear();
    finding.issues.push(Issue {
        affected: "/reasons".to_owned(),
        category: "truncated".to_owned(),
        description: "the findings store keeps nothing of what matched, there is too much of it"
            .to_owned(),
    });
    let cut = write(finding);
    if cut.len() <= DOCUMENT_BYTES_MAX {
        Ok(cut)
    } else {
        Err(RecordError::TooLarge)
    }
}

/// Returns the rules by name; a signature without one goes by its kind.
fn rules(finding: &Finding) -> Vec<(String, i32)> {
    let mut rules: Vec<(String, i32)> = Vec::new();
    for reason in finding.reasons.iter().take(LABELS_MAX) {
        let signature = &reason.signature;
        let name = match signature.rule_name.as_deref() {
            Some(name) if !name.is_empty() => name,
            _ => &signature.kind,
        };
        let name = cut(name, LABEL_CHARS_MAX);
        if !rules.iter().any(|(known, _)| *known == name) {
            rules.push((name, signature.score));
        }
    }
    rules
}

fn tags(finding: &Finding) -> Vec<String> {
    let mut tags = Vec::new();
    for tag in finding.reasons.iter().flat_map(|r| &r.signature.tags) {
        let tag = cut(tag, LABEL_CHARS_MAX);
        if tags.len() < LABELS_MAX && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

/// Returns the last part of a name, folded.
pub(crate) fn base(name: &str) -> String {
    let last = name.rsplit(['/', '\\', '|']).next().unwrap_or(name);
    cut(&text::folded(last), BASE_CHARS_MAX)
}

pub(crate) fn cut(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}

/// An id for a line that has none: the same line has the same.
fn digest_id(line: &[u8]) -> String {
    let digest = Sha256::digest(line);
    format!("L-{}", hex(&digest[..12]))
}

/// Returns bytes in hexadecimal, lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads hexadecimal of exactly `len` bytes.
pub(crate) fn unhex(text: &str, len: usize) -> Option<Vec<u8>> {
    if text.len() != 2 * len || !text.is_ascii() {
        return None;
    }
    (0..len)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok())
        .collect()
}
