//! `squall signatures test`: what would match, and what it costs.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::ArgMatches;
use serde::Serialize;
use squall_engine::{
    Cost, Costs, Sample, ScanLimits, Scanner, SignatureSet, Wanted, costs, digests,
};
use squall_types::{Outcome, Thresholds};
use walkdir::WalkDir;

use super::check::Figures;
use super::{
    DIRS, Ended, JSON, SAMPLES, SLOW_RULE, paths, print_json, selection_of, unread, visible,
};
use crate::banner;
use crate::signatures;
use crate::signatures::timing::{SLOW_RULE_MICROSECONDS, average};

/// The largest sample that is read.
const SAMPLE_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// How many samples the rules are timed with, and how many bytes they may have
/// together: every rule file scans all of them several times.
const TIMED_MAX: usize = 50;
const TIMED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How many of the most expensive rules are shown, besides in JSON.
const RULES_SHOWN: usize = 10;

/// A level for every match, however low it scores.
const EVERYTHING: Thresholds = Thresholds {
    notice: 1,
    warning: 60,
    alert: 81,
};

/// The answer in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    figures: Figures<'a>,
    samples: Vec<Scanned>,
    timed_samples: usize,
    base_microseconds: u64,
    files: Vec<Timed<'a>>,
    rules: Vec<Timed<'a>>,
    errors: Vec<String>,
}

#[derive(Serialize)]
struct Scanned {
    path: String,
    scan_microseconds: u64,
    score: u8,
    matches: Vec<Matched>,
    incomplete: Vec<String>,
}

#[derive(Serialize)]
struct Matched {
    file: String,
    name: String,
    description: String,
    score: i32,
    kind: String,
    tags: Vec<String>,
}

#[derive(Serialize)]
struct Timed<'a> {
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    microseconds: u64,
    /// Whether it adds more to the scan of a sample than a rule should.
    slow: bool,
}

/// What rules cost, and from what on that is much.
struct Measured {
    costs: Costs,
    samples: usize,
    slow_microseconds: u64,
}

impl Measured {
    fn is_slow(&self, cost: &Cost) -> bool {
        average(cost.time, self.samples) > self.slow_microseconds as f64
    }

    fn timed<'a>(&self, cost: &'a Cost) -> Timed<'a> {
        Timed {
            file: &cost.file,
            rule: cost.rule.as_deref(),
            microseconds: micros(cost.time),
            slow: cost.rule.is_some() && self.is_slow(cost),
        }
    }
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<Ended> {
    let (dirs, samples) = named(matches)?;
    let selection = selection_of(matches, dirs)?;
    let read = selection.read()?;
    let mut errors = unread(&read);
    let set = signatures::compile(&read.files, selection.options())?;
    let is_json = matches.get_flag(JSON);
    let mut scanned = Vec::new();
    let mut timed = Vec::new();
    let mut timed_bytes = 0;
    let mut scanner = Scanner::new(&set, limits());
    for path in sample_paths(&samples, &mut errors) {
        let content = match read_sample(&path) {
            Ok(content) => content,
            Err(error) => {
                errors.push(told(format!("{error:#}")));
                continue;
            }
        };
        let result = scan(&mut scanner, &path, &content);
        if !is_json {
            print_scanned(&result);
        }
        scanned.push(result);
        timed_bytes += content.len();
        if timed.len() < TIMED_MAX && (timed_bytes <= TIMED_BYTES_MAX || timed.is_empty()) {
            timed.push((path.display().to_string(), content));
        }
    }
    let slow = matches.get_one::<u64>(SLOW_RULE).copied();
    let slow_microseconds = slow.unwrap_or(SLOW_RULE_MICROSECONDS);
    let wanted = if is_json {
        Wanted::ALL
    } else {
        wanted(slow_microseconds, timed.len())
    };
    let measured = Measured {
        costs: measure(&read.files, &timed, wanted)?,
        samples: timed.len(),
        slow_microseconds,
    };
    let is_complete = errors.is_empty() && scanned.iter().all(|one| one.incomplete.is_empty());
    let is_found = scanned.iter().any(|one| !one.matches.is_empty());
    if is_json {
        print_answer(&set, scanned, &measured, errors)?;
    } else {
        print_costs(&measured);
    }
    Ok(match (is_complete, is_found) {
        (false, _) => Ended::Incomplete,
        (true, true) => Ended::Found,
        (true, false) => Ended::Clean,
    })
}

/// Returns which signatures and which samples are meant: without `--samples`, all
/// that is named but the first are samples.
fn named(matches: &ArgMatches) -> anyhow::Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let mut dirs = paths(matches, DIRS);
    let mut samples = paths(matches, SAMPLES);
    if samples.is_empty() {
        samples = dirs.split_off(dirs.len().min(1));
    }
    anyhow::ensure!(
        !samples.is_empty(),
        "there is no sample: name files to scan behind the signatures, or with --samples"
    );
    Ok((dirs, samples))
}

/// Which rules are to be timed where only the worst ones are shown.
fn wanted(slow_microseconds: u64, samples: usize) -> Wanted {
    let samples = u32::try_from(samples).unwrap_or(u32::MAX);
    Wanted {
        count: RULES_SHOWN,
        above: Duration::from_micros(slow_microseconds).saturating_mul(samples),
    }
}

fn limits() -> ScanLimits {
    ScanLimits {
        thresholds: EVERYTHING,
        ..ScanLimits::default()
    }
}

/// Returns the files that are meant; what cannot be listed is an error, and so is
/// a directory with nothing to scan.
fn sample_paths(named: &[PathBuf], errors: &mut Vec<String>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in named {
        let before = (found.len(), errors.len());
        for entry in WalkDir::new(path).sort_by_file_name() {
            match entry {
                // Named ones whatever they are: opening them says what is wrong.
                Ok(entry) if entry.file_type().is_file() => found.push(entry.into_path()),
                Ok(entry) if entry.depth() == 0 && !entry.file_type().is_dir() => {
                    found.push(entry.into_path());
                }
                Ok(_) => {}
                Err(error) => errors.push(told(error.to_string())),
            }
        }
        if (found.len(), errors.len()) == before {
            let path = path.display();
            errors.push(told(format!("there is no sample below `{path}`")));
        }
    }
    found
}

fn read_sample(path: &Path) -> anyhow::Result<Vec<u8>> {
    let read = || -> anyhow::Result<Vec<u8>> {
        // Opening a pipe would wait for somebody to write into it.
        anyhow::ensure!(fs::metadata(path)?.is_file(), "it is not a file");
        let mut content = Vec::new();
        let limit = SAMPLE_BYTES_MAX + 1;
        File::open(path)?.take(limit).read_to_end(&mut content)?;
        anyhow::ensure!(
            content.len() as u64 <= SAMPLE_BYTES_MAX,
            "it is larger than {SAMPLE_BYTES_MAX} bytes"
        );
        Ok(content)
    };
    read().with_context(|| format!("cannot read sample `{}`", path.display()))
}

fn told(error: String) -> String {
    banner::error(&visible(&error));
    error
}

fn scan(scanner: &mut Scanner<'_>, path: &Path, content: &[u8]) -> Scanned {
    let file_name = path.display().to_string();
    let begun = Instant::now();
    let outcome = scanner.scan(&Sample {
        content,
        file_name: &file_name,
        digests: digests(content),
    });
    let scan_microseconds = micros(begun.elapsed());
    let Outcome {
        findings,
        incomplete,
        ..
    } = outcome;
    let score = findings.iter().map(|finding| finding.score.value());
    Scanned {
        scan_microseconds,
        score: score.max().unwrap_or(0),
        matches: findings
            .iter()
            .flat_map(|finding| {
                finding.matches.iter().map(|found| Matched {
                    file: finding.file.path.clone(),
                    name: found.rule_name.clone(),
                    description: found.description.clone(),
                    score: found.subscore,
                    kind: found.kind.name().to_owned(),
                    tags: found.tags.clone(),
                })
            })
            .collect(),
        incomplete: incomplete
            .into_iter()
            .map(|one| format!("{}: {}", one.path, one.description))
            .collect(),
        path: file_name,
    }
}

/// Measures with the samples that were kept for it.
fn measure(
    files: &[squall_engine::SourceFile],
    samples: &[(String, Vec<u8>)],
    wanted: Wanted,
) -> anyhow::Result<Costs> {
    if samples.is_empty() {
        return Ok(Costs::default());
    }
    let samples: Vec<_> = samples
        .iter()
        .map(|(name, content)| Sample {
            content,
            file_name: name,
            digests: digests(content),
        })
        .collect();
    let bar = signatures::progress_bar(files.len()).with_message("timing rules");
    let costs = costs(files, &samples, wanted, |done| {
        bar.set_position(done as u64)
    });
    bar.finish_and_clear();
    costs.context("cannot time the rules")
}

fn print_scanned(one: &Scanned) {
    let mut text = format!(
        "{}: score {}, {} µs\n",
        visible(&one.path),
        one.score,
        one.scan_microseconds
    );
    for found in &one.matches {
        let name = if found.name.is_empty() {
            &found.description
        } else {
            &found.name
        };
        text.push_str(&format!(
            "  {:>4}  {}  {}  [{}]\n",
            found.score,
            found.kind,
            visible(name),
            visible(&found.tags.join(" "))
        ));
    }
    for missed in &one.incomplete {
        text.push_str(&format!("  not scanned completely: {}\n", visible(missed)));
    }
    banner::print(&text);
}

fn print_costs(measured: &Measured) {
    let Measured {
        costs,
        samples,
        slow_microseconds,
    } = measured;
    let mut text = format!(
        "\nTime over {samples} samples; without any rule {} µs. The most expensive rules, each alone:\n",
        micros(costs.base)
    );
    for cost in costs.rules.iter().take(RULES_SHOWN) {
        text.push_str(&format!(
            "{:>10} µs  {}  {}\n",
            micros(cost.time),
            cost.rule.as_deref().unwrap_or_default(),
            visible(&cost.file)
        ));
    }
    text.push_str("The most expensive files:\n");
    for cost in costs.files.iter().take(RULES_SHOWN) {
        text.push_str(&format!(
            "{:>10} µs  {}\n",
            micros(cost.time),
            visible(&cost.file)
        ));
    }
    banner::print(&text);
    for cost in costs.rules.iter().filter(|cost| measured.is_slow(cost)) {
        banner::aside(&format!(
            "warning: rule {} in `{}` adds more than {slow_microseconds} µs to the scan of a sample\n",
            cost.rule.as_deref().unwrap_or_default(),
            visible(&cost.file)
        ));
    }
}

fn print_answer(
    set: &SignatureSet,
    samples: Vec<Scanned>,
    measured: &Measured,
    errors: Vec<String>,
) -> anyhow::Result<()> {
    let costs = &measured.costs;
    let timed = |cost| measured.timed(cost);
    print_json(&Answer {
        figures: Figures::of(set),
        samples,
        timed_samples: measured.samples,
        base_microseconds: micros(costs.base),
        files: costs.files.iter().map(timed).collect(),
        rules: costs.rules.iter().map(timed).collect(),
        errors,
    })
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named_by(arguments: &[&str]) -> Option<(Vec<PathBuf>, Vec<PathBuf>)> {
        let command = super::super::command();
        let all = ["signatures", "test"].iter().chain(arguments);
        let matches = command.try_get_matches_from(all).expect("arguments");
        let (_, matches) = matches.subcommand().expect("`test`");
        named(matches).ok()
    }

    #[test]
    fn samples_are_named_behind_the_signatures_or_with_their_flag() {
        let paths = |names: &[&str]| -> Vec<PathBuf> { names.iter().map(PathBuf::from).collect() };
        for (arguments, dirs, samples) in [
            (&["r", "s"][..], &["r"][..], &["s"][..]),
            (&["r", "s", "t"], &["r"], &["s", "t"]),
            (&["r", "--samples", "s", "t"], &["r"], &["s", "t"]),
            (&["q", "r", "--samples", "s"], &["q", "r"], &["s"]),
            (&["--samples", "s"], &[], &["s"]),
        ] {
            let expected = Some((paths(dirs), paths(samples)));
            assert_eq!(named_by(arguments), expected, "{arguments:?}");
        }
        for arguments in [&[][..], &["r"], &["--slow-rule", "9"]] {
            assert_eq!(named_by(arguments), None, "{arguments:?}");
        }
    }
}
