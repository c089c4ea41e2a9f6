//! `squall status`: how a running service is doing, for a terminal, and for
//! supervisors that look at the exit status.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde::Serialize;
use squall_api::v1::{Overview, Readiness};
use squall_client::ClientError;
use squall_report::shown;

use crate::running::{self, Running};
use crate::{banner, human};

/// The command's name.
pub(crate) const NAME: &str = "status";
/// The exit status when the service cannot be asked, or the command is wrong.
pub(crate) const UNREACHABLE: u8 = 2;
/// The exit status when the service says that it is not ready.
const NOT_READY: u8 = 1;
/// Longest time for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most characters of a text from outside on a line.
const TEXT_CHARS_MAX: usize = 500;

/// Returns the command's description.
pub(crate) fn command() -> Command {
    Command::new(NAME)
        .about("Show how a running service is doing")
        .after_help(
            "Exit status: 0 the service is ready, 1 it is not, 2 it cannot be reached or the command is wrong.",
        )
        .arg(
            Arg::new("json")
                .long("json")
                .help("Write JSON")
                .action(ArgAction::SetTrue),
        )
        .args(running::args())
}

/// What the command finds out; also its JSON form.
#[derive(Debug, Serialize)]
struct State {
    url: String,
    ready: bool,
    /// Null if the service cannot be asked.
    readiness: Option<Readiness>,
    /// Null if the service does not tell.
    overview: Option<Overview>,
    /// Why one of them is null.
    error: Option<String>,
}

/// Runs the command.
///
/// # Errors
///
/// Fails if the configuration is wrong. A service that cannot be reached is what
/// the command tells, with its exit status.
pub(crate) fn run(
    arguments: &ArgMatches,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> anyhow::Result<ExitCode> {
    let running = Running::of(arguments, variables)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let state = runtime.block_on(ask(running));
    if arguments.get_flag("json") {
        let json = serde_json::to_string(&state).context("cannot write the state as JSON")?;
        banner::print(&json);
    } else {
        banner::print(&text(&state));
    }
    Ok(match state.readiness {
        None => UNREACHABLE.into(),
        Some(_) if state.ready => ExitCode::SUCCESS,
        Some(_) => NOT_READY.into(),
    })
}

async fn ask(running: Running) -> State {
    let Running { url, client } = running;
    let readiness = match client.readiness(PATIENCE).await {
        Ok(readiness) => readiness,
        Err(error) => {
            return State {
                url,
                ready: false,
                readiness: None,
                overview: None,
                error: Some(chain(error)),
            };
        }
    };
    let overview = client.overview(PATIENCE).await.map_err(chain);
    State {
        url,
        ready: readiness.ready,
        readiness: Some(readiness),
        error: overview.as_ref().err().cloned(),
        overview: overview.ok(),
    }
}

/// Returns an error with its causes.
fn chain(error: ClientError) -> String {
    let error = anyhow::Error::from(error);
    shown(&format!("{error:#}"), TEXT_CHARS_MAX)
}

/// Returns the state for a person.
fn text(state: &State) -> String {
    let Some(readiness) = &state.readiness else {
        let error = state.error.as_deref().unwrap_or("no answer");
        return format!("unreachable: {error}");
    };
    let word = if state.ready { "ready" } else { "NOT READY" };
    let version = shown(&readiness.version, TEXT_CHARS_MAX);
    let mut text = format!("{word}: Squall {version} at {}\n", state.url);
    for (name, check) in readiness.checks.named() {
        if !check.ok {
            let reason = check.reason.as_deref().unwrap_or("no reason given");
            let _ = writeln!(text, "  {name:12} {}", shown(reason, TEXT_CHARS_MAX));
        }
    }
    match &state.overview {
        Some(overview) => rows(overview).into_iter().for_each(|(name, row)| {
            let _ = writeln!(text, "  {name:12} {row}");
        }),
        None => {
            let error = state.error.as_deref().unwrap_or_default();
            let _ = writeln!(text, "  it tells no more: {error}");
        }
    }
    text
}

/// Returns what there is to say of a service, by name.
pub(crate) fn rows(overview: &Overview) -> Vec<(&'static str, String)> {
    let samples = &overview.samples;
    let oldest = samples
        .oldest_waiting_seconds
        .map(|seconds| format!(", the oldest for {}", human::seconds(seconds)));
    let storage = &overview.storage;
    let free = storage.free_bytes.map_or("?".to_owned(), human::bytes);
    let refuses = if storage.ok { "" } else { ", IT REFUSES" };
    let mut rows = vec![
        ("signatures", signatures(overview)),
        (
            "queue",
            format!(
                "{} wait ({}){}, {} checks wait",
                samples.queued,
                human::bytes(storage.queue_bytes),
                oldest.unwrap_or_default(),
                samples.checks_waiting
            ),
        ),
        ("threads", threads(overview)),
        (
            "samples",
            format!(
                "{} scanned, {} failed, {} refused",
                samples.scanned, samples.failed, samples.denied
            ),
        ),
        (
            "disk",
            format!(
                "{free} free, {} in the spool{refuses}",
                human::bytes(storage.spool_bytes)
            ),
        ),
    ];
    if let Some(findings) = &overview.findings {
        let behind = if findings.behind { ", behind" } else { "" };
        rows.push(("findings", format!("{} stored{behind}", findings.stored)));
    }
    rows
}

fn signatures(overview: &Overview) -> String {
    let Some(set) = &overview.signatures else {
        return "being loaded".to_owned();
    };
    #[expect(clippy::cast_precision_loss, reason = "days are shown")]
    let age = set
        .age_seconds
        .map(|age| format!(", {} old", human::seconds(age as f64)));
    let skipped = match set.skipped {
        0 => String::new(),
        skipped => format!(", {skipped} skipped"),
    };
    format!(
        "{} rules, {} IOCs{skipped}, version {}{}",
        set.rules,
        set.iocs,
        shown(&set.version, TEXT_CHARS_MAX),
        age.unwrap_or_default()
    )
}

fn threads(overview: &Overview) -> String {
    let p95 = overview.scan_time.p95_milliseconds;
    let p95 = p95.map(|time| format!(", 95 % of scans within {}", human::milliseconds(time)));
    format!(
        "{} of {} scan, {:.1} samples/s{}",
        overview.workers_busy,
        overview.workers,
        overview.samples.rate_per_second,
        p95.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use squall_api::v1::{HealthCheck, ReadinessChecks};

    use super::*;

    fn state(ok: bool) -> State {
        let check = |ok: bool| HealthCheck {
            ok,
            reason: (!ok).then(|| "the disk\u{1b}[2J refuses".to_owned()),
            passed_seconds_ago: None,
        };
        State {
            url: "http://127.0.0.1:8080".to_owned(),
            ready: ok,
            readiness: Some(Readiness {
                ready: ok,
                version: "1.2.3".to_owned(),
                checks: ReadinessChecks {
                    running: check(true),
                    signatures: check(true),
                    queue: check(ok),
                    scan: check(true),
                },
            }),
            overview: Some(Overview::default()),
            error: None,
        }
    }

    #[test]
    fn it_says_what_is_wrong_and_acts_on_no_terminal() {
        let ready = text(&state(true));
        assert!(
            ready.starts_with("ready: Squall 1.2.3 at http://127.0.0.1:8080\n"),
            "{ready}"
        );
        assert!(ready.contains("\n  signatures   being loaded\n"), "{ready}");
        let not = text(&state(false));
        assert!(
            not.starts_with("NOT READY: ")
                && not.contains("\n  queue        the disk\\x1b[2J refuses\n"),
            "{not}"
        );
    }

    #[test]
    fn the_command_is_sound() {
        command().debug_assert();
    }
}
