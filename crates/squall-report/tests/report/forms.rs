//! The forms that others have defined: one golden file each, and that they can
//! be cut.

use serde_json::Value;
use squall_report::exchange::{Exchange, Writer};
use squall_report::forms::{self, Form};
use squall_report::v1;

use crate::fixture;

const FORMS: [Form; 4] = [Form::V3, Form::V1, Form::Ecs, Form::Ocsf];

fn documents(form: Form, bytes_max: usize) -> Vec<Value> {
    let events = forms::events(&fixture::rich_report(), form, "1.2.3", bytes_max);
    let read = |event: forms::Rendered| {
        assert!(event.body.len() <= bytes_max, "{} bytes", event.body.len());
        assert!(!event.body.contains(&b'\n'));
        serde_json::from_slice(&event.body).expect("JSON")
    };
    events.into_iter().map(read).collect()
}

#[test]
fn v1_form_of_logs() {
    insta::assert_json_snapshot!(documents(Form::V1, 1 << 20));
}

#[test]
fn elastic_common_schema() {
    insta::assert_json_snapshot!(documents(Form::Ecs, 1 << 20));
}

#[test]
fn ocsf_detection_finding() {
    insta::assert_json_snapshot!(documents(Form::Ocsf, 1 << 20));
}

#[test]
fn every_form_has_every_event_under_its_id_however_short() {
    let report = fixture::rich_report();
    for form in FORMS {
        let events = forms::events(&report, form, "1.2.3", 1 << 20);
        let ids: Vec<_> = events.iter().map(|event| event.event_id.as_str()).collect();
        let expected: Vec<_> = (0..ids.len())
            .map(|index| squall_report::event_id(&report.submission, index))
            .collect();
        assert_eq!(ids, expected);
        assert_eq!(documents(form, 4096).len(), ids.len());
    }
}

fn exchanged(exchange: Exchange) -> String {
    let mut writer = Writer::new(exchange, "all");
    let mut out = Vec::new();
    writer.head(&mut out);
    for finding in v1::findings(&fixture::rich_report()) {
        writer.finding(&finding, &mut out);
        // The same again is nothing new.
        writer.finding(&finding, &mut out);
    }
    writer.tail(&mut out);
    let text = String::from_utf8(out).expect("UTF-8");
    serde_json::from_str::<Value>(&text).expect("JSON");
    text
}

#[test]
fn stix_bundle() {
    insta::assert_snapshot!(exchanged(Exchange::Stix));
}

#[test]
fn misp_event() {
    insta::assert_snapshot!(exchanged(Exchange::Misp));
}
