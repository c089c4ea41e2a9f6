//! Variables, strings, scores and limits of a scan.

use std::time::{Duration, Instant};

use squall_engine::{Sample, ScanLimits, Scanner, digests};
use squall_types::{IncompleteReason, Level, SignatureOrigin};

use crate::{rule_names, scan, set_of};

#[test]
fn every_external_variable_is_defined_and_filled() {
    let set = set_of(
        r#"
        rule All_Variables {
            condition:
                filename == "A b.EXE" and filepath == "C:\\Users\\x" and extension == ".exe"
                and filetype == "TEXT"
                and owner == "" and group == "" and filemode == "" and timezone == ""
                and language == "" and osversion == "" and unpack_parent == ""
                and unpack_source == ""
        }
        rule Md5 { condition: md5 == "900150983cd24fb0d6963f7d28e17f72" }
    "#,
    );
    assert_eq!(
        rule_names(&scan(&set, r"C:\Users\x\A b.EXE", b"abc")),
        ["All_Variables", "Md5"]
    );
}

#[test]
fn nothing_of_the_sample_before_is_left_in_a_reused_scanner() {
    let set = set_of(
        r#"
        rule Text { strings: $a = "needle" condition: $a }
        rule Name { condition: filename == "a.txt" }
    "#,
    );
    let mut scanner = Scanner::new(&set, ScanLimits::default());
    let mut names = |file_name: &str, content: &[u8]| {
        let outcome = scanner.scan(&Sample {
            content,
            file_name,
            digests: digests(content),
        });
        rule_names(&outcome)
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(names("/x/a.txt", b"a needle"), ["Name", "Text"]);
    assert_eq!(names("", b"nothing"), Vec::<String>::new());
    assert_eq!(names("/x/b.txt", b"needle"), ["Text"]);
}

#[test]
fn matched_strings_carry_offset_and_context() {
    let set = set_of(
        r#"rule R : T1105 tag { meta: score = 90 description = "d"
           strings: $b = "beta" $a = "alpha" condition: any of them }"#,
    );
    let outcome = scan(&set, "x", b"..alpha....beta..alpha");
    let finding = &outcome.findings[0];
    assert_eq!(finding.level, Level::Alert);
    assert_eq!(finding.score.value(), 90);
    let found = &finding.matches[0];
    assert_eq!(found.origin, SignatureOrigin::Internal);
    assert_eq!(found.tags, ["T1105", "TAG"]);
    let strings: Vec<_> = found
        .strings
        .iter()
        .map(|s| (s.identifier.as_str(), s.offset, s.data.as_slice()))
        .collect();
    assert_eq!(
        strings,
        [
            ("$a", 2, b"alpha".as_slice()),
            ("$b", 11, b"beta"),
            ("$a", 17, b"alpha")
        ]
    );
    assert_eq!(found.strings[1].before, b"..alpha....");
    assert_eq!(found.strings[1].after, b"..alpha");
}

#[test]
fn a_rule_that_matches_everywhere_is_reported_within_bounds() {
    let set = set_of(r#"rule R { strings: $a = "aaaa"  condition: $a }"#);
    let content = vec![b'a'; 4 << 20];
    let outcome = scan(&set, "x", &content);
    let strings = &outcome.findings[0].matches[0].strings;
    assert!(strings.len() <= 40, "{}", strings.len());
    assert!(
        strings
            .iter()
            .all(|s| s.data.len() <= 256 && s.before.len() <= 64)
    );
}

#[test]
fn a_file_that_matches_hundreds_of_rules_names_them_all() {
    let rules: String = (0..300)
        .map(|number| format!("rule R{number} {{ strings: $a = \"needle\" condition: $a }} "))
        .collect();
    let outcome = scan(&set_of(&rules), "x", b"a needle");
    let matches = &outcome.findings[0].matches;
    assert_eq!(matches.len(), 300);
    let with_strings = matches.iter().filter(|found| !found.strings.is_empty());
    assert_eq!(with_strings.count(), 100);
}

#[test]
fn scores_add_up_and_weak_ones_are_not_reported() {
    let set = set_of(
        r#"
        rule Weak { meta: score = 30 strings: $a = "weak" condition: $a }
        rule Good { meta: score = -50 strings: $a = "good" condition: $a }
        rule Bad { meta: score = 80 strings: $a = "bad" condition: $a }
    "#,
    );
    assert!(scan(&set, "x", b"weak").findings.is_empty());
    let both = scan(&set, "x", b"weak bad");
    assert_eq!(both.findings[0].score.value(), 83);
    assert_eq!(both.findings[0].matches[0].rule_name, "Bad");
    assert!(scan(&set, "x", b"good bad").findings.is_empty());
}

#[test]
fn rules_for_process_memory_do_not_apply_to_files() {
    let set = set_of(r#"rule R { meta: type = "memory" condition: true }"#);
    assert!(scan(&set, "x", b"abc").is_clean());
}

#[test]
fn private_rules_are_not_reported() {
    let set = set_of("private rule P { condition: true } rule R { condition: P }");
    assert_eq!(rule_names(&scan(&set, "x", b"abc")), ["R"]);
}

#[test]
fn a_scan_over_its_time_limit_does_not_pass_for_clean() {
    let set =
        set_of("rule Slow { condition: for all i in (0..9000000000) : (uint8(i) != 1 or i > 0) }");
    let limits = ScanLimits {
        time_max: Duration::from_secs(1),
        ..ScanLimits::default()
    };
    let mut scanner = Scanner::new(&set, limits);
    let content = vec![0; 1000];
    let sample = Sample {
        content: &content,
        file_name: "slow.bin",
        digests: digests(&content),
    };
    let started = Instant::now();
    let outcome = scanner.scan(&sample);
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "the limit held"
    );
    assert!(!outcome.is_clean());
    assert_eq!(outcome.incomplete[0].reason, IncompleteReason::Timeout);
    assert_eq!(outcome.incomplete[0].path, "slow.bin");
}

#[test]
fn an_empty_sample_can_be_scanned() {
    let set = set_of("rule Empty { condition: filesize == 0 }");
    let outcome = scan(&set, "", b"");
    assert_eq!(rule_names(&outcome), ["Empty"]);
    assert_eq!(outcome.sample.size_bytes, 0);
    assert!(outcome.sample.first_bytes.bytes().is_empty());
}
