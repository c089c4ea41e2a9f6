//! Members of archives are files of their own.

use std::io::Write as _;

use squall_engine::{Sample, ScanLimits, Scanner, UnpackLimits, digests};
use squall_types::{IncompleteReason, Outcome};

use crate::{rule_names, scan, set_of};

const NEEDLE: &str = r#"rule Needle { strings: $a = "needle" condition: $a }"#;

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("stream")
}

fn scan_within(unpack: Option<UnpackLimits>, file_name: &str, content: &[u8]) -> Outcome {
    let set = set_of(NEEDLE);
    let limits = ScanLimits {
        unpack,
        ..ScanLimits::default()
    };
    Scanner::new(&set, limits).scan(&Sample {
        content,
        file_name,
        digests: digests(content),
    })
}

#[test]
fn a_member_is_found_under_its_path_with_its_parent() {
    let inner = b"a needle in a haystack that is a text".as_slice();
    let outcome = scan_within(
        Some(UnpackLimits::default()),
        "/x/outer.txt.gz",
        &gzip(inner),
    );
    assert!(outcome.incomplete.is_empty(), "{outcome:?}");
    let [finding] = outcome.findings.as_slice() else {
        panic!("{outcome:?}");
    };
    assert_eq!(finding.file.path, "/x/outer.txt.gz|outer.txt");
    assert_eq!(finding.file.extension, ".txt");
    assert_eq!(finding.file.digests, digests(inner));
    assert_eq!(finding.file.unpack_source, ["GZIP"]);
    let parent = finding.parent.as_ref().expect("parent");
    assert_eq!(
        (parent.path.as_str(), parent.file_type.as_str()),
        ("/x/outer.txt.gz", "GZIP")
    );
    assert_eq!(outcome.sample.path, "/x/outer.txt.gz");
}

#[test]
fn rules_see_the_members_name_and_what_it_came_from() {
    let set = set_of(
        r#"rule Inner {
            condition:
                filename == "outer.txt" and extension == ".txt"
                and unpack_parent == "GZIP" and unpack_source == "GZIP>GZIP"
        }
        rule Outer { condition: filename == "outer.txt.gz.gz" and unpack_parent == "" }"#,
    );
    let twice = gzip(&gzip(b"text"));
    assert_eq!(
        rule_names(&scan(&set, "/x/outer.txt.gz.gz", &twice)),
        ["Inner", "Outer"]
    );
}

#[test]
fn what_is_too_deep_is_not_called_clean() {
    let mut content = b"needle".to_vec();
    for _ in 0..6 {
        content = gzip(&content);
    }
    let outcome = scan_within(Some(UnpackLimits::default()), "a.gz", &content);
    assert!(outcome.findings.is_empty());
    assert_eq!(outcome.incomplete.len(), 1);
    assert_eq!(outcome.incomplete[0].reason, IncompleteReason::Limit);
    let deep = UnpackLimits {
        depth_max: 6,
        ..UnpackLimits::default()
    };
    assert_eq!(scan_within(Some(deep), "a.gz", &content).findings.len(), 1);
}

#[test]
fn a_bomb_is_cut_and_told() {
    let limits = UnpackLimits {
        member_bytes_max: 1 << 20,
        ..UnpackLimits::default()
    };
    let outcome = scan_within(Some(limits), "bomb.gz", &gzip(&vec![0; 16 << 20]));
    assert_eq!(outcome.incomplete[0].reason, IncompleteReason::Limit);
    assert_eq!(outcome.incomplete[0].path, "bomb.gz|bomb");
}

#[test]
fn a_container_that_a_limit_cut_off_is_not_called_damaged() {
    let limits = UnpackLimits {
        member_bytes_max: 1 << 20,
        ..UnpackLimits::default()
    };
    let mut tar = tar::Builder::new(Vec::new());
    for (name, len) in [("a", 600_000), ("b.txt.gz", 600_000)] {
        let content = gzip(&noise(len));
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, name, &content[..])
            .expect("member");
    }
    let tar = tar.into_inner().expect("archive");
    let outcome = scan_within(Some(limits), "x.tar.gz", &gzip(&tar));
    let gaps: Vec<(&str, IncompleteReason)> = outcome
        .incomplete
        .iter()
        .map(|gap| (gap.path.as_str(), gap.reason))
        .collect();
    assert_eq!(
        gaps,
        [
            ("x.tar.gz|x.tar|b.txt.gz|b.txt", IncompleteReason::Limit),
            ("x.tar.gz|x.tar|b.txt.gz", IncompleteReason::Limit),
            ("x.tar.gz|x.tar", IncompleteReason::Limit),
        ]
    );
    // One that was sent damaged is.
    let outcome = scan_within(None, "x.tar.gz", &gzip(&tar[..tar.len() / 2]));
    assert!(outcome.is_clean());
    let outcome = scan_within(
        Some(UnpackLimits::default()),
        "x.tar.gz",
        &gzip(&tar[..tar.len() / 2]),
    );
    assert_eq!(outcome.incomplete[0].reason, IncompleteReason::Corrupt);
}

/// Bytes that no compression makes shorter.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..len).map(|_| next()).collect()
}

#[test]
fn archives_stay_closed_when_asked_to() {
    let outcome = scan_within(None, "a.gz", &gzip(b"a needle that is not looked for"));
    assert!(outcome.is_clean(), "{outcome:?}");
}

#[test]
fn a_container_that_cannot_be_opened_is_not_called_clean() {
    let mut rar = b"Rar!\x1a\x07\x01\x00".to_vec();
    rar.resize(200, 7);
    let outcome = scan_within(Some(UnpackLimits::default()), "a.rar", &rar);
    assert_eq!(outcome.sample.file_type, "RAR");
    assert!(!outcome.is_clean());
}
