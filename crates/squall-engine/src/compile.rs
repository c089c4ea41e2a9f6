//! Compiling the text of rules, and what is wrong with it.

use yara_x::errors::CompileError;
use yara_x::{Compiler, IgnoredRuleReason, SourceCode};

use crate::include::{Piece, Place};
use crate::set::{EXTERNAL_VARIABLES, SetError};
use crate::source::SourceFile;
use crate::{Problem, Severity, self_test};

/// Makes a compiler that knows our variables and holds the rule of the
/// self-test.
pub(crate) fn new_compiler() -> Result<Compiler<'static>, SetError> {
    let mut compiler = Compiler::new();
    // Files are included when they are read.
    compiler.enable_includes(false);
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
    compiler.new_namespace(&file.name);
    for piece in file.pieces() {
        match piece.failure {
            Some(reason) => problems.push(Problem {
                file: piece.file.to_owned(),
                line: Some(piece.place.line),
                column: Some(piece.place.column),
                rule: None,
                severity: Severity::Skipped,
                reason: reason.to_owned(),
            }),
            // Apart, so that one that is broken costs no rule of another.
            None => add_piece(compiler, &piece, problems),
        }
    }
}

fn add_piece(compiler: &mut Compiler<'static>, piece: &Piece<'_>, problems: &mut Vec<Problem>) {
    let errors_before = compiler.errors().len();
    let warnings_before = compiler.warnings().len();
    let source = SourceCode::from(piece.text).with_origin(piece.file);
    // The error is also in `errors()`, with those behind it.
    let _ = compiler.add_source(source);
    let errors = &compiler.errors()[errors_before..];
    for error in errors {
        let place = error
            .labels()
            .next()
            .map(|label| place_at(piece, label.span().start()));
        problems.push(Problem {
            file: piece.file.to_owned(),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            rule: rule_of(compiler, error),
            severity: Severity::Skipped,
            reason: reason(error.title(), error.labels().map(|l| l.text().to_owned())),
        });
    }
    for warning in &compiler.warnings()[warnings_before..] {
        let place = warning
            .labels()
            .next()
            .map(|label| place_at(piece, label.span().start()));
        problems.push(Problem {
            file: piece.file.to_owned(),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
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

/// Returns the line and the column of a byte of a piece.
fn place_at(piece: &Piece<'_>, offset: usize) -> Place {
    let before = &piece.text[..offset.min(piece.text.len())];
    piece.place.behind(before)
}

fn reason(title: &str, labels: impl Iterator<Item = String>) -> String {
    let mut reason = title.to_owned();
    for label in labels.filter(|label| !label.is_empty()).take(2) {
        reason.push_str("; ");
        reason.push_str(&label);
    }
    reason.split_whitespace().collect::<Vec<_>>().join(" ")
}
