//! Indicators of compromise beside the YARA rules.
//!
//! | file | holds | looked for in |
//! | --- | --- | --- |
//! | `*hash*.txt` | digests: [`hashes`] | the digests of the file |
//! | `*trusted-hash*.txt`, `*falsepositive-hash*.txt` | digests | the same; a hit silences every finding |
//! | `*filename*.txt` | regular expressions: [`filenames`] | the path on the sender |
//! | `*keyword*.txt` | strings: [`keywords`] | the content |
//! | `*c2*.txt`, `*domains*.txt` | hosts, addresses, ranges: [`c2`] | the content |
//! | `*.json` | STIX v2 bundles: [`stix`] | path, digests and size |
//!
//! [`kind_of`] tells what a file is by its name. [`IocBuilder`] takes the
//! files' bytes and never fails: a line that cannot be used is left out and
//! reported with its file, its line and the reason. [`Iocs`] is what results:
//! immutable, shared by all scan threads, and asked about one file at a time.
//! Nothing here reads a file, and nothing a sender chooses (path or content)
//! makes it take more than linear time or a bounded amount of memory.

mod c2;
mod classify;
mod filenames;
mod found;
mod hashes;
mod keywords;
mod lines;
mod notes;
mod stix;

use squall_types::{Digests, Match, SignatureOrigin};

pub(crate) use self::classify::{IocKind, kind_of};
pub(crate) use self::stix::StixFacts;

use self::c2::{C2, C2Builder};
use self::filenames::{Filenames, FilenamesBuilder};
use self::hashes::{HashList, Hashes, HashesBuilder, Verdict};
use self::keywords::{Keywords, KeywordsBuilder};
use self::lines::FileProblems;
use self::notes::{Notes, NotesBuilder};
use self::stix::{Stix, StixBuilder};
use crate::{Problem, Severity};

/// All IOCs of a signature set.
#[derive(Debug, Default)]
pub(crate) struct Iocs {
    notes: Notes,
    hashes: Hashes,
    trusted: Hashes,
    filenames: Filenames,
    keywords: Keywords,
    c2: C2,
    stix: Stix,
}

impl Iocs {
    /// Returns how many indicators are active; trusted digests are none.
    pub(crate) fn count(&self) -> u64 {
        let count = self.hashes.len()
            + self.filenames.len()
            + self.keywords.len()
            + self.c2.len()
            + self.stix.len();
        count as u64
    }

    /// Returns how many digests are trusted.
    #[cfg(test)]
    pub(crate) fn trusted_count(&self) -> u64 {
        self.trusted.len() as u64
    }

    /// Tells whether a file is trusted: nothing is to be reported on it.
    pub(crate) fn is_trusted(&self, digests: &Digests) -> bool {
        self.trusted.contains(digests)
    }

    /// Tells whether the content with this SHA-256 is trusted.
    pub(crate) fn trusts(&self, sha256: &[u8; 32]) -> bool {
        self.trusted.has_sha256(sha256)
    }

    /// Looks up a file's digests, and the import hash of an executable.
    pub(crate) fn match_hashes(&self, digests: &Digests, imphash: Option<[u8; 16]>) -> Vec<Match> {
        self.hashes.matches(&self.notes, digests, imphash)
    }

    /// Looks up a file's path. All filename IOCs that match are one match,
    /// whose sub-score is their sum, within −100..100.
    pub(crate) fn match_path(&self, path: &str) -> Option<Match> {
        self.filenames.matches(&self.notes, path)
    }

    /// Tells whether any filename IOC matches a path, even where their scores
    /// come to nothing.
    pub(crate) fn sees_path(&self, path: &str) -> bool {
        self.filenames.sees(path)
    }

    /// Hands the answers to all that STIX patterns ask of a path to `add`.
    /// Returns false if they ask too much, so that the whole path counts.
    pub(crate) fn add_stix_names(&self, path: &str, add: impl FnMut(&[u8])) -> bool {
        self.stix.name_answers(path, add)
    }

    /// Looks for keywords, hosts and addresses in a file's content: at most a
    /// hundred matches of either kind, highest scores first.
    pub(crate) fn match_content(&self, content: &[u8]) -> Vec<Match> {
        let mut matches = self.keywords.matches(&self.notes, content);
        matches.extend(self.c2.matches(&self.notes, content));
        matches
    }

    /// Asks STIX patterns about a file: at most a hundred matches, highest
    /// scores first.
    pub(crate) fn match_stix(&self, facts: &StixFacts<'_>) -> Vec<Match> {
        self.stix.matches(facts)
    }
}

/// Collects the IOCs of a signature set.
#[derive(Default)]
pub(crate) struct IocBuilder {
    notes: NotesBuilder,
    hashes: HashesBuilder,
    trusted: HashesBuilder,
    filenames: FilenamesBuilder,
    keywords: KeywordsBuilder,
    c2: C2Builder,
    stix: StixBuilder,
    problems: Vec<Problem>,
    is_full_reported: bool,
}

impl IocBuilder {
    /// Makes an empty collection.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Reads one file. `file_name` is what problems are reported under; its
    /// last component also tells a list of import hashes by its tag.
    ///
    /// The content is not kept: files can be read, added and dropped one by
    /// one.
    pub(crate) fn add(
        &mut self,
        kind: IocKind,
        file_name: &str,
        content: &[u8],
        origin: SignatureOrigin,
    ) {
        let mut problems = FileProblems::new(file_name, &mut self.problems);
        let fallback = format!("listed in {}", classify::base_name(file_name));
        let common = (fallback.as_str(), origin);
        let notes = &mut self.notes;
        let malicious = HashList {
            verdict: Verdict::Malicious,
            is_imphash: classify::is_imphash_list(file_name),
            fallback: &fallback,
            origin,
        };
        let trusted = HashList {
            verdict: Verdict::Trusted,
            ..malicious
        };
        let problems_ref = &mut problems;
        match kind {
            IocKind::Hash => lines::each_entry(content, problems_ref, |entry, problems| {
                self.hashes.add(&entry, malicious, notes, problems);
            }),
            IocKind::TrustedHash => lines::each_entry(content, problems_ref, |entry, problems| {
                self.trusted.add(&entry, trusted, notes, problems);
            }),
            IocKind::Filename => lines::each_entry(content, problems_ref, |entry, problems| {
                self.filenames.add(&entry, common, notes, problems);
            }),
            IocKind::Keyword => lines::each_entry(content, problems_ref, |entry, problems| {
                self.keywords.add(&entry, common, notes, problems);
            }),
            IocKind::C2 => lines::each_entry(content, problems_ref, |entry, problems| {
                self.c2.add(&entry, common, notes, problems);
            }),
            IocKind::Stix => self.stix.add(content, origin, problems_ref),
        }
        if notes.is_full() && !self.is_full_reported {
            self.is_full_reported = true;
            let reason = "too many different descriptions; further indicators are active and \
                          name only their list";
            problems.push(None, None, Severity::Warning, reason.to_owned());
        }
        problems.finish();
    }

    /// Ends the collection: returns what is active and all that is not, with
    /// the reasons, in the order of the files.
    pub(crate) fn build(self) -> (Iocs, Vec<Problem>) {
        let mut problems = self.problems;
        let iocs = Iocs {
            hashes: self.hashes.build(&self.notes),
            trusted: self.trusted.build(&self.notes),
            filenames: self.filenames.build(&mut problems),
            keywords: self.keywords.build(&mut problems),
            c2: self.c2.build(),
            stix: self.stix.build(),
            notes: self.notes.build(),
        };
        (iocs, problems)
    }
}

/// Says that no indicator of a kind is active, because all of them together
/// are too large.
fn whole_kind_lost(kind: &str, reason: String) -> Problem {
    Problem {
        file: format!("all {kind} lists"),
        line: None,
        column: None,
        rule: None,
        severity: Severity::Skipped,
        reason,
    }
}

#[cfg(test)]
mod tests;
