//! Filename lists: `REGEX;SCORE[;FALSE-POSITIVE REGEX]`, on the full path.
//!
//! The expression may contain `;`: the score is the first field that is an
//! integer, what is before it is the expression, what is behind it the
//! false-positive expression. It is searched anywhere in the path, as the
//! sender gave it: a `\\` in an expression does not match a `/`.
//!
//! An expression is case-sensitive unless it says `(?i)`; one without any
//! character that means something in an expression (`\ . + * ? ( ) | [ ] { } ^
//! $`) is plain text and compared without regard to case.
//!
//! The syntax is that of the `regex` crate, which reads what was written for
//! Python and Go except for look-around and back-references. Those need an
//! engine whose time is not bounded by the length of the path, so that a path
//! made for the purpose could stop the service; such lines are reported.
//!
//! All expressions that match add up to one match; scores may be negative, and
//! speak for the file then. A line that is listed twice counts once, with the
//! higher score.

mod literals;
mod patterns;

use std::collections::HashMap;

use squall_types::{Match, MatchField, SignatureKind, SignatureOrigin};

use self::patterns::{Pattern, Patterns};
use super::found;
use super::lines::{self, Entry, FileProblems};
use super::notes::{NoteId, Notes, NotesBuilder};
use crate::{Problem, matching};

/// The most expressions that are loaded.
const PATTERNS_MAX: usize = 200_000;

/// The most descriptions told of one match.
const DESCRIPTIONS_MAX: usize = 8;

/// Filename IOCs.
#[derive(Debug, Default)]
pub(super) struct Filenames {
    patterns: Patterns,
    notes: Vec<NoteId>,
}

/// An expression that matched a path.
struct Hit<'a> {
    score: i32,
    text: &'a str,
    origin: SignatureOrigin,
    range: std::ops::Range<usize>,
}

impl Filenames {
    /// Returns how many expressions there are.
    pub(super) fn len(&self) -> usize {
        self.notes.len()
    }

    /// Tells whether any expression matches a path.
    pub(super) fn sees(&self, path: &str) -> bool {
        !self.patterns.matches(path).is_empty()
    }

    /// Returns one match for all expressions that match the path, or `None` if
    /// none does or their scores come to nothing.
    pub(super) fn matches(&self, notes: &Notes, path: &str) -> Option<Match> {
        let mut hits: Vec<Hit<'_>> = self
            .patterns
            .matches(path)
            .into_iter()
            .map(|(pattern, range)| {
                let note = notes.get(self.notes[pattern]);
                Hit {
                    score: i32::from(note.score),
                    text: note.text,
                    origin: note.origin,
                    range,
                }
            })
            .collect();
        // A stable sort: equal scores stay in the order of their lists.
        hits.sort_by_key(|hit| -hit.score);
        let sum: i32 = hits.iter().map(|hit| hit.score).sum();
        (sum != 0).then(|| one_match(&hits, sum.clamp(-100, 100), path))
    }
}

fn one_match(hits: &[Hit<'_>], subscore: i32, path: &str) -> Match {
    let origin = hits
        .first()
        .map_or(SignatureOrigin::Internal, |hit| hit.origin);
    let mut strings: Vec<_> = hits
        .iter()
        .take(found::STRINGS_PER_MATCH_MAX)
        .map(|hit| matching::string("", MatchField::Path, hit.range.clone(), path.as_bytes()))
        .collect();
    strings.sort_by_key(|string| string.offset);
    strings.dedup();
    let description = describe(hits);
    Match {
        kind: SignatureKind::FilenameIoc,
        origin,
        rule_name: String::new(),
        references: super::notes::references(&description),
        description,
        author: None,
        date: None,
        id: None,
        false_positives: Vec::new(),
        tags: Vec::new(),
        subscore,
        strings,
    }
}

/// Says what matched: the one description, or each with its score.
fn describe(hits: &[Hit<'_>]) -> String {
    if let [hit] = hits {
        return hit.text.to_owned();
    }
    let mut parts: Vec<String> = hits
        .iter()
        .take(DESCRIPTIONS_MAX)
        .map(|hit| format!("{} ({})", hit.text, hit.score))
        .collect();
    if let Some(more) = hits.len().checked_sub(DESCRIPTIONS_MAX)
        && more > 0
    {
        parts.push(format!("{more} more"));
    }
    lines::cut(&parts.join("; ")).to_owned()
}

/// Collects filename IOCs.
#[derive(Default)]
pub(super) struct FilenamesBuilder {
    // From the expressions of a line to its number.
    known: HashMap<(String, Option<String>), usize>,
    patterns: Vec<Pattern>,
    notes: Vec<NoteId>,
}

impl FilenamesBuilder {
    /// Reads one line of a list; `fallback` describes a line without a comment.
    pub(super) fn add(
        &mut self,
        entry: &Entry<'_>,
        (fallback, origin): (&str, SignatureOrigin),
        notes: &mut NotesBuilder,
        problems: &mut FileProblems<'_>,
    ) {
        if self.patterns.len() >= PATTERNS_MAX {
            return problems.skipped(
                entry.line,
                format!("more than {PATTERNS_MAX} filename expressions"),
            );
        }
        let Ok(text) = std::str::from_utf8(entry.text) else {
            // Paths are text: such an expression could never match.
            return problems.skipped(entry.line, "expression is not UTF-8");
        };
        let Some(line) = Line::of(text) else {
            return problems.skipped(entry.line, "expected `REGEX;SCORE[;FALSE-POSITIVE REGEX]`");
        };
        if line.score.clamped {
            problems.warning(entry.line, "score is outside of -100..100 and was clamped");
        }
        let score = line.score.value;
        let note = notes.intern(entry.comment, fallback, score, origin);
        let key = (
            line.expression.to_owned(),
            line.false_positive.map(str::to_owned),
        );
        if let Some(&number) = self.known.get(&key) {
            if score > notes.get(self.notes[number]).score {
                self.notes[number] = note;
            }
            return;
        }
        match Pattern::new(line.expression, line.false_positive) {
            Ok(pattern) => {
                self.known.insert(key, self.patterns.len());
                self.patterns.push(pattern);
                self.notes.push(note);
            }
            Err(error) => problems.skipped(entry.line, error.to_string()),
        }
    }

    /// Ends the collection.
    pub(super) fn build(self, problems: &mut Vec<Problem>) -> Filenames {
        match Patterns::new(self.patterns) {
            Ok(patterns) => Filenames {
                patterns,
                notes: self.notes,
            },
            Err(error) => {
                problems.push(super::whole_kind_lost("filename", error.to_string()));
                Filenames::default()
            }
        }
    }
}

/// One line, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Line<'a> {
    expression: &'a str,
    score: lines::ScoreField,
    false_positive: Option<&'a str>,
}

impl<'a> Line<'a> {
    fn of(text: &'a str) -> Option<Self> {
        text.match_indices(';').find_map(|(at, _)| {
            let behind = &text[at + 1..];
            let (field, false_positive) = match behind.split_once(';') {
                Some((field, rest)) => (field, Some(rest.trim())),
                None => (behind, None),
            };
            let score = lines::score(field)?;
            let expression = &text[..at];
            (!expression.trim().is_empty()).then_some(Self {
                expression,
                score,
                false_positive: false_positive.filter(|rest| !rest.is_empty()),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> (Filenames, Notes, Vec<Problem>) {
        let mut builder = FilenamesBuilder::default();
        let mut notes = NotesBuilder::default();
        let mut list = Vec::new();
        let mut problems = FileProblems::new("x.txt", &mut list);
        let common = ("listed in x.txt", SignatureOrigin::Custom);
        lines::each_entry(text.as_bytes(), &mut problems, |entry, problems| {
            builder.add(&entry, common, &mut notes, problems);
        });
        problems.finish();
        let filenames = builder.build(&mut list);
        (filenames, notes.build(), list)
    }

    fn subscore(list: &str, path: &str) -> Option<i32> {
        let (filenames, notes, problems) = load(list);
        assert!(problems.is_empty(), "{list}: {problems:?}");
        filenames.matches(&notes, path).map(|found| found.subscore)
    }

    #[test]
    fn lines_are_taken_apart_at_the_score() {
        for (text, expected) in [
            (r"\\a\.exe;60", Some((r"\\a\.exe", 60, None))),
            ("a;60;b", Some(("a", 60, Some("b")))),
            ("a;-60;b;7;c", Some(("a", -60, Some("b;7;c")))),
            ("a;b;60", Some(("a;b", 60, None))),
            ("a;60;", Some(("a", 60, None))),
            ("a; 60 ; b ", Some(("a", 60, Some("b")))),
            ("a;", None),
            ("a;high", None),
            ("a", None),
            (";60", None),
            (";60;70", Some((";60", 70, None))),
        ] {
            let line = Line::of(text).map(|l| (l.expression, l.score.value, l.false_positive));
            let expected = expected.map(|(e, s, f): (&str, i8, _)| (e, s, f));
            assert_eq!(line, expected, "{text}");
        }
    }

    #[test]
    fn case_matters_unless_the_expression_says_otherwise() {
        for (list, path, matches) in [
            (r"\\Mimi\.exe;60", r"C:\Mimi.exe", true),
            (r"\\Mimi\.exe;60", r"C:\mimi.exe", false),
            (r"(?i)\\Mimi\.exe;60", r"C:\MIMI.EXE", true),
            ("/Library/Evil;60", "/library/evil/x", true),
            ("Library/Evil;60", "/lib/evil", false),
            ("evil.sh;60", "/tmp/EVIL.sh", false),
            ("evil.sh;60", "/tmp/evil_sh", true),
            (r"\\a\.exe$;60", r"\a.exe", true),
            (r"\\a\.exe$;60", r"\a.exe.txt", false),
            (r"\\a\.exe;60", "/a.exe", false),
            (r"\\sv±hest\.exe;45", r"C:\sv±hest.exe", true),
            (r"[^s2S]\\ntds.dit;60", r"C:\Temp\ntds.dit", true),
            (r"[^s2S]\\ntds.dit;60", r"C:\NTDS\ntds.dit", false),
            ("a b;60", "/x/A B", true),
            ("[0-9];60", "/x/7", true),
            (r"^[^\\]$;60", "x", true),
        ] {
            assert_eq!(subscore(list, path).is_some(), matches, "{list} on {path}");
        }
    }

    #[test]
    fn a_false_positive_expression_takes_a_match_back() {
        let list = r"(?i)\\procdump(64)?(a)?\.(exe|zip);50;(?i)(SysInternals\\)";
        assert_eq!(subscore(list, r"C:\x\ProcDump64.exe"), Some(50));
        assert_eq!(subscore(list, r"C:\sysinternals\procdump.exe"), None);
    }

    #[test]
    fn scores_add_up_to_one_match() {
        let list = "# Tool\n\\\\PsExec\\.exe;60\n# Ours http://x/y\n\\\\Sys\\\\;-30\n# Far\nC:;90";
        let (filenames, notes, problems) = load(list);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(filenames.len(), 3);
        let found = filenames
            .matches(&notes, r"D:\Sys\PsExec.exe")
            .expect("match");
        assert_eq!(found.subscore, 30);
        assert_eq!(found.kind, SignatureKind::FilenameIoc);
        assert_eq!(found.description, "Tool (60); Ours http://x/y (-30)");
        assert_eq!(found.references, ["http://x/y"]);
        let seen: Vec<_> = found
            .strings
            .iter()
            .map(|s| (s.offset, s.data.as_slice()))
            .collect();
        assert_eq!(seen, [(2, br"\Sys\".as_slice()), (6, br"\PsExec.exe")]);
        assert_eq!(found.strings[0].field, MatchField::Path);
        let one = filenames.matches(&notes, r"D:\PsExec.exe").expect("match");
        assert_eq!(one.description, "Tool");
        let many = filenames.matches(&notes, r"C:\PsExec.exe").expect("match");
        assert_eq!(many.subscore, 100);
        let against = filenames.matches(&notes, r"D:\Sys\x").expect("match");
        assert_eq!(against.subscore, -30);
        assert!(filenames.matches(&notes, "").is_none());
        assert_eq!(subscore("a;60\nb;-60", "ab"), None);
    }

    #[test]
    fn a_line_listed_twice_counts_once() {
        let list = "\\\\music\\.exe;45\n\\\\music\\.exe;65\n\\\\music\\.exe;60\n";
        assert_eq!(subscore(list, r"C:\music.exe"), Some(65));
        // With another false-positive expression it is another line.
        let list = "\\\\music\\.exe;20\n\\\\music\\.exe;30;D:";
        assert_eq!(subscore(list, r"C:\music.exe"), Some(50));
        assert_eq!(subscore(list, r"D:\music.exe"), Some(20));
    }

    #[test]
    fn the_public_list_finds_what_each_line_finds_alone() {
        let Some(directory) = crate::ioc::tests::signature_base() else {
            println!("skipped: no signature-base on this machine");
            return;
        };
        let text = std::fs::read_to_string(directory.join("filename-iocs.txt")).expect("file");
        let lines: Vec<&str> = text.lines().filter(|l| !l.starts_with('#')).collect();
        let alone: Vec<(regex::Regex, Option<regex::Regex>)> = lines
            .iter()
            .filter_map(|line| Line::of(line))
            .map(|line| {
                let plain = !line.expression.contains(patterns::META);
                let regex = |text: &str, plain| {
                    let builder = &mut regex::RegexBuilder::new(text);
                    builder.case_insensitive(plain).build().expect("expression")
                };
                let false_positive = line.false_positive.map(|text| regex(text, false));
                (regex(line.expression, plain), false_positive)
            })
            .collect();
        let (filenames, ..) = load(&text);
        let mut hit_count = 0;
        // Paths near what the lines look for, made of the lines themselves.
        for line in lines.iter().step_by(29).filter_map(|line| Line::of(line)) {
            let path = format!("C:{}", line.expression.replace(r"\\", "\u{1}"));
            let path = path.replace(['\\', '$', '^'], "").replace('\u{1}', r"\");
            let mut expected: Vec<String> = alone
                .iter()
                .filter(|(regex, not)| {
                    regex.is_match(&path) && !not.as_ref().is_some_and(|not| not.is_match(&path))
                })
                .map(|(regex, not)| format!("{regex} {not:?}"))
                .collect();
            expected.sort();
            expected.dedup();
            let found = filenames.patterns.matches(&path).len();
            assert_eq!(found, expected.len(), "{path}: {expected:?}");
            hit_count += found;
        }
        assert!(hit_count > 100, "{hit_count}");
    }

    #[test]
    fn lines_that_cannot_be_used_are_reported() {
        for (line, reason) in [
            (r"a(?=b);60", "look-around"),
            (r"(?<!a)b;60", "look-around"),
            (r"(a)\1;60", "backreferences"),
            (r"(a;60", "unclosed group"),
            ("a;60;(", "unclosed group"),
            ("no score", "expected `REGEX;SCORE"),
            (r"(\w{500}){500};60", "size limit"),
            (
                &format!("{}a{};60", "(".repeat(500), ")".repeat(500)),
                "nest",
            ),
            (".*;60", "matches every path"),
            ("x|;60", "matches every path"),
        ] {
            let (filenames, notes, problems) = load(&format!("{line}\n\\\\good;70"));
            assert_eq!(problems.len(), 1, "{line}: {problems:?}");
            assert_eq!(problems[0].line, Some(1));
            assert!(problems[0].reason.contains(reason), "{}", problems[0]);
            assert_eq!(
                filenames.matches(&notes, r"\good").map(|m| m.subscore),
                Some(70)
            );
        }
        let (_, _, problems) = load("\\\\a;500");
        assert!(problems[0].reason.contains("clamped"), "{problems:?}");
    }

    #[test]
    fn python_habits_are_understood() {
        for (list, path) in [
            (r"\\a\Z;60", r"C:\a"),
            (r"\/tmp\/x\-y;60", "/tmp/x-y"),
            (r"\\{1}a;60", r"\a"),
            (r"/x{a};60", "/x{a}"),
            (r"/%{2};60", "/%%"),
            (r"\\x{,3}y;60", r"\xxy"),
            (r"/[[]x;60", "/[x"),
            (r"/a\_b;60", "/a_b"),
        ] {
            assert_eq!(subscore(list, path), Some(60), "{list}");
        }
    }
}
