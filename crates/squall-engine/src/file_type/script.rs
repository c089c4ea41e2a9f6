//! Recognises scripts and source code without a telling first line, by what
//! their lines look like and which words they use.
//!
//! Each trait gives points to a language; the language with the most wins if it
//! has enough. One trait alone is rarely enough, and prose needs several times
//! as many: an article about `CreateObject` stays a text.

use super::comments::{Comments, is_line_comment};
use super::keywords::{self, Context};
use super::{FileType, bytes, catalogue as types, script_lines};

/// Code whose lines are looked at.
const CODE_MAX_BYTES: usize = 8 * 1024;
/// Code whose words are looked up, which takes longer.
const WORDS_MAX_BYTES: usize = 4 * 1024;
/// Points a language needs, and in prose.
const POINTS_MIN: u16 = 4;
const POINTS_MIN_IN_PROSE: u16 = 16;
const WEAK_MAX: u16 = 2;
const LANGUAGES: usize = 18;

/// A language that is told by its vocabulary. On equal points the first wins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Language {
    PowerShell,
    Vbs,
    Vba,
    Batch,
    Python,
    JavaScript,
    Shell,
    Perl,
    Ruby,
    Lua,
    AutoIt,
    CSharp,
    Java,
    Go,
    Rust,
    C,
    Sql,
    Css,
}

static TYPES: [FileType; LANGUAGES] = [
    types::POWERSHELL,
    types::VBS,
    types::VBA,
    types::BATCH,
    types::PYTHON,
    types::JAVASCRIPT,
    types::SHELL,
    types::PERL,
    types::RUBY,
    types::LUA,
    types::AUTOIT,
    types::CSHARP,
    types::JAVA,
    types::GO,
    types::RUST,
    types::C_SOURCE,
    types::SQL,
    types::CSS,
];

/// Points per language, and how much of the text reads as prose.
#[derive(Default)]
pub(super) struct Scores {
    points: [u16; LANGUAGES],
    weak: [u16; LANGUAGES],
    seen: [u64; 4],
    cmdlets: u16,
    words: usize,
    prose_words: usize,
}

/// Recognises the language of a script, if there is enough to tell.
///
/// A licence or a manual in front of the code is passed over, so the sample is
/// measured in code.
pub(super) fn detect(text: &[u8]) -> Option<FileType> {
    if is_yara(bytes::head(text, CODE_MAX_BYTES)) {
        return Some(types::YARA_RULES);
    }
    let mut scores = Scores::default();
    let mut comments = Comments::default();
    let mut code_len = 0;
    for line in text.split(|byte| *byte == b'\n') {
        let line = bytes::head(line.trim_ascii(), CODE_MAX_BYTES);
        if line.is_empty() || comments.cover(line) {
            continue;
        }
        script_lines::note(line, &mut scores);
        if !is_line_comment(line) {
            code_len += line.len();
            if code_len < WORDS_MAX_BYTES || scores.words == 0 {
                note_words(bytes::head(line, WORDS_MAX_BYTES), &mut scores);
            }
        }
        if code_len >= CODE_MAX_BYTES {
            break;
        }
    }
    scores.winner()
}

impl Scores {
    /// Gives points to a language. A single point is a weak hint, and any
    /// number of weak hints together stay below the mark.
    pub(super) fn add(&mut self, language: Language, points: u16) {
        let index = language as usize;
        if points <= 1 {
            self.weak[index] = (self.weak[index] + points).min(WEAK_MAX);
        } else {
            self.points[index] = self.points[index].saturating_add(points);
        }
    }

    fn winner(&self) -> Option<FileType> {
        let is_prose = self.words >= 8 && self.prose_words * 12 > self.words;
        let points_min = if is_prose {
            // A manual quotes more code the longer it is.
            POINTS_MIN_IN_PROSE + u16::try_from(self.words / 32).unwrap_or(u16::MAX / 2)
        } else {
            POINTS_MIN
        };
        let total = |index: usize| self.points[index] + self.weak[index];
        let mut best = 0;
        for index in 1..LANGUAGES {
            if total(index) > total(best) {
                best = index;
            }
        }
        (total(best) >= points_min).then(|| TYPES[best])
    }

    fn note_keyword(&mut self, index: usize, language: Language, points: u16) {
        let (cell, bit) = (index / 64 % self.seen.len(), index % 64);
        let mask = 1_u64 << bit;
        if self.seen[cell] & mask == 0 {
            self.seen[cell] |= mask;
            self.add(language, points);
        }
    }

    fn note_cmdlet(&mut self, points: u16) {
        const CMDLET_POINTS_MAX: u16 = 12;
        if self.cmdlets < CMDLET_POINTS_MAX {
            self.cmdlets += points;
            self.add(Language::PowerShell, points);
        }
    }
}

/// Looks up every word of a line.
fn note_words(line: &[u8], scores: &mut Scores) {
    let mut at = 0;
    while at < line.len() {
        if !is_word_start(line[at]) {
            at += 1;
            continue;
        }
        let len = line[at..]
            .iter()
            .position(|byte| !is_word_part(*byte))
            .unwrap_or(line.len() - at);
        let word = Word {
            text: &line[at..at + len],
            is_first: at == 0,
            is_quoted: at > 0 && matches!(line[at - 1], b'\'' | b'"'),
            is_called: line[at + len..].trim_ascii_start().first() == Some(&b'('),
        };
        word.note(scores);
        at += len;
    }
}

struct Word<'a> {
    text: &'a [u8],
    is_first: bool,
    is_quoted: bool,
    is_called: bool,
}

impl Word<'_> {
    fn note(&self, scores: &mut Scores) {
        const LEN_MAX: usize = 40;
        scores.words += 1;
        if self.text.len() < 2 {
            return;
        }
        let mut buffer = [0; LEN_MAX];
        let Some(lower) = buffer.get_mut(..self.text.len()) else {
            return;
        };
        lower.copy_from_slice(self.text);
        lower.make_ascii_lowercase();
        let lower = trim_end(lower);
        scores.prose_words += usize::from(keywords::is_prose(lower));
        self.look_up(lower, false, scores);
        if let Some(dot) = lower.iter().position(|byte| *byte == b'.') {
            self.look_up(&lower[..dot], true, scores);
            let last = lower.iter().rposition(|byte| *byte == b'.').unwrap_or(dot);
            self.look_up(&lower[last + 1..], false, scores);
        }
        let cmdlet = keywords::cmdlet(lower, self.text);
        if let Some(points) = cmdlet.filter(|_| !self.is_quoted) {
            scores.note_cmdlet(points);
        }
    }

    fn look_up(&self, lower: &[u8], is_owner: bool, scores: &mut Scores) {
        for (index, keyword) in keywords::find(lower) {
            let applies = match keyword.context {
                Context::Anywhere => !is_owner,
                Context::Called => self.is_called && !is_owner,
                Context::First => self.is_first && !is_owner,
                Context::Owner => is_owner,
            };
            if applies {
                scores.note_keyword(index, keyword.language, keyword.points);
            }
        }
    }
}

const fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$' | b'-')
}

const fn is_word_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'-' | b'.')
}

fn trim_end(word: &[u8]) -> &[u8] {
    let end = word
        .iter()
        .rposition(|byte| !matches!(byte, b'.' | b'-'))
        .map_or(0, |last| last + 1);
    &word[..end]
}

/// A YARA rule file: a rule head and a condition.
fn is_yara(sample: &[u8]) -> bool {
    let starts_rule = |line: &[u8]| {
        let line = line.trim_ascii_start();
        let line = line.strip_prefix(b"private ").unwrap_or(line);
        line.strip_prefix(b"rule ").is_some_and(|rest| {
            let (name, after) = bytes::take_word(rest.trim_ascii_start());
            let after = after.trim_ascii_start();
            !name.is_empty()
                && (after.is_empty() || after.starts_with(b"{") || after.starts_with(b":"))
        })
    };
    sample.split(|byte| *byte == b'\n').any(starts_rule)
        && (bytes::contains(sample, b"condition:") || bytes::contains(sample, b"strings:"))
}
