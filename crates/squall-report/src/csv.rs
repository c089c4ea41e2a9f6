//! Findings as CSV (RFC 4180), one row for each event, for spreadsheets.
//!
//! Every value is visible text on one line, in quotes. One that a spreadsheet
//! would run as a formula (`=cmd|…`) has an apostrophe in front, which
//! spreadsheets show as text. Whoever needs the exact bytes finds them in the JSON
//! form.

use std::io;

use csv::{QuoteStyle, Terminator, WriterBuilder};
use squall_types::{MatchedString, Report};

use crate::event::{self, Event};
use crate::visible::{self, Quotes};
use crate::{limits, v0, v1};

/// The names of the columns, in their order.
pub const COLUMNS: [&str; 21] = [
    "time",
    "host",
    "level",
    "score",
    "message",
    "path",
    "extension",
    "type",
    "size",
    "entropy",
    "md5",
    "sha1",
    "sha256",
    "first_bytes",
    "unpacked_from",
    "unpack_source",
    "rules",
    "reasons",
    "matched",
    "not_scanned",
    "event_id",
];

/// Writes the row with the names of the columns.
///
/// # Errors
/// Whatever `out` returns.
pub fn write_header<W: io::Write>(out: &mut W) -> io::Result<()> {
    write_row(COLUMNS, out)
}

/// Writes a row for each finding of a scan and for each other file that could
/// not be scanned completely. A clean scan writes nothing.
///
/// # Errors
/// Whatever `out` returns.
pub fn write_rows(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    for (index, event) in event::events(report).iter().enumerate() {
        let row = row(report, event, index);
        write_row(row.iter().map(|value| cell(value)), out)?;
    }
    Ok(())
}

fn row(report: &Report, event: &Event<'_>, index: usize) -> [String; COLUMNS.len()] {
    let facts = event.file.facts;
    let digest = |hex: fn(&squall_types::Digests) -> String| {
        facts.map_or_else(String::new, |facts| hex(&facts.digests))
    };
    let matches = &event.matches[..event.matches.len().min(limits::REASONS_MAX)];
    let rules = matches
        .iter()
        .map(|found| &*found.rule_name)
        .filter(|name| !name.is_empty());
    let gaps = event
        .gaps
        .iter()
        .map(|gap| format!("{} ({})", gap.description, gap.category));
    [
        v1::time(report.scan.scanned_at_us),
        report.submission.origin.source.clone(),
        event.level.name().to_owned(),
        event.score.value().to_string(),
        event.message.to_owned(),
        event.file.path.to_owned(),
        event.file.extension(),
        event.file.file_type().to_owned(),
        facts.map_or_else(String::new, |facts| facts.size_bytes.to_string()),
        facts
            .and_then(|facts| facts.entropy_millibits)
            .map_or_else(String::new, |millibits| {
                format!("{:.3}", f64::from(millibits) / 1000.0)
            }),
        digest(|digests| visible::hex(&digests.md5)),
        digest(|digests| visible::hex(&digests.sha1)),
        digest(|digests| visible::hex(&digests.sha256)),
        facts.map_or_else(String::new, |facts| v0::first_bytes(&facts.first_bytes)),
        event
            .parent
            .map_or_else(String::new, |parent| parent.path.clone()),
        facts.map_or_else(String::new, |facts| facts.unpack_source.join(">")),
        joined(rules.map(str::to_owned)),
        joined(
            matches
                .iter()
                .map(|found| format!("{} ({})", v1::summary(found), found.subscore)),
        ),
        joined(matches.iter().flat_map(|found| strings(&found.strings))),
        joined(gaps),
        event::event_id(&report.submission, index),
    ]
}

fn strings(strings: &[MatchedString]) -> impl Iterator<Item = String> {
    strings.iter().take(limits::STRINGS_MAX).map(|string| {
        visible::bytes(
            &string.data,
            string.data.len() as u64 >= string.length,
            limits::STRING_CHARS_MAX,
            Quotes::No,
        )
    })
}

/// Joins values into one cell, no longer than a cell may be.
fn joined(values: impl Iterator<Item = String>) -> String {
    let mut out = String::new();
    for value in values {
        if !out.is_empty() {
            out.push_str("; ");
        }
        out.push_str(&value);
        if out.len() > limits::VALUE_CHARS_MAX {
            break;
        }
    }
    out
}

/// Returns a value as it may stand in a cell.
fn cell(value: &str) -> String {
    harmless(&visible::text(value, limits::VALUE_CHARS_MAX, Quotes::No))
}

/// Returns visible text that no spreadsheet takes for a formula: what begins like
/// one gets an apostrophe in front, as OWASP advises, also behind each semicolon.
/// Where these separate cells, as in many countries, a row that commas separate
/// is cut at them, and quotes in the midst of what is a cell there do not help.
#[must_use]
pub fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    for part in text.split_inclusive(';') {
        if starts_formula(part) {
            out.push('\'');
        }
        out.push_str(part);
    }
    out
}

/// Tells whether a spreadsheet would take text for a formula. Blanks in front
/// are dropped by some, quotes are taken for those of the cell, and the
/// full-width forms are taken for the others.
fn starts_formula(text: &str) -> bool {
    let is_dropped = |c: char| c.is_whitespace() || c == '"';
    text.trim_start_matches(is_dropped).starts_with([
        '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ])
}

fn write_row<V: AsRef<[u8]>>(
    values: impl IntoIterator<Item = V>,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let mut row = Vec::new();
    let mut writer = WriterBuilder::new()
        .quote_style(QuoteStyle::Always)
        .terminator(Terminator::CRLF)
        .from_writer(&mut row);
    writer.write_record(values).map_err(io::Error::other)?;
    writer.flush()?;
    drop(writer);
    out.write_all(&row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (value, shown) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("@SUM(1)", "'@SUM(1)"),
            ("  -1", "'  -1"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("x;=cmd.txt", "x;'=cmd.txt"),
            ("a; @b; c;-1", "a;' @b; c;'-1"),
            ("a;\"=b", "a;'\"=b"),
            ("a\t=b;", "a\\x09=b;"),
            ("a;b=c", "a;b=c"),
            ("a=b", "a=b"),
            ("/tmp/=x", "/tmp/=x"),
            ("a\r\n=b", "a\\x0d\\x0a=b"),
        ] {
            assert_eq!(cell(value), shown);
        }
    }

    #[test]
    fn rows_end_as_rfc_4180_says_and_all_values_are_quoted() {
        let mut out = Vec::new();
        write_row(["a,b", "c\"d", "e;f", ""], &mut out).expect("a vector takes everything");
        assert_eq!(out, b"\"a,b\",\"c\"\"d\",\"e;f\",\"\"\r\n");
    }
}
