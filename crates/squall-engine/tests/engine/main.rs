//! The engine, seen from outside: real rules on real bytes.

mod artefact;
mod indicators;
mod members;
mod reuse;
mod samples;
mod scan;
mod set;
mod signature_base;
mod starter;

use std::path::PathBuf;

use squall_engine::{
    CompileOptions, Included, Sample, ScanLimits, Scanner, Severity, SignatureSet, SourceFile,
    digests,
};
use squall_types::{Outcome, SignatureOrigin};

/// Makes a source file of rule text.
fn source(name: &str, text: impl Into<Vec<u8>>) -> SourceFile {
    SourceFile {
        name: name.to_owned(),
        content: text.into(),
        origin: SignatureOrigin::Internal,
        modified: None,
        included: Included::default(),
    }
}

/// Compiles signature files.
fn compile(files: &[SourceFile]) -> SignatureSet {
    SignatureSet::compile(files, CompileOptions::default(), |_| {}).expect("a set")
}

/// Compiles one rule file that is expected to be right.
fn set_of(text: &str) -> SignatureSet {
    let set = compile(&[source("test.yar", text)]);
    assert_eq!(skipped(&set), Vec::<String>::new());
    set
}

/// The problems that cost a rule, in words.
fn skipped(set: &SignatureSet) -> Vec<String> {
    set.problems()
        .iter()
        .filter(|problem| problem.severity == Severity::Skipped)
        .map(ToString::to_string)
        .collect()
}

/// Scans one sample with a new scanner.
fn scan(set: &SignatureSet, file_name: &str, content: &[u8]) -> Outcome {
    Scanner::new(set, ScanLimits::default()).scan(&Sample {
        content,
        file_name,
        digests: digests(content),
    })
}

/// The repository's root.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A path in the shared test material, or `None`, with a message, where it is
/// absent.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn shared(path: &str) -> Option<PathBuf> {
    let base =
        std::env::var_os("SQUALL_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    let path = base.join(path);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: `{}` is absent", path.display());
    None
}

/// The names of the rules that matched, sorted.
fn rule_names(outcome: &Outcome) -> Vec<&str> {
    let mut names: Vec<&str> = outcome
        .findings
        .iter()
        .flat_map(|finding| &finding.matches)
        .map(|found| found.rule_name.as_str())
        .collect();
    names.sort_unstable();
    names
}
