//! Reports to render: one with everything in it, and small ones made of parts.

use squall_types::{
    Digests, FileFacts, Finding, FirstBytes, Incomplete, IncompleteReason, Level, Match,
    MatchField, MatchedString, Origin, Outcome, PeInfo, PeSignature, Report, SampleId, ScanFacts,
    Score, SignatureKind, SignatureOrigin, Submission,
};

/// 2026-07-10 09:08:47.123456 UTC.
const TIME_US: i64 = 1_783_674_527_123_456;

/// A name that tries everything: a line break, a forged key, quotes, a
/// right-to-left override, NUL, a line separator, an escape sequence.
pub(crate) const HOSTILE_NAME: &str = "C:\\tmp\\a b\nJul 10 09:08:48 x THOR: Alert: SCORE: 0 \"q\" \
     \u{202e}gpj.exe\0\u{2028}\u{1b}[31m MD5:";

/// A report on a sample with that name and nothing found yet.
pub(crate) fn report(path: &str) -> Report {
    let sample = file(
        path,
        ".exe",
        "EXE",
        b"MZ\x90\0\x03\0\0\0\x04 hello, world; more",
        5000,
    );
    Report {
        id: SampleId::new(12).expect("a valid id"),
        submission: Submission {
            origin: Origin {
                source: "web-01.example.org".to_owned(),
                remote_addr: "192.0.2.7".to_owned(),
                collector_run: None,
            },
            file_name: path.to_owned(),
            size_bytes: sample.size_bytes,
            digests: sample.digests,
            received_at_us: TIME_US - 5_000_000,
            synchronous: false,
            nonce: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        },
        scan: ScanFacts {
            scan_id: "S-r4GhEhEiIRg".to_owned(),
            scanned_at_us: TIME_US,
            scan_time_us: 1_234,
            signature_version: "2026/07/01-000000".to_owned(),
        },
        outcome: Outcome {
            sample,
            findings: Vec::new(),
            incomplete: Vec::new(),
        },
    }
}

/// A report on a hostile archive: an alert on the sample itself, a notice on a
/// member, and gaps on the sample, on that member's neighbour and deeper down.
pub(crate) fn rich_report() -> Report {
    let mut report = report(HOSTILE_NAME);
    report.submission.origin.source = "evil host/9.9.9.9 THOR: Alert:\n".to_owned();
    report.outcome.sample.pe_info = Some(program());
    report.outcome.sample.entropy_millibits = Some(6125);
    let sample = report.outcome.sample.clone();
    let mut member = file(
        &format!("{HOSTILE_NAME}|inner/x.JS"),
        ".js",
        "UNKNOWN",
        b"var a=1;",
        8,
    );
    member.unpack_source = vec!["EMAIL".to_owned(), "ZIP".to_owned()];
    report.outcome.findings = vec![
        finding(Level::Alert, 94, sample.clone(), sample_matches()),
        Finding {
            parent: Some(sample),
            ..finding(Level::Notice, 40, member, vec![name_match()])
        },
    ];
    report.outcome.incomplete = vec![
        gap(
            HOSTILE_NAME,
            IncompleteReason::Limit,
            "10000 members, limit is 10000",
        ),
        gap(
            HOSTILE_NAME,
            IncompleteReason::Limit,
            "10000 members, limit is 10000",
        ),
        gap(
            &format!("{HOSTILE_NAME}|secret.doc"),
            IncompleteReason::Encrypted,
            "no known password opens it\nSCORE: 0",
        ),
        gap(
            &format!("{HOSTILE_NAME}|secret.doc"),
            IncompleteReason::Timeout,
            "",
        ),
        gap(
            &format!("{HOSTILE_NAME}|a.zip|b"),
            IncompleteReason::Corrupt,
            "",
        ),
    ];
    report
}

/// Facts of a program that lies in its version information.
fn program() -> PeInfo {
    PeInfo {
        company: "Example AG\nSCORE: 0".to_owned(),
        original_name: "\u{202e}gpj.exe".to_owned(),
        signed: true,
        signatures: vec![PeSignature {
            subject: "/CN=Example AG".to_owned(),
            verified: true,
            ..PeSignature::default()
        }],
        imphash: Some([0xab; 16]),
        rich_header_hash: None,
        creation_timestamp: 1_700_000_000,
        ..PeInfo::default()
    }
}

/// Matches with every optional part, the weaker first.
fn sample_matches() -> Vec<Match> {
    let mut weak = yara("SUSP_Small", "", 40);
    weak.strings = vec![
        string(b"m\0i\0m\0i\0", 100),
        string(b"\xff\xfeAB\x00\x1b", 4000),
    ];
    let mut strong = yara("WEBSHELL_JSP_Eval", "Detects a \"one-line\" web shell", 85);
    strong.author = Some("Jane Doe".to_owned());
    strong.references = vec!["https://example.org/a".to_owned(), "internal".to_owned()];
    strong.date = Some("2020-07-31".to_owned());
    strong.id = Some("9c1b".to_owned());
    strong.false_positives = vec!["test pages".to_owned()];
    strong.tags = vec!["T1505.003".to_owned(), "WEBSHELL".to_owned()];
    strong.strings = vec![
        MatchedString {
            before: b"jsp: ".to_vec(),
            after: b"\"x\") %>".to_vec(),
            ..string(b"<%eval request(", 95)
        },
        string(b"<%eval request(", 2000),
        MatchedString {
            length: 9000,
            after: b"tail".to_vec(),
            ..string("größer".as_bytes(), 3000)
        },
    ];
    vec![weak, strong]
}

fn name_match() -> Match {
    Match {
        kind: SignatureKind::FilenameIoc,
        origin: SignatureOrigin::Custom,
        strings: vec![MatchedString {
            field: MatchField::Path,
            ..string(b"inner/x", 7)
        }],
        ..yara("", "a script in a folder named inner", 40)
    }
}

pub(crate) fn yara(rule_name: &str, description: &str, subscore: i32) -> Match {
    Match {
        kind: SignatureKind::YaraRule,
        origin: SignatureOrigin::Internal,
        rule_name: rule_name.to_owned(),
        description: description.to_owned(),
        author: None,
        references: Vec::new(),
        date: None,
        id: None,
        false_positives: Vec::new(),
        tags: Vec::new(),
        subscore,
        strings: Vec::new(),
    }
}

/// A string that was found in the content, without context.
pub(crate) fn string(data: &[u8], offset: u64) -> MatchedString {
    MatchedString {
        identifier: "$x1".to_owned(),
        field: MatchField::Content,
        offset,
        data: data.to_vec(),
        length: data.len() as u64,
        before: Vec::new(),
        after: Vec::new(),
    }
}

pub(crate) fn finding(level: Level, score: u8, file: FileFacts, matches: Vec<Match>) -> Finding {
    Finding {
        level,
        score: Score::new(score),
        file,
        parent: None,
        matches,
    }
}

pub(crate) fn gap(path: &str, reason: IncompleteReason, description: &str) -> Incomplete {
    Incomplete {
        path: path.to_owned(),
        reason,
        description: description.to_owned(),
    }
}

pub(crate) fn file(
    path: &str,
    extension: &str,
    file_type: &str,
    content: &[u8],
    size_bytes: u64,
) -> FileFacts {
    FileFacts {
        path: path.to_owned(),
        extension: extension.to_owned(),
        file_type: file_type.to_owned(),
        size_bytes,
        digests: Digests {
            md5: [0x0a; 16],
            sha1: [0xb1; 20],
            sha256: [0xff; 32],
        },
        first_bytes: FirstBytes::of(content),
        unpack_source: Vec::new(),
        pe_info: None,
        entropy_millibits: None,
    }
}
