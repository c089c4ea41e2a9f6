//! A Detection Finding (class 2004) of the Open Cybersecurity Schema Framework,
//! version 1.3, with the profile `host`.

use serde_json::{Value, json};
use squall_types::{FileFacts, Level, Match, Report};

use super::{Own, base_name, matched, reasons, rest, tags, techniques, without_empty};
use crate::event::{self, Event, File};
use crate::{limits, v1, visible};

const CLASS: u32 = 2004;
/// `Create`: each finding is told of once.
const ACTIVITY: u32 = 1;

/// Returns an event as a finding.
pub(super) fn finding(report: &Report, index: usize, event: &Event<'_>, version: &str) -> Value {
    let (severity_id, severity) = severity(event.level);
    let origin = &report.submission.origin;
    let event_id = event::event_id(&report.submission, index);
    let scanned_ms = report.scan.scanned_at_us / 1000;
    let techniques = techniques(&event.matches).into_iter();
    let finding = json!({
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Detection Finding",
        "activity_id": ACTIVITY,
        "activity_name": "Create",
        "type_uid": CLASS * 100 + ACTIVITY,
        "type_name": "Detection Finding: Create",
        "time": scanned_ms,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": 1,
        "status": "New",
        "is_alert": !event.matches.is_empty(),
        "message": format!("{}: {}", event.message, event.file.path),
        "risk_score": event.score.value(),
        "metadata": {
            "version": "1.3.0",
            "profiles": ["host"],
            "uid": event_id,
            "correlation_uid": report.scan.scan_id,
            "log_name": "squall",
            "product": {
                "name": "Squall",
                "vendor_name": "Squall",
                "version": version,
                "feature": {"name": event::MODULE},
            },
        },
        "finding_info": {
            "uid": event_id,
            "title": event.message,
            "desc": reasons(event),
            "created_time": scanned_ms,
            "types": tags(&event.matches),
            "analytic": event.matches.first().map(|found| analytic(found)),
            "related_analytics": event.matches.iter().skip(1).take(limits::REASONS_MAX)
                .map(|found| analytic(found)).collect::<Vec<_>>(),
            "attacks": techniques.map(|uid| json!({"technique": {"uid": uid, "name": uid}, "version": "16.1"}))
                .collect::<Vec<_>>(),
        },
        "device": {
            "type_id": 0,
            "type": "Unknown",
            "hostname": origin.source,
            "ip": origin.remote_addr,
        },
        "evidences": [{"file": file(&event.file), "data": evidence(event)}],
        "observables": observables(report, event),
        "unmapped": unmapped(report, event),
    });
    without_empty(finding).unwrap_or_default()
}

/// The same steps as those of CEF: 4, 8 and 10 of ten are medium, high and very
/// high there.
const fn severity(level: Level) -> (u8, &'static str) {
    match level {
        Level::Alert => (5, "Critical"),
        Level::Warning => (4, "High"),
        Level::Notice => (3, "Medium"),
    }
}

fn analytic(found: &Match) -> Value {
    let name = if found.rule_name.is_empty() {
        found.kind.name()
    } else {
        &found.rule_name
    };
    json!({
        "type_id": 1,
        "type": "Rule",
        "name": name,
        "uid": found.id.as_deref().unwrap_or(name),
        "desc": found.description,
        "category": found.kind.name(),
    })
}

fn file(file: &File<'_>) -> Value {
    json!({
        "type_id": 1,
        "type": "Regular File",
        "name": base_name(file.path),
        "path": file.path,
        "ext": file.extension().trim_start_matches('.'),
        "size": file.facts.map(|facts| facts.size_bytes),
        "hashes": file.facts.map(hashes),
    })
}

fn hashes(facts: &FileFacts) -> Value {
    let digests = &facts.digests;
    json!([
        {"algorithm_id": 1, "algorithm": "MD5", "value": visible::hex(&digests.md5)},
        {"algorithm_id": 2, "algorithm": "SHA-1", "value": visible::hex(&digests.sha1)},
        {"algorithm_id": 3, "algorithm": "SHA-256", "value": visible::hex(&digests.sha256)},
    ])
}

/// Returns what the signatures matched.
fn evidence(event: &Event<'_>) -> Value {
    let reasons = event.matches.iter().take(limits::REASONS_MAX).map(|found| {
        json!({
            "summary": v1::summary(found),
            "score": found.subscore,
            "origin": found.origin.name(),
            "references": found.references,
            "matched": matched(found),
        })
    });
    json!({"reasons": reasons.collect::<Vec<_>>()})
}

fn observables(report: &Report, event: &Event<'_>) -> Value {
    let origin = &report.submission.origin;
    let mut observables = vec![
        json!({"name": "device.hostname", "type_id": 1, "type": "Hostname", "value": origin.source}),
        json!({"name": "evidences[].file.name", "type_id": 7, "type": "File Name",
               "value": base_name(event.file.path)}),
    ];
    if !origin.remote_addr.is_empty() {
        observables.push(
            json!({"name": "device.ip", "type_id": 2, "type": "IP Address",
                                "value": origin.remote_addr}),
        );
    }
    if let Some(facts) = event.file.facts {
        observables.push(
            json!({"name": "evidences[].file.hashes[].value", "type_id": 8, "type": "Hash",
                                "value": visible::hex(&facts.digests.sha256)}),
        );
    }
    Value::Array(observables)
}

/// Returns what the class has no attribute for.
fn unmapped(report: &Report, event: &Event<'_>) -> Value {
    let facts = event.file.facts;
    let own = Own {
        unpack_source: json!(facts.map(|facts| facts.unpack_source.join(">"))),
        ..Own::default()
    };
    rest(report, event, own)
}
