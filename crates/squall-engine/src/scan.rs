//! Scanning one sample with a compiled set.

use std::time::Duration;

use squall_types::{
    Digests, FileFacts, Finding, FirstBytes, Incomplete, IncompleteReason, Match, Outcome,
    Thresholds, total_score,
};
use yara_x::{ScanError, ScanResults};

use crate::name::Name;
use crate::set::SignatureSet;
use crate::{file_type, matching, meta};

/// A sample to scan.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// The bytes.
    pub content: &'a [u8],
    /// The name on the sender, normally an absolute path.
    pub file_name: &'a str,
    /// Digests of the bytes.
    pub digests: Digests,
}

/// What a scan may cost and from which score it reports.
#[derive(Clone, Copy, Debug)]
pub struct ScanLimits {
    /// The longest time for one sample. The engine counts in seconds: a scan
    /// ends within about one second of it.
    pub time_max: Duration,
    /// The lowest score of each level.
    pub thresholds: Thresholds,
}

impl Default for ScanLimits {
    fn default() -> Self {
        Self {
            time_max: Duration::from_secs(120),
            thresholds: Thresholds::default(),
        }
    }
}

/// The most matches reported of one file; the highest sub-scores are kept.
const MATCHES_MAX: usize = 100;

/// Scans samples with one signature set, one at a time.
///
/// Belongs to one thread and is reused: making one costs more than a small
/// scan does.
pub struct Scanner<'set> {
    set: &'set SignatureSet,
    scanner: yara_x::Scanner<'set>,
    limits: ScanLimits,
}

impl<'set> Scanner<'set> {
    /// Makes a scanner for `set`.
    #[must_use]
    pub fn new(set: &'set SignatureSet, limits: ScanLimits) -> Self {
        let mut scanner = yara_x::Scanner::new(set.rules());
        scanner.set_timeout(limits.time_max);
        Self {
            set,
            scanner,
            limits,
        }
    }

    /// Scans a sample.
    ///
    /// What could not be looked at is in the outcome; the scanner can be used
    /// again whatever happened.
    pub fn scan(&mut self, sample: &Sample<'_>) -> Outcome {
        let facts = facts(sample);
        self.set_variables(sample, &facts);
        let mut outcome = Outcome {
            sample: facts,
            ..Outcome::default()
        };
        match self.scanner.scan(sample.content) {
            Ok(results) => {
                let matches = matches(self.set, &results, sample.content);
                outcome
                    .findings
                    .extend(finding(&outcome.sample, matches, &self.limits.thresholds));
            }
            Err(error) => outcome
                .incomplete
                .push(incomplete(&error, sample, &self.limits)),
        }
        outcome
    }

    /// Sets every external variable, so that nothing of the sample before is
    /// left in one.
    fn set_variables(&mut self, sample: &Sample<'_>, facts: &FileFacts) {
        let name = Name::of(sample.file_name);
        let md5 = hex(&sample.digests.md5);
        for (variable, value) in [
            ("filename", name.base),
            ("filepath", name.directory),
            ("extension", facts.extension.as_str()),
            ("filetype", facts.file_type.as_str()),
            ("md5", md5.as_str()),
        ] {
            // Each was defined as a string when the set was compiled, which is
            // all that can make this fail.
            let set = self.scanner.set_global(variable, value);
            debug_assert!(set.is_ok(), "variable `{variable}` is not defined");
        }
    }
}

fn facts(sample: &Sample<'_>) -> FileFacts {
    FileFacts {
        path: sample.file_name.to_owned(),
        extension: Name::of(sample.file_name).extension(),
        file_type: file_type::detect(sample.content).name().to_owned(),
        size_bytes: sample.content.len() as u64,
        digests: sample.digests,
        first_bytes: FirstBytes::of(sample.content),
        unpack_source: Vec::new(),
    }
}

fn matches(set: &SignatureSet, results: &ScanResults<'_, '_>, content: &[u8]) -> Vec<Match> {
    let mut matches: Vec<Match> = results
        .matching_rules()
        .filter(|rule| !meta::is_memory_rule(rule))
        .map(|rule| {
            let strings = matching::strings(&rule, content);
            meta::match_of(&rule, set.origin_of(rule.namespace()), strings)
        })
        .collect();
    // By name where the scores are equal, so that a repeated scan says the same.
    matches.sort_by(|a, b| {
        b.subscore
            .cmp(&a.subscore)
            .then_with(|| a.rule_name.cmp(&b.rule_name))
    });
    matches
}

fn finding(file: &FileFacts, mut matches: Vec<Match>, thresholds: &Thresholds) -> Option<Finding> {
    let subscores: Vec<i32> = matches.iter().map(|found| found.subscore).collect();
    let score = total_score(&subscores);
    let level = thresholds.level(score, &subscores)?;
    matches.truncate(MATCHES_MAX);
    Some(Finding {
        level,
        score,
        file: file.clone(),
        parent: None,
        matches,
    })
}

fn incomplete(error: &ScanError, sample: &Sample<'_>, limits: &ScanLimits) -> Incomplete {
    let (reason, description) = match error {
        ScanError::Timeout => (
            IncompleteReason::Timeout,
            format!(
                "the scan reached its time limit of {} s",
                limits.time_max.as_secs()
            ),
        ),
        other => (
            IncompleteReason::Corrupt,
            format!("the engine could not scan it: {other}"),
        ),
    };
    Incomplete {
        path: sample.file_name.to_owned(),
        reason,
        description,
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
