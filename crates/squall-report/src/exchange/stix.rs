//! STIX 2.1: for each finding the file, observed data of it, and, if a signature
//! matched, an indicator for its SHA-256 and a sighting of that at the source.

use serde_json::{Map, Value, json};
use squall_api::v1::{Finding, Hashes};

use super::{OURS, event_name, reasons, split, tags, time, uuid};

/// The namespace of ids of observables, as the specification has it.
const OBSERVABLES: [u8; 16] = [
    0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c, 0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7,
];

/// When the author was made up: its id and its times never change.
const AUTHOR_TIME: &str = "2026-01-01T00:00:00.000Z";

/// The most external references of an indicator.
const REFERENCES_MAX: usize = 20;

/// Returns the begin of a bundle.
pub(super) fn head(selection: &str) -> Vec<u8> {
    let id = uuid(OURS, &format!("bundle {selection}"));
    format!("{{\"type\":\"bundle\",\"id\":\"bundle--{id}\",\"objects\":[").into_bytes()
}

/// Returns who says all this.
pub(super) fn author() -> Value {
    json!({
        "type": "identity",
        "spec_version": "2.1",
        "id": author_id(),
        "created": AUTHOR_TIME,
        "modified": AUTHOR_TIME,
        "name": "Squall",
        "identity_class": "system",
    })
}

fn author_id() -> String {
    format!("identity--{}", uuid(OURS, "author"))
}

/// Returns the objects of a finding, those that others refer to first.
pub(super) fn objects(finding: &Finding) -> Vec<Value> {
    let mut objects = Vec::new();
    let (dir, name) = split(&finding.subject.path);
    let dir = dir.map(directory);
    let file = file(finding, name, dir.as_ref());
    let refs: Vec<_> = dir
        .iter()
        .chain([&file])
        .map(|object| object["id"].clone())
        .collect();
    objects.extend(dir);
    objects.push(file);
    let observed = observed(finding, &refs);
    let observed_id = observed["id"].clone();
    objects.push(observed);
    let hashes = finding.subject.hashes.as_ref();
    if let Some(hashes) = hashes.filter(|_| !finding.reasons.is_empty()) {
        let source = source(finding);
        let indicator = indicator(finding, hashes);
        let sighting = sighting(finding, &indicator["id"], &observed_id, &source["id"]);
        objects.extend([source, indicator, sighting]);
    }
    objects
}

fn directory(path: &str) -> Value {
    let identifying = json!({"path": path});
    json!({
        "type": "directory",
        "spec_version": "2.1",
        "id": observable_id("directory", &identifying),
        "path": path,
    })
}

fn file(finding: &Finding, name: &str, dir: Option<&Value>) -> Value {
    let mut identifying = Map::new();
    let mut file = Map::new();
    if let Some(hashes) = &finding.subject.hashes {
        // Of several hashes the first of the specification's order names it.
        identifying.insert("hashes".to_owned(), json!({"MD5": hashes.md5}));
        let all = json!({"MD5": hashes.md5, "SHA-1": hashes.sha1, "SHA-256": hashes.sha256});
        file.insert("hashes".to_owned(), all);
        file.insert("size".to_owned(), finding.subject.size.into());
    }
    identifying.insert("name".to_owned(), name.into());
    file.insert("name".to_owned(), name.into());
    if let Some(dir) = dir {
        identifying.insert("parent_directory_ref".to_owned(), dir["id"].clone());
        file.insert("parent_directory_ref".to_owned(), dir["id"].clone());
    }
    file.insert("type".to_owned(), "file".into());
    file.insert("spec_version".to_owned(), "2.1".into());
    let id = observable_id("file", &Value::Object(identifying));
    file.insert("id".to_owned(), id.into());
    Value::Object(file)
}

/// Returns the id of an observable with those identifying properties; keys of a
/// map are sorted here, and texts escaped as RFC 8785 wants it.
fn observable_id(kind: &str, identifying: &Value) -> String {
    format!("{kind}--{}", uuid(OBSERVABLES, &identifying.to_string()))
}

fn observed(finding: &Finding, refs: &[Value]) -> Value {
    let time = time(finding);
    json!({
        "type": "observed-data",
        "spec_version": "2.1",
        "id": format!("observed-data--{}", uuid(OURS, &format!("observed {}", event_name(finding)))),
        "created_by_ref": author_id(),
        "created": time,
        "modified": time,
        "first_observed": time,
        "last_observed": time,
        "number_observed": 1,
        "object_refs": refs,
    })
}

/// Returns the machine that sent the sample.
fn source(finding: &Finding) -> Value {
    let name = &finding.meta.hostname;
    json!({
        "type": "identity",
        "spec_version": "2.1",
        "id": format!("identity--{}", uuid(OURS, &format!("source {name}"))),
        "created_by_ref": author_id(),
        "created": AUTHOR_TIME,
        "modified": AUTHOR_TIME,
        "name": name,
        "identity_class": "system",
    })
}

fn indicator(finding: &Finding, hashes: &Hashes) -> Value {
    let time = time(finding);
    let is_alert = finding.meta.level == "Alert";
    let rules = finding.reasons.iter();
    let named = rules
        .filter_map(|reason| reason.signature.rule_name.as_deref())
        .next();
    let mut indicator = json!({
        "type": "indicator",
        "spec_version": "2.1",
        "id": format!("indicator--{}", uuid(OURS, &format!("indicator {}", hashes.sha256))),
        "created_by_ref": author_id(),
        "created": time,
        "modified": time,
        "valid_from": time,
        "name": named.map_or_else(|| finding.message.clone(), |rule| format!("{}: {rule}", finding.message)),
        "description": reasons(finding),
        "indicator_types": [if is_alert { "malicious-activity" } else { "anomalous-activity" }],
        "pattern": format!("[file:hashes.'SHA-256' = '{}']", hashes.sha256),
        "pattern_type": "stix",
        "confidence": finding.score,
    });
    let labels = tags(finding);
    if !labels.is_empty() {
        indicator["labels"] = labels.into();
    }
    let references = references(finding);
    if !references.is_empty() {
        indicator["external_references"] = references.into();
    }
    indicator
}

/// Returns where to read more: the addresses that rules name.
fn references(finding: &Finding) -> Vec<Value> {
    let of_reason = finding.reasons.iter().flat_map(|reason| {
        let signature = &reason.signature;
        let name = signature.rule_name.as_deref().unwrap_or(&signature.kind);
        let urls = signature.reference.iter().filter(|text| {
            (text.starts_with("https://") || text.starts_with("http://"))
                && text.bytes().all(|byte| byte.is_ascii_graphic())
        });
        urls.map(move |url| json!({"source_name": name, "url": url}))
    });
    of_reason.take(REFERENCES_MAX).collect()
}

fn sighting(finding: &Finding, indicator: &Value, observed: &Value, source: &Value) -> Value {
    let time = time(finding);
    json!({
        "type": "sighting",
        "spec_version": "2.1",
        "id": format!("sighting--{}", uuid(OURS, &format!("sighting {}", event_name(finding)))),
        "created_by_ref": author_id(),
        "created": time,
        "modified": time,
        "first_seen": time,
        "last_seen": time,
        "count": 1,
        "sighting_of_ref": indicator,
        "observed_data_refs": [observed],
        "where_sighted_refs": [source],
    })
}
