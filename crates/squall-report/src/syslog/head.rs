//! The head of a syslog message.

use std::net::IpAddr;

use jiff::tz::TimeZone;
use squall_types::{Level, Report};

use super::{Form, Head, Options};
use crate::event::{self, Event};
use crate::v1;

/// What receivers know the messages by: the word that text lines have there.
const APP_NAME: &str = "THOR";

/// `local0`.
const FACILITY: u8 = 16;

/// The longest host name that RFC 5424 allows.
const HOST_BYTES_MAX: usize = 255;

/// Returns the part before the message, with a blank behind it.
pub(super) fn head(
    report: &Report,
    event: &Event<'_>,
    options: &Options,
    zone: &TimeZone,
) -> String {
    let priority = FACILITY * 8 + severity(event.level);
    let time = v1::timestamp(report.scan.scanned_at_us).to_zoned_datetime(zone.clone());
    let host = host(&report.submission.origin.source);
    match options.head {
        Head::Rfc5424 => {
            let format = if options.utc {
                "%Y-%m-%dT%H:%M:%S.%6fZ"
            } else {
                "%Y-%m-%dT%H:%M:%S.%6f%:z"
            };
            format!(
                "<{priority}>1 {} {host} {APP_NAME} - {} [origin software=\"Squall\" swVersion=\"{}\"] ",
                time.strftime(format),
                event::MODULE,
                options.version,
            )
        }
        Head::Rfc3164 => {
            // CEF begins with its own name where others have theirs.
            let tag = match options.form {
                Form::Cef => String::new(),
                _ => format!("{APP_NAME}: "),
            };
            format!(
                "<{priority}>{} {host} {tag}",
                time.strftime("%b %e %H:%M:%S")
            )
        }
    }
}

/// Returns the severity of a level, as RFC 5424 counts.
const fn severity(level: Level) -> u8 {
    match level {
        Level::Alert => 1,
        Level::Warning => 4,
        Level::Notice => 5,
    }
}

/// Returns a source as a name that every receiver takes for one.
fn host(source: &str) -> String {
    if source.is_empty() {
        return "-".to_owned();
    }
    if let Ok(address) = source.parse::<IpAddr>() {
        return address.to_string();
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let plain = source.chars().map(|c| if is_plain(c) { c } else { '_' });
    plain.take(HOST_BYTES_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_one_plain_word() {
        assert_eq!(host("web-01.example.org"), "web-01.example.org");
        assert_eq!(host("2001:DB8::1"), "2001:db8::1");
        assert_eq!(host("a b/c:\n[x] ü"), "a_b_c___x___");
        assert_eq!(host(""), "-");
        assert_eq!(host(&"x".repeat(900)).len(), HOST_BYTES_MAX);
    }
}
