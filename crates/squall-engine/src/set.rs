//! Compiling rule files into a set.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use squall_types::{SignatureOrigin, SignatureSummary};
use yara_x::errors::CompileError;
use yara_x::{Compiler, IgnoredRuleReason, Rules, SourceCode};

use crate::ioc::{IocBuilder, Iocs, kind_of};
use crate::source::SourceFile;
use crate::{Problem, Severity};

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
    iocs: Iocs,
    origins: HashMap<String, SignatureOrigin>,
    problems: Vec<Problem>,
    summary: SignatureSummary,
    options: CompileOptions,
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
        let mut origins = HashMap::new();
        let mut compiler = new_compiler()?;
        let mut lists = IocBuilder::new();
        for (index, file) in files.iter().enumerate() {
            match kind_of(&file.name) {
                Some(_) if options.pure_yara => {}
                Some(kind) => lists.add(kind, &file.name, &file.content, file.origin),
                None => {
                    add_file(&mut compiler, file, &mut problems);
                    origins.insert(file.name.clone(), file.origin);
                }
            }
            progress(Progress {
                done: index + 1,
                total: files.len(),
            });
        }
        let rules = compiler.build();
        let (iocs, list_problems) = lists.build();
        problems.extend(list_problems);
        let summary = SignatureSummary {
            version: version(files),
            engine: format!("YARA-X {}", yara_x::VERSION),
            rules: rules.iter().len() as u64,
            iocs: iocs.count(),
            skipped: count_skipped(&problems),
        };
        Ok(Self {
            rules,
            iocs,
            origins,
            problems,
            summary,
            options,
        })
    }

    /// Returns the figures of the set.
    #[must_use]
    pub fn summary(&self) -> &SignatureSummary {
        &self.summary
    }

    /// Returns what is wrong with the set's files.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
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

fn new_compiler() -> Result<Compiler<'static>, SetError> {
    let mut compiler = Compiler::new();
    // What YARA accepts in a regular expression and YARA-X would not, such as
    // `\%`: rules written for YARA must go on working.
    compiler.relaxed_re_syntax(true);
    for name in EXTERNAL_VARIABLES {
        compiler
            .define_global(name, "")
            .map_err(|_| SetError::Variable(name))?;
    }
    Ok(compiler)
}

fn add_file(compiler: &mut Compiler<'static>, file: &SourceFile, problems: &mut Vec<Problem>) {
    let errors_before = compiler.errors().len();
    let warnings_before = compiler.warnings().len();
    if let Some(directory) = &file.directory {
        compiler.add_include_dir(directory);
    }
    compiler.new_namespace(&file.name);
    let source = SourceCode::from(file.content.as_slice()).with_origin(&file.name);
    // The error is also in `errors()`, with those behind it.
    let _ = compiler.add_source(source);
    let errors = &compiler.errors()[errors_before..];
    for error in errors {
        problems.push(Problem {
            file: file.name.clone(),
            line: first_line(error, file),
            rule: rule_of(compiler, error),
            severity: Severity::Skipped,
            reason: reason(error.title(), error.labels().map(|l| l.text().to_owned())),
        });
    }
    for warning in &compiler.warnings()[warnings_before..] {
        problems.push(Problem {
            file: file.name.clone(),
            line: warning
                .labels()
                .next()
                .map(|label| line_at(&file.content, label.span().start())),
            rule: None,
            severity: Severity::Warning,
            reason: reason(
                warning.title(),
                warning.labels().map(|l| l.text().to_owned()),
            ),
        });
    }
}

/// Names the rule that an error cost, where the engine says it.
fn rule_of(compiler: &Compiler<'_>, error: &CompileError) -> Option<String> {
    compiler.ignored_rules().find_map(|(name, why)| match why {
        IgnoredRuleReason::CompileError(cause) if std::ptr::eq(cause, error) => {
            Some(name.to_owned())
        }
        _ => None,
    })
}

fn first_line(error: &CompileError, file: &SourceFile) -> Option<u32> {
    error
        .labels()
        .next()
        // An error in an included file has a span of that file.
        .filter(|label| label.origin().is_none_or(|origin| origin == file.name))
        .map(|label| line_at(&file.content, label.span().start()))
}

fn line_at(content: &[u8], offset: usize) -> u32 {
    let before = &content[..offset.min(content.len())];
    let breaks = before.iter().filter(|&&b| b == b'\n').count();
    u32::try_from(breaks + 1).unwrap_or(u32::MAX)
}

fn reason(title: &str, labels: impl Iterator<Item = String>) -> String {
    let mut reason = title.to_owned();
    for label in labels.filter(|label| !label.is_empty()).take(2) {
        reason.push_str("; ");
        reason.push_str(&label);
    }
    reason.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn count_skipped(problems: &[Problem]) -> u64 {
    problems
        .iter()
        .filter(|p| p.severity == Severity::Skipped)
        .count() as u64
}

/// The version of a set is the time its newest file was changed.
fn version(files: &[SourceFile]) -> String {
    let newest = files.iter().filter_map(|file| file.modified).max();
    version_of_time(newest.unwrap_or(UNIX_EPOCH))
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
