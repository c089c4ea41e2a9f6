//! `squall findings`: the findings store on the command line.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::{Arg, ArgMatches, Command, value_parser};
use squall_findings::{CONDITIONS, Export, ExportFormat, Exported, Filter, FindingsConfig};

use crate::config::{self, Settings};
use crate::{acts, banner, findings, privileges};

/// The settings that these commands need, by name.
const SETTINGS: [&str; 5] = [
    "template",
    "data-dir",
    "findings-db",
    "jsonfile",
    "log-level",
];
/// Longest time for one page of an export: nobody else waits for it.
const PAGE_TIME_MAX: Duration = Duration::from_secs(60);

/// Returns the command with its own commands.
pub(crate) fn command() -> Command {
    Command::new("findings")
        .about("Work with the findings store")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(rebuild_command())
        .subcommand(export_command())
}

fn rebuild_command() -> Command {
    Command::new("rebuild")
        .about("Make the findings store anew from the JSON log; the service must not be running")
        .arg(
            Arg::new("logs")
                .value_name("LOG")
                .num_args(0..)
                .value_parser(value_parser!(PathBuf))
                .help("JSON logs, gzip or not, oldest first [default: jsonfile and what it was rotated to]"),
        )
        .args(setting_args())
        .args(config::args_of(&["audit-log", "run-as"]))
}

fn export_command() -> Command {
    let conditions = CONDITIONS.iter().map(|(name, help)| {
        Arg::new(*name)
            .long(name.replace('_', "-"))
            .value_name(name.to_uppercase())
            .help(*help)
            .help_heading("Conditions")
    });
    Command::new("export")
        .about("Write findings, newest first")
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(["jsonl", "csv", "html", "stix", "misp"])
                .default_value("jsonl")
                .help(
                    "The v3 log form, a table, a page to read, a STIX 2.1 bundle, or a MISP event",
                ),
        )
        .arg(
            Arg::new("output")
                .short('o')
                .long("output")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("File to write; the console by default"),
        )
        .args(conditions)
        .args(setting_args())
}

fn setting_args() -> impl Iterator<Item = Arg> {
    config::serve_args()
        .into_iter()
        .filter(|arg| SETTINGS.contains(&arg.get_id().as_str()))
}

/// Runs one of the commands.
pub(crate) fn run(
    matches: &ArgMatches,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> anyhow::Result<()> {
    let Some((name, arguments)) = matches.subcommand() else {
        // clap demands one.
        return Ok(());
    };
    let settings = config::load(arguments, variables)?.settings;
    let wanted = settings.findings.as_ref();
    let store = wanted.context("`findings-db` is `none`: there is no findings store")?;
    let store = findings::config(store);
    match name {
        "rebuild" => {
            let who = acts::caller();
            privileges::make_data_dir(&settings)?;
            become_owner(&settings, &store)?;
            let rebuilt = rebuild(arguments, &settings, &store);
            acts::write_down_command(&settings, &who, "findings rebuild", rebuilt.is_ok());
            rebuilt
        }
        _ => export(arguments, &settings, &store),
    }
}

/// Becomes whom the data directory belongs to; where none was named, whom the
/// database belongs to.
fn become_owner(settings: &Settings, store: &FindingsConfig) -> anyhow::Result<()> {
    match settings.data_dir.exists() {
        true => privileges::become_owner(&settings.data_dir),
        false => privileges::become_owner(&store.path),
    }
}

fn rebuild(
    arguments: &ArgMatches,
    settings: &Settings,
    store: &FindingsConfig,
) -> anyhow::Result<()> {
    let logs: Vec<PathBuf> = match arguments.get_many::<PathBuf>("logs") {
        Some(logs) => logs.cloned().collect(),
        None => {
            let log = settings.outputs.jsonfile.as_deref();
            rotated(log.context("name the JSON logs to read: `jsonfile` is not set")?)?
        }
    };
    let rebuilt = squall_findings::rebuild(store, &logs)?;
    if let Some(aside) = &rebuilt.set_aside {
        banner::error(&format!(
            "the old database was damaged and is `{}` now",
            aside.display()
        ));
    }
    for error in &rebuilt.failed_logs {
        let reason = std::error::Error::source(error).map(ToString::to_string);
        banner::error(&format!("{error}: {}", reason.unwrap_or_default()));
    }
    banner::print(&format!(
        "{} findings from {} log(s), {} more that only the old database had, {} lines passed over",
        rebuilt.from_logs,
        logs.len(),
        rebuilt.kept,
        rebuilt.passed_over
    ));
    anyhow::ensure!(
        rebuilt.failed_logs.is_empty(),
        "the findings store is rebuilt, but not from all logs"
    );
    Ok(())
}

/// Returns a log and the files it was rotated to, oldest first.
fn rotated(log: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let name = log.file_name().unwrap_or_default().as_encoded_bytes();
    let dir = match log.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    let cannot_list = || format!("cannot list `{}`", dir.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).with_context(cannot_list)? {
        let entry = entry.with_context(cannot_list)?;
        let entry_name = entry.file_name();
        let rest = entry_name.as_encoded_bytes().strip_prefix(name);
        // `squall.json.1.gz` and `squall.json-20261124`, not `squall.jsonish`.
        if rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'.' | b'-'))) {
            let metadata = entry.metadata().with_context(cannot_list)?;
            if metadata.is_file() {
                found.push((metadata.modified().with_context(cannot_list)?, entry.path()));
            }
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

fn export(
    arguments: &ArgMatches,
    settings: &Settings,
    store: &FindingsConfig,
) -> anyhow::Result<()> {
    let mut filter = Filter::default();
    for (name, _) in CONDITIONS {
        if let Some(value) = arguments.get_one::<String>(name) {
            filter.set(name, value).context("cannot export")?;
        }
    }
    let limit = arguments.get_one::<String>("limit");
    let limit = limit.map(|limit| limit.parse().context("`limit` is no number"));
    let format = match arguments.get_one::<String>("format").map(String::as_str) {
        Some("csv") => ExportFormat::Csv,
        Some("html") => ExportFormat::Html,
        Some("stix") => ExportFormat::Stix,
        Some("misp") => ExportFormat::Misp,
        _ => ExportFormat::JsonLines,
    };
    let what = Exported {
        filter,
        format,
        limit: limit.transpose()?,
    };
    let output = arguments.get_one::<PathBuf>("output");
    // Still as who names it, and what is there stays until there is something else.
    let output = output.map(|path| open(path).map(|file| (path, file)));
    let output = output.transpose()?;
    become_owner(settings, store)?;
    let export = Export::of_file(&store.path, what, PAGE_TIME_MAX)?;
    let Some((path, file)) = output else {
        return write(export, io::stdout().lock());
    };
    let failed = || format!("cannot write `{}`", path.display());
    if file.metadata().with_context(failed)?.is_file() {
        file.set_len(0).with_context(failed)?;
    }
    write(export, BufWriter::new(file)).with_context(failed)
}

fn open(path: &Path) -> anyhow::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .with_context(|| format!("cannot write `{}`", path.display()))
}

fn write(mut export: Export, mut out: impl Write) -> anyhow::Result<()> {
    while let Some(piece) = export.next_piece()? {
        out.write_all(&piece).context("cannot write findings")?;
    }
    out.flush().context("cannot write findings")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_sound() {
        command().debug_assert();
    }

    #[test]
    fn rotated_logs_are_found_oldest_first() {
        let dir = tempfile::tempdir().unwrap();
        for (name, age) in [
            ("squall.json", 0),
            ("squall.json.1", 10),
            ("squall.json-20261101.gz", 20),
            ("squall.jsonish", 5),
            ("other.json", 5),
        ] {
            let file = File::create(dir.path().join(name)).unwrap();
            let then = std::time::SystemTime::now() - Duration::from_secs(age);
            file.set_modified(then).unwrap();
        }
        let found = rotated(&dir.path().join("squall.json")).unwrap();
        let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap()).collect();
        assert_eq!(
            names,
            ["squall.json-20261101.gz", "squall.json.1", "squall.json"]
        );
    }
}
