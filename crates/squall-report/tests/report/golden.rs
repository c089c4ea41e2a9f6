//! One golden file per form, of the report with everything in it.

use squall_report::{json, text, v0, v1};
use squall_types::{IncompleteReason, Level, Report};

use crate::fixture;

#[test]
fn v0_form() {
    insta::assert_json_snapshot!(v0::findings(&fixture::rich_report()));
}

#[test]
fn v1_form() {
    insta::assert_json_snapshot!(v1::findings(&fixture::rich_report()));
}

#[test]
fn json_lines() {
    insta::assert_snapshot!(json_lines_of(&fixture::rich_report()));
}

#[test]
fn text_lines() {
    insta::assert_snapshot!(text_lines_of(&fixture::rich_report(), text::Layout::Plain));
}

#[test]
fn text_lines_with_quoted_values() {
    insta::assert_snapshot!(text_lines_of(
        &fixture::rich_report(),
        text::Layout::KeyValue
    ));
}

#[test]
fn a_plain_name_is_shown_as_the_contract_shows_it() {
    let mut report = fixture::report("C:\\temp\\x.exe");
    report.submission.origin.source = "HOST".to_owned();
    report.outcome.findings = vec![fixture::finding(
        Level::Alert,
        94,
        report.outcome.sample.clone(),
        vec![fixture::yara("R", "d", 85)],
    )];
    let text = text_lines_of(&report, text::Layout::Plain);
    let expected = "Jul 10 09:08:47 HOST/192.0.2.7 THOR: Alert: MODULE: Filescan \
         MESSAGE: Malware file found SCANID: S-r4GhEhEiIRg FILE: C:\\temp\\x.exe EXT: .exe \
         SCORE: 94 TYPE: EXE SIZE: 5000 MD5: 0a0a";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn a_clean_report_renders_to_nothing() {
    let report = fixture::report("clean.txt");
    assert_eq!(v0::findings(&report), []);
    assert_eq!(v1::findings(&report), []);
    assert_eq!(json_lines_of(&report), "");
    assert_eq!(text_lines_of(&report, text::Layout::Plain), "");
}

#[test]
fn a_gap_alone_is_a_notice_with_score_zero() {
    let mut report = fixture::report("a.zip");
    report.outcome.incomplete = vec![fixture::gap("a.zip", IncompleteReason::Encrypted, "locked")];
    let [v0] = v0::findings(&report).try_into().expect("one element");
    assert_eq!(
        (v0.level.as_str(), v0.message.as_str(), v0.score),
        ("Notice", "File not scanned completely", 0)
    );
    assert_eq!(v0.matches.len(), 1);
    assert_eq!(
        (
            v0.matches[0].rulename.as_str(),
            v0.matches[0].reason.as_str()
        ),
        ("", "locked")
    );
    let [v1] = v1::findings(&report).try_into().expect("one element");
    assert_eq!(
        (v1.meta.level.as_str(), v1.message.as_str(), v1.score),
        ("Notice", "File not scanned completely", 0)
    );
    assert_eq!((v1.reasons.len(), v1.reason_count), (0, 0));
    assert_eq!(v1.issues[0].category, "encrypted");
    // The facts of the sample are known, so its digests are shown.
    assert!(v1.subject.hashes.is_some());
}

#[test]
fn a_gap_beside_a_finding_is_an_element_in_v0_and_an_issue_in_v1() {
    let mut report = fixture::report("a.zip");
    report.outcome.findings = vec![fixture::finding(
        Level::Warning,
        70,
        report.outcome.sample.clone(),
        vec![fixture::yara("R", "d", 70)],
    )];
    report.outcome.incomplete = vec![fixture::gap("a.zip", IncompleteReason::Timeout, "10 s")];
    assert_eq!(v0::findings(&report).len(), 2);
    let v1 = v1::findings(&report);
    assert_eq!(v1.len(), 1);
    assert_eq!(v1[0].issues.len(), 1);
    assert_eq!(v1[0].message, "Possibly Dangerous file found");
    let text = text_lines_of(&report, text::Layout::Plain);
    assert!(text.contains(" ISSUE_1: 10 s (timeout) "), "{text}");
}

pub(crate) fn json_lines_of(report: &Report) -> String {
    let mut out = Vec::new();
    json::write_lines(report, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("JSON is UTF-8")
}

pub(crate) fn text_lines_of(report: &Report, layout: text::Layout) -> String {
    let options = text::Options {
        utc: true,
        layout,
        ..text::Options::default()
    };
    let mut out = Vec::new();
    text::write_lines(report, &options, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("text is UTF-8")
}
