//! Tests of whole bundles.

use serde_json::{Value, json};
use squall_types::{Digests, SignatureKind};

use super::*;
use crate::Problem;

fn load(content: &[u8]) -> (Stix, Vec<Problem>) {
    let mut builder = StixBuilder::default();
    let mut list = Vec::new();
    let mut problems = FileProblems::new("x.json", &mut list);
    builder.add(content, SignatureOrigin::Custom, &mut problems);
    problems.finish();
    (builder.build(), list)
}

fn bundle(objects: Value) -> Vec<u8> {
    let bundle = json!({"type": "bundle", "id": "bundle--1", "objects": objects});
    bundle.to_string().into_bytes()
}

fn indicator(id: &str, pattern: &str) -> Value {
    json!({"type": "indicator", "id": id, "pattern_type": "stix", "pattern": pattern})
}

const DIGESTS: Digests = Digests {
    md5: [0xab; 16],
    sha1: [0xcd; 20],
    sha256: [0xef; 32],
};

fn facts(path: &str) -> StixFacts<'_> {
    StixFacts {
        path,
        digests: &DIGESTS,
        size_bytes: 10,
    }
}

#[test]
fn an_indicator_says_what_it_knows() {
    let content = bundle(json!([
        {"type": "identity", "id": "identity--1", "name": "Example CERT"},
        {"type": "malware", "id": "malware--1"},
        {
            "type": "indicator", "spec_version": "2.1", "id": "indicator--1",
            "created_by_ref": "identity--1", "name": "Evil", "description": "See http://x/y",
            "created": "2023-01-01T00:00:00Z", "modified": "2024-01-01T00:00:00Z",
            "confidence": 85, "labels": ["apt"], "indicator_types": ["malicious-activity"],
            "external_references": [
                {"source_name": "report", "url": "https://r/1"},
                {"source_name": "mitre-attack", "external_id": "T1059"},
            ],
            "pattern": format!("[file:hashes.MD5 = '{}' AND file:name LIKE 'E%']", "AB".repeat(16)),
        },
    ]));
    let (stix, problems) = load(&content);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(stix.len(), 1);
    assert!(stix.without_trigger.is_empty(), "found by its digest");
    let found = stix.matches(&facts("/tmp/Evil"));
    assert_eq!(found.len(), 1);
    let found = &found[0];
    assert_eq!(found.kind, SignatureKind::StixIoc);
    assert_eq!(found.rule_name, "Evil");
    assert_eq!(found.description, "See http://x/y");
    assert_eq!(found.author.as_deref(), Some("Example CERT"));
    assert_eq!(found.references, ["https://r/1", "http://x/y"]);
    assert_eq!(found.date.as_deref(), Some("2024-01-01T00:00:00Z"));
    assert_eq!(found.id.as_deref(), Some("indicator--1"));
    assert_eq!(found.tags, ["APT", "MALICIOUS-ACTIVITY", "T1059"]);
    assert_eq!(found.subscore, 85);
    let strings: Vec<_> = found.strings.iter().map(|s| (s.field, s.offset)).collect();
    assert_eq!(strings, [(MatchField::Md5, 0), (MatchField::Path, 5)]);
    assert_eq!(found.strings[1].data, b"Evil");
    assert!(stix.matches(&facts("/tmp/other")).is_empty());
}

#[test]
fn scores_come_from_the_indicator() {
    for (extra, expected) in [
        (json!({}), 75),
        (json!({"confidence": 0}), 75),
        (json!({"confidence": 30}), 30),
        (json!({"confidence": 30, "x_score": 90}), 90),
        (json!({"x_score": -500}), -100),
        (json!({"x_score": "high"}), 75),
    ] {
        let mut object = indicator("indicator--1", "[file:name = 'a']");
        for (key, value) in extra.as_object().expect("object") {
            object[key] = value.clone();
        }
        let (stix, _) = load(&bundle(json!([object])));
        assert_eq!(stix.matches(&facts("/a"))[0].subscore, expected, "{extra}");
    }
}

#[test]
fn a_size_may_be_one_of_several() {
    for (pattern, expected) in [
        ("[file:size IN (1, 10)]", true),
        ("[file:size IN (1, 100)]", false),
        ("[file:size NOT IN (1, 100) AND file:name = 'a']", true),
        ("[file:size NOT IN (10, 100) AND file:name = 'a']", false),
    ] {
        let (stix, problems) = load(&bundle(json!([indicator("indicator--1", pattern)])));
        assert!(problems.is_empty(), "{pattern}: {problems:?}");
        assert_eq!(
            !stix.matches(&facts("/a")).is_empty(),
            expected,
            "{pattern}"
        );
    }
}

#[test]
fn indicators_that_cannot_be_used_name_themselves() {
    let good = indicator("indicator--good", "[file:size = 10]");
    let mut revoked = indicator("indicator--bad", "[file:size = 10]");
    revoked["revoked"] = json!(true);
    let mut yara = indicator("indicator--bad", "rule x { condition: true }");
    yara["pattern_type"] = json!("yara");
    let of = |pattern| indicator("indicator--bad", pattern);
    for (bad, reason) in [
        (revoked, "revoked"),
        (yara, "type `yara`"),
        (
            json!({"type": "indicator", "id": "indicator--bad"}),
            "no pattern",
        ),
        (of("[file:size ="), "expected a value"),
        (
            of("[ipv4-addr:value = '1.2.3.4']"),
            "object type `ipv4-addr`",
        ),
        (
            of("[file:size = 1 AND url:value = 'x']"),
            "object type `url`",
        ),
        (
            of("[file:size = 1] FOLLOWEDBY [file:size = 2]"),
            "FOLLOWEDBY",
        ),
    ] {
        let (stix, problems) = load(&bundle(json!([bad, good])));
        assert_eq!(stix.len(), 1, "{reason}");
        assert_eq!(problems.len(), 1, "{reason}");
        assert_eq!(problems[0].rule.as_deref(), Some("indicator--bad"));
        assert_eq!(problems[0].severity, Severity::Skipped);
        assert!(problems[0].reason.contains(reason), "{}", problems[0]);
        assert_eq!(stix.matches(&facts("/x")).len(), 1);
    }
    let (stix, problems) = load(&bundle(json!([of("[file:name != 'x']")])));
    assert_eq!(stix.matches(&facts("/y")).len(), 1);
    assert_eq!(stix.matches(&facts("/x")).len(), 0);
    assert_eq!(problems[0].severity, Severity::Warning);
    assert!(
        problems[0].reason.contains("only excludes"),
        "{}",
        problems[0]
    );
    let partly = of("[file:size = 10 OR file:created > t'2020-01-01T00:00:00Z']");
    let (stix, problems) = load(&bundle(json!([partly])));
    assert_eq!(stix.len(), 1);
    assert_eq!(problems[0].severity, Severity::Warning);
    assert!(
        problems[0].reason.contains("file:created"),
        "{}",
        problems[0]
    );
}

#[test]
fn files_that_are_no_bundles_are_told_apart() {
    for (content, severity) in [
        (b"".as_slice(), Some(Severity::Skipped)),
        (b"{", Some(Severity::Skipped)),
        (b"\xff\xff", Some(Severity::Skipped)),
        ("[".repeat(100_000).as_bytes(), Some(Severity::Skipped)),
        (b"{\"name\": \"package\"}", Some(Severity::Warning)),
        (b"[1, 2]", Some(Severity::Warning)),
        (b"7", Some(Severity::Warning)),
        (b"{\"type\": \"bundle\"}", Some(Severity::Warning)),
        (
            b"{\"type\": \"bundle\", \"objects\": 7}",
            Some(Severity::Warning),
        ),
        (
            b"{\"type\": \"bundle\", \"objects\": [7, null]}",
            Some(Severity::Warning),
        ),
    ] {
        let (stix, problems) = load(content);
        assert_eq!(stix.len(), 0);
        assert_eq!(problems.len(), 1, "{content:?}");
        assert_eq!(Some(problems[0].severity), severity, "{content:?}");
    }
    let one = indicator("i", "[file:size = 10]");
    for content in [
        one.to_string(),
        json!([one]).to_string(),
        format!("\u{feff}{one}"),
    ] {
        let (stix, problems) = load(content.as_bytes());
        assert_eq!((stix.len(), problems.len()), (1, 0), "{content}");
    }
}

#[test]
fn a_hundred_thousand_indicators_are_found_by_their_facts() {
    let objects: Vec<Value> = (0..20_000)
        .map(|i| match i % 2 {
            0 => indicator("i", &format!("[file:hashes.MD5 = '{i:032x}']")),
            _ => indicator(
                "i",
                &format!("[file:name = 'n{i}' OR file:name = '/d/n{i}']"),
            ),
        })
        .collect();
    let (stix, problems) = load(&bundle(Value::Array(objects)));
    assert!(problems.is_empty());
    assert_eq!(stix.len(), 20_000);
    assert!(stix.without_trigger.is_empty());
    let digests = Digests {
        md5: 4_u128.to_be_bytes(),
        ..DIGESTS
    };
    let facts = |path| StixFacts {
        path,
        digests: &digests,
        size_bytes: 0,
    };
    assert_eq!(stix.matches(&facts("/x/n7")).len(), 2);
    assert_eq!(stix.matches(&facts("/d/n7")).len(), 2);
    assert_eq!(stix.matches(&facts("/x/n8")).len(), 1);
}
