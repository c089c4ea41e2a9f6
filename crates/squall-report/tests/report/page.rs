//! The HTML report and CSV of the report with everything in it.

use squall_report::{csv, html};
use squall_types::{IncompleteReason, Level, Report};

use crate::fixture;

fn page_of(reports: &[Report]) -> String {
    let mut document = html::Document::default();
    for report in reports {
        document.add(report);
    }
    let summary = html::Summary {
        host: "web-01\u{202e}<b>".to_owned(),
        counts: vec![html::Count {
            number: 1,
            name: "files scanned",
            class: "",
        }],
        facts: vec![html::Fact::new("Paths", "/srv & \"more\"")],
        notes: vec!["the scan was stopped".to_owned()],
        complete: true,
        version: "0.0.0".to_owned(),
    };
    let mut out = Vec::new();
    document
        .write(&summary, &mut out)
        .expect("a vector takes everything");
    String::from_utf8(out).expect("HTML is UTF-8")
}

/// The page without its style and script, which hold what a page must not.
fn body_of(page: &str) -> &str {
    let body = page.split_once("<body>").expect("a body").1;
    body.split_once("<script>").expect("a script").0
}

#[test]
fn html_page() {
    insta::assert_snapshot!(body_of(&page_of(&[fixture::rich_report()])));
}

#[test]
fn csv_rows() {
    let mut out = Vec::new();
    csv::write_header(&mut out).expect("a vector takes everything");
    csv::write_rows(&fixture::rich_report(), &mut out).expect("a vector takes everything");
    insta::assert_snapshot!(String::from_utf8(out).expect("CSV is UTF-8"));
}

#[test]
fn nothing_from_outside_is_markup_or_hidden() {
    let mut report = fixture::rich_report();
    let evil = "\"><script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}\u{0}'";
    let finding = &mut report.outcome.findings[0];
    finding.file.path = evil.to_owned();
    finding.file.file_type = evil.to_owned();
    for found in &mut finding.matches {
        found.rule_name = evil.to_owned();
        found.description = evil.to_owned();
        found.author = Some(evil.to_owned());
        found.tags = vec![evil.to_owned()];
        found.references = vec![
            "javascript:alert(1)".to_owned(),
            format!("https://example.org/{evil}"),
            "https://example.org/'\"><b>".to_owned(),
        ];
        for string in &mut found.strings {
            string.identifier = evil.to_owned();
            string.data = evil.as_bytes().to_vec();
        }
    }
    let page = page_of(&[report]);
    let body = body_of(&page);
    for markup in [
        "<script",
        "<img",
        "href=\"javascript",
        "\u{202e}",
        "\0",
        "<b>'",
    ] {
        assert!(!body.contains(markup), "{markup:?} in the page");
    }
    // The only links are those that hold nothing but visible ASCII.
    assert_eq!(
        body.matches("<a href=").count(),
        body.matches("<a href=\"https://example.org/&#39;&#34;&#62;&#60;b&#62;\"")
            .count()
    );
}

#[test]
fn the_verdict_says_what_was_not_scanned() {
    let clean = fixture::report("clean.txt");
    assert!(page_of(&[clean]).contains(">Nothing found<"));
    let mut gap = fixture::report("a.zip");
    gap.outcome.incomplete = vec![fixture::gap("a.zip", IncompleteReason::Encrypted, "locked")];
    assert!(page_of(&[gap.clone()]).contains(">Nothing found, but not everything was scanned<"));
    let mut found = fixture::report("a.exe");
    found.outcome.findings = vec![fixture::finding(
        Level::Notice,
        40,
        found.outcome.sample.clone(),
        vec![fixture::yara("R", "d", 40)],
    )];
    assert!(page_of(&[gap, found]).contains(">Noteworthy files found<"));
}

#[test]
fn a_page_is_bounded_and_keeps_the_highest_scores() {
    let mut document = html::Document::default();
    let mut report = fixture::report("a.exe");
    let extra = 50;
    for number in 0..html::ENTRIES_MAX + extra {
        let score = if number == 7 { 99 } else { 40 };
        report.outcome.findings = vec![fixture::finding(
            Level::Notice,
            score,
            report.outcome.sample.clone(),
            vec![fixture::yara(&format!("R{number}"), "", i32::from(score))],
        )];
        document.add(&report);
    }
    let mut out = Vec::new();
    document
        .write(&html::Summary::default(), &mut out)
        .expect("a vector takes everything");
    let page = String::from_utf8(out).expect("HTML is UTF-8");
    let shown = page.matches("<details class=\"finding\"").count();
    assert!(shown <= html::ENTRIES_MAX);
    assert!(page.len() <= html::ENTRIES_BYTES_MAX + 64 * 1024);
    assert!(page.contains("YARA rule R7<"));
    let left_out = html::ENTRIES_MAX + extra - shown;
    assert!(page.contains(&format!("{left_out} more are left out")));
}
