//! `squall failed`: the samples that a running service could not scan, listed
//! and tried again.

use anyhow::Context as _;
use clap::{Arg, ArgAction, ArgMatches, Command};
use squall_api::v1::{FailedSample, Retried};
use squall_client::{Client, ClientConfig};
use squall_report::shown;

use crate::{banner, running};

/// Samples asked for at a time; the most the service gives.
const PAGE_LEN: u32 = 1000;
/// Most characters of a text from outside on a line.
const TEXT_CHARS_MAX: usize = 4096;

/// Returns the command's description.
pub(crate) fn command() -> Command {
    let list =
        Command::new("list").about("List the samples that could not be scanned, oldest first");
    let retry = Command::new("retry")
        .about("Scan failed samples again")
        .arg(
            Arg::new("id")
                .value_name("ID")
                .help("Ids of the samples")
                .value_parser(clap::value_parser!(u64).range(1..))
                .num_args(1..)
                .required_unless_present("all"),
        )
        .arg(
            Arg::new("all")
                .long("all")
                .help("All failed samples")
                .action(ArgAction::SetTrue)
                .conflicts_with("id"),
        );
    Command::new("failed")
        .about("List and retry the samples that a running service could not scan")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(list.args(service_args()))
        .subcommand(retry.args(service_args()))
}

/// The arguments that say which service is meant, and how it is shown.
fn service_args() -> [Arg; 4] {
    [
        Arg::new("url")
            .long("url")
            .value_name("URL")
            .help("Address of the service; its token, if it asks for one, is taken from SQUALL_TOKEN or from here (http://name:TOKEN@host)")
            .default_value("http://127.0.0.1:8080"),
        Arg::new("insecure")
            .long("insecure")
            .help("Take any certificate, a self-signed one for instance")
            .action(ArgAction::SetTrue),
        running::certificate_arg(),
        Arg::new("json")
            .long("json")
            .help("Write JSON, one object a line")
            .action(ArgAction::SetTrue),
    ]
}

/// Runs the command.
///
/// # Errors
///
/// Fails if the service cannot be reached, or does not do what it is asked.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    match matches.subcommand() {
        Some(("list", arguments)) => runtime.block_on(list(&Target::of(arguments)?)),
        Some(("retry", arguments)) => {
            let ids: Vec<u64> = arguments
                .get_many("id")
                .map(|ids| ids.copied().collect())
                .unwrap_or_default();
            runtime.block_on(retry(&Target::of(arguments)?, &ids))
        }
        // clap demands one of the commands above.
        _ => Ok(()),
    }
}

/// The service that is meant, and how it is shown.
struct Target {
    client: Client,
    json: bool,
}

impl Target {
    fn of(arguments: &ArgMatches) -> anyhow::Result<Self> {
        let url = arguments.get_one::<String>("url");
        let client = Client::new(&ClientConfig {
            url: url.cloned().unwrap_or_default(),
            token: crate::token_command::of_environment(),
            insecure: arguments.get_flag("insecure"),
            certificate: running::certificate(arguments)?,
        })?;
        Ok(Self {
            client,
            json: arguments.get_flag("json"),
        })
    }
}

async fn list(target: &Target) -> anyhow::Result<()> {
    let mut after = None;
    let mut listed = 0;
    loop {
        let page = target.client.failed_samples(after, PAGE_LEN).await?;
        listed += page.samples.len();
        for sample in &page.samples {
            banner::print(&if target.json {
                serde_json::to_string(sample).context("cannot write a sample as JSON")?
            } else {
                line(sample)
            });
        }
        match page.next {
            // A service that does not get ahead must not be asked for ever.
            Some(next) if after.is_none_or(|after| next > after) => after = Some(next),
            _ => break,
        }
    }
    if listed == 0 && !target.json {
        banner::print("no failed samples");
    }
    Ok(())
}

/// Has `ids` scanned again, or all failed samples if there are none.
async fn retry(target: &Target, ids: &[u64]) -> anyhow::Result<()> {
    let mut retried = Retried::default();
    if ids.is_empty() {
        retried = target.client.retry_failed_samples().await?;
    }
    for &id in ids {
        match target.client.retry_sample(id).await {
            Ok(one) => retried.retried += one.retried,
            Err(error @ squall_client::ClientError::Refused { .. }) => {
                retried.not_retried += 1;
                banner::error(&format!("sample {id}: {error}"));
            }
            // The others would fare no better.
            Err(error) => return Err(error.into()),
        }
    }
    banner::print(&if target.json {
        serde_json::to_string(&retried).context("cannot write the counts as JSON")?
    } else {
        format!("{} in the queue again", samples(retried.retried))
    });
    anyhow::ensure!(
        retried.not_retried == 0,
        "{} could not be put back into the queue",
        samples(retried.not_retried)
    );
    Ok(())
}

fn samples(count: u64) -> String {
    match count {
        1 => "1 sample".to_owned(),
        n => format!("{n} samples"),
    }
}

/// Returns a sample as a line, whatever its texts hold.
fn line(sample: &FailedSample) -> String {
    let text = |value: &str| shown(value, TEXT_CHARS_MAX);
    let known = |value: &Option<String>| value.as_deref().map_or("?".to_owned(), text);
    let lost = if sample.retryable {
        ""
    } else {
        " (its bytes are lost: it cannot be retried)"
    };
    format!(
        "{}  {}  {}  {}  {} bytes: {}{lost}",
        sample.id,
        text(&sample.received_at),
        known(&sample.source),
        known(&sample.file_name),
        sample.size_bytes,
        text(&sample.reason),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_one_line_whatever_its_texts_hold() {
        let sample = FailedSample {
            id: 7,
            reason: "gave\nup".to_owned(),
            source: Some("web\u{1b}[2J".to_owned()),
            file_name: None,
            size_bytes: 12,
            received_at: "2026-11-24T08:30:00Z".to_owned(),
            ..FailedSample::default()
        };
        assert_eq!(
            line(&sample),
            "7  2026-11-24T08:30:00Z  web\\x1b[2J  ?  12 bytes: gave\\x0aup (its bytes are lost: it cannot be retried)"
        );
    }

    #[test]
    fn ids_or_all_must_be_given_and_not_both() {
        let parse = |arguments: &[&str]| {
            let all = ["failed", "retry"].iter().chain(arguments);
            command().try_get_matches_from(all).is_ok()
        };
        assert!(parse(&["1", "2"]) && parse(&["--all", "--url", "https://x", "--insecure"]));
        assert!(!parse(&[]) && !parse(&["--all", "1"]) && !parse(&["0"]) && !parse(&["x"]));
        command().debug_assert();
    }
}
