//! Values of settings: read from text, and written as text again.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::HeaderName;
use squall_access::{CertificateRule, RoleNetwork};
use squall_oidc::{ClaimRole, is_safe_address};

use super::account::{Account, parse_account};
use super::kind::{Kind, TEXT_CHARS_MAX, duration_text};
use super::link::{LookupLink, parse_link};
use super::network::{Endpoint, Network, parse_endpoint, parse_host, parse_network};
use super::syslog::{SyslogTarget, parse_target};

/// A value a setting can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// None, where that is allowed.
    Unset,
    /// True or false.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// A number of bytes.
    Size(u64),
    /// A length of time.
    Duration(Duration),
    /// A host, or one of some words.
    Text(String),
    /// A path.
    Path(PathBuf),
    /// Paths, in order.
    Paths(Vec<PathBuf>),
    /// Networks, in order.
    Networks(Vec<Network>),
    /// Host names, in order.
    Hosts(Vec<String>),
    /// An address or a host name with a port.
    Endpoint(Endpoint),
    /// A user of this machine.
    Account(Account),
    /// Rules on client certificates, in order.
    CertificateRules(Vec<CertificateRule>),
    /// Roles with a network each, in order.
    RoleNetworks(Vec<RoleNetwork>),
    /// Roles with the value of a claim each, in order.
    ClaimRoles(Vec<ClaimRole>),
    /// Syslog receivers, in order.
    SyslogTargets(Vec<SyslogTarget>),
    /// Addresses, in order.
    Addresses(Vec<String>),
    /// Passwords, in order.
    Passwords(Vec<String>),
    /// Links to look up a file, in order.
    Links(Vec<LookupLink>),
}

/// Says why a value is not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The value, or the one of several that is wrong.
    pub(crate) value: String,
    /// What is expected instead.
    pub(crate) expected: String,
}

/// Reads what was given for a setting of `kind`.
///
/// # Errors
///
/// Returns what is wrong if the value is not of that kind, or if there are
/// several where one is expected.
pub(crate) fn parse(kind: Kind, given: &[OsString]) -> Result<Value, Refusal> {
    match kind {
        Kind::Paths => Ok(Value::Paths(present(given).map(PathBuf::from).collect())),
        Kind::Networks => each(kind, given, parse_network).map(Value::Networks),
        Kind::Hosts => each(kind, given, parse_host).map(Value::Hosts),
        Kind::CertificateRules => {
            each(kind, given, |text| text.parse().ok()).map(Value::CertificateRules)
        }
        Kind::RoleNetworks => each(kind, given, |text| text.parse().ok()).map(Value::RoleNetworks),
        Kind::ClaimRoles => each(kind, given, |text| text.parse().ok()).map(Value::ClaimRoles),
        Kind::SyslogTargets => each(kind, given, parse_target).map(Value::SyslogTargets),
        Kind::Addresses => each(kind, given, address).map(Value::Addresses),
        Kind::Passwords => each(kind, given, |text| Some(text.to_owned())).map(Value::Passwords),
        Kind::Headers => each(kind, given, header).map(Value::Passwords),
        Kind::Links => each(kind, given, parse_link).map(Value::Links),
        _ => match given {
            [] => one(kind, &OsString::new()),
            [value] => one(kind, value),
            several => Err(Refusal {
                value: several
                    .iter()
                    .map(|value| value.to_string_lossy())
                    .collect::<Vec<_>>()
                    .join(", "),
                expected: format!("{}, once", kind.expected()),
            }),
        },
    }
}

/// Returns the values that are not empty: an empty one asks for nothing.
fn present(given: &[OsString]) -> impl Iterator<Item = &OsString> {
    given.iter().filter(|value| !value.is_empty())
}

/// Reads a list, refusing the first item that is wrong.
fn each<T>(
    kind: Kind,
    given: &[OsString],
    parse: fn(&str) -> Option<T>,
) -> Result<Vec<T>, Refusal> {
    present(given)
        .map(|value| {
            value
                .to_str()
                .and_then(parse)
                .ok_or_else(|| refuse(kind, value))
        })
        .collect()
}

/// Reads a single value.
fn one(kind: Kind, given: &OsString) -> Result<Value, Refusal> {
    if matches!(kind, Kind::Path) {
        return Ok(if given.is_empty() {
            Value::Unset
        } else {
            Value::Path(given.into())
        });
    }
    given
        .to_str()
        .and_then(|text| scalar(kind, text.trim()))
        .ok_or_else(|| refuse(kind, given))
}

fn refuse(kind: Kind, given: &OsString) -> Refusal {
    Refusal {
        value: given.to_string_lossy().into_owned(),
        expected: kind.expected(),
    }
}

/// Reads a value that is text; `None` if it is not of the kind.
fn scalar(kind: Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Flag => flag(text).map(Value::Flag),
        Kind::Integer { min, max } => text
            .parse()
            .ok()
            .filter(|number| (min..=max).contains(number))
            .map(Value::Integer),
        Kind::Size { min } => size_bytes(text)
            .filter(|&bytes| bytes >= min)
            .map(Value::Size),
        Kind::Duration { min_ms, max_ms } => duration_ms(text)
            .filter(|ms| (min_ms..=max_ms).contains(ms))
            .map(|ms| Value::Duration(Duration::from_millis(ms))),
        Kind::Host => parse_host(text).map(Value::Text),
        Kind::Endpoint | Kind::Address | Kind::Account | Kind::Text | Kind::LoginAddress
            if text.is_empty() =>
        {
            Some(Value::Unset)
        }
        Kind::Text => is_line(text).then(|| Value::Text(text.to_owned())),
        // As it is: an issuer is compared to the letter.
        Kind::LoginAddress => is_safe_address(text).then(|| Value::Text(text.to_owned())),
        Kind::Address => address(text).map(Value::Text),
        Kind::Endpoint => parse_endpoint(text).map(Value::Endpoint),
        Kind::Account => parse_account(text).map(Value::Account),
        Kind::Choice(words) => words
            .iter()
            .find(|word| word.eq_ignore_ascii_case(text))
            .map(|&word| Value::Text(word.to_owned())),
        Kind::Path
        | Kind::Paths
        | Kind::Networks
        | Kind::Hosts
        | Kind::CertificateRules
        | Kind::RoleNetworks
        | Kind::ClaimRoles
        | Kind::SyslogTargets
        | Kind::Addresses
        | Kind::Passwords
        | Kind::Headers
        | Kind::Links => None,
    }
}

fn is_line(text: &str) -> bool {
    text.chars().count() <= TEXT_CHARS_MAX && !text.chars().any(char::is_control)
}

/// Reads `NAME=VALUE`, a header of HTTP.
fn header(text: &str) -> Option<String> {
    let (name, value) = text.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    HeaderName::from_bytes(name.as_bytes()).ok()?;
    let is_value = !value.is_empty() && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    is_value.then(|| format!("{name}={value}"))
}

/// Reads an address of HTTP.
fn address(text: &str) -> Option<String> {
    let url = reqwest::Url::parse(text.trim()).ok()?;
    let is_http = matches!(url.scheme(), "http" | "https") && url.has_host();
    is_http.then(|| url.to_string())
}

/// Reads true or false in any of their usual spellings.
fn flag(text: &str) -> Option<bool> {
    const TRUE: [&str; 4] = ["true", "yes", "on", "1"];
    const FALSE: [&str; 4] = ["false", "no", "off", "0"];
    let is = |words: [&str; 4]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    match (is(TRUE), is(FALSE)) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// The units of sizes. All are powers of 1024, as the original scanner has it:
/// a smaller `MB` would refuse samples that it takes.
const SIZE_UNITS: [(&str, u32); 5] = [("", 0), ("k", 10), ("m", 20), ("g", 30), ("t", 40)];

/// Reads a size in bytes.
fn size_bytes(text: &str) -> Option<u64> {
    let (count, unit) = count_and_unit(text)?;
    let (_, shift) = SIZE_UNITS.iter().find(|(letter, _)| {
        unit.strip_prefix(letter)
            .is_some_and(|rest| matches!(rest, "" | "b") || (rest == "ib" && !letter.is_empty()))
    })?;
    count.checked_mul(1 << shift)
}

/// Reads a length of time in milliseconds; without a unit it is in seconds.
fn duration_ms(text: &str) -> Option<u64> {
    let (count, unit) = count_and_unit(text)?;
    let unit_ms = match unit.as_str() {
        "ms" => 1,
        "" | "s" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    count.checked_mul(unit_ms)
}

/// Splits `200 MB` into 200 and `mb`.
fn count_and_unit(text: &str) -> Option<(u64, String)> {
    let digits = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (count, unit) = text.split_at(digits);
    Some((count.parse().ok()?, unit.trim_start().to_ascii_lowercase()))
}

/// Writes a size in its largest whole unit.
fn size_text(bytes: u64) -> String {
    SIZE_UNITS
        .iter()
        .rev()
        .find(|(unit, shift)| !unit.is_empty() && bytes > 0 && bytes.is_multiple_of(1 << shift))
        .map_or_else(
            || bytes.to_string(),
            |(unit, shift)| format!("{}{}B", bytes >> shift, unit.to_ascii_uppercase()),
        )
}

impl Value {
    /// Returns the value, or the values of a list, as the file would have it.
    pub(crate) fn texts(&self) -> Vec<String> {
        match self {
            Self::Unset => Vec::new(),
            Self::Flag(flag) => vec![flag.to_string()],
            Self::Integer(number) => vec![number.to_string()],
            Self::Size(bytes) => vec![size_text(*bytes)],
            Self::Duration(time) => {
                vec![duration_text(
                    u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
                )]
            }
            Self::Text(text) => vec![text.clone()],
            Self::Path(path) => vec![path.display().to_string()],
            Self::Paths(paths) => paths
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
            Self::Networks(networks) => strings(networks),
            Self::Endpoint(endpoint) => vec![endpoint.to_string()],
            Self::Account(account) => vec![account.to_string()],
            Self::CertificateRules(rules) => strings(rules),
            Self::RoleNetworks(networks) => strings(networks),
            Self::ClaimRoles(roles) => strings(roles),
            Self::SyslogTargets(targets) => strings(targets),
            Self::Hosts(hosts) => hosts.clone(),
            Self::Addresses(addresses) => addresses.clone(),
            Self::Passwords(passwords) => passwords.clone(),
            Self::Links(links) => strings(links),
        }
    }
}

fn strings(items: &[impl fmt::Display]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}
