//! What every form reports of a scan: an event for each finding, and one for
//! each file that could not be scanned completely.

use std::{borrow::Cow, collections::HashMap, fmt::Write as _};

use squall_types::{
    FileFacts, Finding, Incomplete, IncompleteReason, Level, Match, Report, Score, Submission,
};

use crate::{limits, visible};

/// The part of the scanner that reports.
pub(crate) const MODULE: &str = "Filescan";

/// The message of an event that says only that a file was not scanned completely.
pub(crate) const INCOMPLETE_MESSAGE: &str = "File not scanned completely";

/// Returns the message of every finding of a level.
pub(crate) const fn message(level: Level) -> &'static str {
    match level {
        Level::Alert => "Malware file found",
        Level::Warning => "Possibly Dangerous file found",
        Level::Notice => "Noteworthy file found",
    }
}

/// Returns the id of the event with that index among the events of a sample.
///
/// It is made of the submission's nonce, sixteen characters of the URL-safe
/// base64 alphabet, and the index, so that a scan that is repeated after a
/// crash repeats the ids.
#[must_use]
pub fn event_id(submission: &Submission, index: usize) -> String {
    let mut id = visible::base64_url(&submission.nonce);
    // Writing to a string cannot fail.
    let _ = write!(id, "-{index}");
    id
}

/// One thing that a scan reports: a line of a log, an element of a v1 answer.
pub(crate) struct Event<'r> {
    pub(crate) level: Level,
    pub(crate) score: Score,
    pub(crate) message: &'static str,
    pub(crate) file: File<'r>,
    pub(crate) parent: Option<&'r FileFacts>,
    /// All matches, highest sub-score first.
    pub(crate) matches: Vec<&'r Match>,
    /// What could not be looked at.
    pub(crate) gaps: Vec<Gap<'r>>,
}

/// The file of an event. Of a member that could not be read only the path is
/// known.
#[derive(Clone, Copy)]
pub(crate) struct File<'r> {
    pub(crate) path: &'r str,
    pub(crate) facts: Option<&'r FileFacts>,
}

/// A part of a file that could not be looked at.
#[derive(Clone, PartialEq)]
pub(crate) struct Gap<'r> {
    pub(crate) category: &'static str,
    pub(crate) description: Cow<'r, str>,
}

/// A file with gaps.
pub(crate) struct IncompleteFile<'r> {
    pub(crate) file: File<'r>,
    pub(crate) parent: Option<&'r FileFacts>,
    pub(crate) gaps: Vec<Gap<'r>>,
}

/// Returns the events of a scan: the findings, each with the gaps of its file,
/// then the other files with gaps. A clean scan has none.
pub(crate) fn events(report: &Report) -> Vec<Event<'_>> {
    let mut events: Vec<_> = report.outcome.findings.iter().map(finding_event).collect();
    let mut by_path = HashMap::new();
    for (index, event) in events.iter().enumerate() {
        by_path.entry(event.file.path).or_insert(index);
    }
    for incomplete in incomplete_files(report) {
        match by_path.get(incomplete.file.path) {
            Some(&index) => events[index].gaps.extend(incomplete.gaps),
            None => events.push(incomplete_event(incomplete)),
        }
    }
    events
}

/// Returns the matches of a finding, highest sub-score first; equal ones keep
/// their order.
pub(crate) fn matches(finding: &Finding) -> Vec<&Match> {
    let mut matches: Vec<_> = finding.matches.iter().collect();
    matches.sort_by_key(|found| std::cmp::Reverse(found.subscore));
    matches
}

/// Returns the files with gaps, each once, in the order they were reported.
pub(crate) fn incomplete_files(report: &Report) -> Vec<IncompleteFile<'_>> {
    let mut files: Vec<IncompleteFile<'_>> = Vec::new();
    let mut by_path = HashMap::new();
    let mut left_out = 0_usize;
    let facts = known_files(report);
    for incomplete in &report.outcome.incomplete {
        let path = incomplete.path.as_str();
        if let Some(&index) = by_path.get(path) {
            let file: &mut IncompleteFile<'_> = &mut files[index];
            add_gap(&mut file.gaps, Gap::of(incomplete));
        } else if files.len() < limits::INCOMPLETE_FILES_MAX {
            by_path.insert(path, files.len());
            files.push(IncompleteFile {
                file: File {
                    path,
                    facts: facts.get(path).copied(),
                },
                parent: parent_path(path).and_then(|parent| facts.get(parent).copied()),
                gaps: vec![Gap::of(incomplete)],
            });
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        let sample = &report.outcome.sample;
        let gap = Gap::left_out(left_out);
        match by_path.get(sample.path.as_str()) {
            Some(&index) => files[index].gaps.push(gap),
            None => files.push(IncompleteFile {
                file: File::known(sample),
                parent: None,
                gaps: vec![gap],
            }),
        }
    }
    files
}

impl<'r> File<'r> {
    fn known(facts: &'r FileFacts) -> Self {
        Self {
            path: &facts.path,
            facts: Some(facts),
        }
    }

    /// Returns the extension: as recorded, else as the path shows it.
    pub(crate) fn extension(&self) -> String {
        match self.facts {
            Some(facts) => facts.extension.clone(),
            None => extension_of(self.path),
        }
    }

    /// Returns what the content is, `UNKNOWN` when it could not be read.
    pub(crate) fn file_type(&self) -> &'r str {
        match self.facts {
            Some(facts) if !facts.file_type.is_empty() => &facts.file_type,
            _ => "UNKNOWN",
        }
    }

    /// Returns the size in bytes, 0 when it is not known.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.facts.map_or(0, |facts| facts.size_bytes)
    }
}

impl<'r> Gap<'r> {
    fn of(incomplete: &'r Incomplete) -> Self {
        let description = if incomplete.description.is_empty() {
            reason_in_words(incomplete.reason)
        } else {
            &incomplete.description
        };
        Self {
            category: incomplete.reason.category(),
            description: Cow::Borrowed(description),
        }
    }

    fn left_out(count: usize) -> Self {
        Self {
            category: IncompleteReason::Limit.category(),
            description: Cow::Owned(format!(
                "{count} more reports of files that were not scanned completely are not shown"
            )),
        }
    }
}

fn finding_event(finding: &Finding) -> Event<'_> {
    Event {
        level: finding.level,
        score: finding.score,
        message: message(finding.level),
        file: File::known(&finding.file),
        parent: finding.parent.as_ref(),
        matches: matches(finding),
        gaps: Vec::new(),
    }
}

fn incomplete_event(incomplete: IncompleteFile<'_>) -> Event<'_> {
    Event {
        level: Level::Notice,
        score: Score::default(),
        message: INCOMPLETE_MESSAGE,
        file: incomplete.file,
        parent: incomplete.parent,
        matches: Vec::new(),
        gaps: incomplete.gaps,
    }
}

/// Adds a gap unless it is there already or the file has very many.
fn add_gap<'r>(gaps: &mut Vec<Gap<'r>>, gap: Gap<'r>) {
    if gaps.len() < limits::REASONS_MAX && !gaps.contains(&gap) {
        gaps.push(gap);
    }
}

/// Returns the facts of every file that the report knows, by path.
fn known_files(report: &Report) -> HashMap<&str, &FileFacts> {
    let mut known = HashMap::new();
    let outcome = &report.outcome;
    let found = outcome
        .findings
        .iter()
        .flat_map(|finding| std::iter::once(&finding.file).chain(&finding.parent));
    for facts in std::iter::once(&outcome.sample).chain(found) {
        known.entry(facts.path.as_str()).or_insert(facts);
    }
    known
}

/// Returns the path of the archive that a member's path names.
fn parent_path(path: &str) -> Option<&str> {
    path.rsplit_once('|').map(|(parent, _)| parent)
}

/// Returns the extension that a path shows, lower case, with the dot.
fn extension_of(path: &str) -> String {
    let name = path.rsplit(['/', '\\', '|']).next().unwrap_or(path);
    match name.rfind('.') {
        Some(dot) if dot > 0 && dot + 1 < name.len() => name[dot..].to_lowercase(),
        _ => String::new(),
    }
}

const fn reason_in_words(reason: IncompleteReason) -> &'static str {
    match reason {
        IncompleteReason::Truncated => "only a part of the file was looked at",
        IncompleteReason::Encrypted => "the file is encrypted",
        IncompleteReason::Limit => "a limit was reached",
        IncompleteReason::Corrupt => "the file is damaged",
        IncompleteReason::Timeout => "the time limit was reached",
        IncompleteReason::Unsupported => "the file's format cannot be opened",
        IncompleteReason::Unreadable => "the file cannot be read",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_is_the_nonce_and_the_index() {
        let submission = Submission {
            nonce: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
            ..Submission::default()
        };
        assert_eq!(event_id(&submission, 7), "AAECAwQFBgcICQoL-7");
        let submission = Submission {
            nonce: [0xff; 12],
            ..Submission::default()
        };
        assert_eq!(event_id(&submission, 0), "________________-0");
    }

    #[test]
    fn the_extension_of_a_path_is_that_of_its_last_name() {
        assert_eq!(extension_of("C:\\a.b\\X.EXE"), ".exe");
        assert_eq!(extension_of("a.zip|inner/x.Js"), ".js");
        assert_eq!(extension_of("a.zip|inner"), "");
        assert_eq!(extension_of("/home/.profile"), "");
        assert_eq!(extension_of("odd."), "");
        assert_eq!(extension_of(""), "");
    }
}
