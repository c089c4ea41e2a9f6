//! Fills a store with made-up findings of 2,000 sources and prints how long
//! each kind of search takes, while findings keep coming.
//!
//! `generate COUNT [DATABASE]`: without a database in a temporary directory.
//! `+COUNT` adds so many to those that are in the database. With `--only-fill`
//! behind it nothing is searched.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a tool for developers"
)]

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use squall_api::v0::CollectionEvent;
use squall_findings::{
    Filter, Findings, FindingsConfig, Page, RunBegin, RunEnd, RunFilter, Sample,
};
use squall_types::{
    Digests, FileFacts, Finding, FirstBytes, Level, Match, MatchField, MatchedString, Origin,
    Outcome, Report, SampleId, ScanFacts, Score, SignatureKind, SignatureOrigin, Submission,
};

const SOURCES: u64 = 2000;
const RULES: u64 = 3000;
/// Runs of collectors.
const RUNS: u64 = 5000;
/// The findings are spread over this time before now.
const SPAN_US: u64 = 60 * 24 * 3600 * 1_000_000;
const ROUNDS: u64 = 40;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().unwrap_or_else(|| "100000".to_owned());
    let temporary = tempfile::tempdir().unwrap();
    let path = arguments
        .next()
        .map_or_else(|| temporary.path().join("findings.db"), PathBuf::from);
    let mut config = FindingsConfig::new(&path);
    config.findings_max = None;
    config.query_time_max = Duration::from_secs(60);
    let (findings, opened) = Findings::open(config).unwrap();
    let count = match count.strip_prefix('+') {
        Some(more) => opened.stored + more.parse::<u64>().unwrap(),
        None => count.parse().unwrap(),
    };
    if opened.stored == 0 {
        begin_runs(&findings);
    }
    fill(&findings, opened.stored, count);
    let bytes = std::fs::metadata(&path).unwrap().len();
    println!("{} findings, {} bytes each", count, bytes / count.max(1));
    if arguments.next().is_some_and(|word| word == "--only-fill") {
        findings.close();
        return;
    }
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // 200 findings a second keep coming.
        scope.spawn(|| {
            let mut number = count;
            while !ended.load(Ordering::Relaxed) {
                for _ in 0..20 {
                    findings.offer(&report(number, number + 1));
                    number += 1;
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        measure_all(&findings, count);
        ended.store(true, Ordering::Relaxed);
    });
    findings.close();
}

/// Begins the collector runs that findings will be of; two of three end.
fn begin_runs(findings: &Findings) {
    let now_us = jiff::Timestamp::now().as_microsecond();
    for number in 0..RUNS {
        while findings.stats().waiting > 0 || (number % 1000 == 0 && !flushed(findings)) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let at_us = now_us - (SPAN_US / RUNS * (RUNS - number)) as i64;
        findings.begin_run(RunBegin {
            scan_id: run(number),
            source: source(number % SOURCES),
            collector: "generate/1.0".to_owned(),
            at_us,
        });
        if !number.is_multiple_of(3) {
            findings.end_run(RunEnd {
                scan_id: run(number),
                event: CollectionEvent::End,
                at_us: at_us + 600_000_000,
                stats: None,
            });
        }
    }
    assert!(flushed(findings));
}

fn flushed(findings: &Findings) -> bool {
    findings.flush(Duration::from_secs(60))
}

fn fill(findings: &Findings, from: u64, to: u64) {
    let begun = Instant::now();
    for number in from..to {
        while findings.stats().waiting > 4000 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let report = report(number, to);
        findings.count_sample(&Sample {
            source: &report.submission.origin.source,
            size_bytes: report.submission.size_bytes,
            received_at_us: report.submission.received_at_us,
            scan_id: None,
            agent: Some("generate"),
        });
        findings.offer(&report);
    }
    assert!(findings.flush(Duration::from_secs(600)));
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "stored {} in {seconds:.1} s, {:.0}/s",
        to - from,
        (to - from) as f64 / seconds
    );
    assert_eq!(findings.stats().put_off, 0);
}

/// The kinds of searches: a name, and conditions in which what stands in braces
/// is another value each time.
const KINDS: [(&str, &str); 25] = [
    ("none", ""),
    ("level", "level={level}"),
    ("score", "score_min={score}"),
    ("score, rare", "score_min=41&score_max=41"),
    ("source", "source={source}"),
    ("rule", "rule={rule}"),
    ("tag", "tag={tag}"),
    ("time, 1 day", "since={since}&until={until}"),
    ("hash", "hash={hash}"),
    ("name, common", "name=System32"),
    ("name, rare", "name=file{number}."),
    ("name, absent", "name=no such name"),
    ("name, 2 characters", "name=qq"),
    ("run", "scan_id={run}"),
    ("text, common", "q=windows exe"),
    ("text, rare", "q=string{number}"),
    ("text, prefix", "q=rul* {tag}"),
    ("text, absent", "q=nowhere"),
    ("level and source", "level=Alert&source={source}"),
    ("rule and tag", "rule={rule}&tag={tag}"),
    ("tag and text", "tag={tag}&q={other tag}"),
    ("level, text, old", "level=Alert&q=windows&until=50d"),
    ("name and text", "name=system32&q=string{number}"),
    (
        "level, score, name",
        "level=Alert&score_min=95&name=inetpub",
    ),
    (
        "six at once",
        "level=Alert,Warning&source={source}&rule={rule}&name=exe&q=windows&since=30d",
    ),
];

fn measure_all(findings: &Findings, count: u64) {
    println!("found   first page of 50          p50 ms    p95 ms    max ms");
    let first = Page {
        cursor: None,
        limit: 50,
    };
    let mut all = Vec::new();
    for (name, conditions) in KINDS {
        all.extend(measure(name, |round| {
            let filter = filter(conditions, mix(round), count);
            findings.search(&filter, &first).unwrap().findings.len()
        }));
    }
    print!("        ");
    report_times("every search above", all);
    let newest = Page {
        cursor: None,
        limit: 1000,
    };
    let newest = findings
        .search(&Filter::default(), &newest)
        .unwrap()
        .findings;
    measure("details", |round| {
        let row = &newest[mix(round) as usize % newest.len()];
        let details = findings.details(&row.event_id).unwrap().unwrap();
        details.sightings.len()
    });
    let sources = |name| findings.sources(name, &first).unwrap().sources.len();
    measure("sources", |_| sources(None));
    measure("sources, by name", |_| sources(Some("host-19")));
    measure("source", |round| {
        let found = findings.source(&source(mix(round) % SOURCES)).unwrap();
        found.map_or(0, |found| found.collections.len())
    });
    measure("collections", |_| {
        let found = findings.runs(&RunFilter::default(), &first).unwrap();
        found.collections.len()
    });
    let now_us = jiff::Timestamp::now().as_microsecond();
    measure("the last hour by minute", |_| {
        findings.minutes(now_us, 60).unwrap().len()
    });
    let rules: Vec<String> = (0..50).map(rule).collect();
    measure("findings of 50 rules", |_| {
        findings.rule_hits(&rules).unwrap().len()
    });
}

/// Makes the filter of a kind of search; `n` chooses the values.
fn filter(conditions: &str, n: u64, count: u64) -> Filter {
    let conditions = conditions
        .replace("{level}", ["Notice", "Warning", "Alert"][n as usize % 3])
        .replace("{score}", &(n % 101).to_string())
        .replace("{source}", &source(n % SOURCES))
        .replace("{rule}", &rule(skewed(n, RULES)))
        .replace("{tag}", &tag(n % 20))
        .replace("{other tag}", &tag((n + 1) % 20))
        .replace("{since}", &format!("{}d", n % 60 + 1))
        .replace("{until}", &format!("{}d", n % 60))
        .replace("{hash}", &hex(&digests(n % count).sha256))
        .replace("{number}", &(n % count).to_string())
        .replace("{run}", &run(n % RUNS));
    let mut filter = Filter::default();
    for condition in conditions.split('&').filter(|text| !text.is_empty()) {
        let (name, value) = condition.split_once('=').unwrap();
        filter.set(name, value).unwrap();
    }
    filter
}

/// Runs a query again and again and prints its times.
fn measure(name: &str, mut query: impl FnMut(u64) -> usize) -> Vec<f64> {
    let mut times = Vec::new();
    let mut found = 0;
    for round in 0..ROUNDS {
        let begun = Instant::now();
        found = query(round);
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    print!("{found:>5}   ");
    report_times(name, times.clone());
    times
}

fn report_times(name: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("{name:22} {:9.2} {:9.2} {:9.2}", at(0.5), at(0.95), at(1.0));
}

fn report(number: u64, count: u64) -> Report {
    let random = mix(number);
    let now = jiff::Timestamp::now().as_microsecond() as u64;
    let time_us = (now - SPAN_US + SPAN_US / count.max(1) * number) as i64;
    let (level, score) = match random % 20 {
        0..=1 => (Level::Alert, 81 + random / 64 % 20),
        2..=5 => (Level::Warning, 60 + random / 64 % 21),
        _ => (Level::Notice, 42 + random / 64 % 18),
    };
    let digests = digests(number);
    let file = FileFacts {
        path: name(number),
        extension: ".exe".to_owned(),
        file_type: "EXE".to_owned(),
        size_bytes: random % 5_000_000,
        digests,
        first_bytes: FirstBytes::of(b"MZ\x90\0"),
        ..FileFacts::default()
    };
    let mut nonce = [0; 12];
    nonce[..8].copy_from_slice(&number.to_be_bytes());
    let matches = (0..1 + random / 512 % 3).map(|n| matching(mix(random + n), number));
    Report {
        id: SampleId::new(number + 1).unwrap(),
        submission: Submission {
            origin: Origin {
                source: source(skewed(mix(random + 7), SOURCES)),
                remote_addr: "192.0.2.1".to_owned(),
                collector_run: None,
            },
            file_name: file.path.clone(),
            size_bytes: file.size_bytes,
            digests,
            received_at_us: time_us,
            synchronous: false,
            nonce,
        },
        scan: ScanFacts {
            scan_id: run(random / 4096 % RUNS),
            scanned_at_us: time_us,
            scan_time_us: 900,
            signature_version: String::new(),
        },
        outcome: Outcome {
            sample: file.clone(),
            findings: vec![Finding {
                level,
                score: Score::new(score as u8),
                file,
                parent: None,
                matches: matches.collect(),
            }],
            incomplete: Vec::new(),
        },
    }
}

fn matching(random: u64, number: u64) -> Match {
    let strings = (0..1 + random % 4).map(|n| MatchedString {
        identifier: format!("$s{n}"),
        field: MatchField::Content,
        offset: n * 5000 + random % 4000,
        data: format!("a string{number} that a rule found, {}", mix(random + n)).into_bytes(),
        length: 40,
        before: b"sixteen bytes of".to_vec(),
        after: b"context there is".to_vec(),
    });
    Match {
        kind: SignatureKind::YaraRule,
        origin: SignatureOrigin::Internal,
        rule_name: rule(skewed(random, RULES)),
        description: "Detects something that was made up for a measurement".to_owned(),
        author: Some("A. Author".to_owned()),
        references: vec!["https://example.org/a/page/on/that".to_owned()],
        date: Some("2026-11-24".to_owned()),
        id: None,
        false_positives: Vec::new(),
        tags: vec![tag(random / 32 % 20), tag(random / 1024 % 20)],
        subscore: 40 + (random % 60) as i32,
        strings: strings.collect(),
    }
}

fn name(number: u64) -> String {
    let folder = [
        r"C:\Windows\System32",
        r"C:\Users\someone\AppData\Local\Temp",
        r"C:\inetpub\wwwroot\app",
        r"C:\Program Files (x86)\Vendor\Product",
    ][mix(number + 3) as usize % 4];
    format!(r"{folder}\{:x}\file{}.exe", mix(number) % 4096, number / 3)
}

fn digests(number: u64) -> Digests {
    // Three findings have one content.
    let seed = mix(number / 3 + 11).to_be_bytes();
    let mut digests = Digests::default();
    for (at, byte) in digests.sha256.iter_mut().enumerate() {
        *byte = seed[at % 8] ^ (at as u8);
    }
    digests.md5.copy_from_slice(&digests.sha256[..16]);
    digests.sha1.copy_from_slice(&digests.sha256[..20]);
    digests
}

fn source(number: u64) -> String {
    format!("host-{number:04}.example.org")
}

fn rule(number: u64) -> String {
    format!("RULE_Group{}_Made_Up_{number}", number % 7)
}

fn tag(number: u64) -> String {
    format!("T{}", 1000 + number)
}

fn run(number: u64) -> String {
    format!("run-{number:08}-0000-4000-8000-000000000000")
}

/// Few numbers come often and many seldom.
fn skewed(random: u64, below: u64) -> u64 {
    let share = (random % 1_000_003) as f64 / 1_000_003.0;
    ((share * share * share) * below as f64) as u64
}

/// Splitmix64: well mixed numbers, the same in every run.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
