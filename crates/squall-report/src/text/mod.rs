//! The text log line: what a person reads on the console and a SIEM parses.
//!
//! One physical line per event:
//!
//! ```text
//! Jul 10 09:08:47 SOURCE/IP THOR: Alert: MODULE: Filescan MESSAGE: … SCANID: … FILE: … SCORE: 94 …
//! ```
//!
//! Most values come from outside. In every value, control characters, line
//! breaks of every kind, characters that turn the writing direction, invisible
//! ones and blanks other than the space are escaped (`\x0a`, `\u{202e}`), and in
//! the plain layout whatever looks like a key (`SCORE:`) loses its colon to
//! `\x3a`. So a file's name can neither begin a line nor add a field. In the
//! source, blanks, slashes and quotes are escaped too: the part before ` THOR: `
//! is the time, one blank, and one word with at most one slash, that before the
//! address. A backslash is not escaped in the plain layout, so that paths of
//! Windows stay readable: whoever needs the exact bytes finds them in the JSON
//! log.
//!
//! A key without a value is left out. Long values and lists are cut, see
//! [`crate::limits`].

pub(crate) mod field;
pub(crate) mod line;

use std::io;

use jiff::tz::TimeZone;
use squall_types::Report;

use crate::event;

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether times are in UTC instead of the local time zone.
    pub utc: bool,
    /// Whether times are written as RFC 3339 instead of `Jul 10 09:08:47`.
    pub rfc3339: bool,
    /// How keys and values are written.
    pub layout: Layout,
}

/// How keys and values are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// `KEY: value`.
    #[default]
    Plain,
    /// `KEY="value"`, with `"` and `\` in the value escaped by `\`.
    KeyValue,
}

/// Writes one line for each finding of a scan and for each other file that
/// could not be scanned completely, each with a single call of `write_all`. A
/// clean scan writes nothing.
///
/// # Errors
/// Whatever `out` returns; nothing else can fail.
pub fn write_lines(report: &Report, options: &Options, out: &mut impl io::Write) -> io::Result<()> {
    let zone = if options.utc {
        TimeZone::UTC
    } else {
        TimeZone::system()
    };
    for (index, event) in event::events(report).iter().enumerate() {
        let mut line = line::header(report, event, options, &zone);
        for field in line::fields(report, event, index) {
            line.push(' ');
            field.write(options.layout, &mut line);
        }
        line.push('\n');
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}
