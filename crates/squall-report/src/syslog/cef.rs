//! Common Event Format, version 0 of the head (ArcSight's document, revision 25):
//! `CEF:0|Squall|Squall|VERSION|MODULE|MESSAGE|SEVERITY|key=value …`.

use std::net::IpAddr;

use squall_types::{Level, Match, Report};

use super::Options;
use crate::event::{self, Event};
use crate::forms::{base_name, reasons};
use crate::text::line;
use crate::v0;
use crate::visible::{self, Quotes};

/// Characters that a value may have: names and messages 1023, strings of one's
/// own 4000, in the format's own words.
const NAME_CHARS_MAX: usize = 1023;
const STRING_CHARS_MAX: usize = 4000;

/// How many characters of a value are left at each step of cutting.
const VALUE_STEPS: [usize; 4] = [STRING_CHARS_MAX, 512, 128, 48];

/// A key with its value, and with the label that says what it is where the key
/// does not.
struct Extension {
    key: &'static str,
    label: Option<&'static str>,
    value: String,
    chars_max: usize,
}

/// Returns an event in Common Event Format, of at most `bytes_max` bytes.
pub(super) fn cef(
    report: &Report,
    index: usize,
    event: &Event<'_>,
    options: &Options,
    bytes_max: usize,
) -> String {
    let head = [
        "CEF:0",
        "Squall",
        "Squall",
        &in_head(&options.version),
        event::MODULE,
        event.message,
        severity(event.level),
        "",
    ]
    .join("|");
    let extensions = extensions(report, index, event);
    let mut message = head.clone();
    for (step, chars_max) in VALUE_STEPS.into_iter().enumerate() {
        message.truncate(head.len());
        let all = push(&mut message, &extensions, chars_max, bytes_max);
        if all || step + 1 == VALUE_STEPS.len() {
            break;
        }
    }
    message
}

/// Appends extensions as long as the message stays within `bytes_max`; returns
/// whether all of them did.
fn push(
    message: &mut String,
    extensions: &[Extension],
    chars_max: usize,
    bytes_max: usize,
) -> bool {
    let mut all = true;
    for (number, extension) in extensions.iter().enumerate() {
        let begun = message.len();
        if number > 0 {
            message.push(' ');
        }
        message.push_str(extension.key);
        message.push('=');
        let chars_max = chars_max.min(extension.chars_max);
        message.push_str(&in_extension(&extension.value, chars_max));
        if let Some(label) = extension.label {
            let key = extension.key;
            message.push_str(&format!(" {key}Label={label}"));
        }
        if message.len() > bytes_max {
            message.truncate(begun);
            all = false;
            break;
        }
    }
    all
}

/// Returns what is said of an event, the most important first: what finds no
/// room is left out from the end.
#[expect(
    clippy::too_many_lines,
    reason = "one list, in the order of importance"
)]
fn extensions(report: &Report, index: usize, event: &Event<'_>) -> Vec<Extension> {
    let mut said = Vec::new();
    let mut say = |key, label, value: String| {
        let chars_max = match label {
            Some(_) => STRING_CHARS_MAX,
            None => NAME_CHARS_MAX,
        };
        if !value.is_empty() {
            said.push(Extension {
                key,
                label,
                value,
                chars_max,
            });
        }
    };
    let origin = &report.submission.origin;
    say("rt", None, (report.scan.scanned_at_us / 1000).to_string());
    say(
        "externalId",
        None,
        event::event_id(&report.submission, index),
    );
    say("cat", None, event.level.name().to_owned());
    say("cn1", Some("Score"), event.score.value().to_string());
    if let Some(facts) = event.file.facts {
        say("fileHash", None, visible::hex(&facts.digests.sha256));
        say("fsize", None, facts.size_bytes.to_string());
    }
    say("fileType", None, event.file.file_type().to_owned());
    say("shost", None, origin.source.clone());
    match origin.remote_addr.parse() {
        Ok(IpAddr::V4(address)) => say("src", None, address.to_string()),
        Ok(IpAddr::V6(address)) => say("c6a2", Some("Source IPv6 Address"), address.to_string()),
        Err(_) => {}
    }
    say("fname", None, base_name(event.file.path).to_owned());
    say("filePath", None, event.file.path.to_owned());
    let names: Vec<_> = event.matches.iter().map(|found| name(found)).collect();
    say("cs1", Some("Rules"), names.join(","));
    say("cs2", Some("ScanId"), report.scan.scan_id.clone());
    if let Some(facts) = event.file.facts {
        say("cs3", Some("MD5"), visible::hex(&facts.digests.md5));
        say("cs4", Some("SHA1"), visible::hex(&facts.digests.sha1));
    }
    say("cn2", Some("Reasons"), event.matches.len().to_string());
    say("msg", None, reasons(event));
    if let Some(facts) = event.file.facts {
        say(
            "flexString1",
            Some("FirstBytes"),
            v0::first_bytes(&facts.first_bytes),
        );
    }
    let parent = event.parent.map(|parent| parent.path.clone());
    say(
        "flexString2",
        Some("ParentFile"),
        parent.unwrap_or_default(),
    );
    let tags: Vec<_> = event.matches.iter().flat_map(|found| &found.tags).collect();
    let tags: Vec<_> = tags.into_iter().map(String::as_str).collect();
    say("cs5", Some("Tags"), tags.join(","));
    let strings = event
        .matches
        .iter()
        .map(|found| line::matched(&found.strings));
    let strings: Vec<_> = strings.filter(|text| !text.is_empty()).collect();
    say("cs6", Some("Matched"), strings.join(" / "));
    said
}

const fn severity(level: Level) -> &'static str {
    match level {
        Level::Alert => "10",
        Level::Warning => "8",
        Level::Notice => "4",
    }
}

/// Returns what a match is called: its rule, or the kind of its indicator.
fn name(found: &Match) -> &str {
    if found.rule_name.is_empty() {
        found.kind.name()
    } else {
        &found.rule_name
    }
}

/// Escapes a value of the head.
fn in_head(value: &str) -> String {
    let shown = visible::text(value, NAME_CHARS_MAX, Quotes::No);
    shown.replace('\\', "\\\\").replace('|', "\\|")
}

/// Escapes a value of an extension: line breaks as the format has them, what
/// else must not be shown as it is as everywhere, with its backslash escaped.
fn in_extension(value: &str, chars_max: usize) -> String {
    let mut out = String::new();
    let mut chars = value.chars();
    for c in chars.by_ref().take(chars_max) {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '=' => out.push_str("\\="),
            '\\' => out.push_str("\\\\"),
            c => {
                let shown = visible::text(c.encode_utf8(&mut [0; 4]), 1, Quotes::No);
                out.push_str(&shown.replace('\\', "\\\\"));
            }
        }
    }
    if !chars.as_str().is_empty() {
        out.push_str("...");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_can_end_early() {
        assert_eq!(in_head("0.1|x\\\n"), "0.1\\|x\\\\\\\\x0a");
        assert_eq!(
            in_extension("C:\\a=b\nmsg=c\r\u{202e}\u{1b}|", 64),
            r"C:\\a\=b\nmsg\=c\r\\u{202e}\\x1b|"
        );
        assert_eq!(in_extension("abcdef", 3), "abc...");
    }
}
