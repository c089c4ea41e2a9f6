//! `squall signatures …`: what an author of signatures asks, answered by the
//! code that the service runs.

mod check;
mod compile;
mod list;
mod trial;
mod update;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Arg, ArgAction, ArgMatches, Command, builder::PathBufValueParser, value_parser};
use serde::Serialize;

use super::timing::SLOW_RULE_MICROSECONDS;
use super::{Read, Selection};
use crate::{banner, config};

const DIRS: &str = "DIR";
const JSON: &str = "json";
const OUTPUT: &str = "output";
const SAMPLES: &str = "samples";
const SLOW_RULE: &str = "slow-rule";
const FROM: &str = "from";

/// Settings that say which signatures are meant where no directory is named.
const SETTINGS: [&str; 8] = [
    config::TEMPLATE,
    "signatures",
    "custom-signatures",
    "signature-sources",
    "signature-public-key",
    "signature-cache-dir",
    "pure-yara",
    "data-dir",
];

/// How a command ended, for its exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// Nothing to say: 0.
    Clean,
    /// Something was found: 1.
    Found,
    /// Something could not be looked at: 2.
    Incomplete,
}

/// Returns the command line.
pub(crate) fn command() -> Command {
    Command::new("signatures")
        .about("Check, list, try out and pack signatures")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            reading("check", "Say what is wrong with signatures, with file, line, column and reason")
                .after_help("Exit status: 0 every signature is active, 1 some are not, 2 something could not be read."),
        )
        .subcommand(reading("list", "List sets and rules with score, tags and origin").after_help(
            "Exit status: 0, or 2 if something could not be read.",
        ))
        .subcommand(
            reading("test", "Say what would match in samples, and which rules cost most time")
                .mut_arg(DIRS, |dirs| {
                    dirs.help("Directories, files or bundles of signatures; without any, those of the settings. Without --samples, all but the first are samples")
                })
                .arg(
                    paths_arg(SAMPLES)
                        .long(SAMPLES)
                        .value_name("PATH")
                        .num_args(1..)
                        .help("Files, or directories of files, to scan"),
                )
                .arg(
                    Arg::new(SLOW_RULE)
                        .long(SLOW_RULE)
                        .value_name("MICROSECONDS")
                        .value_parser(value_parser!(u64).range(1..))
                        .help(format!("Warn of rules that add more than this to the scan of a sample, on average [default: {SLOW_RULE_MICROSECONDS}]")),
                )
                .after_help("Exit status: 0 nothing matches, 1 something does, 2 something could not be read or scanned completely."),
        )
        .subcommand(
            reading("compile", "Check signatures and pack them into one file, a bundle")
                .arg(
                    paths_arg(OUTPUT)
                        .short('o')
                        .long(OUTPUT)
                        .value_name("FILE")
                        .required(true)
                        .help("The bundle to write; `--signatures FILE` loads it"),
                )
                .after_help("Exit status: 0 written, 1 written but some signatures are not active, 2 not written."),
        )
        .subcommand(update_command())
}

/// `update`: the only command that changes something, and the only one that
/// takes no directories.
fn update_command() -> Command {
    Command::new("update")
        .about("Fetch signatures from the configured sources, test them and put them in force")
        .arg(
            paths_arg(FROM)
                .long(FROM)
                .value_name("FILE")
                .help("Take this bundle or directory, without asking the sources; it is used beside what they brought, until another is taken"),
        )
        .arg(json_arg())
        .args(config::args_of(&SETTINGS))
        .args(config::args_of(&["audit-log", "run-as"]))
        .after_help("Exit status: 0 done or nothing new, 2 a source failed or is not fit. One that failed keeps what it brought before, and what \
others have is put in force; if anything new is not fit, nothing new is.")
}

/// Runs one of the commands; prints an error itself, because 1 has a meaning.
pub(crate) fn run(matches: &ArgMatches) -> ExitCode {
    let ended = match matches.subcommand() {
        Some(("check", arguments)) => check::run(arguments),
        Some(("list", arguments)) => list::run(arguments),
        Some(("test", arguments)) => trial::run(arguments),
        Some(("compile", arguments)) => compile::run(arguments),
        Some(("update", arguments)) => update::run(arguments),
        // clap demands one of the commands above.
        _ => Ok(Ended::Clean),
    };
    match ended {
        Ok(Ended::Clean) => ExitCode::SUCCESS,
        Ok(Ended::Found) => ExitCode::from(1),
        Ok(Ended::Incomplete) => ExitCode::from(2),
        Err(error) => {
            banner::error(&format!("{error:#}"));
            ExitCode::from(2)
        }
    }
}

/// A command that reads signatures and can answer in JSON.
fn reading(name: &'static str, about: &'static str) -> Command {
    Command::new(name)
        .about(about)
        .arg(paths_arg(DIRS).value_name("DIR").num_args(0..).help(
            "Directories, files or bundles of signatures; without any, those of the settings",
        ))
        .arg(json_arg())
        .args(config::args_of(&SETTINGS))
}

fn json_arg() -> Arg {
    Arg::new(JSON)
        .long(JSON)
        .action(ArgAction::SetTrue)
        .help("Answer in JSON")
}

fn paths_arg(name: &'static str) -> Arg {
    Arg::new(name).value_parser(PathBufValueParser::new())
}

fn paths(matches: &ArgMatches, name: &str) -> Vec<PathBuf> {
    matches
        .get_many::<PathBuf>(name)
        .map(|paths| paths.cloned().collect())
        .unwrap_or_default()
}

/// Returns the signatures that are meant: the directories named, else those of
/// the settings.
fn selection(matches: &ArgMatches) -> anyhow::Result<Selection> {
    selection_of(matches, paths(matches, DIRS))
}

fn selection_of(matches: &ArgMatches, named: Vec<PathBuf>) -> anyhow::Result<Selection> {
    let settings = config::load(matches, std::env::vars_os())?.settings;
    let configured = Selection::of(&settings);
    if named.is_empty() {
        return Ok(configured);
    }
    Ok(Selection {
        builtin: false,
        packaged: named,
        custom: Vec::new(),
        fetched: Vec::new(),
        own: None,
        pure_yara: configured.pure_yara,
    })
}

/// Says what could not be read, on standard error; returns it for JSON.
fn unread(read: &Read) -> Vec<String> {
    let all = read.missing();
    for line in &all {
        banner::error(&visible(line));
    }
    all
}

fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value).context("cannot write the answer")?;
    banner::print(&text);
    Ok(())
}

/// Makes text from outside harmless for a terminal.
pub(crate) fn visible(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
