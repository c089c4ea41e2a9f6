//! The bodies as readers in the field see them.

use serde_json::{Value, json};
use squall_api::{SampleStatus, v0, v1};
use utoipa::{PartialSchema, ToSchema};

#[test]
fn a_v0_finding_has_the_contracts_keys() {
    let finding = json!({
        "level": "Alert", "module": "Filescan", "message": "Malware file found", "score": 94,
        "context": {
            "ext": ".txt", "file": "C:\\temp\\test.txt", "firstBytes": "3c25 / <%",
            "md5": "0", "sha1": "1", "sha256": "2", "size": 16, "type": "JSP",
            "sample_id": 12, "reasons_count": 2
        },
        "matches": [{
            "rulename": "R", "reason": "d", "ref": "x", "ruledate": "2020-07-31",
            "author": "a", "subscore": 75, "tags": ["WEBSHELL"], "matched": ["<%"],
            "sigclass": "YARA Rule", "sigtype": "internal"
        }]
    });
    let read: v0::Finding = serde_json::from_value(finding.clone()).expect("the form");
    assert_eq!(serde_json::to_value(read).expect("JSON"), finding);
}

#[test]
fn a_v1_finding_keeps_its_nulls_and_drops_what_is_absent() {
    let finding = json!({
        "type": "THOR finding",
        "meta": {
            "time": "2026-07-10T09:08:47.123456Z", "level": "Notice", "module": "Filescan",
            "scan_id": "S-r4GhEhEiIRg", "hostname": "h"
        },
        "message": "Noteworthy file found",
        "subject": {
            "type": "file", "path": "x", "exists": "yes", "extension": "", "magic_header": "EXE",
            "hashes": {"md5": "0", "sha1": "1", "sha256": "2"},
            "first_bytes": {"hex": "4d5a", "ascii": "MZ"}, "size": 2, "permissions": null,
            "pe_info": {
                "company": "", "description": "", "legal_copyright": "", "product": "",
                "original_name": "", "internal_name": "", "signed": false, "signatures": null,
                "imphash": "", "rich_header_hash": "",
                "creation_timestamp": "1970-01-01T00:00:00Z"
            },
            "content": {
                "type": "sparse data",
                "elements": [{"offset": 0, "data": {"data": "MZ", "encoding": "plain"}}],
                "length": 2
            }
        },
        "score": 40,
        "reasons": [{
            "type": "reason", "summary": "s",
            "signature": {
                "score": 40, "reference": [], "origin": "internal", "kind": "YARA Rule"
            },
            "matched": [{
                "data": {"data": "4d", "encoding": "hex"}, "offset": 0, "field": "/content"
            }]
        }],
        "reason_count": 1, "context": null, "log_version": "v3.0.0"
    });
    let read: v1::Finding = serde_json::from_value(finding.clone()).expect("the form");
    assert_eq!(serde_json::to_value(read).expect("JSON"), finding);
}

#[test]
fn the_queued_answer_has_one_key_and_no_reason() {
    let body = serde_json::to_string(&v0::Queued { id: 12 }).expect("JSON");
    assert_eq!(body, r#"{"id":12}"#);
}

#[test]
fn status_texts_are_exact() {
    for (status, text) in [
        (SampleStatus::Waiting, "Waiting for execution"),
        (SampleStatus::Scanning, "Currently being scanned"),
        (SampleStatus::Complete, "Sample analysis complete"),
        (SampleStatus::Failed, "Sample analysis failed"),
    ] {
        assert_eq!(status.to_string(), text);
        assert_eq!(serde_json::to_value(status).expect("JSON"), json!(text));
    }
    let waiting = v0::AsyncResult {
        status: SampleStatus::Waiting,
        result: None,
    };
    assert_eq!(
        serde_json::to_string(&waiting).expect("JSON"),
        r#"{"status":"Waiting for execution"}"#
    );
    let clean = v1::AsyncResult {
        status: SampleStatus::Complete,
        result: Some(Vec::new()),
    };
    assert_eq!(
        serde_json::to_string(&clean).expect("JSON"),
        r#"{"status":"Sample analysis complete","result":[]}"#
    );
}

#[test]
fn the_v0_status_repeats_four_counters_for_the_older_client() {
    let counters = v1::Counters {
        uptime_seconds: 1,
        avg_scan_time_milliseconds: 2,
        avg_total_time_milliseconds: 3,
        quota_wait_time_milliseconds: 4,
        denied_request_proportion: 0.5,
        ..v1::Counters::default()
    };
    let body = serde_json::to_value(v0::Status::from(counters)).expect("JSON");
    assert_eq!(
        body,
        json!({
            "uptime_seconds": 1, "scanned_samples": 0, "queued_async_requests": 0,
            "avg_scan_time_milliseconds": 2, "avg_total_time_milliseconds": 3,
            "avg_wait_time_milliseconds": 0, "denied_requests": 0,
            "denied_request_proportion": 0.5, "quota_waits": 0,
            "quota_wait_time_milliseconds": 4,
            "uptime_s": 1, "avg_scan_time_ms": 2, "avg_total_time_ms": 3,
            "quota_wait_time_ms": 4
        })
    );
}

#[test]
fn an_error_says_the_same_under_both_keys() {
    let body = serde_json::to_string(&v0::Error::new("no file")).expect("JSON");
    assert_eq!(body, r#"{"reason":"no file","message":"no file"}"#);
    let body = serde_json::to_string(&v1::Error::new("no file")).expect("JSON");
    assert_eq!(body, r#"{"message":"no file"}"#);
}

fn collection(body: Value) -> Result<v0::Collection, serde_json::Error> {
    serde_json::from_value(body)
}

#[test]
fn a_collectors_message_is_read_with_keys_of_its_own() {
    let read = collection(json!({
        "type": "end", "source": "web-01", "hostname": "web-01", "collector": "python3/0.2",
        "timestamp": "2026-11-24T08:30:00Z", "scan_id": "run",
        "stats": {
            "scanned": 10, "submitted": "9", "failed": -1, "skipped": 1.9, "scan_errors": 0,
            "elapsed_seconds": null, "in_flight": "x"
        }
    }))
    .expect("readable");
    assert_eq!(read.event, v0::CollectionEvent::End);
    assert_eq!(read.scan_id.as_deref(), Some("run"));
    assert_eq!(
        read.stats,
        Some(v0::CollectionStats {
            scanned: 10,
            submitted: 9,
            skipped: 1,
            failed: 0,
            elapsed_seconds: 0,
        })
    );
}

#[test]
fn a_collectors_message_needs_only_a_known_type() {
    let read = collection(json!({"type": "begin", "timestamp": 1_783_674_527})).expect("readable");
    assert_eq!(
        (read.source.as_str(), read.timestamp.as_str()),
        ("", "1783674527")
    );
    for event in ["interrupted", "abort"] {
        assert!(collection(json!({ "type": event })).is_ok(), "{event}");
    }
    for body in [
        json!({}),
        json!({"type": "start"}),
        json!([]),
        json!({"type": "Begin"}),
    ] {
        assert!(collection(body.clone()).is_err(), "{body}");
    }
}

#[test]
fn the_answers_to_a_collector_are_small() {
    let begun = v0::CollectionBegun {
        scan_id: "0b1c6f5e-8f0a-4b7e-9d5a-3f1f5f0d2a11".to_owned(),
    };
    let body = serde_json::to_string(&begun).expect("JSON");
    assert_eq!(
        body,
        r#"{"scan_id":"0b1c6f5e-8f0a-4b7e-9d5a-3f1f5f0d2a11"}"#
    );
    let body = serde_json::to_string(&v0::Acknowledged::default()).expect("JSON");
    assert_eq!(body, r#"{"ok":true}"#);
}

#[test]
fn both_generations_have_schemas_of_their_own_name() {
    assert_eq!(v0::Finding::name(), "v0.Finding");
    assert_eq!(v1::Finding::name(), "v1.Finding");
    let schema = serde_json::to_value(v0::Context::schema()).expect("JSON");
    for key in ["firstBytes", "type", "sample_id", "reasons_count"] {
        assert!(schema["properties"][key].is_object(), "{key} in {schema}");
    }
    let schema = serde_json::to_value(SampleStatus::schema()).expect("JSON");
    assert_eq!(schema["enum"][0], "Waiting for execution");
    let schema = serde_json::to_value(v0::Status::schema()).expect("JSON");
    assert!(schema.to_string().contains("v1.Counters"), "{schema}");
}
