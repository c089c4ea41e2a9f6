//! The starter signatures: each rule finds what it is for, and not what is
//! close to it.
//!
//! The layout of the test files is described in
//! `tests/data/signatures/README.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use base64::Engine as _;
use squall_engine::{Sample, ScanLimits, Scanner, SignatureSet, digests, read_directory};
use squall_types::{Level, Outcome, SignatureOrigin, Thresholds};

use crate::{compile, root, rule_names, scan, shared};

/// The starter set, which must compile without a remark.
fn starter() -> SignatureSet {
    let (files, errors) =
        read_directory(&root().join("config/signatures"), SignatureOrigin::Internal)
            .expect("readable");
    assert!(errors.is_empty(), "{errors:?}");
    let set = compile(&files);
    let remarks: Vec<_> = set.problems().iter().map(ToString::to_string).collect();
    assert_eq!(remarks, Vec::<String>::new());
    set
}

/// A test file of a rule.
struct Case {
    name: String,
    path_on_sender: String,
    content: Vec<u8>,
}

fn cases(folder: &Path) -> Vec<Case> {
    let sidecar = std::fs::read_to_string(folder.join("name.txt")).unwrap_or_default();
    let names: BTreeMap<&str, &str> = sidecar
        .lines()
        .filter_map(|line| line.split_once(": "))
        .collect();
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        let file = path
            .file_name()
            .expect("name")
            .to_string_lossy()
            .into_owned();
        if file == "name.txt" {
            continue;
        }
        let mut content = std::fs::read(&path).expect("readable");
        if file.ends_with(".b64") {
            content.retain(|byte| !byte.is_ascii_whitespace());
            content = base64::engine::general_purpose::STANDARD
                .decode(&content)
                .expect("base64");
        }
        let case = file.split('.').next().unwrap_or_default().to_owned();
        let plain = file.strip_suffix(".b64").unwrap_or(&file);
        cases.push(Case {
            path_on_sender: names
                .get(case.as_str())
                .map_or_else(|| plain.to_owned(), |&name| name.to_owned()),
            name: case,
            content,
        });
    }
    cases
}

/// Scans the file itself: what it holds is only hinted at in the test files.
fn scan_closed(set: &SignatureSet, case: &Case) -> Outcome {
    let limits = ScanLimits {
        unpack: None,
        ..ScanLimits::default()
    };
    Scanner::new(set, limits).scan(&Sample {
        content: &case.content,
        file_name: &case.path_on_sender,
        digests: digests(&case.content),
    })
}

#[test]
fn every_rule_has_a_file_it_finds_and_one_it_does_not() {
    let set = starter();
    assert!(set.summary().rules >= 40, "{}", set.summary().rules);
    let mut folders = BTreeSet::new();
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(root().join("tests/data/signatures")).expect("folder") {
        let path = entry.expect("entry").path();
        if !path.is_dir() {
            continue;
        }
        let rule = path
            .file_name()
            .expect("name")
            .to_string_lossy()
            .into_owned();
        let (mut positives, mut near_misses) = (0, 0);
        for case in cases(&path) {
            let outcome = scan_closed(&set, &case);
            assert!(outcome.incomplete.is_empty(), "{rule}: {outcome:?}");
            let matched = rule_names(&outcome).contains(&rule.as_str());
            let positive = case.name.starts_with("positive");
            *(if positive {
                &mut positives
            } else {
                &mut near_misses
            }) += 1;
            if matched != positive {
                wrong.push(format!("{rule}/{}: matched: {matched}", case.name));
            }
            // What is only close to a threat must not be reported by another rule either.
            if !positive && outcome.score_max().value() >= Thresholds::default().warning {
                wrong.push(format!("{rule}/{}: {:?}", case.name, rule_names(&outcome)));
            }
        }
        if positives == 0 || near_misses == 0 {
            wrong.push(format!(
                "{rule}: {positives} positives, {near_misses} near misses"
            ));
        }
        folders.insert(rule);
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(
        folders.len() as u64,
        set.summary().rules,
        "a folder for each rule"
    );
}

#[test]
fn the_reference_samples_match() {
    let set = starter();
    for name in ["sekurlsa.log", "test-mimi.txt", "webshell.txt"] {
        let Some(path) = shared(&format!("reference/samples/{name}")) else {
            return;
        };
        let content = std::fs::read(path).expect("readable");
        let outcome = scan(&set, name, &content);
        assert!(!outcome.findings.is_empty(), "{name}");
        assert!(
            outcome.findings[0].level >= Level::Warning,
            "{name}: {outcome:?}"
        );
    }
}
