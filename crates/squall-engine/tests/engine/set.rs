//! What happens to rule files that are not right.

use squall_engine::{CompileOptions, Severity, SignatureSet, read_directory};
use squall_types::SignatureOrigin;

use crate::{compile, rule_names, scan, skipped, source};

#[test]
fn one_bad_rule_costs_only_itself_and_is_named_with_its_line() {
    let text = "rule Good_Before { condition: true }\n\
                rule Bad {\n\
                  condition:\n\
                    no_such_variable == 1\n\
                }\n\
                rule Good_After { condition: true }\n";
    let set = compile(&[source("mixed.yar", text)]);
    assert_eq!(
        rule_names(&scan(&set, "x", b"")),
        ["Good_After", "Good_Before"]
    );
    assert_eq!(set.summary().rules, 2);
    assert_eq!(set.summary().skipped, 1);
    let problem = set
        .problems()
        .iter()
        .find(|problem| problem.severity == Severity::Skipped)
        .expect("the bad rule");
    assert_eq!(problem.file, "mixed.yar");
    assert_eq!(problem.line, Some(4));
    assert_eq!(problem.rule.as_deref(), Some("Bad"));
    assert!(problem.to_string().contains("no_such_variable") || problem.reason.contains("unknown"));
}

#[test]
fn a_file_that_is_no_rule_file_costs_only_itself() {
    let files = [
        source("broken.yar", "this is { not a rule"),
        source("binary.yar", [0xff, 0xfe, 0x00, 0x01]),
        source("empty.yar", ""),
        source("good.yar", "rule Good { condition: true }"),
    ];
    let set = compile(&files);
    assert_eq!(rule_names(&scan(&set, "x", b"")), ["Good"]);
    let skipped = skipped(&set);
    for file in ["broken.yar", "binary.yar"] {
        assert!(
            skipped.iter().any(|text| text.starts_with(file)),
            "{skipped:?}"
        );
    }
}

#[test]
fn rules_of_one_name_in_two_files_do_not_clash() {
    let files = [
        source("a.yar", "rule Same { meta: score = 50 condition: true }"),
        source("b.yar", "rule Same { meta: score = 60 condition: true }"),
    ];
    let set = compile(&files);
    assert_eq!(skipped(&set), Vec::<String>::new());
    assert_eq!(rule_names(&scan(&set, "x", b"")), ["Same", "Same"]);
}

#[test]
fn includes_are_found_beside_the_file_and_origins_are_kept() {
    let dir = tempfile::tempdir().expect("temporary directory");
    std::fs::write(
        dir.path().join("shared.inc"),
        "rule Shared { condition: true }",
    )
    .expect("file");
    std::fs::write(
        dir.path().join("main.yar"),
        "include \"shared.inc\"\nrule Main { condition: Shared }",
    )
    .expect("file");
    let (files, errors) = read_directory(dir.path(), SignatureOrigin::Custom).expect("readable");
    assert!(errors.is_empty(), "{errors:?}");
    let set = compile(&files);
    assert_eq!(skipped(&set), Vec::<String>::new());
    let outcome = scan(&set, "x", b"");
    assert_eq!(rule_names(&outcome), ["Main", "Shared"]);
    assert!(
        outcome.findings[0]
            .matches
            .iter()
            .all(|found| found.origin == SignatureOrigin::Custom)
    );
}

#[test]
fn each_file_includes_what_is_beside_itself() {
    // The engine would take the first directory that has the name.
    let dir = tempfile::tempdir().expect("temporary directory");
    for name in ["a", "b"] {
        let folder = dir.path().join(name);
        std::fs::create_dir(&folder).expect("made");
        let rule = format!("rule Of_{name} {{ condition: true }}");
        std::fs::write(folder.join("shared.inc"), rule).expect("file");
        std::fs::write(folder.join("main.yar"), "include \"shared.inc\"").expect("file");
    }
    std::fs::write(dir.path().join("c.yar"), "include \"shared.inc\"").expect("file");
    let (files, _) = read_directory(dir.path(), SignatureOrigin::Custom).expect("readable");
    let set = compile(&files);
    assert_eq!(rule_names(&scan(&set, "x", b"")), ["Of_a", "Of_b"]);
    let [missing] = &skipped(&set)[..] else {
        panic!("{:?}", set.problems());
    };
    assert!(missing.contains("c.yar:1:1"), "{missing}");
    assert!(missing.contains("cannot include `shared.inc`"), "{missing}");
}

#[test]
fn a_broken_included_file_costs_no_rule_of_another() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let write = |name: &str, text: &str| {
        std::fs::write(dir.path().join(name), text).expect("file");
    };
    write(
        "bad.inc",
        "rule Good { condition: true }\nrule Bad { condition: nothing }\n/* open",
    );
    write(
        "main.yar",
        "rule Before { condition: true }\ninclude \"bad.inc\"\ninclude \"/dev/zero\"\n\
         rule After { condition: Good }\nrule Worse { condition: nothing }",
    );
    let (files, _) = read_directory(dir.path(), SignatureOrigin::Custom).expect("readable");
    let set = compile(&files);
    assert_eq!(
        rule_names(&scan(&set, "x", b"")),
        ["After", "Before", "Good"]
    );
    let problems = skipped(&set).join("\n");
    for place in [
        "bad.inc:2:23",
        "main.yar:3:1: cannot include `/dev/zero`",
        "main.yar:5:25",
    ] {
        assert!(problems.contains(place), "{place} in {problems}");
    }
}

#[test]
fn a_set_without_rules_scans_and_finds_nothing() {
    let set = compile(&[]);
    assert_eq!(set.summary().rules, 0);
    assert!(scan(&set, "x", b"abc").is_clean());
}

#[test]
fn the_version_is_the_time_of_the_newest_file() {
    let mut old = source("a.yar", "rule A { condition: true }");
    old.modified = Some(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000));
    let set = compile(&[old]);
    assert_eq!(set.summary().version, "2023/11/14-221320");
    assert!(set.summary().engine.starts_with("YARA-X 1."));
}

#[test]
fn progress_is_told_for_every_file() {
    let files = [source("a.yar", ""), source("b.yar", "")];
    let mut seen = Vec::new();
    SignatureSet::compile(&files, CompileOptions::default(), |p| {
        seen.push((p.done, p.total))
    })
    .expect("a set");
    assert_eq!(seen, [(1, 2), (2, 2)]);
}
