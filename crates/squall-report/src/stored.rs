//! The stored form of a submission and of a result.
//!
//! The first byte is the version of the form, the second says what follows, the
//! rest is JSON. A clean result is these two bytes and the version of the
//! signatures: most results are clean, and hundreds of thousands are kept. No
//! damage to a report that cuts it or leaves its second byte intact can make it
//! a clean result, and none that changes that byte, because no version begins
//! like JSON.

use serde::{Serialize, de::DeserializeOwned};
use squall_types::{Report, SampleId, Score, Submission};
use thiserror::Error;

/// The version of the form that is written.
const VERSION: u8 = 1;

const SUBMISSION: u8 = b'S';
const REPORT: u8 = b'R';
const CLEAN: u8 = b'C';

/// Why stored bytes could not be read.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// There are too few bytes: the record was cut.
    #[error("stored {what} has {len} bytes, expected 2 or more")]
    Short {
        /// What was to be read.
        what: &'static str,
        /// How many bytes there are.
        len: usize,
    },
    /// A newer version wrote it, or it is damaged.
    #[error("stored {what} has the version {found}, expected {VERSION}")]
    Version {
        /// What was to be read.
        what: &'static str,
        /// The version it states.
        found: u8,
    },
    /// It is something else, or it is damaged.
    #[error("stored {what} has the unknown kind {found:#04x}")]
    Kind {
        /// What was to be read.
        what: &'static str,
        /// The kind it states.
        found: u8,
    },
    /// The part behind the first two bytes is damaged.
    #[error("cannot read the body of the stored {what}")]
    Body {
        /// What was to be read.
        what: &'static str,
        /// What the JSON parser says.
        source: serde_json::Error,
    },
    /// A clean result has bytes that are no version of signatures.
    #[error("stored clean result has {len} bytes, expected 2 or 19 with a version in them")]
    Clean {
        /// How many bytes there are.
        len: usize,
    },
    /// It names an id that no sample has.
    #[error("stored result has the sample id {found}, expected 1 to 2^53 - 1")]
    SampleId {
        /// The id it names.
        found: u64,
    },
}

/// A stored result.
#[derive(Clone, Debug, PartialEq)]
pub enum StoredResult {
    /// The sample was scanned completely and nothing was found.
    Clean,
    /// Something was found, or the sample could not be scanned completely.
    Report(Box<Report>),
}

/// Returns the stored form of a submission.
#[must_use]
pub fn encode_submission(submission: &Submission) -> Vec<u8> {
    encode(SUBMISSION, submission)
}

/// Reads the stored form of a submission.
///
/// # Errors
/// When the bytes are not what [`encode_submission`] returns.
pub fn decode_submission(bytes: &[u8]) -> Result<Submission, DecodeError> {
    let what = "submission";
    match split(bytes, what)? {
        (SUBMISSION, body) => decode(body, what),
        (found, _) => Err(DecodeError::Kind { what, found }),
    }
}

/// Returns the stored form of a result: some bytes for a clean one, which keeps
/// nothing of the report but the version of the signatures.
#[must_use]
pub fn encode_result(report: &Report) -> Vec<u8> {
    if report.outcome.is_clean() {
        let mut bytes = vec![VERSION, CLEAN];
        let version = report.scan.signature_version.as_bytes();
        if is_signature_version(version) {
            bytes.extend_from_slice(version);
        }
        bytes
    } else {
        encode(REPORT, report)
    }
}

/// Reads the stored form of a result.
///
/// # Errors
/// When the bytes are not what [`encode_result`] returns.
pub fn decode_result(bytes: &[u8]) -> Result<StoredResult, DecodeError> {
    let what = "result";
    match split(bytes, what)? {
        (CLEAN, version) if version.is_empty() || is_signature_version(version) => {
            Ok(StoredResult::Clean)
        }
        (CLEAN, _) => Err(DecodeError::Clean { len: bytes.len() }),
        (REPORT, body) => Ok(StoredResult::Report(Box::new(checked(decode(
            body, what,
        )?)?))),
        (found, _) => Err(DecodeError::Kind { what, found }),
    }
}

/// Returns the version of the signatures that a stored clean result names; one
/// of an earlier release names none.
#[must_use]
pub fn clean_signature_version(bytes: &[u8]) -> Option<&str> {
    match bytes {
        [VERSION, CLEAN, version @ ..] if is_signature_version(version) => {
            std::str::from_utf8(version).ok()
        }
        _ => None,
    }
}

/// Tells whether bytes have the form `YYYY/MM/DD-HHMMSS`.
fn is_signature_version(bytes: &[u8]) -> bool {
    const FORM: &[u8; 17] = b"0000/00/00-000000";
    let fits = |(byte, form): (&u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        mark => byte == mark,
    };
    bytes.len() == FORM.len() && bytes.iter().zip(FORM).all(fits)
}

fn encode(kind: u8, value: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![VERSION, kind];
    serde_json::to_writer(&mut bytes, value)
        // No map with keys that are no text, and a vector takes every byte.
        .expect("plain data has a JSON form");
    bytes
}

fn split<'b>(bytes: &'b [u8], what: &'static str) -> Result<(u8, &'b [u8]), DecodeError> {
    match bytes {
        [VERSION, kind, body @ ..] => Ok((*kind, body)),
        [found, _, ..] => Err(DecodeError::Version {
            what,
            found: *found,
        }),
        _ => Err(DecodeError::Short {
            what,
            len: bytes.len(),
        }),
    }
}

fn decode<T: DeserializeOwned>(body: &[u8], what: &'static str) -> Result<T, DecodeError> {
    serde_json::from_slice(body).map_err(|source| DecodeError::Body { what, source })
}

/// Restores what the types promise and their derived readers do not check.
fn checked(mut report: Report) -> Result<Report, DecodeError> {
    let found = report.id.value();
    if SampleId::new(found).is_none() {
        return Err(DecodeError::SampleId { found });
    }
    for finding in &mut report.outcome.findings {
        finding.score = Score::new(finding.score.value());
    }
    Ok(report)
}
