//! What holds for every rendering, whatever the report says.

use proptest::prelude::*;
use squall_api::v1::{ContentElement, Encoding};
use squall_report::syslog::{BYTES_MIN, Form, Head};
use squall_report::{text, v0, v1};
use squall_types::{
    Finding, IncompleteReason, Level, Match, MatchField, MatchedString, Report, Score,
};

use crate::{
    fixture,
    golden::{json_lines_of, text_lines_of},
    syslog::{FORMS, cef_keys, messages},
};

/// Text with all that is troublesome in it.
fn hostile_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        any::<String>(),
        "[ -~]{0,12}",
        Just("\r\n".to_owned()),
        Just("\u{85}\u{2028}\u{2029}\u{202e}\u{2066}".to_owned()),
        Just(" SCORE: 0 ".to_owned()),
        Just("REASON_1:".to_owned()),
        Just("\" MD5=\"".to_owned()),
        Just(" THOR: Alert: ".to_owned()),
        Just("\u{1b}[2J\0".to_owned()),
        Just("\\".to_owned()),
        Just("|".to_owned()),
    ];
    prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

fn matched_string() -> impl Strategy<Value = MatchedString> {
    let offset = prop_oneof![0_u64..300, Just(u64::MAX), Just(u64::MAX - 3), any::<u64>()];
    let bytes = || {
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..24),
            hostile_text().prop_map(String::into_bytes),
        ]
    };
    let field = prop_oneof![
        4 => Just(MatchField::Content),
        1 => Just(MatchField::Path),
        1 => Just(MatchField::Sha256),
    ];
    (offset, bytes(), 0_u64..40, bytes(), bytes(), field).prop_map(
        |(offset, data, cut, before, after, field)| MatchedString {
            identifier: "$a".to_owned(),
            field,
            offset,
            length: data.len() as u64 + cut.saturating_sub(20),
            data,
            before,
            after,
        },
    )
}

prop_compose! {
    fn signature_match()(
        rule_name in hostile_text(),
        description in hostile_text(),
        reference in hostile_text(),
        tag in hostile_text(),
        date in prop::option::of(hostile_text()),
        subscore in any::<i32>(),
        strings in prop::collection::vec(matched_string(), 0..8),
    ) -> Match {
        Match {
            references: vec![reference],
            tags: vec![tag],
            date,
            strings,
            ..fixture::yara(&rule_name, &description, subscore)
        }
    }
}

prop_compose! {
    fn any_report()(
        name in hostile_text(),
        source in hostile_text(),
        scan_id in hostile_text(),
        time_us in any::<i64>(),
        size_bytes in prop_oneof![0_u64..400, any::<u64>()],
        extension in hostile_text(),
        members in prop::collection::vec(prop::collection::vec(signature_match(), 0..4), 0..3),
        gaps in prop::collection::vec((hostile_text(), hostile_text()), 0..3),
    ) -> Report {
        let mut report = fixture::report(&name);
        report.submission.origin.source = source;
        report.scan.scan_id = scan_id;
        report.scan.scanned_at_us = time_us;
        report.outcome.sample.size_bytes = size_bytes;
        report.outcome.sample.extension = extension;
        let file = report.outcome.sample.clone();
        report.outcome.findings = members
            .into_iter()
            .map(|matches| Finding {
                level: Level::Warning,
                score: Score::new(70),
                file: file.clone(),
                parent: Some(file.clone()),
                matches,
            })
            .collect();
        report.outcome.incomplete = gaps
            .into_iter()
            .map(|(path, text)| fixture::gap(&path, IncompleteReason::Corrupt, &text))
            .collect();
        report
    }
}

/// Returns the keys of a text line, as a parser finds them that knows nothing
/// of values and does not ask for a blank before a key.
fn keys(line: &str) -> Vec<&str> {
    let is_key_char = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    line.match_indices(": ")
        .map(|(colon, _)| &line[..colon])
        .map(|before| &before[before.trim_end_matches(is_key_char).len()..])
        .filter(|key| key.contains(|c: char| c.is_ascii_uppercase()))
        .collect()
}

fn is_trouble(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}'..='\u{200f}')
}

fn length(element: &ContentElement) -> u64 {
    let data = &element.data;
    match data.encoding {
        Encoding::Plain => data.data.len() as u64,
        Encoding::Hex => data.data.len() as u64 / 2,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_text_line_is_one_line_and_its_keys_are_ours(report in any_report()) {
        let text = text_lines_of(&report, text::Layout::Plain);
        let lines: Vec<_> = text.split_terminator('\n').collect();
        prop_assert_eq!(lines.len(), v1::findings(&report).len());
        for line in lines {
            prop_assert!(!line.chars().any(is_trouble), "{:?}", line);
            prop_assert_eq!(line.matches(" THOR: ").count(), 1, "{}", line);
            let keys = keys(line);
            prop_assert_eq!(&keys[..3], &["THOR", "MODULE", "MESSAGE"]);
            prop_assert_eq!(keys.last(), Some(&"UID"));
            let mut once = keys.clone();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), keys.len(), "a key is forged in {}", line);
        }
    }

    #[test]
    fn quoted_values_end_where_they_should(report in any_report()) {
        for line in text_lines_of(&report, text::Layout::KeyValue).lines() {
            prop_assert!(!line.chars().any(is_trouble), "{:?}", line);
            let unescaped = line.replace("\\\\", "").replace("\\\"", "");
            let outside: String = unescaped.split('"').step_by(2).collect();
            let (_, fields) = outside.split_once(" THOR: Warning: ")
                .or_else(|| outside.split_once(" THOR: Notice: "))
                .expect("the header");
            for key in fields.split(' ') {
                prop_assert!(key.ends_with('='), "{} in {}", key, line);
            }
        }
    }

    #[test]
    fn extracts_are_ordered_apart_and_within_the_file(report in any_report()) {
        for finding in v1::findings(&report) {
            let content = &finding.subject.content;
            let mut end = None;
            for element in &content.elements {
                prop_assert!(end.is_none_or(|end| element.offset > end), "{:?}", content);
                end = element.offset.checked_add(length(element));
                prop_assert!(end.is_some_and(|end| end <= content.length), "{:?}", content);
            }
        }
    }

    #[test]
    fn a_json_line_is_one_line_and_says_the_same(report in any_report()) {
        let lines = json_lines_of(&report);
        let findings = v1::findings(&report);
        prop_assert!(!lines.chars().any(|c| c != '\n' && is_trouble(c)));
        prop_assert_eq!(lines.lines().count(), findings.len());
        for (line, finding) in lines.lines().zip(findings) {
            let read: squall_api::v1::Finding = serde_json::from_str(line).expect("JSON");
            prop_assert_eq!(read, finding);
        }
    }

    #[test]
    fn a_syslog_message_is_one_line_of_its_form_however_short(
        report in any_report(),
        bytes_max in BYTES_MIN..12_000,
        is_old in any::<bool>(),
    ) {
        let head = if is_old { Head::Rfc3164 } else { Head::Rfc5424 };
        for form in FORMS {
            let messages = messages(&report, form, head, bytes_max);
            prop_assert_eq!(messages.len(), v1::findings(&report).len());
            for message in messages {
                prop_assert!(message.len() <= bytes_max, "{:?}: {} bytes", form, message.len());
                prop_assert!(!message.chars().any(is_trouble), "{:?}", message);
                match form {
                    Form::Json | Form::SyslogJson => {
                        let json = &message[message.find('{').expect("an object")..];
                        let read = serde_json::from_str::<squall_api::v1::Finding>(json);
                        prop_assert!(read.is_ok(), "{:?} in {}", read, json);
                    }
                    Form::Cef => {
                        let mut keys = cef_keys(&message);
                        prop_assert!(keys.len() >= 5, "{}", message);
                        let known = keys.len();
                        keys.sort_unstable();
                        keys.dedup();
                        prop_assert_eq!(keys.len(), known, "a key is forged in {}", message);
                        let plain = |key: &String| key.chars().all(|c| c.is_ascii_alphanumeric());
                        prop_assert!(keys.iter().all(plain), "{:?}", keys);
                    }
                    Form::KeyValue => {
                        let unescaped = message.replace("\\\\", "").replace("\\\"", "");
                        prop_assert_eq!(unescaped.matches('"').count() % 2, 0, "{}", message);
                        prop_assert!(message.contains(" UID=\""), "{}", message);
                    }
                    Form::Text => prop_assert!(message.contains(" UID: "), "{}", message),
                }
            }
        }
    }

    #[test]
    fn every_form_shows_every_finding_and_every_gap(report in any_report()) {
        let v0 = v0::findings(&report);
        let mut gap_paths: Vec<_> = report.outcome.incomplete.iter().map(|gap| &gap.path).collect();
        gap_paths.sort_unstable();
        gap_paths.dedup();
        prop_assert_eq!(v0.len(), report.outcome.findings.len() + gap_paths.len());
        let v1 = v1::findings(&report);
        for path in gap_paths {
            prop_assert!(v1.iter().any(|f| f.subject.path == *path && !f.issues.is_empty()));
        }
        prop_assert_eq!(v0.is_empty(), report.outcome.is_clean());
        prop_assert_eq!(v1.is_empty(), report.outcome.is_clean());
    }
}
