//! Tests of hash lists.

use super::*;
use crate::Problem;

const LIST: HashList<'_> = HashList {
    verdict: Verdict::Malicious,
    is_imphash: false,
    fallback: "listed in x.txt",
    origin: SignatureOrigin::Custom,
};

fn load(list: HashList<'_>, text: &str) -> (Hashes, Notes, Vec<Problem>) {
    let mut builder = HashesBuilder::default();
    let mut notes = NotesBuilder::default();
    let mut list_of_problems = Vec::new();
    let mut problems = FileProblems::new("x.txt", &mut list_of_problems);
    lines::each_entry(text.as_bytes(), &mut problems, |entry, problems| {
        builder.add(&entry, list, &mut notes, problems);
    });
    problems.finish();
    let hashes = builder.build(&notes);
    (hashes, notes.build(), list_of_problems)
}

fn digests(byte: u8) -> Digests {
    Digests {
        md5: [byte; 16],
        sha1: [byte; 20],
        sha256: [byte; 32],
    }
}

/// Digests of which only the MD5 is `byte` throughout.
fn md5_only(byte: u8) -> Digests {
    Digests {
        md5: [byte; 16],
        ..Digests::default()
    }
}

#[test]
fn score_and_comment_are_read() {
    let md5 = "ab".repeat(16);
    for (line, score, description) in [
        (format!("{md5};55;Log4j; old"), 55, "Log4j; old"),
        (
            format!("{md5};Sakula - http://x/y"),
            100,
            "Sakula - http://x/y",
        ),
        (md5.clone(), 100, "listed in x.txt"),
        (format!("{} ; -20 ; x ", md5.to_uppercase()), -20, "x"),
        (format!("{md5};70"), 70, "listed in x.txt"),
        (format!("# Block\n{md5};"), 100, "Block"),
        (format!("{md5};999;x"), 100, "x"),
    ] {
        let (hashes, notes, problems) = load(LIST, &line);
        assert_eq!(problems.len(), usize::from(line.contains("999")), "{line}");
        let found = hashes.matches(&notes, &md5_only(0xab), None);
        assert_eq!(found.len(), 1, "{line}");
        assert_eq!(found[0].subscore, score, "{line}");
        assert_eq!(found[0].description, description, "{line}");
        assert_eq!(found[0].strings[0].data, md5.as_bytes(), "{line}");
        assert_eq!(found[0].strings[0].field, MatchField::Md5);
        assert!(hashes.matches(&notes, &md5_only(0xac), None).is_empty());
    }
}

#[test]
fn every_kind_of_digest_is_looked_up() {
    let text = format!(
        "{};60;one\n{};70;one\n{};80;two",
        "ab".repeat(16),
        "ab".repeat(20),
        "ab".repeat(32)
    );
    let (hashes, notes, problems) = load(LIST, &text);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(hashes.len(), 3);
    let found = hashes.matches(&notes, &digests(0xab), None);
    // Two digests of one comment are one reason, with the higher score.
    let seen: Vec<_> = found
        .iter()
        .map(|m| (m.description.as_str(), m.subscore, m.strings.len()))
        .collect();
    assert_eq!(seen, [("two", 80, 1), ("one", 70, 2)]);
}

#[test]
fn import_hashes_are_tagged_by_field_or_file() {
    let md5 = "ab".repeat(16);
    let tagged = HashList {
        is_imphash: true,
        ..LIST
    };
    for (list, line) in [
        (LIST, format!("{md5};imphash;60;x")),
        (LIST, format!("{md5};60;IMPHASH;x")),
        (LIST, format!("imphash:{md5};60;x")),
        (LIST, format!("imphash;{md5};60;x")),
        (tagged, format!("{md5};60;x")),
    ] {
        let (hashes, notes, problems) = load(list, &line);
        assert!(problems.is_empty(), "{line}: {problems:?}");
        let found = hashes.matches(&notes, &digests(0), Some([0xab; 16]));
        assert_eq!(found.len(), 1, "{line}");
        assert_eq!(found[0].description, "x", "{line}");
        assert_eq!(found[0].strings[0].field, MatchField::Imphash, "{line}");
        assert_eq!(found[0].strings[0].data, md5.as_bytes(), "{line}");
        assert_eq!(found[0].subscore, 60, "{line}");
        assert!(
            hashes.matches(&notes, &digests(0xab), None).is_empty(),
            "{line}"
        );
    }
    let (hashes, notes, _) = load(LIST, &md5);
    assert_eq!(
        hashes.matches(&notes, &digests(0), Some([0xab; 16])).len(),
        1
    );
}

#[test]
fn malformed_lines_are_reported_and_the_rest_is_used() {
    let md5 = "ab".repeat(16);
    for (line, reason) in [
        ("evil.com;x".to_owned(), "hexadecimal digits before"),
        (format!("{md5},x"), "hexadecimal digits before"),
        ("abcd;x".to_owned(), "digest has 4"),
        ("ab".repeat(64), "128 digits"),
        (";x".to_owned(), "digest has 0"),
        (
            format!("{};imphash;x", "ab".repeat(20)),
            "import hash has 32",
        ),
        ("\u{fffd};x".to_owned(), "hexadecimal digits before"),
        (EMPTY_FILE[0].to_owned(), "empty file"),
        (EMPTY_FILE[1].to_uppercase(), "empty file"),
        (EMPTY_FILE[2].to_owned(), "empty file"),
    ] {
        let (hashes, _, problems) = load(LIST, &format!("{line}\n{md5};good"));
        assert_eq!(hashes.len(), 1, "{line}");
        assert_eq!(problems.len(), 1, "{line}");
        assert_eq!(problems[0].line, Some(1), "{line}");
        assert!(problems[0].reason.contains(reason), "{}", problems[0]);
    }
}

#[test]
fn trusted_lists_have_no_import_hashes() {
    let trusted = HashList {
        verdict: Verdict::Trusted,
        ..LIST
    };
    let md5 = "ab".repeat(16);
    let text = format!("{md5};ours\n{md5};imphash;x\n{}", EMPTY_FILE[0]);
    let (hashes, _, problems) = load(trusted, &text);
    assert_eq!(hashes.len(), 2);
    assert!(hashes.contains(&md5_only(0xab)));
    assert!(!hashes.contains(&md5_only(0xac)));
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].reason.contains("cannot be trusted"),
        "{}",
        problems[0]
    );
}

#[test]
fn a_large_table_costs_a_fixed_number_of_bytes() {
    use std::fmt::Write;
    const COUNT: usize = 200_000;
    let mut text = String::new();
    for i in 0..COUNT {
        // Spread, as digests are; a different comment every thousand lines.
        let high = (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        writeln!(text, "{high:016x}{i:048x};comment {}", i / 1000).expect("string");
    }
    let started = std::time::Instant::now();
    let (hashes, notes, problems) = load(LIST, &text);
    println!("{COUNT} SHA-256 lines loaded in {:?}", started.elapsed());
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(hashes.len(), COUNT);
    let per_entry = hashes.sha256.allocated_bytes() / COUNT;
    assert_eq!(per_entry, 36, "ten million must stay below 400 MB");
    let mut last = Digests::default();
    let high = (COUNT as u64 - 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    last.sha256[..8].copy_from_slice(&high.to_be_bytes());
    last.sha256[24..].copy_from_slice(&(COUNT as u64 - 1).to_be_bytes());
    let found = hashes.matches(&notes, &last, None);
    assert_eq!(found[0].description, "comment 199");
}
