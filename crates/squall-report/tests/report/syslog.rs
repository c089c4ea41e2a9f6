//! Messages for syslog receivers: their bytes, and that they can be cut.

use squall_report::syslog::{self, Form, Head, Options};
use squall_types::Report;

use crate::fixture;

pub(crate) const FORMS: [Form; 5] = [
    Form::Text,
    Form::Cef,
    Form::Json,
    Form::SyslogJson,
    Form::KeyValue,
];

pub(crate) fn messages(report: &Report, form: Form, head: Head, bytes_max: usize) -> Vec<String> {
    let options = Options {
        form,
        head,
        utc: true,
        bytes_max,
        version: "1.2.3".to_owned(),
    };
    let text = |message| String::from_utf8(message).expect("messages are UTF-8");
    syslog::messages(report, &options)
        .into_iter()
        .map(text)
        .collect()
}

fn golden(form: Form, head: Head) -> String {
    messages(&fixture::rich_report(), form, head, 1 << 20).join("\n")
}

#[test]
fn text_behind_rfc5424() {
    insta::assert_snapshot!(golden(Form::Text, Head::Rfc5424));
}

#[test]
fn text_behind_rfc3164() {
    insta::assert_snapshot!(golden(Form::Text, Head::Rfc3164));
}

#[test]
fn cef_behind_rfc5424() {
    insta::assert_snapshot!(golden(Form::Cef, Head::Rfc5424));
}

#[test]
fn cef_behind_rfc3164() {
    insta::assert_snapshot!(golden(Form::Cef, Head::Rfc3164));
}

#[test]
fn json_without_a_head() {
    insta::assert_snapshot!(golden(Form::Json, Head::Rfc5424));
}

#[test]
fn json_behind_rfc5424() {
    insta::assert_snapshot!(golden(Form::SyslogJson, Head::Rfc5424));
}

#[test]
fn pairs_behind_rfc5424() {
    insta::assert_snapshot!(golden(Form::KeyValue, Head::Rfc5424));
}

#[test]
fn text_that_is_cut() {
    let messages = messages(&fixture::rich_report(), Form::Text, Head::Rfc5424, 1200);
    assert!(messages.iter().all(|message| message.len() <= 1200));
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn json_that_is_cut_says_so() {
    for message in messages(&fixture::rich_report(), Form::Json, Head::Rfc5424, 2048) {
        assert!(message.len() <= 2048, "{} bytes", message.len());
        let finding: squall_api::v1::Finding = serde_json::from_str(&message).expect("a finding");
        if !finding.reasons.is_empty() {
            let issue = finding.issues.last().expect("an issue");
            assert_eq!(issue.category, "truncated");
        }
    }
}

#[test]
fn a_clean_scan_has_no_message() {
    let report = fixture::report("clean.txt");
    for form in FORMS {
        assert!(messages(&report, form, Head::Rfc5424, 8192).is_empty());
    }
}

/// Splits the extension of a CEF message as its document has it: a key begins
/// behind a blank and ends at an equals sign that no backslash escapes.
pub(crate) fn cef_keys(message: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut escaped = false;
    let body = &message[message.find("CEF:0|").expect("a head")..];
    for c in body.chars() {
        if c == '|' && !escaped && parts.len() < 7 {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(c);
        }
        escaped = c == '\\' && !escaped;
    }
    assert_eq!(parts.len(), 7, "{message}");
    let mut keys = Vec::new();
    let mut word = String::new();
    let mut escaped = false;
    for c in part.chars() {
        if c == '=' && !escaped {
            keys.push(std::mem::take(&mut word));
        } else if c == ' ' {
            word.clear();
        } else {
            word.push(c);
        }
        escaped = c == '\\' && !escaped;
    }
    keys
}
