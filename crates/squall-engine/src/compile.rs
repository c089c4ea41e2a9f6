//! Compiling the text of rules, and what is wrong with it.

use yara_x::errors::CompileError;
use yara_x::{Compiler, IgnoredRuleReason, SourceCode};

use crate::set::{EXTERNAL_VARIABLES, SetError};
use crate::source::SourceFile;
use crate::{Problem, Severity, self_test};

/// Makes a compiler that knows our variables and holds the rule of the
/// self-test.
pub(crate) fn new_compiler() -> Result<Compiler<'static>, SetError> {
    let mut compiler = Compiler::new();
    // What YARA accepts in a regular expression and YARA-X would not, such as
    // `\%`: rules written for YARA must go on working.
    compiler.relaxed_re_syntax(true);
    for name in EXTERNAL_VARIABLES {
        compiler
            .define_global(name, "")
            .map_err(|_| SetError::Variable(name))?;
    }
    self_test::add_to(&mut compiler)?;
    Ok(compiler)
}

/// Adds a rule file in a namespace of its own, so that rules of the same name
/// in two files do not clash. What is wrong with it becomes problems.
pub(crate) fn add_file(
    compiler: &mut Compiler<'static>,
    file: &SourceFile,
    problems: &mut Vec<Problem>,
) {
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
        let place = place(error, file);
        problems.push(Problem {
            file: file.name.clone(),
            line: place.map(|(line, _)| line),
            column: place.map(|(_, column)| column),
            rule: rule_of(compiler, error),
            severity: Severity::Skipped,
            reason: reason(error.title(), error.labels().map(|l| l.text().to_owned())),
        });
    }
    for warning in &compiler.warnings()[warnings_before..] {
        let place = warning
            .labels()
            .next()
            .map(|label| place_at(&file.content, label.span().start()));
        problems.push(Problem {
            file: file.name.clone(),
            line: place.map(|(line, _)| line),
            column: place.map(|(_, column)| column),
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

/// Returns the line and the column that an error is about.
fn place(error: &CompileError, file: &SourceFile) -> Option<(u32, u32)> {
    error
        .labels()
        .next()
        // An error in an included file has a span of that file.
        .filter(|label| label.origin().is_none_or(|origin| origin == file.name))
        .map(|label| place_at(&file.content, label.span().start()))
}

/// Returns line and column, both from 1, of a byte of a text; a column is a
/// character.
fn place_at(content: &[u8], offset: usize) -> (u32, u32) {
    let before = &content[..offset.min(content.len())];
    let line_start = before
        .iter()
        .rposition(|&b| b == b'\n')
        .map_or(0, |at| at + 1);
    let breaks = before.iter().filter(|&&b| b == b'\n').count();
    let characters = String::from_utf8_lossy(&before[line_start..])
        .chars()
        .count();
    let from_one = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
    (from_one(breaks), from_one(characters))
}

fn reason(title: &str, labels: impl Iterator<Item = String>) -> String {
    let mut reason = title.to_owned();
    for label in labels.filter(|label| !label.is_empty()).take(2) {
        reason.push_str("; ");
        reason.push_str(&label);
    }
    reason.split_whitespace().collect::<Vec<_>>().join(" ")
}
