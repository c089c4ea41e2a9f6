//! `squall scan`: the files of this machine, without a server.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::builder::PathBufValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use squall_scan::{About, Ending, Job, OutputPaths, Outputs, Selection, SelectionOptions, Stop};

use crate::config::{self, Loaded, Settings};
use crate::shutdown::Signals;
use crate::signatures::cache::Cache;
use crate::signatures::command::visible;
use crate::{banner, logging, signatures, wiring};

/// The name of the command.
pub(crate) const NAME: &str = "scan";

/// The exit status when something was found.
const FINDINGS: u8 = 1;

/// The exit status of a scan that failed, or that could not look at everything.
pub(crate) const FAILURE: u8 = 2;

/// How many signature files that could not be read the report names.
const MISSING_SHOWN_MAX: usize = 10;

/// What `--help` ends with.
const AFTER_HELP: &str = "\
Exit status:
  0  everything that was asked for was scanned completely and nothing was found
  1  something was found (whatever else happened)
  2  nothing was found, but a file could not be read, was larger than --max-size
     or not scanned completely, or the scan was stopped; or the command failed.
     Each such file is listed in every output.

Globs: a pattern without a slash is matched with names (`*.php`), one with a slash
with absolute paths (`/var/lib/**`) or their ends (`www/*.php`). `./` and `../` at the
beginning mean the current directory and the one above. `*` matches no slash.

Pipes, sockets, devices, /proc, /sys and the like are passed over and counted.
Ctrl-C ends the scan after the files in hand, a second one at once; the outputs
hold what was found until then.";

/// Returns the command with all its flags.
pub(crate) fn command() -> Command {
    Command::new(NAME)
        .about("Scan files and directories of this machine without a server")
        .args(own_args())
        .args(config::scan_args())
        .after_help(AFTER_HELP)
}

fn own_args() -> Vec<Arg> {
    let paths = Arg::new("path")
        .value_name("PATH")
        .required(true)
        .num_args(1..)
        .value_parser(PathBufValueParser::new())
        .help("Files and directories to scan");
    let cpu_limit = Arg::new("cpu-limit")
        .long("cpu-limit")
        .value_name("PERCENT")
        .default_value("100")
        .value_parser(value_parser!(u8).range(1..=100))
        .help_heading("Scanning")
        .help("Share of one processor core that each scan thread takes");
    std::iter::once(paths)
        .chain(result_args())
        .chain(selection_args())
        .chain([cpu_limit])
        .collect()
}

fn result_args() -> [Arg; 4] {
    [
        (
            "text",
            "Write a line of text for each finding; `-` is standard output, and the default unless another result goes there",
        ),
        (
            "json",
            "Write a line of JSON for each finding, in the v3 log form",
        ),
        ("csv", "Write a row of CSV for each finding"),
        (
            "html",
            "Write a report as one self-contained HTML page",
        ),
    ]
    .map(|(name, help)| {
        Arg::new(name)
            .long(name)
            .value_name("FILE")
            .value_parser(PathBufValueParser::new())
            .help_heading("Results")
            .help(help)
    })
}

fn selection_args() -> [Arg; 6] {
    let glob = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("GLOB")
            .action(ArgAction::Append)
            .help(help)
    };
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .action(ArgAction::SetTrue)
            .help(help)
    };
    [
        glob("include", "Scan only files that match. Repeatable"),
        glob("exclude", "Leave out files and directories that match. Repeatable"),
        Arg::new("max-size")
            .long("max-size")
            .value_name("SIZE")
            .value_parser(config::size_bytes)
            .help("Largest file that is scanned; larger ones are listed as not scanned [default: max_file_size of the configuration, 200MB]"),
        Arg::new("max-age")
            .long("max-age")
            .value_name("DAYS")
            .value_parser(days)
            .help("Scan only files whose content was changed in the last DAYS, by the time of change that they bear"),
        switch(
            "follow-symlinks",
            "Follow symbolic links; each directory is entered once",
        ),
        switch("one-file-system", "Do not enter other file systems"),
    ]
    .map(|arg| arg.help_heading("Selection"))
}

/// Reads a number of days.
fn days(text: &str) -> Result<Duration, String> {
    const SECONDS: f64 = 86_400.0;
    text.parse()
        .ok()
        .filter(|days: &f64| *days > 0.0)
        .and_then(|days| Duration::try_from_secs_f64(days * SECONDS).ok())
        .ok_or_else(|| "expected a number of days above 0, such as 7 or 0.5".to_owned())
}

/// Scans what the command line names; returns the exit status.
///
/// # Errors
///
/// Fails if the signatures or the outputs cannot be used.
pub(crate) fn run(arguments: &ArgMatches, loaded: Loaded) -> anyhow::Result<ExitCode> {
    let mut settings = loaded.settings;
    let _ = logging::start(&settings.outputs.log_level);
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    if let Some(bytes) = arguments.get_one("max-size") {
        settings.limits.max_file_size_bytes = *bytes;
    }
    let selection = selection(arguments, &settings)?;
    let outputs = Outputs::open(
        &output_paths(arguments),
        settings.outputs.utc,
        settings.outputs.rfc3339,
    )?;
    let stop = Arc::new(Stop::default());
    let _runtime = listen_to_signals(Arc::clone(&stop))?;
    let chosen = signatures::Selection::of(&settings);
    let read = chosen.read()?;
    read.log();
    // A scan uses the cache of a service, but leaves no directory of its own behind.
    let cache_dir = Some(&settings.signatures.cache_dir).filter(|dir| dir.is_dir());
    let cache = cache_dir.and_then(|dir| Cache::open(dir));
    let set = signatures::make(&read.files, chosen.options(), cache.as_ref())?.set;
    signatures::log_problems(&set);
    let roots: Vec<PathBuf> = arguments
        .get_many("path")
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    let mut nonce = [0; 6];
    getrandom::fill(&mut nonce).context("cannot draw random bytes")?;
    let job = Job {
        about: About {
            host: host_name(),
            scan_id: wiring::new_scan_id()?,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            signatures: described(set.summary(), read.errors.len()),
            missing: missing(&read),
        },
        roots,
        selection,
        set: Arc::new(set),
        limits: wiring::scan_limits(&settings),
        threads: settings.workers.threads,
        cpu_percent: arguments.get_one("cpu-limit").copied().unwrap_or(100),
        nonce,
    };
    let summary = squall_scan::run(job, outputs, &stop)?;
    banner::aside(&summary.to_string());
    Ok(match summary.ending() {
        Ending::Clean => ExitCode::SUCCESS,
        Ending::Findings => FINDINGS.into(),
        Ending::Errors => FAILURE.into(),
    })
}

fn selection(arguments: &ArgMatches, settings: &Settings) -> anyhow::Result<Selection> {
    let globs = |name| {
        let given = arguments.get_many::<String>(name);
        given.into_iter().flatten().cloned().collect()
    };
    let selection = Selection::new(&SelectionOptions {
        include: globs("include"),
        exclude: globs("exclude"),
        age_max: arguments.get_one("max-age").copied(),
        size_bytes_max: settings.limits.max_file_size_bytes,
        follow_symlinks: arguments.get_flag("follow-symlinks"),
        one_file_system: arguments.get_flag("one-file-system"),
    })?;
    Ok(selection)
}

/// Lines of text go to standard output unless something else does.
fn output_paths(arguments: &ArgMatches) -> OutputPaths {
    let path = |name| arguments.get_one::<PathBuf>(name).cloned();
    let stdout = PathBuf::from("-");
    let mut paths = OutputPaths {
        text: path("text"),
        json: path("json"),
        csv: path("csv"),
        html: path("html"),
    };
    let others = [&paths.json, &paths.csv, &paths.html];
    if paths.text.is_none() && !others.contains(&&Some(stdout.clone())) {
        paths.text = Some(stdout);
    }
    paths
}

/// Passes on the signals that ask to end, as long as what is returned lives.
fn listen_to_signals(stop: Arc<Stop>) -> anyhow::Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("signals")
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let mut signals = runtime.block_on(async { Signals::listen() })?;
    runtime.spawn(async move {
        loop {
            signals.stop.received().await;
            stop.request();
        }
    });
    Ok(runtime)
}

/// Returns what the report says of the signatures.
fn described(summary: &squall_types::SignatureSummary, unread: usize) -> String {
    let unread = match unread {
        0 => String::new(),
        files => format!(", {files} files could not be read"),
    };
    format!(
        "{}: {} rules and {} IOCs, {} skipped{unread} ({})",
        summary.version, summary.rules, summary.iocs, summary.skipped, summary.engine
    )
}

/// Returns what the report says of signatures that could not be read.
fn missing(read: &signatures::Read) -> Vec<String> {
    let all = read.missing();
    let more = all.len().saturating_sub(MISSING_SHOWN_MAX);
    let mut shown: Vec<_> = all.iter().map(|line| visible(line)).collect();
    if more > 0 {
        shown.truncate(MISSING_SHOWN_MAX);
        shown.push(format!("{more} more files and directories"));
    }
    shown
}

/// Returns the name of this machine.
fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| std::fs::read_to_string("/etc/hostname"))
        .ok()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn parse(arguments: &[&str]) -> Result<ArgMatches, clap::Error> {
        command().try_get_matches_from(std::iter::once(&NAME).chain(arguments))
    }

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn unread_signatures_are_counted_and_the_first_named() {
        let mut read = signatures::Read::default();
        let paths = (0..12).map(|number| PathBuf::from(format!("dir-{number}\n")));
        read.empty.extend(paths);
        let missing = missing(&read);
        assert_eq!(missing.len(), MISSING_SHOWN_MAX + 1);
        assert_eq!(missing[0], "no signature file below `dir-0\u{fffd}`");
        assert_eq!(missing[MISSING_SHOWN_MAX], "2 more files and directories");
        let summary = squall_types::SignatureSummary::default();
        assert!(!described(&summary, 0).contains("could not be read"));
        assert!(described(&summary, 2).contains(", 2 files could not be read ("));
    }

    #[test]
    fn text_goes_to_standard_output_unless_something_else_does() {
        let stdout = Some(PathBuf::from("-"));
        for (arguments, text) in [
            (&["/x"][..], &stdout),
            (&["/x", "--json", "a.json"], &stdout),
            (&["/x", "--json", "-"], &None),
            (&["/x", "--html=-"], &None),
        ] {
            let matches = parse(arguments).expect("arguments");
            assert_eq!(&output_paths(&matches).text, text, "{arguments:?}");
        }
        let both = parse(&["/x", "--text", "a.log", "--csv", "-"]).expect("arguments");
        assert_eq!(output_paths(&both).text, Some("a.log".into()));
    }

    #[test]
    fn a_path_behind_a_switch_is_a_path() {
        for arguments in [
            &["--noarchive", "/x"][..],
            &["--pure-yara", "--noarchive=false", "/x"],
            &["/x", "--utc"],
        ] {
            let matches = parse(arguments).expect("arguments");
            let paths: Vec<_> = matches
                .get_many::<PathBuf>("path")
                .expect("paths")
                .collect();
            assert_eq!(paths, [Path::new("/x")], "{arguments:?}");
        }
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for arguments in [
            &["/x", "--cpu-limit", "0"][..],
            &["/x", "--cpu-limit", "101"],
            &["/x", "--max-age", "-1"],
            &["/x", "--max-age", "nan"],
            &["/x", "--max-age", "1e300"],
            &["/x", "--max-size", "0"],
            &["/x", "--max-size", "much"],
            &["/x", "--port", "80"],
            &[],
        ] {
            assert!(parse(arguments).is_err(), "{arguments:?}");
        }
        let half_a_day = parse(&["/x", "--max-age", "0.5"]).expect("arguments");
        assert_eq!(
            half_a_day.get_one("max-age"),
            Some(&Duration::from_secs(43_200))
        );
    }
}
