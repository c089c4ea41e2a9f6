//! `squall token`: who may use the service, made, listed and revoked beside a
//! running service or before it is started.

use std::ffi::OsString;

use anyhow::Context as _;
use clap::{Arg, ArgAction, ArgMatches, Command};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde_json::json;
use squall_access::{IpNet, Listed, NewToken, Role, Token, TokenRecord};
use squall_report::shown;

use crate::config::{self, Settings};
use crate::{acts, banner, privileges};

/// The settings that these commands need, by name.
const SETTINGS: [&str; 4] = ["template", "data-dir", "audit-log", "run-as"];
/// Most characters of a name on a line.
const NAME_CHARS_MAX: usize = 64;

/// Where commands that ask a running service find the token to show: a flag
/// would be seen by everybody on the machine.
const TOKEN: &str = "SQUALL_TOKEN";

/// Returns the token to show to a running service, if there is one.
pub(crate) fn of_environment() -> Option<String> {
    std::env::var(TOKEN).ok().filter(|token| !token.is_empty())
}

/// Returns the command with its own commands.
pub(crate) fn command() -> Command {
    Command::new("token")
        .about("Make, list and revoke the tokens that callers show")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(create_command())
        .subcommand(
            Command::new("list")
                .about("List all tokens, oldest first")
                .arg(
                    Arg::new("json")
                        .long("json")
                        .help("Write JSON, one object a line")
                        .action(ArgAction::SetTrue),
                )
                .args(setting_args()),
        )
        .subcommand(
            Command::new("revoke")
                .about("Revoke a token; a running service knows it within a second")
                .arg(
                    Arg::new("token")
                        .value_name("ID|NAME")
                        .help("The token's id or name")
                        .required(true),
                )
                .args(setting_args()),
        )
}

fn create_command() -> Command {
    Command::new("create")
        .about("Make a token and print it, once; a running service knows it at once")
        .arg(
            Arg::new("role")
                .long("role")
                .value_name("ROLE")
                .help("submit: send samples and see their results; read: see everything found; admin: change things")
                .value_parser(Role::ALL.map(Role::name))
                .required(true),
        )
        .arg(
            Arg::new("name")
                .long("name")
                .value_name("NAME")
                .help("What it is called in lists, reviews and the audit log")
                .required(true),
        )
        .arg(
            Arg::new("expires")
                .long("expires")
                .value_name("TIME")
                .help("How long it is good, such as 90d, 12h or 1y [default: until it is revoked]")
                .value_parser(lifetime),
        )
        .arg(
            Arg::new("from")
                .long("from")
                .value_name("NETWORK")
                .help("Address or network (10.0.0.0/8) that it is good from [default: any]. Repeatable")
                .value_parser(network)
                .action(ArgAction::Append),
        )
        .args(setting_args())
}

fn setting_args() -> impl Iterator<Item = Arg> {
    config::serve_args()
        .into_iter()
        .filter(|arg| SETTINGS.contains(&arg.get_id().as_str()))
}

fn lifetime(text: &str) -> Result<Span, String> {
    let span: Result<Span, _> = text.parse();
    span.ok()
        .filter(|span| span.is_positive())
        .ok_or_else(|| "expected a time such as 90d, 12h or 1y".to_owned())
}

fn network(text: &str) -> Result<IpNet, String> {
    squall_access::parse_network(text)
        .map_err(|_| "expected an address or a network such as 10.0.0.0/8".to_owned())
}

/// Runs one of the commands.
///
/// # Errors
///
/// Fails if the tokens cannot be read or changed, or if root may not become whom
/// they belong to.
pub(crate) fn run(
    matches: &ArgMatches,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> anyhow::Result<()> {
    let Some((name, arguments)) = matches.subcommand() else {
        // clap demands one.
        return Ok(());
    };
    let loaded = config::load(arguments, variables)?;
    if let Some(dir) = loaded.unnamed_data_dir() {
        // It depends on where the command is run, and need not be the service's.
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        banner::aside(&format!(
            "No data directory was named (by -t FILE, --data-dir or SQUALL_DATA_DIR): this is about `{}`.\n",
            dir.display()
        ));
    }
    let settings = loaded.settings;
    let who = acts::caller();
    if name == "create" {
        privileges::make_data_dir(&settings)?;
    }
    privileges::become_owner(&settings.data_dir)?;
    match name {
        "create" => create(arguments, &settings, &who),
        "revoke" => revoke(arguments, &settings, &who),
        _ => list(arguments, &settings),
    }
}

fn create(arguments: &ArgMatches, settings: &Settings, who: &str) -> anyhow::Result<()> {
    let text = |name| {
        arguments
            .get_one::<String>(name)
            .cloned()
            .unwrap_or_default()
    };
    let now = Timestamp::now();
    let lifetime = arguments.get_one::<Span>("expires");
    let expires_at = lifetime.map(|span| {
        let end = now.to_zoned_datetime(TimeZone::UTC).checked_add(*span);
        end.map(|end| end.timestamp())
    });
    let wanted = NewToken {
        name: text("name"),
        role: text("role").parse()?,
        expires_at: expires_at
            .transpose()
            .context("the token would outlive the calendar")?,
        from: arguments
            .get_many("from")
            .map(|all| all.copied().collect())
            .unwrap_or_default(),
    };
    let what = format!("token create {} ({})", wanted.name, wanted.role);
    let made = squall_access::create(&settings.data_dir, wanted, now);
    acts::write_down_command(settings, who, &what, made.is_ok());
    let token = made.context("cannot make the token")?;
    banner::aside(&format!(
        "The token {} is printed once and kept nowhere: keep it yourself.\n",
        token.id()
    ));
    banner::print(token.reveal());
    Ok(())
}

fn revoke(arguments: &ArgMatches, settings: &Settings, who: &str) -> anyhow::Result<()> {
    let which = arguments
        .get_one::<String>("token")
        .cloned()
        .unwrap_or_default();
    // Whoever pastes all of it means it, and it is to be in no log.
    let which = Token::parse(&which).map_or(which, |token| token.id().to_string());
    let revoked = squall_access::revoke(&settings.data_dir, &which, Timestamp::now());
    let what = format!("token revoke {which}");
    acts::write_down_command(settings, who, &what, revoked.is_ok());
    let token = revoked.context("cannot revoke the token")?;
    banner::print(&format!(
        "revoked {} ({})",
        token.id,
        shown(&token.name, NAME_CHARS_MAX)
    ));
    Ok(())
}

fn list(arguments: &ArgMatches, settings: &Settings) -> anyhow::Result<()> {
    let tokens = squall_access::list(&settings.data_dir)?;
    let now = Timestamp::now();
    if arguments.get_flag("json") {
        for token in &tokens {
            banner::print(&as_json(token, now).to_string());
        }
        return Ok(());
    }
    if tokens.is_empty() {
        banner::print("no tokens");
    }
    for token in &tokens {
        banner::print(&line(token, now));
    }
    Ok(())
}

/// Says how a token stands.
fn state(token: &TokenRecord, now: Timestamp) -> &'static str {
    match token {
        token if token.revoked_at.is_some() => "revoked",
        token if token.in_force(now) => "in force",
        _ => "expired",
    }
}

fn line(token: &Listed, now: Timestamp) -> String {
    let Listed { record, last_use } = token;
    let day = |at: Timestamp| at.strftime("%Y-%m-%d %H:%MZ").to_string();
    let expires = record.expires_at.map_or("never".to_owned(), day);
    let from = match record.from.as_slice() {
        [] => "anywhere".to_owned(),
        networks => networks
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
    };
    let used = last_use.map_or("never".to_owned(), |last| {
        format!("{} from {}", day(last.at), last.from)
    });
    format!(
        "{}  {:<6}  {:<8}  {}  made {}, expires {expires}, from {from}, last used {used}",
        record.id,
        record.role.name(),
        state(record, now),
        shown(&record.name, NAME_CHARS_MAX),
        day(record.created_at),
    )
}

fn as_json(token: &Listed, now: Timestamp) -> serde_json::Value {
    let Listed { record, last_use } = token;
    let time = |at: Timestamp| at.to_string();
    json!({
        "id": record.id.to_string(),
        "name": record.name,
        "role": record.role.name(),
        "state": state(record, now),
        "created_at": time(record.created_at),
        "expires_at": record.expires_at.map(time),
        "revoked_at": record.revoked_at.map(time),
        "from": record.from.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "last_use": last_use.map(|last| json!({"at": time(last.at), "from": last.from.to_string()})),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_and_networks_are_read_as_people_write_them() {
        for text in ["90d", "12h", "1y", "2w", "90 days"] {
            assert!(lifetime(text).is_ok(), "{text}");
        }
        for text in ["", "x", "90", "-1d", "0d"] {
            assert!(lifetime(text).is_err(), "{text}");
        }
        assert_eq!(network("10.1.2.3/8").unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(network("10.1.2.3").unwrap().to_string(), "10.1.2.3/32");
        assert_eq!(network("::1").unwrap().to_string(), "::1/128");
        assert!(network("10.0.0.0/33").is_err() && network("x").is_err());
        command().debug_assert();
    }
}
