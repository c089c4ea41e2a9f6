//! The public rule set that most users bring.

use regex::bytes::Regex;
use squall_engine::{Severity, SourceFile, read_directory};
use squall_types::{Level, SignatureOrigin};

use crate::{compile, rule_names, scan, shared, skipped};

#[test]
fn every_rule_is_active_or_named_and_the_reference_samples_match() {
    let Some(directory) = shared("signature-base") else {
        return;
    };
    let (files, errors) = read_directory(&directory, SignatureOrigin::Internal).expect("readable");
    assert!(errors.is_empty(), "{errors:?}");
    let set = compile(&files);
    let skipped = skipped(&set);
    println!(
        "{} rules active, skipped: {skipped:#?}",
        set.summary().rules
    );
    let declared = declared_rules(&files);
    let named = set
        .problems()
        .iter()
        .filter(|problem| problem.severity == Severity::Skipped && problem.rule.is_some())
        .inspect(|problem| assert!(!problem.reason.is_empty(), "{problem:?}"))
        .count() as u64;
    assert_eq!(
        set.summary().rules + named,
        declared,
        "a rule is neither active nor named with the reason; skipped: {skipped:#?}"
    );
    assert!(set.summary().rules >= 5_800, "{}", set.summary().rules);

    for name in ["sekurlsa.log", "webshell.txt"] {
        let Some(path) = shared(&format!("reference/samples/{name}")) else {
            return;
        };
        let content = std::fs::read(path).expect("readable");
        let outcome = scan(&set, name, &content);
        assert!(!rule_names(&outcome).is_empty(), "{name}");
        assert!(outcome.findings[0].level >= Level::Warning, "{name}");
    }
}

/// Counts the rules that the texts declare, without asking the engine: lines
/// that begin with `rule`, those in comment blocks left out.
fn declared_rules(files: &[SourceFile]) -> u64 {
    let comment = Regex::new(r"(?ms)^\s*/\*.*?\*/").expect("expression");
    let rule = Regex::new(r"(?m)^[ \t]*(?:(?:private|global)\s+)*rule\s+\w+").expect("expression");
    let is_rules = |file: &&SourceFile| file.name.ends_with(".yar") || file.name.ends_with(".yara");
    files
        .iter()
        .filter(is_rules)
        .map(|file| {
            let text = comment.replace_all(&file.content, b"".as_slice());
            rule.find_iter(&text).count() as u64
        })
        .sum()
}
