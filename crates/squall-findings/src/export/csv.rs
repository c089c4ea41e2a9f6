//! The table of an export.

use csv::{QuoteStyle, Terminator, WriterBuilder};
use squall_api::v1::FindingRow;

use super::{rules, visible};

const HEADINGS: [&str; 18] = [
    "time",
    "level",
    "score",
    "source",
    "file",
    "depth",
    "type",
    "size",
    "md5",
    "sha1",
    "sha256",
    "rules",
    "tags",
    "incomplete_or_cut",
    "scan_id",
    "event_id",
    "review",
    "note",
];

pub(super) fn head(out: &mut Vec<u8>) {
    record(HEADINGS, out);
}

pub(super) fn row(row: &FindingRow, note: &str, out: &mut Vec<u8>) {
    let digest = |digest: &Option<String>| digest.clone().unwrap_or_default();
    let cells: [String; HEADINGS.len()] = [
        row.time.clone(),
        row.level.clone(),
        row.score.to_string(),
        row.source.clone(),
        row.name.clone(),
        row.depth.to_string(),
        row.file_type.clone(),
        row.size.to_string(),
        digest(&row.md5),
        digest(&row.sha1),
        digest(&row.sha256),
        rules(row),
        row.tags.join("; "),
        row.has_issues.to_string(),
        row.scan_id.clone(),
        row.event_id.clone(),
        row.review.name().to_owned(),
        note.to_owned(),
    ];
    record(cells.map(|cell| harmless(&cell)), out);
}

fn record<const N: usize>(cells: [impl AsRef<[u8]>; N], out: &mut Vec<u8>) {
    let mut writer = WriterBuilder::new()
        .quote_style(QuoteStyle::Always)
        .terminator(Terminator::CRLF)
        .from_writer(out);
    // Writing to memory cannot fail.
    let _ = writer
        .write_record(cells)
        .and_then(|()| Ok(writer.flush()?));
}

/// Returns a cell that no spreadsheet takes for a formula.
fn harmless(cell: &str) -> String {
    squall_report::csv::harmless(&visible(cell))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_breaks_the_line() {
        for (cell, shown) in [
            ("=cmd()", "'=cmd()"),
            (" \u{3d}1+1", "' =1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2", "'-2"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("a;=b", "a;'=b"),
            ("plain", "plain"),
        ] {
            assert_eq!(harmless(cell), shown);
        }
        let shown = harmless("a\r\nb\tc\u{202e}d");
        assert!(!shown.contains(['\r', '\n', '\t', '\u{202e}']), "{shown}");
    }

    #[test]
    fn quotes_are_doubled() {
        let mut out = Vec::new();
        record(["a\"b,c", "d"], &mut out);
        assert_eq!(out, b"\"a\"\"b,c\",\"d\"\r\n");
    }
}
