//! Elastic Common Schema, version 8.17. What it has no field for is in `squall`.

use serde_json::{Value, json};
use squall_types::{FileFacts, Match, Report};

use super::{Own, base_name, matched, reasons, rest, tags, techniques, without_empty};
use crate::event::{self, Event};
use crate::{limits, v1, visible};

/// Returns an event as a document.
pub(super) fn ecs(report: &Report, index: usize, event: &Event<'_>, version: &str) -> Value {
    let origin = &report.submission.origin;
    let facts = event.file.facts;
    let hashes = facts.map(hashes);
    let techniques = techniques(&event.matches);
    let document = json!({
        "@timestamp": v1::time(report.scan.scanned_at_us),
        "ecs": {"version": "8.17.0"},
        "message": format!("{}: {}", event.message, event.file.path),
        "tags": tags(&event.matches),
        "event": {
            "kind": if event.matches.is_empty() { "event" } else { "alert" },
            "category": if event.matches.is_empty() { json!(["file"]) } else { json!(["malware", "file"]) },
            "type": ["info"],
            "module": "squall",
            "dataset": "squall.finding",
            "provider": event::MODULE,
            "id": event::event_id(&report.submission, index),
            "risk_score": event.score.value(),
            "created": v1::time(report.submission.received_at_us),
            "reason": reasons(event),
        },
        "log": {"level": event.level.name().to_lowercase()},
        "observer": {"vendor": "Squall", "product": "Squall", "type": "scanner", "version": version},
        "host": {
            "name": origin.source,
            "ip": (!origin.remote_addr.is_empty()).then_some([&origin.remote_addr]),
        },
        "file": {
            "path": event.file.path,
            "name": base_name(event.file.path),
            "extension": event.file.extension().trim_start_matches('.'),
            "type": "file",
            "size": facts.map(|facts| facts.size_bytes),
            "hash": hashes,
            "pe": facts.and_then(|facts| facts.pe_info.as_ref()).map(pe),
        },
        "rule": event.matches.first().map(|found| rule(found)),
        "threat": (!techniques.is_empty())
            .then(|| json!({"framework": "MITRE ATT&CK", "technique": {"id": techniques}})),
        "related": {
            "hash": facts.map(|facts| {
                let digests = &facts.digests;
                [visible::hex(&digests.md5), visible::hex(&digests.sha1), visible::hex(&digests.sha256)]
            }),
            "hosts": [origin.source],
            "ip": [origin.remote_addr],
        },
        "squall": squall(report, event),
    });
    without_empty(document).unwrap_or_default()
}

/// Returns what the schema has no field for.
fn squall(report: &Report, event: &Event<'_>) -> Value {
    let facts = event.file.facts;
    let shown = event.matches.iter().take(limits::REASONS_MAX);
    let own = Own {
        score: json!(event.score.value()),
        scan_id: json!(report.scan.scan_id),
        unpack_source: json!(facts.map(|facts| &facts.unpack_source)),
        reasons: shown.map(|found| reason(found)).collect(),
    };
    rest(report, event, own)
}

fn hashes(facts: &FileFacts) -> Value {
    json!({
        "md5": visible::hex(&facts.digests.md5),
        "sha1": visible::hex(&facts.digests.sha1),
        "sha256": visible::hex(&facts.digests.sha256),
    })
}

fn pe(info: &squall_types::PeInfo) -> Value {
    json!({
        "company": info.company,
        "description": info.description,
        "product": info.product,
        "original_file_name": info.original_name,
        "imphash": info.imphash.map(|hash| visible::hex(&hash)),
    })
}

/// Returns the rule that says most.
fn rule(found: &Match) -> Value {
    json!({
        "name": if found.rule_name.is_empty() { found.kind.name() } else { &found.rule_name },
        "description": found.description,
        "author": found.author.as_ref().map(|author| [author]),
        "reference": found.references.first(),
        "uuid": found.id,
        "category": found.kind.name(),
        "ruleset": found.origin.name(),
    })
}

fn reason(found: &Match) -> Value {
    json!({
        "summary": v1::summary(found),
        "rule_name": found.rule_name,
        "score": found.subscore,
        "kind": found.kind.name(),
        "origin": found.origin.name(),
        "tags": found.tags,
        "references": found.references,
        "date": found.date,
        "matched": matched(found),
    })
}
