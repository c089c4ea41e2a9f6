//! The parts of a text line: the header and the fields in their order.

use jiff::tz::TimeZone;
use squall_types::{Digests, FileFacts, Match, MatchField, MatchedString, Report};

use super::{
    Options,
    field::{Field, without_keys},
};
use crate::{
    event::{self, Event},
    limits, v0, v1,
    visible::{self, Quotes},
};

/// Characters shown of the source and of the address in the header.
const HEADER_CHARS_MAX: usize = 255;

/// Returns the part before the fields: `Jul 10 09:08:47 SOURCE/IP THOR: Alert:`.
pub(crate) fn header(
    report: &Report,
    event: &Event<'_>,
    options: &Options,
    zone: &TimeZone,
) -> String {
    let origin = &report.submission.origin;
    let mut host = header_word(&origin.source);
    if !origin.remote_addr.is_empty() {
        host.push('/');
        host.push_str(&header_word(&origin.remote_addr));
    }
    format!(
        "{} {host} THOR: {}:",
        time(report.scan.scanned_at_us, options, zone),
        event.level.name()
    )
}

/// Returns the fields that have a value.
pub(crate) fn fields(report: &Report, event: &Event<'_>, index: usize) -> Vec<Field> {
    let mut fields = vec![
        Field::new("MODULE", event::MODULE),
        Field::new("MESSAGE", event.message),
        Field::new("SCANID", report.scan.scan_id.as_str()),
        Field::new("FILE", event.file.path),
        Field::new("EXT", event.file.extension()),
        Field::new("SCORE", event.score.value().to_string()),
        Field::new("TYPE", event.file.file_type()),
    ];
    if let Some(facts) = event.file.facts {
        push_facts(&mut fields, facts);
    }
    if let Some(parent) = event.parent {
        fields.push(Field::new("PARENT_FILE", parent.path.as_str()));
    }
    for (number, found) in (1..).zip(event.matches.iter().take(limits::REASONS_MAX)) {
        push_reason(&mut fields, number, found);
    }
    push_gaps(&mut fields, event);
    if event.matches.len() > limits::REASONS_MAX {
        fields.push(Field::new("REASONS_COUNT", event.matches.len().to_string()));
    }
    fields.push(Field::new(
        "UID",
        event::event_id(&report.submission, index),
    ));
    fields.retain(Field::has_value);
    fields
}

/// Returns the time of the scan as syslog writes it, or as RFC 3339.
fn time(time_us: i64, options: &Options, zone: &TimeZone) -> String {
    let time = v1::timestamp(time_us).to_zoned_datetime(zone.clone());
    let format = match (options.rfc3339, options.utc) {
        (false, _) => "%b %e %H:%M:%S",
        (true, true) => "%Y-%m-%dT%H:%M:%SZ",
        (true, false) => "%Y-%m-%dT%H:%M:%S%:z",
    };
    time.strftime(format).to_string()
}

/// Returns a word for the header: without blanks, slashes and quotes, never
/// empty.
fn header_word(value: &str) -> String {
    if value.is_empty() {
        return "-".to_owned();
    }
    let word = visible::text(value, HEADER_CHARS_MAX, Quotes::No)
        .replace(' ', "\\x20")
        .replace('/', "\\x2f")
        .replace('"', "\\x22");
    without_keys(&word).into_owned()
}

fn push_facts(fields: &mut Vec<Field>, facts: &FileFacts) {
    let Digests { md5, sha1, sha256 } = &facts.digests;
    fields.extend([
        Field::new("SIZE", facts.size_bytes.to_string()),
        Field::new("MD5", visible::hex(md5)),
        Field::new("SHA1", visible::hex(sha1)),
        Field::new("SHA256", visible::hex(sha256)),
        Field::new("FIRSTBYTES", v0::first_bytes(&facts.first_bytes)),
        Field::new("UNPACK_SOURCE", facts.unpack_source.join(">")),
    ]);
}

fn push_reason(fields: &mut Vec<Field>, number: usize, found: &Match) {
    fields.extend([
        Field::new(format!("REASON_{number}"), v1::summary(found)),
        Field::new(format!("SUBSCORE_{number}"), found.subscore.to_string()),
        Field::new(format!("REF_{number}"), found.references.join(", ")),
        Field::new(format!("SIGTYPE_{number}"), found.origin.name()),
        Field::new(format!("SIGCLASS_{number}"), found.kind.name()),
        Field::new(format!("MATCHED_{number}"), matched(&found.strings)),
        Field::new(
            format!("RULEDATE_{number}"),
            found.date.as_deref().unwrap_or_default(),
        ),
        Field::new(format!("TAGS_{number}"), found.tags.join(", ")),
        Field::new(format!("RULENAME_{number}"), found.rule_name.as_str()),
    ]);
}

/// Adds what could not be looked at: as the reasons of an event that has no
/// others, else as issues.
fn push_gaps(fields: &mut Vec<Field>, event: &Event<'_>) {
    let key = if event.matches.is_empty() {
        "REASON"
    } else {
        "ISSUE"
    };
    for (number, gap) in (1..).zip(&event.gaps) {
        fields.push(Field::new(
            format!("{key}_{number}"),
            format!("{} ({})", gap.description, gap.category),
        ));
    }
}

/// Returns the matched strings: `Str1: "<%eval" at 0x0 Str2: "x.jsp" in path`.
pub(crate) fn matched(strings: &[MatchedString]) -> String {
    let shown = (1..).zip(strings.iter().take(limits::STRINGS_MAX));
    let mut texts: Vec<_> = shown
        .map(|(number, string)| format!("Str{number}: {}", matched_string(string)))
        .collect();
    if strings.len() > limits::STRINGS_MAX {
        texts.push(format!("... ({} strings)", strings.len()));
    }
    texts.join(" ")
}

fn matched_string(string: &MatchedString) -> String {
    let text = visible::bytes(
        &string.data,
        string.data.len() as u64 >= string.length,
        limits::STRING_CHARS_MAX,
        Quotes::Yes,
    );
    match string.field {
        MatchField::Content => format!("\"{text}\" at {:#x}", string.offset),
        MatchField::Path => format!("\"{text}\" in path"),
        MatchField::Md5 => format!("\"{text}\" in md5"),
        MatchField::Sha1 => format!("\"{text}\" in sha1"),
        MatchField::Sha256 => format!("\"{text}\" in sha256"),
        MatchField::Imphash => format!("\"{text}\" in imphash"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::{Offset, TimeZone};

    use super::*;

    const JULY_US: i64 = 1_783_674_527_123_456;

    fn shown(rfc3339: bool, zone: &TimeZone) -> String {
        let options = Options {
            utc: *zone == TimeZone::UTC,
            rfc3339,
            ..Options::default()
        };
        time(JULY_US, &options, zone)
    }

    #[test]
    fn times_are_those_of_syslog() {
        let berlin = TimeZone::fixed(Offset::constant(2));
        assert_eq!(shown(false, &TimeZone::UTC), "Jul 10 09:08:47");
        assert_eq!(shown(false, &berlin), "Jul 10 11:08:47");
        assert_eq!(shown(true, &TimeZone::UTC), "2026-07-10T09:08:47Z");
        assert_eq!(shown(true, &berlin), "2026-07-10T11:08:47+02:00");
        let options = Options::default();
        assert_eq!(time(0, &options, &TimeZone::UTC), "Jan  1 00:00:00");
    }

    #[test]
    fn a_time_out_of_range_is_shown_as_the_last_one() {
        let options = Options {
            rfc3339: true,
            utc: true,
            ..Options::default()
        };
        assert_eq!(
            time(i64::MAX, &options, &TimeZone::UTC),
            "9999-12-30T22:00:00Z"
        );
    }

    #[test]
    fn the_source_is_one_word() {
        assert_eq!(header_word("a b/\"c\n"), r"a\x20b\x2f\x22c\x0a");
        assert_eq!(header_word("SCORE:"), r"SCORE\x3a");
        assert_eq!(header_word("2001:db8::1"), "2001:db8::1");
        assert_eq!(header_word(""), "-");
    }
}
