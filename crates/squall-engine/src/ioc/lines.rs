//! The shape all IOC lists share: lines, comments, fields.
//!
//! A list is text, one indicator a line; `#` begins a comment line. The lines
//! of a comment block describe the indicators below it, up to the next block.
//! An indicator that was switched off with a `#` describes nothing.
//! A list may be UTF-8, with or without a byte order mark, or UTF-16 with one
//! (what a Windows shell writes); bytes that are not UTF-8 are replaced where
//! text is needed.

use std::borrow::Cow;

use crate::{Problem, Severity};

/// The longest line that is read.
pub(super) const LINE_MAX_BYTES: usize = 64 * 1024;

/// The most problems reported of one file; the rest is counted. A list of the
/// wrong kind would otherwise report every line of it.
const PROBLEMS_PER_FILE_MAX: usize = 1000;

/// The longest description, in characters, as for YARA rules.
pub(super) const DESCRIPTION_MAX_CHARS: usize = 1024;

/// The lowest and the highest sub-score.
const SCORE_MIN: i64 = -100;
const SCORE_MAX: i64 = 100;

/// One line that holds an indicator.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    /// The number of the line, from 1.
    pub(super) line: u32,
    /// The line, without white space around it.
    pub(super) text: &'a [u8],
    /// The comment block above it; empty when there is none.
    pub(super) comment: &'a str,
}

impl<'a> Entry<'a> {
    /// Returns the line as text.
    pub(super) fn lossy(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.text)
    }
}

/// Calls `visit` for every line of `content` that holds an indicator.
pub(super) fn each_entry(
    content: &[u8],
    problems: &mut FileProblems<'_>,
    mut visit: impl FnMut(Entry<'_>, &mut FileProblems<'_>),
) {
    let content = decode(content);
    let mut block = CommentBlock::default();
    let mut rest = content.as_ref();
    let mut line = 0_u32;
    while !rest.is_empty() {
        line = line.saturating_add(1);
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let text = rest[..end].trim_ascii();
        rest = rest.get(end + 1..).unwrap_or_default();
        if text.len() > LINE_MAX_BYTES {
            problems.skipped(
                line,
                format!("line is {} bytes, limit is {LINE_MAX_BYTES}", text.len()),
            );
        } else if let Some(comment) = text.strip_prefix(b"#") {
            block.add(comment);
        } else if text.is_empty() {
            block.close();
        } else {
            block.close();
            let comment = &block.text;
            visit(
                Entry {
                    line,
                    text,
                    comment,
                },
                problems,
            );
        }
    }
}

/// The comment block that is being read, or the last one that was.
#[derive(Default)]
struct CommentBlock {
    text: String,
    open: bool,
}

impl CommentBlock {
    fn add(&mut self, comment: &[u8]) {
        let comment = String::from_utf8_lossy(comment);
        let comment = comment.trim_matches(|c: char| c == '#' || c.is_whitespace());
        if is_switched_off(comment) {
            return;
        }
        if !self.open {
            self.text.clear();
            self.open = true;
        }
        // Rulers and empty comment lines say nothing.
        if !comment.contains(char::is_alphanumeric) || self.text.len() > DESCRIPTION_MAX_CHARS {
            return;
        }
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(cut(comment));
    }

    fn close(&mut self) {
        self.open = false;
    }
}

/// Tells whether a comment is an indicator that was switched off: it has a
/// score, or it is one word that no sentence consists of.
fn is_switched_off(comment: &str) -> bool {
    let has_score = || {
        comment
            .split(';')
            .skip(1)
            .any(|field| score(field).is_some())
    };
    let is_word = || {
        !comment.contains(char::is_whitespace)
            && !comment.contains("://")
            && (comment.contains(['.', '\\'])
                || (comment.len() >= 32 && comment.bytes().all(|b| b.is_ascii_hexdigit())))
    };
    has_score() || is_word()
}

/// Makes UTF-8, or something near it, of a list's bytes.
pub(super) fn decode(content: &[u8]) -> Cow<'_, [u8]> {
    let wide = |units: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = units.as_chunks().0.iter().map(|&pair| unit(pair));
        let text: String = char::decode_utf16(units)
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        Cow::Owned(text.into_bytes())
    };
    match content {
        [0xef, 0xbb, 0xbf, text @ ..] => Cow::Borrowed(text),
        [0xff, 0xfe, units @ ..] => wide(units, u16::from_le_bytes),
        [0xfe, 0xff, units @ ..] => wide(units, u16::from_be_bytes),
        _ => Cow::Borrowed(content),
    }
}

/// Cuts a text to the longest description, between characters.
pub(super) fn cut(text: &str) -> &str {
    match text.char_indices().nth(DESCRIPTION_MAX_CHARS) {
        None => text,
        Some((end, _)) => &text[..end],
    }
}

/// A score as a list names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ScoreField {
    /// The score, clamped to −100..100.
    pub(super) value: i8,
    /// Whether the list names one outside of that.
    pub(super) clamped: bool,
}

/// Reads a score, or returns `None` if the field is not an integer.
pub(super) fn score(field: &str) -> Option<ScoreField> {
    let field = field.trim();
    let digits = field.strip_prefix(['-', '+']).unwrap_or(field);
    if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i64 = field.parse().ok()?;
    let value = number.clamp(SCORE_MIN, SCORE_MAX);
    Some(ScoreField {
        // The clamp above makes the value fit.
        value: i8::try_from(value).unwrap_or_default(),
        clamped: value != number,
    })
}

/// Splits what is behind an indicator: `[SCORE;]COMMENT`.
pub(super) fn score_and_comment(rest: &str) -> (Option<ScoreField>, &str) {
    let (first, behind) = rest.split_once(';').unwrap_or((rest, ""));
    match score(first) {
        Some(score) => (Some(score), behind.trim()),
        None => (None, rest.trim()),
    }
}

/// Collects the problems of one file.
pub(super) struct FileProblems<'a> {
    file: &'a str,
    list: &'a mut Vec<Problem>,
    count: usize,
}

impl<'a> FileProblems<'a> {
    /// Begins a file.
    pub(super) fn new(file: &'a str, list: &'a mut Vec<Problem>) -> Self {
        Self {
            file,
            list,
            count: 0,
        }
    }

    /// Reports a line that is not active.
    pub(super) fn skipped(&mut self, line: u32, reason: impl Into<String>) {
        self.push(Some(line), None, Severity::Skipped, reason.into());
    }

    /// Reports a line that is active.
    pub(super) fn warning(&mut self, line: u32, reason: impl Into<String>) {
        self.push(Some(line), None, Severity::Warning, reason.into());
    }

    /// Reports something about the file or about one named signature in it.
    pub(super) fn push(
        &mut self,
        line: Option<u32>,
        rule: Option<String>,
        severity: Severity,
        reason: String,
    ) {
        self.count += 1;
        if self.count <= PROBLEMS_PER_FILE_MAX {
            self.list.push(Problem {
                file: self.file.to_owned(),
                line,
                column: None,
                rule,
                severity,
                reason: reason.split_whitespace().collect::<Vec<_>>().join(" "),
            });
        }
    }

    /// Ends the file: says how many problems were not listed.
    pub(super) fn finish(self) {
        if let Some(more) = self.count.checked_sub(PROBLEMS_PER_FILE_MAX)
            && more > 0
        {
            self.list.push(Problem {
                file: self.file.to_owned(),
                line: None,
                column: None,
                rule: None,
                severity: Severity::Skipped,
                reason: format!("{more} more problems in this file"),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(content: &[u8]) -> (Vec<(u32, String, String)>, Vec<Problem>) {
        let mut list = Vec::new();
        let mut entries = Vec::new();
        let mut problems = FileProblems::new("f", &mut list);
        each_entry(content, &mut problems, |entry, _| {
            entries.push((entry.line, entry.lossy().into(), entry.comment.to_owned()));
        });
        problems.finish();
        (entries, list)
    }

    fn entry(line: u32, text: &str, comment: &str) -> (u32, String, String) {
        (line, text.to_owned(), comment.to_owned())
    }

    #[test]
    fn a_comment_block_describes_what_follows() {
        let text = b"none\n\n# One\n#\n# ----\n# two\n\n a \r\nb\n\nc\n#Next\nd";
        let (entries, problems) = entries(text);
        assert_eq!(
            entries,
            [
                entry(1, "none", ""),
                entry(8, "a", "One two"),
                entry(9, "b", "One two"),
                entry(11, "c", "One two"),
                entry(13, "d", "Next"),
            ]
        );
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn an_indicator_that_was_switched_off_describes_nothing() {
        let off = "#\\\\a\\.exe;60;x\n# evil.com\n#d41d8cd98f00b204e9800998ecf8427e\n";
        let text = format!("# About\n{off}a\n{off}b\n# http://x.y/z\nc\n#Mimikatz\nd");
        let comments: Vec<_> = entries(text.as_bytes())
            .0
            .into_iter()
            .map(|e| e.2)
            .collect();
        assert_eq!(comments, ["About", "About", "http://x.y/z", "Mimikatz"]);
    }

    #[test]
    fn every_encoding_a_tool_writes_is_read() {
        let utf16 = |mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| {
            let units = "# ü\r\na\r\n".encode_utf16().flat_map(bytes);
            mark.into_iter().chain(units).collect::<Vec<_>>()
        };
        for content in [
            "# ü\na".as_bytes().to_vec(),
            b"\xef\xbb\xbf# \xc3\xbc\na".to_vec(),
            utf16([0xff, 0xfe], u16::to_le_bytes),
            utf16([0xfe, 0xff], u16::to_be_bytes),
        ] {
            assert_eq!(entries(&content).0, [entry(2, "a", "ü")], "{content:?}");
        }
        assert_eq!(entries(b"# \xff\na").0, [entry(2, "a", "")]);
        assert_eq!(entries(b"\xff\xfea").0, []);
    }

    #[test]
    fn an_overlong_line_costs_only_itself() {
        let mut text = vec![b'x'; LINE_MAX_BYTES + 1];
        text.extend_from_slice(b"\na");
        let (entries, problems) = entries(&text);
        assert_eq!(entries, [entry(2, "a", "")]);
        assert_eq!(
            problems[0].to_string(),
            "f:1: line is 65537 bytes, limit is 65536"
        );
    }

    #[test]
    fn an_endless_comment_is_cut() {
        let text = "# comment\n".repeat(10_000) + "a";
        let (entries, _) = entries(text.as_bytes());
        assert!(entries[0].2.len() <= 2 * DESCRIPTION_MAX_CHARS);
    }

    #[test]
    fn problems_of_one_file_are_bounded() {
        let mut list = Vec::new();
        let mut problems = FileProblems::new("f", &mut list);
        for line in 0..1500 {
            problems.skipped(line, "bad\nline");
        }
        problems.finish();
        assert_eq!(list.len(), 1001);
        assert_eq!(list[0].reason, "bad line");
        assert_eq!(list[1000].reason, "500 more problems in this file");
    }

    #[test]
    fn scores_are_integers_within_bounds() {
        for (field, expected) in [
            ("60", Some((60, false))),
            (" -30 ", Some((-30, false))),
            ("+5", Some((5, false))),
            ("400", Some((100, true))),
            ("-999", Some((-100, true))),
            ("", None),
            ("-", None),
            ("6.5", None),
            ("0x10", None),
            ("60%", None),
            ("99999999999999999999", None),
        ] {
            let expected = expected.map(|(value, clamped)| ScoreField { value, clamped });
            assert_eq!(score(field), expected, "{field}");
        }
        assert_eq!(score_and_comment("55;a;b").1, "a;b");
        assert_eq!(score_and_comment(" a;b "), (None, "a;b"));
    }
}
