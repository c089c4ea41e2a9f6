//! Findings for those who share what they know: a STIX bundle, a MISP event.
//!
//! Ids are derived from what they name (UUIDv5), so that the same findings,
//! exported again, are the same objects to whoever imports them.

mod misp;
mod stix;

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::Value;
use sha1::{Digest as _, Sha1};
use squall_api::v1::Finding;

use crate::json;

/// The namespace of our own ids.
const OURS: [u8; 16] = [
    0x6d, 0x1f, 0x0b, 0x2e, 0x4c, 0x5a, 0x5d, 0x0e, 0x9a, 0x37, 0x0f, 0xd2, 0x8b, 0x6a, 0x71, 0x3c,
];

/// Which form findings are handed on in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// A bundle of STIX 2.1: files, observed data, indicators, sightings.
    Stix,
    /// One event of MISP with a `file` object for each finding.
    Misp,
}

/// Writes findings one by one, with what goes before and behind them.
#[derive(Debug)]
pub struct Writer {
    exchange: Exchange,
    /// What names the selection of findings.
    selection: String,
    /// Digests of the ids that are in it already: there may be millions.
    written: HashSet<[u8; 16]>,
    /// The day of the newest finding.
    newest: Option<String>,
    is_first: bool,
}

impl Writer {
    /// Begins a document; `selection` names what was selected, and two documents
    /// with the same are the same to whoever imports them.
    #[must_use]
    pub fn new(exchange: Exchange, selection: impl Into<String>) -> Self {
        Self {
            exchange,
            selection: selection.into(),
            written: HashSet::new(),
            newest: None,
            is_first: true,
        }
    }

    /// Appends what goes before all findings.
    pub fn head(&mut self, out: &mut Vec<u8>) {
        match self.exchange {
            Exchange::Stix => {
                out.extend(stix::head(&self.selection));
                self.push(out, &stix::author());
            }
            Exchange::Misp => out.extend(misp::head(&self.selection)),
        }
    }

    /// Appends a finding.
    pub fn finding(&mut self, finding: &Finding, out: &mut Vec<u8>) {
        let objects = match self.exchange {
            Exchange::Stix => stix::objects(finding),
            Exchange::Misp => vec![misp::object(finding)],
        };
        for object in objects {
            self.push(out, &object);
        }
        let day = finding.meta.time.get(..10).map(str::to_owned);
        self.newest = self.newest.take().max(day);
    }

    /// Appends what goes behind all findings.
    pub fn tail(&mut self, out: &mut Vec<u8>) {
        match self.exchange {
            Exchange::Stix => out.extend(b"\n]}\n"),
            Exchange::Misp => out.extend(misp::tail(self.newest.as_deref())),
        }
    }

    /// Appends an object unless one with its id is there.
    fn push(&mut self, out: &mut Vec<u8>, object: &Value) {
        let id = object["id"].as_str().or_else(|| object["uuid"].as_str());
        if !self
            .written
            .insert(digest(&[id.unwrap_or_default().as_bytes()]))
        {
            return;
        }
        if !std::mem::replace(&mut self.is_first, false) {
            out.push(b',');
        }
        out.push(b'\n');
        out.extend(json::one_line(object));
    }
}

/// Returns the UUID of version 5 (RFC 9562) of a name in a namespace.
fn uuid(namespace: [u8; 16], name: &str) -> String {
    let mut bytes = digest(&[&namespace, name.as_bytes()]);
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = crate::visible::hex(&bytes);
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

fn digest(parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = Sha1::new();
    for part in parts {
        hasher.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize()[..16]);
    bytes
}

/// Returns a time with milliseconds, as both forms want it.
fn time(finding: &Finding) -> String {
    let time: Timestamp = finding.meta.time.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// Returns what names the event of a finding: its id, or for a finding of an old
/// log, which has none, its time and place.
fn event_name(finding: &Finding) -> String {
    let meta = &finding.meta;
    let id = meta.event_id.clone();
    id.unwrap_or_else(|| format!("{} {} {}", meta.time, meta.hostname, finding.subject.path))
}

/// Returns why there is a finding, in words.
fn reasons(finding: &Finding) -> String {
    let reasons = finding.reasons.iter().map(|reason| reason.summary.clone());
    let issues = finding
        .issues
        .iter()
        .map(|issue| format!("{} ({})", issue.description, issue.category));
    reasons.chain(issues).collect::<Vec<_>>().join("; ")
}

/// Returns the tags of all reasons, each once.
fn tags(finding: &Finding) -> Vec<String> {
    let reasons = finding.reasons.iter();
    let mut tags: Vec<_> = reasons
        .flat_map(|reason| reason.signature.tags.iter().cloned())
        .collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// Splits a path of any system into its directory and its last name.
fn split(path: &str) -> (Option<&str>, &str) {
    match path.rfind(['/', '\\', '|']) {
        Some(at) if at + 1 < path.len() => (Some(&path[..at.max(1)]), &path[at + 1..]),
        _ => (None, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_that_others_compute() {
        // The example of RFC 9562: `www.example.com` in the namespace of DNS.
        let dns = [
            0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4,
            0x30, 0xc8,
        ];
        assert_eq!(
            uuid(dns, "www.example.com"),
            "2ed6657d-e927-568b-95e1-2665a8aea6a2"
        );
    }

    #[test]
    fn paths_of_every_system_are_split() {
        assert_eq!(split("C:\\a\\b.exe"), (Some("C:\\a"), "b.exe"));
        assert_eq!(split("/b"), (Some("/"), "b"));
        assert_eq!(split("a.zip|b"), (Some("a.zip"), "b"));
        assert_eq!(split("b"), (None, "b"));
        assert_eq!(split("/a/"), (None, "/a/"));
    }
}
