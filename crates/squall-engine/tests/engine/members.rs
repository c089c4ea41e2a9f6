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
