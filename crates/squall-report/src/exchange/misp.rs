//! An event of MISP: a `file` object for each finding.

use serde_json::{Value, json};
use squall_api::v1::Finding;

use super::{OURS, event_name, reasons, split, tags, time, uuid};

/// The template `file` of MISP's objects.
const TEMPLATE: &str = "688c46fb-5edb-40a3-8273-1af7923e2215";
const TEMPLATE_VERSION: &str = "25";

/// Characters of a comment.
const COMMENT_CHARS_MAX: usize = 2000;

/// Returns the begin of the event.
pub(super) fn head(selection: &str) -> Vec<u8> {
    let id = uuid(OURS, &format!("event {selection}"));
    // Not published, for the own organisation only, analysis just begun: all of
    // that is for a person to change.
    format!(
        "{{\"Event\":{{\"uuid\":\"{id}\",\"info\":\"Findings of Squall\",\"analysis\":\"0\",\
         \"threat_level_id\":\"4\",\"distribution\":\"0\",\"published\":false,\"Object\":["
    )
    .into_bytes()
}

/// Returns the end of the event; `day` is that of the newest finding.
pub(super) fn tail(day: Option<&str>) -> Vec<u8> {
    let day = day.unwrap_or("1970-01-01");
    format!("\n],\"date\":\"{day}\"}}}}\n").into_bytes()
}

/// Returns a finding as an object.
#[expect(clippy::too_many_lines, reason = "one object, attribute by attribute")]
pub(super) fn object(finding: &Finding) -> Value {
    let object_id = uuid(OURS, &format!("object {}", event_name(finding)));
    let subject = &finding.subject;
    let (_, name) = split(&subject.path);
    let is_alert = finding.meta.level == "Alert";
    let tags = tags(finding);
    let mut attributes = Vec::new();
    let mut add = |relation: &str, kind: &str, category: &str, value: Value, to_ids: bool| {
        let mut attribute = json!({
            "uuid": uuid(OURS, &format!("attribute {object_id} {relation}")),
            "object_relation": relation,
            "type": kind,
            "category": category,
            "value": value,
            "to_ids": to_ids,
            "disable_correlation": !matches!(kind, "md5" | "sha1" | "sha256"),
        });
        if kind == "sha256" && !tags.is_empty() {
            attribute["Tag"] = tags.iter().map(|tag| json!({"name": tag})).collect();
        }
        attributes.push(attribute);
    };
    const PAYLOAD: &str = "Payload delivery";
    add("filename", "filename", PAYLOAD, name.into(), false);
    if name != subject.path {
        add(
            "fullpath",
            "text",
            "Other",
            subject.path.clone().into(),
            false,
        );
    }
    if let Some(hashes) = &subject.hashes {
        add("md5", "md5", PAYLOAD, hashes.md5.clone().into(), is_alert);
        add(
            "sha1",
            "sha1",
            PAYLOAD,
            hashes.sha1.clone().into(),
            is_alert,
        );
        add(
            "sha256",
            "sha256",
            PAYLOAD,
            hashes.sha256.clone().into(),
            is_alert,
        );
        let size = subject.size.to_string();
        add(
            "size-in-bytes",
            "size-in-bytes",
            "Other",
            size.into(),
            false,
        );
    }
    let comment = format!(
        "{} {} on {}, score {}: {}",
        finding.meta.level,
        finding.message,
        finding.meta.hostname,
        finding.score,
        reasons(finding)
    );
    json!({
        "uuid": object_id,
        "name": "file",
        "meta-category": "file",
        "description": "File object describing a file with meta-information",
        "template_uuid": TEMPLATE,
        "template_version": TEMPLATE_VERSION,
        "comment": comment.chars().take(COMMENT_CHARS_MAX).collect::<String>(),
        "first_seen": time(finding),
        "last_seen": time(finding),
        "distribution": "5",
        "Attribute": attributes,
    })
}
