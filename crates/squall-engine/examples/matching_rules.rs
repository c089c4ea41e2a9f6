//! Says which rules match which files, for comparison with another scanner.
//!
//!     matching_rules SIGNATURES... < LIST-OF-PATHS > ANSWERS
//!
//! Compiles the rules of the directories and scans every file named on standard
//! input, one path a line, each as it is and closed: archives are not opened.
//! Prints one JSON object a line: `{"path", "variables": {..}, "rules": [..],
//! "incomplete": [..]}`; `variables` are the external variables the rules saw,
//! `rules` the names of those that matched, sorted. What is wrong with the
//! rules goes to standard error.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its output")]

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::path::Path;
use std::time::Duration;

use squall_engine::{
    CompileOptions, Sample, ScanLimits, Scanner, Severity, SignatureSet, SourceFile, digests,
    read_directory,
};
use squall_types::{Outcome, SignatureOrigin, Thresholds};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let set = SignatureSet::compile(
        &sources()?,
        CompileOptions { pure_yara: true },
        |_progress| {},
    )?;
    for problem in set.problems() {
        if problem.severity == Severity::Skipped {
            eprintln!("{problem}");
        }
    }
    let limits = ScanLimits {
        time_max: Duration::from_secs(600),
        // Whatever its score is, a rule that matched is told.
        thresholds: Thresholds {
            notice: 0,
            ..Thresholds::default()
        },
        unpack: None,
    };
    let mut scanner = Scanner::new(&set, limits);
    for path in std::io::stdin().lock().lines() {
        let path = path?;
        let content = std::fs::read(&path)?;
        let outcome = scanner.scan(&Sample {
            content: &content,
            file_name: &path,
            digests: digests(&content),
        });
        println!("{}", answer(&path, &outcome));
    }
    Ok(())
}

fn sources() -> Result<Vec<SourceFile>, Failure> {
    let mut all = Vec::new();
    for directory in std::env::args_os().skip(1) {
        let (files, errors) = read_directory(Path::new(&directory), SignatureOrigin::Internal)?;
        all.extend(files);
        if let Some(error) = errors.into_iter().next() {
            return Err(error.into());
        }
    }
    Ok(all)
}

fn answer(path: &str, outcome: &Outcome) -> serde_json::Value {
    let mut rules: Vec<&str> = outcome
        .findings
        .iter()
        .flat_map(|finding| &finding.matches)
        .map(|found| found.rule_name.as_str())
        .collect();
    rules.sort_unstable();
    let incomplete: Vec<&str> = outcome
        .incomplete
        .iter()
        .map(|gap| gap.description.as_str())
        .collect();
    serde_json::json!({
        "path": path,
        "variables": variables(outcome),
        "rules": rules,
        "incomplete": incomplete,
    })
}

/// The external variables that differ from file to file and are not empty.
fn variables(outcome: &Outcome) -> BTreeMap<&'static str, String> {
    let sample = &outcome.sample;
    let (directory, base) = sample.path.rsplit_once('/').unwrap_or(("", &sample.path));
    let directory = if directory.is_empty() { "/" } else { directory };
    let md5 = sample
        .digests
        .md5
        .map(|byte| format!("{byte:02x}"))
        .concat();
    BTreeMap::from([
        ("filename", base.to_owned()),
        ("filepath", directory.to_owned()),
        ("extension", sample.extension.clone()),
        ("filetype", sample.file_type.clone()),
        ("md5", md5),
    ])
}
