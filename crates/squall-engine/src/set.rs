//! A set of signatures: made from files, or from files and what an earlier
//! compilation of them left.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use squall_types::{Match, SignatureOrigin, SignatureSummary};
use yara_x::Rules;

use crate::fingerprint::Fingerprint;
use crate::ioc::{IocBuilder, Iocs, kind_of};
use crate::name_use::NameUse;
use crate::source::SourceFile;
use crate::{Problem, Severity, compile, meta, self_test};

/// The variables that every rule may use besides YARA's own; all are strings.
pub(crate) const EXTERNAL_VARIABLES: [&str; 13] = [
    "filename",
    "filepath",
    "extension",
    "filetype",
    "md5",
    "owner",
    "group",
    "filemode",
    "timezone",
    "language",
    "osversion",
    "unpack_parent",
    "unpack_source",
];

/// A compiled, immutable set of signatures. Shared by all scanners.
pub struct SignatureSet {
    rules: Rules,
    name_use: NameUse,
    iocs: Iocs,
    origins: HashMap<String, SignatureOrigin>,
    /// Those of rules, then those of lists.
    problems: Vec<Problem>,
    rule_problem_count: usize,
    summary: SignatureSummary,
    options: CompileOptions,
    fingerprint: Fingerprint,
    rules_fingerprint: Fingerprint,
    findable_fingerprint: Fingerprint,
}

/// What came of the text of rules.
pub(crate) struct Compiled {
    pub(crate) rules: Rules,
    pub(crate) name_use: NameUse,
    /// What is wrong with the text.
    pub(crate) problems: Vec<Problem>,
}

/// What of the files is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompileOptions {
    /// YARA rules only: lists of indicators are passed over, and scans with
    /// the set ask no heuristics.
    pub pure_yara: bool,
}

/// How far a compilation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Files done.
    pub done: usize,
    /// Files in all.
    pub total: usize,
}

/// Why a set could not be made at all.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// The engine refused one of our variables.
    #[error("cannot define the rule variable `{0}`")]
    Variable(&'static str),
    /// The engine refused the rule of the self-test.
    #[error("cannot compile the rule of the self-test")]
    SelfTestRule(#[source] Box<yara_x::errors::CompileError>),
}

impl SignatureSet {
    /// Compiles signature files: rules, each file in a namespace of its own so
    /// that rules of the same name in two files do not clash, and lists of
    /// indicators of compromise.
    ///
    /// `progress` is called after each file.
    ///
    /// # Errors
    ///
    /// Fails only if the engine cannot be set up. What is wrong with a rule is
    /// a [`Problem`] of the set.
    pub fn compile(
        files: &[SourceFile],
        options: CompileOptions,
        mut progress: impl FnMut(Progress),
    ) -> Result<Self, SetError> {
        let mut problems = Vec::new();
        let mut compiler = compile::new_compiler()?;
        for (index, file) in files.iter().enumerate() {
            if kind_of(&file.name).is_none() {
                compile::add_file(&mut compiler, file, &mut problems);
            }
            progress(Progress {
                done: index + 1,
                total: files.len(),
            });
        }
        let rules = Compiled {
            rules: compiler.build(),
            name_use: NameUse::of(files),
            problems,
        };
        Ok(Self::assemble(files, options, rules))
    }

    /// Puts together what came of the rules and the lists of indicators.
    pub(crate) fn assemble(
        files: &[SourceFile],
        options: CompileOptions,
        compiled: Compiled,
    ) -> Self {
        let mut origins = HashMap::new();
        let mut lists = IocBuilder::new();
        for file in files {
            match kind_of(&file.name) {
                Some(_) if options.pure_yara => {}
                Some(kind) => lists.add(kind, &file.name, &file.content, file.origin),
                None => {
                    origins.insert(file.name.clone(), file.origin);
                }
            }
        }
        let (iocs, list_problems) = lists.build();
        let Compiled {
            rules,
            name_use,
            mut problems,
        } = compiled;
        let rule_problem_count = problems.len();
        problems.extend(list_problems);
        let summary = SignatureSummary {
            version: version_of_time(newest(files.iter())),
            updated: version_of_time(updated(files)),
            engine: format!("YARA-X {}", yara_x::VERSION),
            rules: (rules.iter().len() as u64).saturating_sub(self_test::RULES),
            iocs: iocs.count(),
            skipped: count_skipped(&problems),
        };
        Self {
            rules,
            name_use,
            iocs,
            origins,
            problems,
            rule_problem_count,
            summary,
            options,
            fingerprint: Fingerprint::of(files, options),
            rules_fingerprint: Fingerprint::of_rules(files),
            findable_fingerprint: Fingerprint::of_findable(files, options),
        }
    }

    /// Gives the set another version, where the files' times would give it one
    /// that a different set already has.
    #[must_use]
    pub fn with_version_of(mut self, time: SystemTime) -> Self {
        self.summary.version = version_of_time(time);
        self
    }

    /// Returns the figures of the set.
    #[must_use]
    pub fn summary(&self) -> &SignatureSummary {
        &self.summary
    }

    /// Returns what tells this set from any other.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Returns what tells the rules of this set from those of any other.
    #[must_use]
    pub fn rules_fingerprint(&self) -> &Fingerprint {
        &self.rules_fingerprint
    }

    /// Tells whether this set differs from another in trusted contents at most.
    #[must_use]
    pub fn finds_like(&self, other: &Self) -> bool {
        self.findable_fingerprint == other.findable_fingerprint
    }

    /// Tells whether nothing is reported on the content with this SHA-256.
    #[must_use]
    pub fn trusts(&self, sha256: &[u8; 32]) -> bool {
        self.iocs.trusts(sha256)
    }

    /// Returns every active rule as it would be shown if it matched, with the
    /// name of its file.
    pub fn rule_list(&self) -> impl Iterator<Item = (String, Match)> {
        self.rules
            .iter()
            .filter(|rule| rule.namespace() != self_test::NAMESPACE)
            .map(|rule| {
                let origin = self.origin_of(rule.namespace());
                let shown = meta::match_of(&rule, origin, Vec::new());
                (rule.namespace().to_owned(), shown)
            })
    }

    /// Returns what is wrong with the set's files.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Returns what is wrong with the text of rules, lists left out.
    pub(crate) fn rule_problems(&self) -> &[Problem] {
        &self.problems[..self.rule_problem_count]
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Returns why no outcome of the set may be used for another sample, if so.
    #[must_use]
    pub fn no_reuse(&self) -> Option<&str> {
        self.name_use.unstable()
    }

    pub(crate) fn name_use(&self) -> &NameUse {
        &self.name_use
    }

    /// Tells whether scans with the set ask the heuristics, too.
    pub(crate) fn uses_heuristics(&self) -> bool {
        !self.options.pure_yara
    }

    pub(crate) fn iocs(&self) -> &Iocs {
        &self.iocs
    }

    pub(crate) fn origin_of(&self, namespace: &str) -> SignatureOrigin {
        self.origins
            .get(namespace)
            .copied()
            .unwrap_or(SignatureOrigin::External)
    }
}

fn count_skipped(problems: &[Problem]) -> u64 {
    problems
        .iter()
        .filter(|p| p.severity == Severity::Skipped)
        .count() as u64
}

/// The version of a set is the time its newest file was changed.
fn newest<'a>(files: impl Iterator<Item = &'a SourceFile>) -> SystemTime {
    let newest = files.filter_map(|file| file.modified).max();
    newest.unwrap_or(UNIX_EPOCH)
}

/// How old a set is shows in what others publish: a hash that was added here
/// a minute ago makes no old set new.
fn updated(files: &[SourceFile]) -> SystemTime {
    let published = |file: &&SourceFile| file.origin == SignatureOrigin::Internal;
    if files.iter().any(|file| published(&file)) {
        newest(files.iter().filter(published))
    } else {
        newest(files.iter())
    }
}

/// Formats a time as `YYYY/MM/DD-HHMMSS`, UTC.
fn version_of_time(time: SystemTime) -> String {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or(0);
    jiff::Timestamp::from_second(seconds)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .strftime("%Y/%m/%d-%H%M%S")
        .to_string()
}
