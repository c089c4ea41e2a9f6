//! Lists of indicators beside the rules.

use squall_engine::{CompileOptions, SignatureSet, digests, read_directory};
use squall_types::{SignatureKind, SignatureOrigin};

use crate::{scan, shared, skipped};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compiles the files of a directory made of names and texts.
fn set_of_files(files: &[(&str, &str)], options: CompileOptions) -> SignatureSet {
    let dir = tempfile::tempdir().expect("temporary directory");
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).expect("file");
    }
    let (files, errors) = read_directory(dir.path(), SignatureOrigin::Custom).expect("readable");
    assert!(errors.is_empty(), "{errors:?}");
    SignatureSet::compile(&files, options, |_| {}).expect("a set")
}

#[test]
fn every_kind_of_list_is_used() {
    let bad = digests(b"evil");
    let hashes = format!("{};known evil\n", hex(&bad.sha256));
    let files = [
        ("my-hash-iocs.txt", hashes.as_str()),
        (
            "filename-iocs.txt",
            "# Dropper\n\\\\Temp\\\\drop\\.exe$;70\n",
        ),
        ("keywords.txt", "sekurlsa::secret\n"),
        ("c2-iocs.txt", "evil.example.net;80\n"),
    ];
    let set = set_of_files(&files, CompileOptions::default());
    assert_eq!(skipped(&set), Vec::<String>::new());
    assert_eq!(set.summary().iocs, 4);
    for (file_name, content, kind) in [
        ("x", b"evil".as_slice(), SignatureKind::HashIoc),
        (r"C:\Temp\drop.exe", b"harmless", SignatureKind::FilenameIoc),
        ("x", b"run sekurlsa::secret now", SignatureKind::KeywordIoc),
        (
            "x",
            b"GET http://www.evil.example.net/a",
            SignatureKind::DomainIoc,
        ),
    ] {
        let outcome = scan(&set, file_name, content);
        let kinds: Vec<_> = outcome
            .findings
            .iter()
            .flat_map(|f| &f.matches)
            .map(|m| m.kind)
            .collect();
        assert_eq!(kinds, [kind], "{file_name}");
    }
    assert!(scan(&set, "/tmp/other", b"nothing of it").is_clean());

    let pure = set_of_files(&files, CompileOptions { pure_yara: true });
    assert_eq!(pure.summary().iocs, 0);
    assert!(scan(&pure, "x", b"evil").is_clean());
}

#[test]
fn a_trusted_hash_silences_every_finding_on_that_file() {
    let trusted = format!("{};our own tool\n", hex(&digests(b"needle").sha256));
    let files = [
        (
            "rule.yar",
            r#"rule Needle { strings: $a = "needle" condition: $a }"#,
        ),
        ("trusted-hashes.txt", trusted.as_str()),
    ];
    let set = set_of_files(&files, CompileOptions::default());
    assert!(scan(&set, "x", b"needle").is_clean());
    assert_eq!(scan(&set, "x", b"a needle").findings.len(), 1);
}

#[test]
fn a_members_own_name_is_what_patterns_ask() {
    let bundle = r#"{"type": "indicator", "spec_version": "2.1", "id": "indicator--1",
        "pattern_type": "stix", "pattern": "[file:name = 'inner.txt']", "name": "N"}"#;
    let set = set_of_files(&[("x.json", bundle)], CompileOptions::default());
    assert_eq!(skipped(&set), Vec::<String>::new());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, b"some text").expect("memory");
    let outcome = scan(&set, "/x/inner.txt.gz", &gzip.finish().expect("stream"));
    let found = &outcome.findings[0];
    assert_eq!(found.file.path, "/x/inner.txt.gz|inner.txt");
    let string = &found.matches[0].strings[0];
    let at = usize::try_from(string.offset).expect("small");
    assert_eq!(&found.file.path.as_bytes()[at..], b"inner.txt");
}

/// Memory of this process that is in use, in bytes.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("status");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("VmRSS");
    let kilobytes: u64 = line
        .split_whitespace()
        .nth(1)
        .expect("number")
        .parse()
        .expect("number");
    kilobytes * 1024
}

/// A list of digests that differ, `count` lines of about 75 bytes.
fn hash_list(first: u64, count: u64) -> Vec<u8> {
    use std::io::Write as _;
    let mut list = Vec::new();
    for number in first..first + count {
        // Spread over the whole range, as digests are.
        let digest = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        writeln!(list, "{digest:032x}{digest:032X};Case {}", number / 5000).expect("memory");
    }
    list
}

/// Long: most of a gigabyte of lists is made and read.
#[test]
fn ten_million_hashes_load_in_seconds_and_stay_below_400_mb() {
    if std::env::var_os("SQUALL_SOAK").is_none() {
        println!("skipped: only in the long form (SQUALL_SOAK=1)");
        return;
    }
    let before = resident_bytes();
    let files: Vec<_> = (0..10)
        .map(|part| {
            crate::source(
                &format!("{part}-hash-iocs.txt"),
                hash_list(part * 1_000_000, 1_000_000),
            )
        })
        .collect();
    let started = std::time::Instant::now();
    let set = crate::compile(&files);
    let took = started.elapsed();
    drop(files);
    let grown = resident_bytes().saturating_sub(before);
    println!("10 million SHA-256: {took:?}, {} MB", grown / 1_000_000);
    assert_eq!(skipped(&set), Vec::<String>::new());
    assert_eq!(set.summary().iocs, 10_000_000);
    assert!(grown < 400_000_000, "{grown} bytes");
    assert!(took.as_secs() < 60, "{took:?}");
}

#[test]
fn the_public_lists_load_without_an_unexplained_line() {
    let Some(directory) = shared("signature-base/iocs") else {
        return;
    };
    let (files, errors) = read_directory(&directory, SignatureOrigin::Internal).expect("readable");
    assert!(errors.is_empty(), "{errors:?}");
    let set = SignatureSet::compile(&files, CompileOptions::default(), |_| {}).expect("a set");
    assert_eq!(skipped(&set), Vec::<String>::new());
    assert!(set.summary().iocs > 8_000, "{}", set.summary().iocs);
}
