//! What a scan did, for the person who ran it and for its exit status.

use std::fmt;
use std::time::Duration;

use indicatif::HumanBytes;
use jiff::Timestamp;
use squall_report::html;
use squall_types::Level;

use crate::counters::Counters;
use crate::worker::{Fate, Message};

/// What the outputs say of the run.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The name of this machine.
    pub host: String,
    /// The id of this run: `S-` and eleven of `[A-Za-z0-9_-]`.
    pub scan_id: String,
    /// The version of the program.
    pub version: String,
    /// The signatures in words.
    pub signatures: String,
    /// What of the signatures is missing, a line each.
    pub missing: Vec<String>,
}

/// How a scan ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Everything that was asked for was scanned completely, nothing was found.
    Clean,
    /// Something was found, whatever else happened.
    Findings,
    /// Nothing was found, but something was not scanned completely.
    Errors,
}

/// What a scan did.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// What the outputs say of the run.
    pub about: About,
    /// What was scanned.
    paths: Vec<String>,
    started_at_us: i64,
    ended_at_us: i64,
    elapsed: Duration,
    /// Files that went through the engine.
    scanned: u64,
    bytes: u64,
    /// Files by the level of their gravest finding.
    alerts: u64,
    warnings: u64,
    notices: u64,
    /// Findings: a file in an archive is one of its own.
    findings: u64,
    /// Files that were scanned but not completely.
    incomplete: u64,
    too_large: u64,
    failed: u64,
    /// Files that were passed to the scan threads and did not come back.
    lost: u64,
    /// Files and directories that were left out by what was asked for.
    not_selected: u64,
    skipped: Vec<(&'static str, u64)>,
    /// Whether it was asked to end.
    pub(crate) interrupted: bool,
    /// Whether a thread ended before its work did.
    pub(crate) broken: bool,
}

impl Summary {
    pub(crate) fn new(about: About, paths: Vec<String>, started_at_us: i64) -> Self {
        Self {
            about,
            paths,
            started_at_us,
            ..Self::default()
        }
    }

    /// Counts what a thread told.
    pub(crate) fn count(&mut self, message: &Message) {
        let outcome = &message.report.outcome;
        self.findings += outcome.findings.len() as u64;
        match outcome.findings.iter().map(|finding| finding.level).max() {
            Some(Level::Alert) => self.alerts += 1,
            Some(Level::Warning) => self.warnings += 1,
            Some(Level::Notice) => self.notices += 1,
            None => {}
        }
        match message.fate {
            Fate::Scanned if outcome.incomplete.is_empty() => {}
            Fate::Scanned => self.incomplete += 1,
            Fate::TooLarge => self.too_large += 1,
            Fate::Failed => self.failed += 1,
        }
    }

    /// Takes over what the threads counted.
    pub(crate) fn finish(&mut self, counters: &Counters, elapsed: Duration, ended_at_us: i64) {
        self.elapsed = elapsed;
        self.ended_at_us = ended_at_us;
        self.scanned = counters.scanned();
        self.bytes = counters.bytes();
        self.lost = counters.found().saturating_sub(counters.done());
        self.not_selected = counters.not_selected();
        self.skipped = counters.skipped();
    }

    /// Returns how the scan ended. Findings go before errors, so that no error
    /// hides them.
    #[must_use]
    pub fn ending(&self) -> Ending {
        if self.findings > 0 {
            Ending::Findings
        } else if self.is_complete() {
            Ending::Clean
        } else {
            Ending::Errors
        }
    }

    fn is_complete(&self) -> bool {
        self.files_not_scanned() == 0 && self.lost == 0 && !self.interrupted && !self.broken
    }

    /// How many files something was found in.
    pub(crate) fn files_with_findings(&self) -> u64 {
        self.alerts + self.warnings + self.notices
    }

    /// How many files were not scanned, or not completely.
    pub(crate) fn files_not_scanned(&self) -> u64 {
        self.incomplete + self.too_large + self.failed
    }

    /// Returns the same for the HTML report.
    pub(crate) fn page(&self) -> html::Summary {
        let count = |number, name, class| html::Count {
            number,
            name,
            class: if number > 0 { class } else { "" },
        };
        let counts = vec![
            count(self.scanned, "files scanned", ""),
            count(self.alerts, "with an Alert", "Alert"),
            count(self.warnings, "with a Warning", "Warning"),
            count(self.notices, "with a Notice", "Notice"),
            count(self.findings, "findings in all", ""),
            count(self.incomplete, "not scanned completely", "Gap"),
            count(self.too_large, "too large", "Gap"),
            count(self.failed, "could not be read", "Gap"),
        ];
        let about = &self.about;
        let mut facts = vec![
            html::Fact::new("Host", about.host.as_str()),
            html::Fact::new("Paths", self.paths.join(", ")),
            html::Fact::new("Begun", time(self.started_at_us)),
            html::Fact::new("Ended", time(self.ended_at_us)),
            html::Fact::new("Scanned", self.volume()),
            html::Fact::new("Signatures", about.signatures.as_str()),
            html::Fact::new("Scan id", about.scan_id.as_str()),
        ];
        if !self.skipped.is_empty() {
            facts.insert(5, html::Fact::new("Passed over", self.passed_over()));
        }
        html::Summary {
            host: about.host.clone(),
            counts,
            facts,
            notes: self.notes(),
            complete: self.is_complete(),
            version: about.version.clone(),
        }
    }

    /// What must not be overlooked.
    fn notes(&self) -> Vec<String> {
        let missing = self.about.missing.iter();
        let mut notes: Vec<_> = missing
            .map(|line| format!("signatures are missing: {line}"))
            .collect();
        if self.interrupted {
            notes.push("the scan was stopped before it was complete".to_owned());
        }
        if self.broken || (self.lost > 0 && !self.interrupted) {
            notes.push(format!(
                "the scan broke down: {} files were found but not scanned",
                self.lost
            ));
        }
        if self.scanned == 0 && self.not_selected > 0 {
            notes.push(format!(
                "no file was scanned: --include, --exclude and --max-age left out {} files and directories",
                self.not_selected
            ));
        } else if self.scanned == 0 && self.is_complete() {
            notes.push("no file was scanned".to_owned());
        }
        notes
    }

    fn passed_over(&self) -> String {
        let listed: Vec<String> = self
            .skipped
            .iter()
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
        listed.join(", ")
    }

    fn volume(&self) -> String {
        let seconds = self.elapsed.as_secs_f64();
        format!(
            "{} files, {} in {seconds:.1} s ({:.0} files/s)",
            self.scanned,
            HumanBytes(self.bytes),
            // The number is shown without a fraction.
            self.scanned as f64 / seconds.max(0.001)
        )
    }
}

/// A few lines for a terminal.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "scanned {}", self.volume())?;
        writeln!(
            f,
            "findings: {} files ({} Alert, {} Warning, {} Notice), {} findings",
            self.files_with_findings(),
            self.alerts,
            self.warnings,
            self.notices,
            self.findings
        )?;
        if self.files_not_scanned() > 0 {
            writeln!(
                f,
                "not scanned: {} files ({} not completely, {} too large, {} could not be read)",
                self.files_not_scanned(),
                self.incomplete,
                self.too_large,
                self.failed
            )?;
        }
        if !self.skipped.is_empty() {
            writeln!(f, "passed over: {}", self.passed_over())?;
        }
        for note in self.notes() {
            writeln!(f, "note: {note}")?;
        }
        Ok(())
    }
}

/// Returns a time as RFC 3339 in UTC.
fn time(time_us: i64) -> String {
    Timestamp::from_microsecond(time_us)
        .map_or_else(|_| "unknown".to_owned(), |time| format!("{time:.0}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_signatures_are_among_the_notes() {
        let mut summary = Summary::default();
        assert!(!summary.to_string().contains("missing"));
        summary.about.missing.push("cannot read `a.yar`".to_owned());
        let note = "signatures are missing: cannot read `a.yar`";
        assert!(summary.to_string().contains(&format!("note: {note}\n")));
        assert_eq!(summary.page().notes[0], note);
    }

    #[test]
    fn findings_go_before_errors_and_nothing_unscanned_is_clean() {
        let clean = Summary::default();
        assert_eq!(clean.ending(), Ending::Clean);
        let found = Summary {
            findings: 1,
            failed: 1,
            interrupted: true,
            ..Summary::default()
        };
        assert_eq!(found.ending(), Ending::Findings);
        for summary in [
            Summary {
                incomplete: 1,
                ..Summary::default()
            },
            Summary {
                too_large: 1,
                ..Summary::default()
            },
            Summary {
                failed: 1,
                ..Summary::default()
            },
            Summary {
                lost: 1,
                ..Summary::default()
            },
            Summary {
                interrupted: true,
                ..Summary::default()
            },
            Summary {
                broken: true,
                ..Summary::default()
            },
        ] {
            assert_eq!(summary.ending(), Ending::Errors, "{summary:?}");
            assert!(!summary.page().complete);
        }
    }

    #[test]
    fn a_selection_that_leaves_nothing_is_told_of() {
        let nothing_there = Summary::default();
        assert_eq!(nothing_there.notes(), ["no file was scanned"]);
        let nothing_left = Summary {
            not_selected: 7,
            failed: 1,
            ..Summary::default()
        };
        let [note] = &nothing_left.notes()[..] else {
            panic!("{nothing_left}");
        };
        assert!(
            note.contains("--include") && note.contains("7 files"),
            "{note}"
        );
        let something_left = Summary {
            scanned: 1,
            ..nothing_left
        };
        assert!(something_left.notes().is_empty());
    }
}
