//! The JSON file beside a kept sample: who sent it, when, under which name, and
//! what was found.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use squall_report::v1;
use squall_types::Report;

use super::place;

/// Sightings kept, the newest.
const SIGHTINGS_MAX: usize = 100;
/// Most bytes of the file; the oldest sightings go.
pub(super) const BYTES_MAX: usize = 1 << 20;

/// What is known of a kept sample.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Sidecar {
    sha256: String,
    sha1: String,
    md5: String,
    size: u64,
    /// How often it was kept, those sightings included that are not listed.
    seen: u64,
    first_seen: String,
    last_seen: String,
    /// Newest last.
    sightings: Vec<Value>,
}

/// One upload of the sample.
#[derive(Serialize)]
struct Sighting<'a> {
    sample_id: u64,
    source: &'a str,
    remote_addr: &'a str,
    name: &'a str,
    /// When it arrived.
    time: String,
    scanned: String,
    signature_version: &'a str,
    /// Highest of the findings; 0 without any.
    score: u8,
    /// Highest of the findings; null without any.
    level: Option<&'static str>,
    /// As in answers of `/api/v1`.
    findings: Value,
}

impl Sidecar {
    /// Makes the next version of the file from the present one, which may be
    /// missing or not be what it should.
    pub(super) fn next(present: Option<&[u8]>, report: &Report) -> Vec<u8> {
        let mut sidecar = present
            .and_then(|bytes| serde_json::from_slice(bytes).ok())
            .unwrap_or_else(|| Self::new(report));
        sidecar.add(report);
        sidecar.into_bytes()
    }

    fn new(report: &Report) -> Self {
        let digests = &report.submission.digests;
        let seen = time(report.submission.received_at_us);
        Self {
            sha256: place::hex(&digests.sha256),
            sha1: place::hex(&digests.sha1),
            md5: place::hex(&digests.md5),
            size: report.submission.size_bytes,
            seen: 0,
            first_seen: seen.clone(),
            last_seen: seen,
            sightings: Vec::new(),
        }
    }

    fn add(&mut self, report: &Report) {
        let sighting = sighting(report);
        // A scan that a crash interrupted is repeated, and is one sighting.
        let is_same = |other: &Value| {
            ["sample_id", "time"]
                .iter()
                .all(|key| other.get(key) == sighting.get(key))
        };
        if let Some(at) = self.sightings.iter().position(is_same) {
            self.sightings.remove(at);
        } else {
            self.seen = self.seen.saturating_add(1);
        }
        self.last_seen = time(report.submission.received_at_us);
        self.sightings.push(sighting);
        let surplus = self.sightings.len().saturating_sub(SIGHTINGS_MAX);
        self.sightings.drain(..surplus);
    }

    fn into_bytes(mut self) -> Vec<u8> {
        loop {
            // Plain data cannot fail to serialize.
            let mut bytes = serde_json::to_vec_pretty(&self).unwrap_or_default();
            if bytes.len() < BYTES_MAX || self.sightings.len() <= 1 {
                bytes.push(b'\n');
                return bytes;
            }
            let surplus = self.sightings.len().div_ceil(2);
            self.sightings.drain(..surplus);
        }
    }
}

fn sighting(report: &Report) -> Value {
    let submission = &report.submission;
    let outcome = &report.outcome;
    let sighting = Sighting {
        sample_id: report.id.value(),
        source: &submission.origin.source,
        remote_addr: &submission.origin.remote_addr,
        name: &submission.file_name,
        time: time(submission.received_at_us),
        scanned: time(report.scan.scanned_at_us),
        signature_version: &report.scan.signature_version,
        score: outcome.score_max().value(),
        level: outcome
            .findings
            .iter()
            .map(|finding| finding.level)
            .max()
            .map(|level| level.name()),
        findings: serde_json::to_value(v1::findings(report)).unwrap_or_default(),
    };
    serde_json::to_value(sighting).unwrap_or_default()
}

/// A time as RFC 3339, UTC. One that no calendar has is the beginning of time.
fn time(us: i64) -> String {
    let time = Timestamp::from_microsecond(us).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{time:.6}")
}

#[cfg(test)]
mod tests {
    use squall_types::{FileFacts, Finding, Level, SampleId, Score};

    use super::*;

    fn report(id: u64, name: &str) -> Report {
        let mut report = Report {
            id: SampleId::new(id).expect("an id"),
            submission: Default::default(),
            scan: Default::default(),
            outcome: Default::default(),
        };
        report.submission.file_name = name.to_owned();
        report.submission.origin.source = "source".to_owned();
        report.submission.received_at_us = 1_700_000_000_000_000 + id as i64;
        report.outcome.findings.push(Finding {
            level: Level::Warning,
            score: Score::new(70),
            file: FileFacts::default(),
            parent: None,
            matches: Vec::new(),
        });
        report
    }

    fn parse(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).expect("JSON")
    }

    #[test]
    fn sightings_add_up_newest_last_and_a_repeated_scan_is_one() {
        let first = Sidecar::next(None, &report(1, "C:\\a"));
        let second = Sidecar::next(Some(&first), &report(2, "/b\n"));
        let third = Sidecar::next(Some(&second), &report(2, "/b\n"));
        let facts = parse(&third);
        assert_eq!(facts["seen"], 2);
        assert_eq!(facts["first_seen"], "2023-11-14T22:13:20.000001Z");
        assert_eq!(facts["last_seen"], "2023-11-14T22:13:20.000002Z");
        let sightings = facts["sightings"].as_array().expect("a list");
        assert_eq!(sightings.len(), 2);
        assert_eq!(sightings[0]["name"], "C:\\a");
        assert_eq!(sightings[1]["name"], "/b\n");
        assert_eq!(sightings[1]["level"], "Warning");
        assert_eq!(sightings[1]["score"], 70);
        assert_eq!(sightings[1]["findings"][0]["type"], "THOR finding");
    }

    #[test]
    fn what_is_not_ours_is_begun_anew() {
        for present in [b"".as_slice(), b"{}", b"[1,2", b"\xff\xff"] {
            let facts = parse(&Sidecar::next(Some(present), &report(1, "a")));
            assert_eq!(facts["seen"], 1);
        }
    }

    #[test]
    fn the_file_is_bounded_and_the_newest_stay() {
        let mut bytes = None;
        for id in 1..=150 {
            let next = Sidecar::next(bytes.as_deref(), &report(id, "a"));
            bytes = Some(next);
        }
        let facts = parse(&bytes.expect("made"));
        assert_eq!(facts["seen"], 150);
        let sightings = facts["sightings"].as_array().expect("a list");
        assert_eq!(sightings.len(), SIGHTINGS_MAX);
        assert_eq!(sightings[0]["sample_id"], 51);
        assert_eq!(sightings[99]["sample_id"], 150);

        let mut bytes = None;
        for id in 1..=50 {
            let next = Sidecar::next(bytes.as_deref(), &report(id, &"x".repeat(60_000)));
            assert!(next.len() <= BYTES_MAX);
            bytes = Some(next);
        }
        let facts = parse(&bytes.expect("made"));
        let sightings = facts["sightings"].as_array().expect("a list");
        assert!(sightings.len() >= 3);
        let last = sightings.last().expect("one");
        assert_eq!(last["sample_id"], 50);
    }
}
