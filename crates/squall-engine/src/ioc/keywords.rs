//! Keyword lists: one string a line, looked for in the content.
//!
//! Keywords are compared byte for byte, case included, as ASCII (or UTF-8) and
//! as UTF-16 of either byte order. White space around a line is not part of the keyword. A line
//! that is not UTF-8 is taken for Latin-1. The score is 60 for every keyword:
//! alone it makes a Warning, and never an Alert. A keyword counts once,
//! however often it occurs.
//!
//! A keyword has at least four bytes; shorter ones occur by chance in any
//! large binary.

use std::collections::HashMap;
use std::ops::Range;

use aho_corasick::AhoCorasick;
use squall_types::{Match, SignatureKind, SignatureOrigin};

use super::found::{self, Hits};
use super::lines::{Entry, FileProblems};
use super::notes::{NoteId, Notes, NotesBuilder};
use crate::Problem;

/// The score of a keyword.
const SCORE: i8 = 60;

/// The length of the shortest keyword.
const KEYWORD_MIN_BYTES: usize = 4;

/// The length of the longest keyword. All of them are one automaton, whose
/// size is the sum of their lengths.
const KEYWORD_MAX_BYTES: usize = 1024;

/// The most keywords that are loaded.
const KEYWORDS_MAX: usize = 500_000;

/// Keyword IOCs.
#[derive(Debug, Default)]
pub(super) struct Keywords {
    search: Option<AhoCorasick>,
    // What each pattern of the search is.
    forms: Vec<(KeywordIndex, Form)>,
    notes: Vec<NoteId>,
}

/// The number of a keyword, an index into the notes.
type KeywordIndex = u32;

/// What a pattern says about where its keyword is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// The pattern is the keyword.
    Exact,
    /// The pattern is the keyword in UTF-16LE without the zero at its end, and
    /// so as well that in UTF-16BE without the zero at its beginning.
    Wide,
}

impl Form {
    /// Returns where the keyword is, if it is there.
    fn place(self, pattern: Range<usize>, content: &[u8]) -> Option<Range<usize>> {
        match self {
            Self::Exact => Some(pattern),
            Self::Wide if content.get(pattern.end) == Some(&0) => {
                Some(pattern.start..pattern.end + 1)
            }
            Self::Wide => {
                let start = pattern.start.checked_sub(1)?;
                (content[start] == 0).then_some(start..pattern.end)
            }
        }
    }
}

impl Keywords {
    /// Returns how many keywords there are.
    pub(super) fn len(&self) -> usize {
        self.notes.len()
    }

    /// Returns a match for every keyword in the content.
    pub(super) fn matches(&self, notes: &Notes, content: &[u8]) -> Vec<Match> {
        let Some(search) = &self.search else {
            return Vec::new();
        };
        let mut hits = Hits::default();
        // Overlapping, so that a keyword inside another one is not missed.
        for hit in search.find_overlapping_iter(content) {
            let (keyword, form) = self.forms[hit.pattern().as_usize()];
            if let Some(place) = form.place(hit.range(), content) {
                hits.add(keyword as usize, place);
            }
        }
        let score = |keyword: usize| i32::from(notes.get(self.notes[keyword]).score);
        hits.into_best(score)
            .into_iter()
            .map(|(keyword, ranges)| Match {
                strings: found::strings(ranges, content),
                ..notes
                    .get(self.notes[keyword])
                    .to_match(SignatureKind::KeywordIoc)
            })
            .collect()
    }
}

/// Collects keywords.
#[derive(Default)]
pub(super) struct KeywordsBuilder {
    // From the keyword to its number.
    known: HashMap<Vec<u8>, KeywordIndex>,
    patterns: Vec<Vec<u8>>,
    forms: Vec<(KeywordIndex, Form)>,
    notes: Vec<NoteId>,
}

impl KeywordsBuilder {
    /// Reads one line of a list; `fallback` describes a line without a comment.
    pub(super) fn add(
        &mut self,
        entry: &Entry<'_>,
        (fallback, origin): (&str, SignatureOrigin),
        notes: &mut NotesBuilder,
        problems: &mut FileProblems<'_>,
    ) {
        let keyword = entry.text;
        if !(KEYWORD_MIN_BYTES..=KEYWORD_MAX_BYTES).contains(&keyword.len()) {
            return problems.skipped(
                entry.line,
                format!(
                    "keyword is {} bytes long, expected {KEYWORD_MIN_BYTES} to {KEYWORD_MAX_BYTES}",
                    keyword.len()
                ),
            );
        }
        if self.notes.len() >= KEYWORDS_MAX {
            return problems.skipped(entry.line, format!("more than {KEYWORDS_MAX} keywords"));
        }
        if self.known.contains_key(keyword) {
            // Listed twice is found once; that costs nobody anything.
            return;
        }
        // Far fewer than 2^32.
        let index = KeywordIndex::try_from(self.notes.len()).unwrap_or(KeywordIndex::MAX);
        self.known.insert(keyword.to_vec(), index);
        for (pattern, form) in forms(keyword) {
            self.patterns.push(pattern);
            self.forms.push((index, form));
        }
        self.notes
            .push(notes.intern(entry.comment, fallback, SCORE, origin));
    }

    /// Ends the collection.
    pub(super) fn build(self, problems: &mut Vec<Problem>) -> Keywords {
        if self.patterns.is_empty() {
            return Keywords::default();
        }
        match AhoCorasick::new(self.patterns) {
            Ok(search) => Keywords {
                search: Some(search),
                forms: self.forms,
                notes: self.notes,
            },
            Err(error) => {
                problems.push(super::whole_kind_lost("keyword", error.to_string()));
                Keywords::default()
            }
        }
    }
}

/// Returns the patterns that a keyword is searched by.
///
/// The two byte orders of text in Latin-1, all of whose units have a zero byte,
/// share one pattern: each further one makes the automaton larger.
fn forms(keyword: &[u8]) -> Vec<(Vec<u8>, Form)> {
    let units: Vec<u16> = match std::str::from_utf8(keyword) {
        Ok(text) => text.encode_utf16().collect(),
        Err(_) => keyword.iter().map(|&byte| u16::from(byte)).collect(),
    };
    let bytes = |of: fn(u16) -> [u8; 2]| units.iter().copied().flat_map(of).collect::<Vec<u8>>();
    let mut forms = vec![(keyword.to_vec(), Form::Exact)];
    let mut little = bytes(u16::to_le_bytes);
    if units.iter().all(|&unit| unit <= 0xff) {
        little.pop();
        forms.push((little, Form::Wide));
    } else {
        forms.push((little, Form::Exact));
        forms.push((bytes(u16::to_be_bytes), Form::Exact));
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ioc::lines;

    fn load(text: &[u8]) -> (Keywords, Notes, Vec<Problem>) {
        let mut builder = KeywordsBuilder::default();
        let mut notes = NotesBuilder::default();
        let mut list = Vec::new();
        let mut problems = FileProblems::new("x.txt", &mut list);
        let common = ("listed in x.txt", SignatureOrigin::Internal);
        lines::each_entry(text, &mut problems, |entry, problems| {
            builder.add(&entry, common, &mut notes, problems);
        });
        problems.finish();
        let keywords = builder.build(&mut list);
        (keywords, notes.build(), list)
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn utf16_be(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_be_bytes).collect()
    }

    #[test]
    fn keywords_are_found_as_ascii_and_as_utf16() {
        let list = "# Dumper http://x/y\n  WCE SERVICE \nprivilege::debug\nsch\u{f6}n\n";
        let (keywords, notes, problems) = load(list.as_bytes());
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(keywords.len(), 3);
        for (content, offset) in [
            (b"xx WCE SERVICE".to_vec(), Some(3)),
            (b"xx wce service".to_vec(), None),
            (b"WCE SERVIC".to_vec(), None),
            (utf16("xWCE SERVICEx"), Some(2)),
            ([b"\0".to_vec(), utf16("WCE SERVICE")].concat(), Some(1)),
            ("xschön".into(), Some(1)),
            (utf16("schön"), Some(0)),
            (utf16_be("WCE SERVICE"), Some(0)),
            // The orders cannot be told apart here.
            (utf16_be("xWCE SERVICEx"), Some(3)),
            (utf16_be("\u{4e57}WCE SERVICE\u{4557}"), Some(2)),
            (utf16("\u{4e57}WCE SERVICE\u{4557}"), Some(2)),
            (utf16_be("schön"), Some(0)),
            // The last letter is another one.
            ([utf16("WCE SERVIC"), vec![b'E', 1]].concat(), None),
            (Vec::new(), None),
        ] {
            let found = keywords.matches(&notes, &content);
            let offsets: Vec<_> = found.iter().map(|m| m.strings[0].offset).collect();
            assert_eq!(
                offsets,
                offset.into_iter().collect::<Vec<_>>(),
                "{content:?}"
            );
        }
        let found = &keywords.matches(&notes, b"a privilege::debug b")[0];
        assert_eq!(found.kind, SignatureKind::KeywordIoc);
        assert_eq!(found.description, "Dumper http://x/y");
        assert_eq!(found.references, ["http://x/y"]);
        assert_eq!(found.subscore, 60);
        assert_eq!(found.strings[0].data, b"privilege::debug");
        assert_eq!(found.strings[0].before, b"a ");
        assert_eq!(found.strings[0].after, b" b");
    }

    #[test]
    fn a_keyword_counts_once_and_hides_no_other() {
        let (keywords, notes, _) = load(b"mimi\nmimikatz\nkatz\nmimi");
        assert_eq!(keywords.len(), 3);
        let content = b"mimikatz ".repeat(100);
        let found = keywords.matches(&notes, &content);
        assert_eq!(found.len(), 3);
        for found in &found {
            assert_eq!(found.strings.len(), 8);
        }
        assert_eq!(found[0].strings[1].offset, 9);
    }

    #[test]
    fn a_copy_of_the_list_reports_a_bounded_part() {
        let list: String = (0..5000).map(|i| format!("keyword-{i:04}\n")).collect();
        let (keywords, notes, _) = load(list.as_bytes());
        assert_eq!(keywords.matches(&notes, list.as_bytes()).len(), 100);
    }

    #[test]
    fn lines_that_cannot_be_used_are_reported() {
        let long = "x".repeat(1025);
        let (keywords, notes, problems) = load(format!("abc\n{long}\ngood").as_bytes());
        assert_eq!(keywords.len(), 1);
        let lines: Vec<_> = problems.iter().map(|p| p.line).collect();
        assert_eq!(lines, [Some(1), Some(2)]);
        assert_eq!(keywords.matches(&notes, b"good").len(), 1);
        assert!(load(b"").0.matches(&notes, b"good").is_empty());
    }

    #[test]
    fn keywords_beyond_latin1_are_found_in_either_byte_order() {
        let (keywords, notes, _) = load("пароль".as_bytes());
        for content in ["xпароль".into(), utf16("пароль"), utf16_be("пароль")] {
            assert_eq!(keywords.matches(&notes, &content).len(), 1, "{content:?}");
        }
        assert!(keywords.matches(&notes, &utf16("парол")).is_empty());
    }

    #[test]
    fn latin1_keywords_are_found() {
        let (keywords, notes, problems) = load(b"sch\xf6n");
        assert!(problems.is_empty());
        assert_eq!(keywords.matches(&notes, b"sch\xf6n").len(), 1);
        assert_eq!(keywords.matches(&notes, &utf16("schön")).len(), 1);
    }
}
