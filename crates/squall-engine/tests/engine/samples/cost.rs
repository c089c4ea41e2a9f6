//! What hostile samples may cost.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use squall_engine::UnpackLimits;
use squall_types::IncompleteReason;

use super::archives::{deflated, zip_of};
use super::{RULES, scan_within};
use crate::set_of;

/// The most memory this process ever had, in bytes, where the system tells.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// A gigabyte of zeros in a megabyte.
fn gzip_bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    std::io::copy(&mut std::io::repeat(0).take(1 << 30), &mut encoder).expect("memory");
    encoder.flush().expect("memory");
    encoder.finish().expect("stream")
}

/// Archives in archives: 10 GiB.
fn nested_bomb() -> Vec<u8> {
    let zeros = vec![0; 10 << 20];
    let mut archive = zip_of(&[("zeros", &zeros)], deflated());
    for _ in 0..3 {
        let names: Vec<String> = (0..10).map(|number| format!("{number}.zip")).collect();
        let files: Vec<(&str, &[u8])> = names
            .iter()
            .map(|name| (name.as_str(), &archive[..]))
            .collect();
        archive = zip_of(&files, deflated());
    }
    archive
}

#[test]
fn bombs_take_neither_memory_nor_time_without_end() {
    let set = set_of(RULES);
    for (name, bomb) in [("a.gz", gzip_bomb()), ("a.zip", nested_bomb())] {
        let before = peak_bytes();
        let started = Instant::now();
        let outcome = scan_within(&set, &UnpackLimits::default(), name, &bomb);
        let took = started.elapsed();
        assert!(took < Duration::from_secs(60), "{name} took {took:?}");
        let reasons: Vec<_> = outcome.incomplete.iter().map(|gap| gap.reason).collect();
        assert!(reasons.contains(&IncompleteReason::Limit), "{name}");
        if let (Some(before), Some(after)) = (before, peak_bytes()) {
            let grown = after - before;
            assert!(grown < 1 << 30, "{name} took {grown} bytes");
        }
    }
}

#[test]
fn more_members_than_allowed_are_told() {
    let set = set_of(RULES);
    let names: Vec<String> = (0..30).map(|number| number.to_string()).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (&name[..], &b"x"[..])).collect();
    let limits = UnpackLimits {
        members_max: 20,
        ..UnpackLimits::default()
    };
    let outcome = scan_within(&set, &limits, "a.zip", &zip_of(&files, deflated()));
    assert_eq!(outcome.incomplete[0].reason, IncompleteReason::Limit);
}

#[test]
fn a_scan_without_time_left_keeps_what_it_found() {
    let set = set_of(
        r#"rule Outer { strings: $a = "PK" condition: $a at 0 }
        rule Inner { strings: $a = "needle" condition: $a }"#,
    );
    let limits = UnpackLimits {
        time_max: Duration::ZERO,
        ..UnpackLimits::default()
    };
    let sample = zip_of(&[("a", b"a needle, deflated")], deflated());
    let outcome = scan_within(&set, &limits, "a.zip", &sample);
    assert_eq!(crate::rule_names(&outcome), ["Outer"]);
    assert_eq!(outcome.incomplete[0].reason, IncompleteReason::Timeout);
}
