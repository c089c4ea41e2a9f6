//! A finding as JSON in the forms that others have defined: the flat one of the
//! older logs (v1), Elastic Common Schema, and OCSF.

mod ecs;
mod flat;
mod ocsf;

use std::io;

use serde_json::{Value, json};
use squall_types::{Match, Report};

use crate::event::{self, Event};
use crate::{fit, limits, v0, v1, visible};

/// A form of JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// The v3 log form, with everything in it.
    #[default]
    V3,
    /// The keys of a text line, in lower case and flat.
    V1,
    /// Elastic Common Schema 8.17.
    Ecs,
    /// A Detection Finding of OCSF 1.3.
    Ocsf,
}

/// An event, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Its id.
    pub event_id: String,
    /// One line of JSON, without its end.
    pub body: Vec<u8>,
}

/// Returns an event for each finding of a scan and for each other file that
/// could not be scanned completely, each of at most `bytes_max` bytes. `version`
/// is that of this program. A clean scan gives none.
///
/// An event that would be longer is cut where its form stays valid, see
/// [`crate::syslog`].
#[must_use]
pub fn events(report: &Report, form: Form, version: &str, bytes_max: usize) -> Vec<Rendered> {
    let events = event::events(report);
    let one = |(index, event): (usize, &Event<'_>)| Rendered {
        event_id: event::event_id(&report.submission, index),
        body: match form {
            Form::V3 => v3(report, index, event, bytes_max),
            Form::V1 => fit::json(&flat::flat(report, index, event), bytes_max, |_| {}),
            Form::Ecs => fit::json(&ecs::ecs(report, index, event, version), bytes_max, |_| {}),
            Form::Ocsf => {
                let finding = ocsf::finding(report, index, event, version);
                fit::json(&finding, bytes_max, |_| {})
            }
        },
    };
    events.iter().enumerate().map(one).collect()
}

/// Writes the events of a scan, one a line, each with a single call of
/// `write_all`. A clean scan writes nothing.
///
/// # Errors
/// Whatever `out` returns; nothing else can fail.
pub fn write_lines(
    report: &Report,
    form: Form,
    version: &str,
    out: &mut impl io::Write,
) -> io::Result<()> {
    for mut event in events(report, form, version, usize::MAX) {
        event.body.push(b'\n');
        out.write_all(&event.body)?;
    }
    Ok(())
}

/// Returns the v3 log form, cut to `bytes_max` bytes; an issue in it says so.
pub(crate) fn v3(report: &Report, index: usize, event: &Event<'_>, bytes_max: usize) -> Vec<u8> {
    fit::json(&v1::finding(report, index, event), bytes_max, |cut| {
        let issue = json!({
            "affected": "/",
            "category": "truncated",
            "description": "cut to the length that the receiver takes",
        });
        match cut["issues"].as_array_mut() {
            Some(issues) => issues.push(issue),
            None => cut["issues"] = json!([issue]),
        }
    })
}

/// Removes what says nothing: null, empty texts, lists and objects.
fn without_empty(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::String(text) => (!text.is_empty()).then_some(Value::String(text)),
        Value::Array(list) => {
            let list: Vec<_> = list.into_iter().filter_map(without_empty).collect();
            (!list.is_empty()).then_some(Value::Array(list))
        }
        Value::Object(object) => {
            let entries = object.into_iter();
            let object: serde_json::Map<_, _> = entries
                .filter_map(|(key, value)| Some((key, without_empty(value)?)))
                .collect();
            (!object.is_empty()).then_some(Value::Object(object))
        }
        value => Some(value),
    }
}

/// What only one schema has no field for, or has it in another way; nothing says
/// nothing.
#[derive(Default)]
struct Own {
    score: Value,
    scan_id: Value,
    unpack_source: Value,
    reasons: Vec<Value>,
}

/// Returns what schemas of others have no field for.
fn rest(report: &Report, event: &Event<'_>, own: Own) -> Value {
    let facts = event.file.facts;
    json!({
        "level": event.level.name(),
        "score": own.score,
        "scan_id": own.scan_id,
        "sample_id": report.id.value(),
        "signature_version": report.scan.signature_version,
        "file_type": event.file.file_type(),
        "first_bytes": facts.map(|facts| v0::first_bytes(&facts.first_bytes)),
        "unpack_source": own.unpack_source,
        "parent_path": event.parent.map(|parent| &parent.path),
        "reason_count": event.matches.len(),
        "reasons": own.reasons,
        "issues": event.gaps.iter().map(|gap| json!({
            "category": gap.category,
            "description": gap.description,
        })).collect::<Vec<_>>(),
    })
}

/// Returns what the signature matched, as it can be read.
fn matched(found: &Match) -> Vec<String> {
    let strings = found.strings.iter().take(limits::STRINGS_MAX);
    let shown = strings.map(|string| {
        let complete = string.data.len() as u64 >= string.length;
        let (chars_max, quotes) = (limits::STRING_CHARS_MAX, visible::Quotes::No);
        visible::bytes(&string.data, complete, chars_max, quotes)
    });
    shown.collect()
}

/// Returns the techniques of MITRE ATT&CK among the tags of matches.
fn techniques(matches: &[&Match]) -> Vec<String> {
    let is_technique = |tag: &str| {
        let digits = |text: &str, count| {
            text.len() == count && text.bytes().all(|digit| digit.is_ascii_digit())
        };
        tag.strip_prefix('T')
            .is_some_and(|rest| match rest.split_once('.') {
                Some((technique, sub)) => digits(technique, 4) && digits(sub, 3),
                None => digits(rest, 4),
            })
    };
    let tags = matches.iter().flat_map(|found| &found.tags);
    let mut found: Vec<_> = tags.filter(|tag| is_technique(tag)).cloned().collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Returns all tags of matches, each once.
fn tags(matches: &[&Match]) -> Vec<String> {
    let mut tags: Vec<_> = matches
        .iter()
        .flat_map(|found| found.tags.iter().cloned())
        .collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// Returns the last name of a path of any system.
pub(crate) fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\', '|']).next().unwrap_or(path)
}

/// Returns why there is an event, in words.
pub(crate) fn reasons(event: &Event<'_>) -> String {
    let matches = event.matches.iter().map(|found| v1::summary(found));
    let gaps = event
        .gaps
        .iter()
        .map(|gap| format!("{} ({})", gap.description, gap.category));
    let shown = matches.chain(gaps).take(limits::REASONS_MAX);
    shown.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_is_the_last_of_its_path() {
        assert_eq!(base_name("C:\\a\\b.exe"), "b.exe");
        assert_eq!(base_name("/srv/a.zip|inner/x.js"), "x.js");
        assert_eq!(base_name("x"), "x");
    }

    #[test]
    fn what_says_nothing_is_left_out() {
        let value =
            json!({"a": null, "b": "", "c": [[], {"d": ""}], "e": 0, "f": false, "g": [null, 1]});
        assert_eq!(
            without_empty(value),
            Some(json!({"e": 0, "f": false, "g": [1]}))
        );
    }
}
