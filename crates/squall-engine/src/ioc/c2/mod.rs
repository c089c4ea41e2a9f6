//! C2 lists: `HOST|IP|CIDR[;SCORE][;COMMENT]`, looked for in the content.
//!
//! A host is found as a whole host name, in either case, together with every
//! name below it: `evil.com` is found in `x.evil.com`, not in `notevil.com`,
//! `evil.com.au` or `evil.comx`. An address is found as a whole token: not
//! `1.2.3.4` in `11.2.3.45` or in the version number `1.2.3.4.5`. A range
//! finds every address in it. All of that in ASCII and in UTF-16 text of either
//! byte order, and behind a `%2F` of an encoded URL.
//!
//! The score is 75 unless the line names one. Refused with a reason: hosts
//! without a dot or under four characters, whole top-level and country
//! domains, ranges that are a large part of the Internet, addresses every
//! machine has, and addresses of pages (their host is often one that everybody
//! uses).

mod line;
mod tokens;

use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use squall_types::{Match, SignatureKind, SignatureOrigin};

use self::line::{Target, mask_v4, mask_v6};
use self::tokens::{Alphabet, Name, Token};
use super::found::{self, Hits};
use super::lines::{self, Entry, FileProblems};
use super::notes::{NoteId, Notes, NotesBuilder};

/// The score of a line that does not name one.
const SCORE_DEFAULT: i8 = 75;

/// The most lines that are loaded.
const TARGETS_MAX: usize = 5_000_000;

/// The length of the longest IPv4 address in text.
const V4_MAX_CHARS: usize = "255.255.255.255".len();

/// The length of the longest IPv6 address in text.
const V6_MAX_CHARS: usize = 45;

/// C2 IOCs; the numbers are those of their notes.
#[derive(Debug, Default)]
pub(super) struct C2 {
    hosts: HashMap<Box<[u8]>, NoteIndex>,
    // The last labels of all hosts. Most names in a file, such as those of
    // files, end in none of them and are done with.
    top_level: HashSet<Box<[u8]>>,
    v4: HashMap<(u8, u32), NoteIndex>,
    v6: HashMap<(u8, u128), NoteIndex>,
    // The lengths of the prefixes that occur.
    v4_prefixes: Vec<u8>,
    v6_prefixes: Vec<u8>,
    notes: Vec<NoteId>,
}

/// The number of a target, an index into the notes.
type NoteIndex = u32;

impl C2 {
    /// Returns how many hosts, addresses and ranges there are.
    pub(super) fn len(&self) -> usize {
        self.notes.len()
    }

    /// Returns a match for every indicator in the content.
    pub(super) fn matches(&self, notes: &Notes, content: &[u8]) -> Vec<Match> {
        let mut hits = Hits::default();
        if !self.hosts.is_empty() || !self.v4.is_empty() {
            self.find_names(content, &mut hits);
        }
        if !self.v6.is_empty() {
            self.find_v6(content, &mut hits);
        }
        let note = |target: usize| notes.get(self.notes[target]);
        hits.into_best(|target| i32::from(note(target).score))
            .into_iter()
            .map(|(target, ranges)| Match {
                strings: found::strings(ranges, content),
                ..note(target).to_match(SignatureKind::DomainIoc)
            })
            .collect()
    }

    fn find_names(&self, content: &[u8], hits: &mut Hits) {
        let mut name = Name::default();
        tokens::each(content, Alphabet::Name, |token| {
            token.name(content, &mut name);
            self.look_up(&token, &name, hits);
            // In `%2Fevil.com` the digits belong to the `%`.
            let is_encoded = token.before(content) == Some(b'%')
                && name.is_whole
                && name.text.len() > 2
                && name.text[..2].iter().all(u8::is_ascii_hexdigit);
            if is_encoded {
                let token = token.skip(2);
                token.name(content, &mut name);
                self.look_up(&token, &name, hits);
            }
        });
    }

    fn look_up(&self, token: &Token, name: &Name, hits: &mut Hits) {
        let text = name.text.as_slice();
        let Some(dot) = memchr::memrchr(b'.', text) else {
            return;
        };
        let last = &text[dot + 1..];
        if last.last().is_some_and(u8::is_ascii_digit) {
            self.look_up_v4(token, name, hits);
        }
        if !self.top_level.contains(last) {
            return;
        }
        let first = name.is_whole.then_some(0);
        let labels = memchr::memchr_iter(b'.', &text[..dot]).map(|dot| dot + 1);
        for start in first.into_iter().chain(labels) {
            if let Some(&target) = self.hosts.get(&text[start..]) {
                hits.add(target as usize, token.range_of(start, text.len()));
            }
        }
    }

    fn look_up_v4(&self, token: &Token, name: &Name, hits: &mut Hits) {
        if self.v4.is_empty() || !name.is_whole || name.text.len() > V4_MAX_CHARS {
            return;
        }
        let Some(address) = parse::<Ipv4Addr>(&name.text) else {
            return;
        };
        let range = token.range_of(0, name.text.len());
        for &prefix in &self.v4_prefixes {
            let key = (prefix, mask_v4(address.to_bits(), prefix));
            if let Some(&target) = self.v4.get(&key) {
                hits.add(target as usize, range.clone());
            }
        }
    }

    fn find_v6(&self, content: &[u8], hits: &mut Hits) {
        let mut name = Name::default();
        let is_name_char = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        tokens::each(content, Alphabet::Ipv6, |token| {
            token.name(content, &mut name);
            if !name.is_whole
                || name.text.len() > V6_MAX_CHARS
                || is_name_char(token.before(content))
                || is_name_char(token.behind(content))
            {
                return;
            }
            let Some(address) = parse::<Ipv6Addr>(&name.text) else {
                return;
            };
            let range = token.range_of(0, name.text.len());
            for &prefix in &self.v6_prefixes {
                let key = (prefix, mask_v6(address.to_bits(), prefix));
                if let Some(&target) = self.v6.get(&key) {
                    hits.add(target as usize, range.clone());
                }
            }
        });
    }
}

fn parse<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Collects C2 IOCs.
#[derive(Default)]
pub(super) struct C2Builder {
    c2: C2,
}

impl C2Builder {
    /// Reads one line of a list; `fallback` describes a line without a comment.
    pub(super) fn add(
        &mut self,
        entry: &Entry<'_>,
        (fallback, origin): (&str, SignatureOrigin),
        notes: &mut NotesBuilder,
        problems: &mut FileProblems<'_>,
    ) {
        if self.c2.notes.len() >= TARGETS_MAX {
            return problems.skipped(
                entry.line,
                format!("more than {TARGETS_MAX} hosts and addresses"),
            );
        }
        let text = entry.lossy();
        // `host # comment`
        let text = text
            .split_once(" #")
            .map_or(text.as_ref(), |(text, _)| text);
        let (field, rest) = text.split_once(';').unwrap_or((text, ""));
        let target = match Target::of(field) {
            Ok(target) => target,
            Err(error) => return problems.skipped(entry.line, error.to_string()),
        };
        let (score, comment) = lines::score_and_comment(rest);
        if score.is_some_and(|score| score.clamped) {
            problems.warning(entry.line, "score is outside of -100..100 and was clamped");
        }
        if target.is_private() {
            problems.warning(entry.line, "the address is of a private network");
        }
        let text = if comment.is_empty() {
            entry.comment
        } else {
            comment
        };
        let score = score.map_or(SCORE_DEFAULT, |score| score.value);
        let note = notes.intern(text, fallback, score, origin);
        self.insert(target, note, notes);
    }

    /// Adds a target. One that is listed twice keeps the higher score.
    fn insert(&mut self, target: Target, note: NoteId, notes: &NotesBuilder) {
        let c2 = &mut self.c2;
        let next = u32::try_from(c2.notes.len()).unwrap_or(u32::MAX);
        let index = match target {
            Target::Host(name) => {
                let last = name.rsplit('.').next().unwrap_or_default();
                if !c2.top_level.contains(last.as_bytes()) {
                    c2.top_level.insert(last.as_bytes().into());
                }
                *c2.hosts.entry(name.into_bytes().into()).or_insert(next)
            }
            Target::V4 { bits, prefix } => {
                note_prefix(&mut c2.v4_prefixes, prefix);
                *c2.v4.entry((prefix, bits)).or_insert(next)
            }
            Target::V6 { bits, prefix } => {
                note_prefix(&mut c2.v6_prefixes, prefix);
                *c2.v6.entry((prefix, bits)).or_insert(next)
            }
        };
        match c2.notes.get_mut(index as usize) {
            None => c2.notes.push(note),
            Some(known) if notes.get(note).score > notes.get(*known).score => *known = note,
            Some(_) => {}
        }
    }

    /// Ends the collection.
    pub(super) fn build(self) -> C2 {
        self.c2
    }
}

fn note_prefix(prefixes: &mut Vec<u8>, prefix: u8) {
    if !prefixes.contains(&prefix) {
        prefixes.push(prefix);
    }
}

#[cfg(test)]
mod tests;
