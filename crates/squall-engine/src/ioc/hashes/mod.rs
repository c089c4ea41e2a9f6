//! Hash lists: `HASH[;SCORE];COMMENT`.
//!
//! The kind of digest follows from its length: 32 hexadecimal digits are MD5,
//! 40 SHA-1, 64 SHA-256, in either case. 32 digits are an import hash when the
//! line says `imphash` (as a field, or `imphash:` before the digest) or the
//! file's name has the tag. An import hash is also looked up among the MD5
//! digests, because lists in use mix both without saying so; two 128-bit
//! values do not meet by accident.
//!
//! The second field is a score only if it is an integer; without one it is
//! 100. A line without a comment is described by the comment block above it.
//! A digest listed twice counts once, with the highest score.
//!
//! Trusted lists have the same form; the score means nothing there.

mod table;

use squall_types::{Digests, Match, MatchField, MatchedString, SignatureKind, SignatureOrigin};

use self::table::{Table, TableBuilder};
use super::found;
use super::lines::{self, Entry, FileProblems};
use super::notes::{NoteId, Notes, NotesBuilder};

/// The score of a line that does not name one.
const SCORE_DEFAULT: i8 = 100;

/// Digests of the empty file. In a list of malware they are a mistake of the
/// tool that made it, and would report every empty file.
const EMPTY_FILE: [&str; 3] = [
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
];

/// Whether a list speaks against or for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The digests are of malware.
    Malicious,
    /// The digests are of files that are never reported.
    Trusted,
}

/// What is the same for all lines of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct HashList<'a> {
    /// Whether it speaks against or for a file.
    pub(super) verdict: Verdict,
    /// Whether its name is tagged as one of import hashes.
    pub(super) is_imphash: bool,
    /// What describes a line that nothing else does.
    pub(super) fallback: &'a str,
    /// Where it came from.
    pub(super) origin: SignatureOrigin,
}

/// Digests by kind.
#[derive(Debug, Default)]
pub(super) struct Hashes {
    md5: Table<16>,
    sha1: Table<20>,
    sha256: Table<32>,
    imphash: Table<16>,
}

impl Hashes {
    /// Returns how many digests there are.
    pub(super) fn len(&self) -> usize {
        self.md5.len() + self.sha1.len() + self.sha256.len() + self.imphash.len()
    }

    /// Tells whether one of a file's digests is listed.
    pub(super) fn contains(&self, digests: &Digests) -> bool {
        self.sha256.find(&digests.sha256).is_some()
            || self.sha1.find(&digests.sha1).is_some()
            || self.md5.find(&digests.md5).is_some()
    }

    /// Tells whether this SHA-256 is listed.
    pub(super) fn has_sha256(&self, sha256: &[u8; 32]) -> bool {
        self.sha256.find(sha256).is_some()
    }

    /// Returns a match for every description that a file's digests lead to: a
    /// file listed by several of its digests with one comment counts once.
    pub(super) fn matches(
        &self,
        notes: &Notes,
        digests: &Digests,
        imphash: Option<[u8; 16]>,
    ) -> Vec<Match> {
        let mut matches: Vec<Match> = Vec::new();
        let mut hit = |note: Option<NoteId>, string: MatchedString| {
            let Some(note) = note else { return };
            let mut found = notes.get(note).to_match(SignatureKind::HashIoc);
            found.strings.push(string);
            merge(&mut matches, found);
        };
        for (field, note, digest) in [
            (
                MatchField::Sha256,
                self.sha256.find(&digests.sha256),
                digests.sha256.as_slice(),
            ),
            (
                MatchField::Sha1,
                self.sha1.find(&digests.sha1),
                digests.sha1.as_slice(),
            ),
            (
                MatchField::Md5,
                self.md5.find(&digests.md5),
                digests.md5.as_slice(),
            ),
        ] {
            hit(note, found::digest(field, digest));
        }
        if let Some(imphash) = imphash {
            let note = self
                .imphash
                .find(&imphash)
                .or_else(|| self.md5.find(&imphash));
            hit(note, found::digest(MatchField::Imphash, &imphash));
        }
        matches
    }
}

/// Adds a match, or what it saw to one that says the same.
fn merge(matches: &mut Vec<Match>, found: Match) {
    match matches
        .iter_mut()
        .find(|m| m.description == found.description && m.origin == found.origin)
    {
        Some(same) => {
            same.subscore = same.subscore.max(found.subscore);
            same.strings.extend(found.strings);
        }
        None => matches.push(found),
    }
}

/// Collects digests.
#[derive(Default)]
pub(super) struct HashesBuilder {
    md5: TableBuilder<16>,
    sha1: TableBuilder<20>,
    sha256: TableBuilder<32>,
    imphash: TableBuilder<16>,
}

impl HashesBuilder {
    /// Reads one line of a list.
    pub(super) fn add(
        &mut self,
        entry: &Entry<'_>,
        list: HashList<'_>,
        notes: &mut NotesBuilder,
        problems: &mut FileProblems<'_>,
    ) {
        let line = match Line::of(entry.text, list.is_imphash) {
            Ok(line) => line,
            Err(reason) => return problems.skipped(entry.line, reason),
        };
        if let Some(reason) = line.refusal(list.verdict) {
            return problems.skipped(entry.line, reason);
        }
        let rest = String::from_utf8_lossy(line.rest);
        let (score, mut comment) = lines::score_and_comment(&rest);
        if line.is_imphash
            && let Some((field, behind)) = comment.split_once(';')
            && is_imphash_field(field.as_bytes())
        {
            comment = behind.trim();
        }
        if score.is_some_and(|score| score.clamped) {
            problems.warning(entry.line, "score is outside of -100..100 and was clamped");
        }
        let text = if comment.is_empty() {
            entry.comment
        } else {
            comment
        };
        let score = score.map_or(SCORE_DEFAULT, |score| score.value);
        let note = notes.intern(text, list.fallback, score, list.origin);
        self.push(&line, note);
    }

    fn push(&mut self, line: &Line<'_>, note: NoteId) {
        // `Line::of` has made sure that every digit is one.
        match (line.digits.len(), line.is_imphash) {
            (32, true) => self.imphash.push_hex(line.digits, note),
            (32, false) => self.md5.push_hex(line.digits, note),
            (40, _) => self.sha1.push_hex(line.digits, note),
            _ => self.sha256.push_hex(line.digits, note),
        }
    }

    /// Ends the collection.
    pub(super) fn build(self, notes: &NotesBuilder) -> Hashes {
        let score = |note| notes.get(note).score;
        Hashes {
            md5: self.md5.build(score),
            sha1: self.sha1.build(score),
            sha256: self.sha256.build(score),
            imphash: self.imphash.build(score),
        }
    }
}

/// One line, taken apart without copying: there may be millions.
#[derive(Debug, PartialEq, Eq)]
struct Line<'a> {
    digits: &'a [u8],
    is_imphash: bool,
    rest: &'a [u8],
}

impl<'a> Line<'a> {
    fn of(text: &'a [u8], list_is_imphash: bool) -> Result<Self, String> {
        let (first, mut rest) = split_field(text);
        let mut digits = first.trim_ascii();
        let mut is_imphash = false;
        if let Some(behind) = strip_imphash(digits) {
            is_imphash = true;
            digits = behind
                .strip_prefix(b":")
                .or(behind.strip_prefix(b"="))
                .unwrap_or(behind);
            digits = digits.trim_ascii();
            if digits.is_empty() {
                // `imphash;HASH;COMMENT`
                (digits, rest) = split_field(rest);
                digits = digits.trim_ascii();
            }
        }
        let (second, behind) = split_field(rest);
        if is_imphash_field(second) {
            is_imphash = true;
            rest = behind;
        } else if is_imphash_field(split_field(behind).0) {
            // `HASH;SCORE;imphash;COMMENT`
            is_imphash = true;
        }
        check_digits(digits)?;
        if is_imphash && digits.len() != 32 {
            return Err(format!(
                "an import hash has 32 hexadecimal digits, not {}",
                digits.len()
            ));
        }
        Ok(Self {
            digits,
            is_imphash: is_imphash || (list_is_imphash && digits.len() == 32),
            rest,
        })
    }

    /// Says why a digest that is well formed is not used.
    fn refusal(&self, verdict: Verdict) -> Option<&'static str> {
        let is_empty_file = || {
            EMPTY_FILE
                .iter()
                .any(|known| self.digits.eq_ignore_ascii_case(known.as_bytes()))
        };
        match verdict {
            Verdict::Trusted if self.is_imphash => {
                Some("an import hash cannot be trusted: malware built alike shares it")
            }
            Verdict::Malicious if is_empty_file() => Some("this is the digest of the empty file"),
            _ => None,
        }
    }
}

fn strip_imphash(field: &[u8]) -> Option<&[u8]> {
    let (head, behind) = field.split_at_checked("imphash".len())?;
    head.eq_ignore_ascii_case(b"imphash").then_some(behind)
}

fn is_imphash_field(field: &[u8]) -> bool {
    field.trim_ascii().eq_ignore_ascii_case(b"imphash")
}

fn split_field(text: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b';', text) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[]),
    }
}

fn check_digits(digits: &[u8]) -> Result<(), String> {
    // Without an early exit the compiler looks at many digits at once.
    let is_hex = digits
        .iter()
        .fold(true, |is_hex, digit| is_hex & digit.is_ascii_hexdigit());
    if !is_hex {
        return Err("expected a digest of hexadecimal digits before the first `;`".to_owned());
    }
    match digits.len() {
        32 | 40 | 64 => Ok(()),
        56 | 96 | 128 => Err(format!(
            "a digest of {} digits is of a kind that is not computed; use MD5, SHA-1 or SHA-256",
            digits.len()
        )),
        len => Err(format!(
            "digest has {len} hexadecimal digits, expected 32 (MD5), 40 (SHA-1) or 64 (SHA-256)"
        )),
    }
}

#[cfg(test)]
mod tests;
