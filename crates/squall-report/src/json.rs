//! The v3 log form as lines of a JSON log.

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};
use squall_api::v1::Finding;
use squall_types::Report;

use crate::{v1, visible};

/// Writes the findings of a scan in the v3 log form, one JSON object a line,
/// each with a single call of `write_all`. A clean scan writes nothing.
///
/// Characters that could break a line or act on a terminal are written as
/// `\uNNNN`, which every JSON parser reads as the character: a line stays one
/// line also for readers that break at U+2028 or U+0085.
///
/// # Errors
/// Whatever `out` returns; nothing else can fail.
pub fn write_lines(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    v1::findings(report)
        .iter()
        .try_for_each(|finding| write_line(finding, out))
}

/// Writes one finding as [`write_lines`] does.
///
/// # Errors
/// Whatever `out` returns; nothing else can fail.
pub fn write_line(finding: &Finding, out: &mut impl io::Write) -> io::Result<()> {
    let mut line = Vec::new();
    finding.serialize(&mut serializer(&mut line))?;
    line.push(b'\n');
    out.write_all(&line)
}

/// Returns a value as such a line, without its end.
pub(crate) fn one_line(value: &impl Serialize) -> Vec<u8> {
    let mut line = Vec::new();
    // Writing to memory cannot fail, and no key of ours is anything but text.
    let _ = value.serialize(&mut serializer(&mut line));
    line
}

/// Returns how many bytes a character has in a string of such a line.
pub(crate) fn escaped_len(c: char) -> usize {
    match c {
        '"' | '\\' => 2,
        // `\u0007`, and two of them for what is beyond U+FFFF.
        c if visible::is_hidden(c) => 6 * c.len_utf16(),
        c => c.len_utf8(),
    }
}

fn serializer(line: &mut Vec<u8>) -> serde_json::Serializer<&mut Vec<u8>, OneLine> {
    serde_json::Serializer::with_formatter(line, OneLine)
}

/// Compact JSON in which every hidden character is escaped.
struct OneLine;

impl Formatter for OneLine {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let mut shown_to = 0;
        for (at, c) in fragment
            .char_indices()
            .filter(|(_, c)| visible::is_hidden(*c))
        {
            CompactFormatter.write_string_fragment(writer, &fragment[shown_to..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            shown_to = at + c.len_utf8();
        }
        CompactFormatter.write_string_fragment(writer, &fragment[shown_to..])
    }
}
