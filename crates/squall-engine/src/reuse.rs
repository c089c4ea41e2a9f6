//! For which other samples an outcome holds as well.
//!
//! The rules are strict: an outcome is used again only where a scan would say
//! the same, whatever it costs in repeated scans.

use sha2::{Digest as _, Sha256};
use squall_types::{IncompleteReason, MatchField, Outcome};

use crate::name_use::{NameClass, name_extension};

/// Bytes of a [`VerdictKey`].
pub const VERDICT_KEY_LEN: usize = 24;

/// For which other samples of the same bytes an outcome holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// For none: another scan may say something else.
    Never,
    /// For those of the same name.
    SameName,
    /// For those whose names the signatures cannot tell from this one, under
    /// their own name (see [`renamed`]).
    SameClass,
}

/// What stands for a sample where outcomes are looked up: a part of a SHA-256
/// digest, so that nobody can make two samples of one key. Keys are of one
/// signature set and one [`ScanLimits`](crate::ScanLimits).
pub type VerdictKey = [u8; VERDICT_KEY_LEN];

/// The keys of a sample that cost next to nothing. The third, by the class of
/// its name, does not: [`Scanner::class_key`](crate::Scanner::class_key).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerdictKeys {
    /// Equal for samples of the same bytes.
    pub by_content: VerdictKey,
    /// Equal for samples of the same bytes and the same name.
    pub by_name: VerdictKey,
}

impl VerdictKeys {
    pub(crate) fn of(sha256: &[u8; 32], file_name: &str) -> Self {
        Self {
            by_content: key(&[b"bytes", sha256, &[]]),
            by_name: key(&[b"name ", sha256, file_name.as_bytes()]),
        }
    }
}

/// Returns the key that is equal for samples of the same bytes with names of one
/// class.
pub(crate) fn class_key(sha256: &[u8; 32], class: &NameClass) -> VerdictKey {
    key(&[b"class", sha256, class])
}

/// All parts but the last have a fixed length.
fn key(parts: &[&[u8]; 3]) -> VerdictKey {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut key = [0; VERDICT_KEY_LEN];
    key.copy_from_slice(&digest[..VERDICT_KEY_LEN]);
    key
}

/// What happened in a scan that the outcome does not tell.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trace {
    /// Something in the sample was scanned as a file of its own.
    pub(crate) has_members: bool,
    /// Something went wrong that another time may go well.
    pub(crate) is_chance: bool,
}

/// Tells for which other samples an outcome holds.
pub(crate) fn reuse_of(outcome: &Outcome, trace: Trace) -> Reuse {
    let stable = |reason| match reason {
        IncompleteReason::Encrypted
        | IncompleteReason::Unsupported
        | IncompleteReason::Corrupt
        | IncompleteReason::Truncated => true,
        // Time and memory are not the same in the next scan.
        IncompleteReason::Limit | IncompleteReason::Timeout | IncompleteReason::Unreadable => false,
    };
    if trace.is_chance || !outcome.incomplete.iter().all(|gap| stable(gap.reason)) {
        Reuse::Never
    } else if trace.has_members || names_its_path(outcome) {
        Reuse::SameName
    } else {
        Reuse::SameClass
    }
}

/// Tells whether the path is anywhere but where [`renamed`] replaces it.
fn names_its_path(outcome: &Outcome) -> bool {
    let path = &outcome.sample.path;
    let in_finding = outcome.findings.iter().any(|finding| {
        let strings = finding.matches.iter().flat_map(|found| &found.strings);
        finding.file.path != *path
            || finding.parent.is_some()
            || strings
                .into_iter()
                .any(|string| string.field == MatchField::Path)
    });
    let in_gap = outcome
        .incomplete
        .iter()
        .any(|gap| gap.path != *path || gap.description.contains(path.as_str()));
    in_finding || in_gap
}

/// Gives an outcome that holds for a class of names another name of it.
#[must_use]
pub fn renamed(mut outcome: Outcome, file_name: &str) -> Outcome {
    if outcome.sample.path == file_name {
        return outcome;
    }
    let extension = name_extension(file_name);
    let files = outcome.findings.iter_mut().map(|finding| &mut finding.file);
    for facts in std::iter::once(&mut outcome.sample).chain(files) {
        facts.path = file_name.to_owned();
        facts.extension.clone_from(&extension);
    }
    for gap in &mut outcome.incomplete {
        gap.path = file_name.to_owned();
    }
    outcome
}
