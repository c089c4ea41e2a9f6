//! The Squall binary: command line, configuration, wiring.

mod acts;
mod allocator;
mod answers;
mod backlog;
mod banner;
mod config;
mod destinations;
mod failed;
mod findings;
mod findings_command;
mod human;
mod logging;
mod privileges;
mod running;
mod sandbox;
mod scan;
mod serve;
mod shutdown;
mod signatures;
mod sockets;
mod start_checks;
mod status;
mod systemd;
mod token_command;
mod top;
mod wiring;

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};

/// The flag of `check-config` that shows what is secret.
const SHOW_SECRETS: &str = "show-secrets";

/// Everything the operator needs to know of an error is in its chain; this is
/// the one place that prints it.
fn main() -> ExitCode {
    let matches = command().get_matches();
    match run(&matches) {
        Ok(status) => status,
        Err(error) => {
            banner::error(&format!("{error:#}"));
            match matches.subcommand_name() {
                Some(scan::NAME) => scan::FAILURE.into(),
                Some(status::NAME) => status::UNREACHABLE.into(),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn command() -> Command {
    Command::new("squall")
        .about("A Thunderstorm-compatible REST scanning service")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("serve")
                .about("Receive samples over HTTP, scan them and answer")
                .args(config::serve_args()),
        )
        .subcommand(signatures::command::command())
        .subcommand(scan::command())
        .subcommand(
            Command::new("check-config")
                .about("Show the configuration in force and where each value came from")
                .args(config::serve_args())
                .arg(
                    Arg::new(SHOW_SECRETS)
                        .long(SHOW_SECRETS)
                        .action(ArgAction::SetTrue)
                        .help(
                            "Show passwords, and those in addresses, instead of leaving them out",
                        ),
                ),
        )
        .subcommand(status::command())
        .subcommand(top::command())
        .subcommand(token_command::command())
        .subcommand(failed::command())
        .subcommand(findings_command::command())
}

fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    match matches.subcommand() {
        Some(("serve", arguments)) => {
            let loaded = config::load(arguments, std::env::vars_os())?;
            serve::run(loaded)?;
            Ok(ExitCode::SUCCESS)
        }
        Some((scan::NAME, arguments)) => {
            let loaded = config::load(arguments, std::env::vars_os())?;
            scan::run(arguments, loaded)
        }
        Some(("check-config", arguments)) => {
            let loaded = config::load(arguments, std::env::vars_os())?;
            let secrets = if arguments.get_flag(SHOW_SECRETS) {
                config::Secrets::Shown
            } else {
                config::Secrets::Hidden
            };
            banner::print(&config::describe(&loaded, secrets));
            for warning in &loaded.warnings {
                banner::error(&format!("warning: {warning}"));
            }
            Ok(ExitCode::SUCCESS)
        }
        Some((status::NAME, arguments)) => status::run(arguments, std::env::vars_os()),
        Some((top::NAME, arguments)) => {
            top::run(arguments, std::env::vars_os()).map(|()| ExitCode::SUCCESS)
        }
        Some(("failed", arguments)) => failed::run(arguments).map(|()| ExitCode::SUCCESS),
        Some(("token", arguments)) => {
            token_command::run(arguments, std::env::vars_os()).map(|()| ExitCode::SUCCESS)
        }
        Some(("signatures", arguments)) => Ok(signatures::command::run(arguments)),
        Some(("findings", arguments)) => {
            findings_command::run(arguments, std::env::vars_os()).map(|()| ExitCode::SUCCESS)
        }
        // clap demands one of the commands above.
        _ => Ok(ExitCode::SUCCESS),
    }
}
