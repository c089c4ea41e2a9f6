//! `squall signatures check`: every problem, as a compiler tells it.

use clap::ArgMatches;
use serde::Serialize;
use squall_engine::{Problem, Severity, SignatureSet};

use super::{Ended, JSON, print_json, selection, unread, visible};
use crate::banner;
use crate::signatures::{self, Read};

/// The answer in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    figures: Figures<'a>,
    problems: Vec<Shown<'a>>,
    errors: Vec<String>,
}

/// The figures of a set, as all commands show them.
#[derive(Serialize)]
pub(super) struct Figures<'a> {
    version: &'a str,
    engine: &'a str,
    rules: u64,
    iocs: u64,
    skipped: u64,
}

impl<'a> Figures<'a> {
    pub(super) fn of(set: &'a SignatureSet) -> Self {
        let summary = set.summary();
        Self {
            version: &summary.version,
            engine: &summary.engine,
            rules: summary.rules,
            iocs: summary.iocs,
            skipped: summary.skipped,
        }
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    file: &'a str,
    line: Option<u32>,
    column: Option<u32>,
    rule: Option<&'a str>,
    severity: &'static str,
    reason: &'a str,
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<Ended> {
    let selection = selection(matches)?;
    let is_json = matches.get_flag(JSON);
    let (read, failed) = match selection.read() {
        Ok(read) => (read, None),
        // Who reads JSON finds the reason in it.
        Err(error) if is_json => (Read::default(), Some(error)),
        Err(error) => return Err(error),
    };
    let mut errors = unread(&read);
    let set = signatures::compile(&read.files, selection.options())?;
    // Told when the problems are, which may be the reason.
    let failed = failed.or_else(|| set.self_test().err().map(anyhow::Error::from));
    errors.extend(failed.iter().map(|error| format!("{error:#}")));
    let summary = set.summary();
    if is_json {
        print_json(&Answer {
            figures: Figures::of(&set),
            problems: set.problems().iter().map(shown).collect(),
            errors: errors.clone(),
        })?;
    } else {
        for problem in set.problems() {
            let severity = severity(problem);
            banner::print(&format!("{severity}: {}", visible(&problem.to_string())));
        }
        banner::print(&format!(
            "{} rules and {} IOCs active, {} skipped, {} warnings",
            summary.rules,
            summary.iocs,
            summary.skipped,
            set.problems().len() as u64 - summary.skipped,
        ));
    }
    if let Some(error) = failed {
        return Err(error);
    }
    Ok(if !errors.is_empty() {
        Ended::Incomplete
    } else if summary.skipped > 0 {
        Ended::Found
    } else {
        Ended::Clean
    })
}

fn shown(problem: &Problem) -> Shown<'_> {
    Shown {
        file: &problem.file,
        line: problem.line,
        column: problem.column,
        rule: problem.rule.as_deref(),
        severity: severity(problem),
        reason: &problem.reason,
    }
}

fn severity(problem: &Problem) -> &'static str {
    match problem.severity {
        Severity::Skipped => "error",
        Severity::Warning => "warning",
    }
}
