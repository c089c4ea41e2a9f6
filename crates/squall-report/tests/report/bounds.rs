//! What a hostile sample or an eager rule can drive up is cut, and said to be.

use squall_report::{limits, text, v0, v1};
use squall_types::{IncompleteReason, Level, Report};

use crate::{
    fixture,
    golden::{json_lines_of, text_lines_of},
};

/// A report on a sample with so many matches of so many strings each.
fn crowded(matches: usize, strings: usize) -> Report {
    let mut report = fixture::report("x.exe");
    report.outcome.sample.size_bytes = 1 << 40;
    let matches = (0..matches)
        .map(|rule| {
            let mut found = fixture::yara(&format!("RULE_{rule}"), "", rule as i32 % 100);
            found.strings = (0..strings)
                .map(|at| fixture::string(&vec![b'a'; 600], (rule * strings + at) as u64 * 10_000))
                .collect();
            found
        })
        .collect();
    report.outcome.findings = vec![fixture::finding(
        Level::Alert,
        100,
        report.outcome.sample.clone(),
        matches,
    )];
    report
}

#[test]
fn many_matches_are_cut_and_counted() {
    let report = crowded(limits::REASONS_MAX + 50, 1);
    let v0 = &v0::findings(&report)[0];
    assert_eq!(v0.matches.len(), limits::REASONS_MAX);
    assert_eq!(v0.context.reasons_count, limits::REASONS_MAX as u64 + 50);
    assert!(v0.matches.is_sorted_by(|a, b| a.subscore >= b.subscore));
    let v1 = &v1::findings(&report)[0];
    assert_eq!(v1.reasons.len(), limits::REASONS_MAX);
    assert_eq!(v1.reason_count, limits::REASONS_MAX as u64 + 50);
    assert!(v1.issues.iter().any(|issue| issue.affected == "/reasons"));
    let text = text_lines_of(&report, text::Layout::Plain);
    assert!(text.contains(" REASON_100: ") && !text.contains(" REASON_101: "));
    assert!(text.contains(" REASONS_COUNT: 150 "));
}

#[test]
fn many_strings_are_cut_and_counted() {
    let report = crowded(1, limits::V3_STRINGS_MAX + 1);
    let v1 = &v1::findings(&report)[0];
    assert_eq!(v1.reasons[0].matched.len(), limits::V3_STRINGS_MAX);
    assert!(
        v1.issues
            .iter()
            .any(|issue| issue.affected == "/reasons/0/matched")
    );
    let text = text_lines_of(&report, text::Layout::Plain);
    assert!(text.contains(" Str30: ") && !text.contains(" Str31: "));
    assert!(text.contains("... (101 strings)"));
    // All of them are the same text.
    assert_eq!(v0::findings(&report)[0].matches[0].matched.len(), 1);
}

#[test]
fn extracts_stop_at_their_limit() {
    let report = crowded(10, 100);
    let v1 = &v1::findings(&report)[0];
    let content = &v1.subject.content;
    let bytes: usize = content.elements.iter().map(|e| e.data.data.len()).sum();
    assert!(bytes <= limits::EXTRACT_BYTES_MAX, "{bytes}");
    assert!(content.elements.len() <= limits::EXTRACTS_MAX);
    assert!(
        v1.issues
            .iter()
            .any(|issue| issue.affected == "/subject/content")
    );
}

#[test]
fn renderings_of_a_crowded_report_stay_small() {
    let report = crowded(300, 200);
    assert!(json_lines_of(&report).len() < 16 * 1024 * 1024);
    assert!(text_lines_of(&report, text::Layout::Plain).len() < 2 * 1024 * 1024);
}

#[test]
fn very_many_gaps_become_one_more_element() {
    let mut report = fixture::report("a.zip");
    report.outcome.incomplete = (0..limits::INCOMPLETE_FILES_MAX + 23)
        .map(|member| {
            fixture::gap(
                &format!("a.zip|{member}"),
                IncompleteReason::Encrypted,
                "locked",
            )
        })
        .collect();
    let v0 = v0::findings(&report);
    assert_eq!(v0.len(), limits::INCOMPLETE_FILES_MAX + 1);
    let last = v0.last().expect("elements");
    assert_eq!(last.context.file, "a.zip");
    assert!(last.matches[0].reason.starts_with("23 more"), "{last:?}");
    assert_eq!(v1::findings(&report).len(), v0.len());
}

#[test]
fn a_long_name_is_cut_in_a_text_line_only() {
    let name = "n".repeat(limits::VALUE_CHARS_MAX + 1);
    let mut report = fixture::report(&name);
    report.outcome.incomplete = vec![fixture::gap(&name, IncompleteReason::Limit, "")];
    assert_eq!(v0::findings(&report)[0].context.file, name);
    let text = text_lines_of(&report, text::Layout::Plain);
    assert!(text.contains("nnn... EXT: "));
}
