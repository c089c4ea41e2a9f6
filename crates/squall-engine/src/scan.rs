//! Scanning one sample, and what is inside it, with a compiled set.

mod part;

use std::time::{Duration, Instant};

use squall_types::{
    Digests, FileFacts, Finding, FirstBytes, Incomplete, IncompleteReason, Match, MatchField,
    Outcome, Thresholds, total_score,
};
use yara_x::{Rule, ScanError, ScanResults};

use crate::entropy::entropy_millibits;
use crate::file_type::{self, FileType};
use crate::heuristics::{self, Subject};
use crate::ioc::StixFacts;
use crate::lone_member::LoneMember;
use crate::name::Name;
use crate::name_use::{NameClasses, name_extension};
use crate::pe_info::{self, PeFile};
use crate::reuse::{self, Reuse, Trace, VerdictKey, VerdictKeys};
use crate::set::SignatureSet;
use crate::unpack::{self, Budget, Container, Format, Member, UnpackLimits};
use crate::{digest, matching, meta};

/// A sample to scan.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// The bytes.
    pub content: &'a [u8],
    /// The name on the sender, normally an absolute path.
    pub file_name: &'a str,
    /// Digests of the bytes.
    pub digests: Digests,
}

/// What a scan may cost and from which score it reports.
#[derive(Clone, Debug)]
pub struct ScanLimits {
    /// The longest time for one file. The engine counts in seconds: a scan
    /// ends within about one second of it. One that takes longer is repeated
    /// with a part of the file, for half of the time more at most.
    pub time_max: Duration,
    /// The lowest score of each level.
    pub thresholds: Thresholds,
    /// How archives and other containers are opened; `None` leaves them closed.
    pub unpack: Option<UnpackLimits>,
}

impl Default for ScanLimits {
    fn default() -> Self {
        Self {
            time_max: Duration::from_secs(120),
            thresholds: Thresholds::default(),
            unpack: Some(UnpackLimits::default()),
        }
    }
}

/// The most matches kept of one file; the highest sub-scores are kept. A file
/// of rules matches hundreds of rules.
const MATCHES_MAX: usize = 1000;

/// The most matches of one file that keep their strings; of the others reports
/// show no more than how many they are.
const MATCHES_WITH_STRINGS_MAX: usize = 100;

/// The most findings of one sample, and the most places in it that could not
/// be looked at. What is beyond is one more such place.
const PER_SAMPLE_MAX: usize = 1000;

/// Scans samples with one signature set, one at a time.
///
/// Belongs to one thread and is reused: making one costs more than a small
/// scan does.
pub struct Scanner<'set> {
    set: &'set SignatureSet,
    scanner: yara_x::Scanner<'set>,
    limits: ScanLimits,
    /// Made when keys are first asked for.
    names: Option<NameClasses<'set>>,
    trace: Trace,
}

/// A file to scan: the sample or a member of it.
struct File<'a> {
    content: &'a [u8],
    facts: FileFacts,
    file_type: FileType,
    parent: Option<&'a FileFacts>,
    /// How many members its container has, itself counted, where that is known.
    siblings: Option<usize>,
    /// Whether a limit of unpacking cut it off.
    is_part: bool,
}

impl<'set> Scanner<'set> {
    /// Makes a scanner for `set`.
    #[must_use]
    pub fn new(set: &'set SignatureSet, limits: ScanLimits) -> Self {
        Self {
            set,
            scanner: yara_x::Scanner::new(set.rules()),
            limits,
            names: None,
            trace: Trace::default(),
        }
    }

    /// Returns what an outcome is to be looked up and stored under, or `None`
    /// if none of the set's may be used again.
    #[must_use]
    pub fn verdict_keys(&self, sha256: &[u8; 32], file_name: &str) -> Option<VerdictKeys> {
        let is_stable = self.set.name_use().unstable().is_none();
        is_stable.then(|| VerdictKeys::of(sha256, file_name))
    }

    /// Returns the key that samples of the same bytes share whose names no
    /// signature can tell from each other. The engine has to be asked for it,
    /// which may take a tenth of what a small scan does.
    pub fn class_key(&mut self, sha256: &[u8; 32], file_name: &str) -> VerdictKey {
        let set = self.set;
        let names = self.names.get_or_insert_with(|| NameClasses::new(set));
        reuse::class_key(sha256, &names.class(file_name))
    }

    /// Scans a sample like [`scan`](Self::scan), and tells for which others the
    /// outcome holds as well.
    pub fn scan_once(&mut self, sample: &Sample<'_>) -> (Outcome, Reuse) {
        let started = Instant::now();
        let outcome = self.scan(sample);
        // Much later a busy machine may not get as far.
        self.trace.is_chance |= started.elapsed() > self.limits.time_max / 2;
        let reuse = reuse::reuse_of(&outcome, self.trace);
        (outcome, reuse)
    }

    /// Puts other limits in force; returns those before.
    pub(crate) fn replace_limits(&mut self, limits: ScanLimits) -> ScanLimits {
        std::mem::replace(&mut self.limits, limits)
    }

    /// Sets a variable of the rules that is true or false and that no sample
    /// changes. Returns whether there is such a variable.
    pub(crate) fn set_flag(&mut self, variable: &str, value: bool) -> bool {
        self.scanner.set_global(variable, value).is_ok()
    }

    /// Scans a sample and what it contains.
    ///
    /// What could not be looked at is in the outcome; the scanner can be used
    /// again whatever happened.
    pub fn scan(&mut self, sample: &Sample<'_>) -> Outcome {
        self.trace = Trace::default();
        let mut file = File::new(sample.file_name, sample.content, sample.digests, None);
        let mut outcome = Outcome {
            sample: file.facts.clone(),
            ..Outcome::default()
        };
        let unpack = self.limits.unpack.clone();
        let mut budget = unpack
            .as_ref()
            .map(|limits| Budget::new(limits, sample.content.len() as u64));
        let started = Instant::now();
        self.scan_file(&mut file, started, budget.as_mut(), &mut outcome);
        outcome.sample = file.facts;
        outcome
    }

    /// Scans a file and then its members, each of which is one.
    fn scan_file(
        &mut self,
        file: &mut File<'_>,
        started: Instant,
        budget: Option<&mut Budget<'_>>,
        outcome: &mut Outcome,
    ) {
        // Known good: neither the file nor what is in it is of interest.
        if self.set.iocs().is_trusted(&file.facts.digests) {
            return;
        }
        let left = self.limits.time_max.saturating_sub(started.elapsed());
        // The engine takes no time limit of nothing.
        self.scanner.set_timeout(left.max(Duration::from_secs(1)));
        self.set_variables(file);
        // What does not need the engine's answer is asked also where the engine
        // was stopped.
        let (mut matches, pe) = match self.scanner.scan(file.content) {
            Ok(results) => (
                rule_matches(self.set, &results, file.content, |_| true),
                pe_file(file, Some(&results)),
            ),
            Err(error) => {
                self.trace.is_chance = true;
                let is_late = matches!(error, ScanError::Timeout);
                let part = if is_late {
                    part::scan(
                        self.set,
                        &mut self.scanner,
                        file.content,
                        self.limits.time_max,
                    )
                } else {
                    None
                };
                let (matches, part_bytes) = part.unwrap_or_default();
                push_incomplete(outcome, incomplete(&error, file, &self.limits, part_bytes));
                (matches, pe_file(file, None))
            }
        };
        matches.extend(ioc_matches(self.set, file, pe.as_ref()));
        if self.set.uses_heuristics() {
            matches.extend(heuristic_matches(file, pe.as_ref()));
        }
        file.facts.pe_info = pe.map(|pe| pe.info);
        if let Some(finding) = finding(file, matches, &self.limits.thresholds) {
            push_finding(outcome, finding);
        }
        if let Some(budget) = budget {
            self.scan_members(file, started, budget, outcome);
        }
    }

    fn scan_members(
        &mut self,
        file: &File<'_>,
        started: Instant,
        budget: &mut Budget<'_>,
        outcome: &mut Outcome,
    ) {
        let Some(format) = Format::of(file.file_type) else {
            return;
        };
        let depth = file.facts.unpack_source.len();
        let container = Container {
            path: &file.facts.path,
            content: file.content,
            is_part: file.is_part,
        };
        if depth >= budget.limits().depth_max as usize {
            if let Some(note) = unpack::too_deep(format, container, budget) {
                push_incomplete(outcome, note);
            }
            return;
        }
        let mut lone = LoneMember::of(&file.facts.file_type);
        let mut visit = |member: Member, budget: &mut Budget<'_>| {
            for member in lone.next(member) {
                self.scan_member(file, &member, None, started, budget, outcome);
            }
        };
        let missed = unpack::unpack(format, container, budget, &mut visit);
        if let Some(member) = lone.end() {
            // Where a part is missing nobody knows how many there are.
            let siblings = missed.is_empty().then_some(1);
            self.scan_member(file, &member, siblings, started, budget, outcome);
        }
        for incomplete in missed {
            push_incomplete(outcome, incomplete);
        }
    }

    fn scan_member(
        &mut self,
        container: &File<'_>,
        member: &Member,
        siblings: Option<usize>,
        started: Instant,
        budget: &mut Budget<'_>,
        outcome: &mut Outcome,
    ) {
        self.trace.has_members = true;
        let path = unpack::member_path(&container.facts.path, &member.name);
        let digests = digest::digests(&member.content);
        let mut inner = File::new(&path, &member.content, digests, Some(&container.facts));
        inner.siblings = siblings;
        inner.is_part = member.is_part;
        self.scan_file(&mut inner, started, Some(budget), outcome);
    }

    /// Sets every external variable that depends on the file, so that nothing
    /// of the one before is left in any.
    fn set_variables(&mut self, file: &File<'_>) {
        let name = Name::of(file.own_name());
        let md5 = digest::hex(&file.facts.digests.md5);
        let source = file.facts.unpack_source.join(">");
        let parent = file.facts.unpack_source.last().map_or("", String::as_str);
        for (variable, value) in [
            ("filename", name.base),
            ("filepath", name.directory),
            ("extension", file.facts.extension.as_str()),
            ("filetype", file.facts.file_type.as_str()),
            ("md5", md5.as_str()),
            ("unpack_parent", parent),
            ("unpack_source", source.as_str()),
        ] {
            // Each was defined as a string when the set was compiled, which is
            // all that can make this fail.
            let set = self.scanner.set_global(variable, value);
            debug_assert!(set.is_ok(), "variable `{variable}` is not defined");
        }
    }
}

impl<'a> File<'a> {
    fn new(path: &str, content: &'a [u8], digests: Digests, parent: Option<&'a FileFacts>) -> Self {
        let file_type = file_type::detect(content);
        let mut unpack_source = Vec::new();
        if let Some(parent) = parent {
            unpack_source.clone_from(&parent.unpack_source);
            unpack_source.push(parent.file_type.clone());
        }
        Self {
            content,
            facts: FileFacts {
                path: path.to_owned(),
                extension: name_extension(path),
                file_type: file_type.name().to_owned(),
                size_bytes: content.len() as u64,
                digests,
                first_bytes: FirstBytes::of(content),
                unpack_source,
                pe_info: None,
                entropy_millibits: None,
            },
            file_type,
            parent,
            siblings: None,
            is_part: false,
        }
    }

    /// The name rules see: a member's is its name in its container.
    fn own_name(&self) -> &str {
        let path = &self.facts.path;
        match self.parent {
            // The container's path, a `|`, the member's name.
            Some(parent) => path.get(parent.path.len() + 1..).unwrap_or(path),
            None => path,
        }
    }
}

/// What the rules say, rules for process memory and those not wanted left out.
fn rule_matches(
    set: &SignatureSet,
    results: &ScanResults<'_, '_>,
    content: &[u8],
    is_wanted: impl Fn(&Rule<'_, '_>) -> bool,
) -> Vec<Match> {
    results
        .matching_rules()
        .filter(|rule| !meta::is_memory_rule(rule) && is_wanted(rule))
        .map(|rule| {
            let strings = matching::strings(&rule, content);
            meta::match_of(&rule, set.origin_of(rule.namespace()), strings)
        })
        .collect()
}

/// The facts of a Windows program: what a rule had parsed, else parsed now.
fn pe_file(file: &File<'_>, results: Option<&ScanResults<'_, '_>>) -> Option<PeFile> {
    if file.file_type.name() != "EXE" {
        return None;
    }
    let parsed = results
        .and_then(|results| results.module_output("pe"))
        .and_then(|output| output.downcast_ref::<yara_x::mods::PE>());
    match parsed {
        Some(parsed) => pe_info::pe_info_of(parsed, file.content),
        None => pe_info::pe_info(file.content),
    }
}

/// What the heuristics say.
fn heuristic_matches(file: &File<'_>, pe: Option<&PeFile>) -> Vec<Match> {
    heuristics::check(&Subject {
        content: file.content,
        path: &file.facts.path,
        name: file.own_name(),
        file_type: file.file_type,
        pe: pe.map(|pe| &pe.layout),
        unpack_source: &file.facts.unpack_source,
        siblings: file.siblings,
    })
}

/// What the indicators of compromise say.
fn ioc_matches(set: &SignatureSet, file: &File<'_>, pe: Option<&PeFile>) -> Vec<Match> {
    let iocs = set.iocs();
    let facts = &file.facts;
    let imphash = pe.and_then(|pe| pe.info.imphash);
    let mut matches = iocs.match_hashes(&facts.digests, imphash);
    matches.extend(iocs.match_path(&facts.path));
    matches.extend(iocs.match_content(file.content));
    matches.extend(stix_matches(set, file));
    matches
}

/// What STIX patterns say: they ask a member its own name, and what they point
/// at in it is a part of the whole path.
fn stix_matches(set: &SignatureSet, file: &File<'_>) -> Vec<Match> {
    let name = file.own_name();
    let own_start = (file.facts.path.len() - name.len()) as u64;
    let mut matches = set.iocs().match_stix(&StixFacts {
        path: name,
        digests: &file.facts.digests,
        size_bytes: file.facts.size_bytes,
    });
    let strings = matches.iter_mut().flat_map(|found| &mut found.strings);
    for string in strings.filter(|string| string.field == MatchField::Path) {
        string.offset += own_start;
    }
    matches
}

fn push_finding(outcome: &mut Outcome, finding: Finding) {
    if outcome.findings.len() < PER_SAMPLE_MAX {
        outcome.findings.push(finding);
    } else {
        push_incomplete(outcome, one_too_many(&finding.file.path));
    }
}

fn push_incomplete(outcome: &mut Outcome, incomplete: Incomplete) {
    if outcome.incomplete.len() < PER_SAMPLE_MAX {
        outcome.incomplete.push(incomplete);
    } else if outcome.incomplete.len() == PER_SAMPLE_MAX {
        outcome.incomplete.push(one_too_many(&incomplete.path));
    }
}

fn one_too_many(path: &str) -> Incomplete {
    Incomplete {
        path: path.to_owned(),
        reason: IncompleteReason::Limit,
        description: format!("more than {PER_SAMPLE_MAX} findings or gaps in one sample"),
    }
}

fn finding(file: &File<'_>, mut matches: Vec<Match>, thresholds: &Thresholds) -> Option<Finding> {
    // By name where the scores are equal, so that a repeated scan says the same.
    matches.sort_by(|a, b| {
        b.subscore
            .cmp(&a.subscore)
            .then_with(|| a.rule_name.cmp(&b.rule_name))
    });
    let subscores: Vec<i32> = matches.iter().map(|found| found.subscore).collect();
    let score = total_score(&subscores);
    let level = thresholds.level(score, &subscores)?;
    matches.truncate(MATCHES_MAX);
    for found in matches.iter_mut().skip(MATCHES_WITH_STRINGS_MAX) {
        found.strings = Vec::new();
    }
    let mut facts = file.facts.clone();
    facts.entropy_millibits = Some(entropy_millibits(file.content));
    Some(Finding {
        level,
        score,
        file: facts,
        parent: file.parent.cloned(),
        matches,
    })
}

fn incomplete(
    error: &ScanError,
    file: &File<'_>,
    limits: &ScanLimits,
    part_bytes: usize,
) -> Incomplete {
    let (reason, description) = match error {
        ScanError::Timeout => (
            IncompleteReason::Timeout,
            format!(
                "the scan reached its time limit of {} s; rules were asked only about the first \
                 {part_bytes} of {} bytes",
                limits.time_max.as_secs(),
                file.content.len()
            ),
        ),
        other => (
            IncompleteReason::Corrupt,
            format!("the engine could not scan it: {other}"),
        ),
    };
    Incomplete {
        path: file.facts.path.clone(),
        reason,
        description,
    }
}

#[cfg(test)]
mod tests;
