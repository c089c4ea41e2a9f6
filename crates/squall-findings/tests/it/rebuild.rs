//! The store made anew from the log.

use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use squall_api::v1::{FindingRow, ReviewState};
use squall_findings::{Filter, Findings, FindingsConfig, NewReview, rebuild};
use squall_types::Report;

use crate::support::{Made, Store, now_us};

fn write_log(path: &Path, reports: &[Report], gz: bool) {
    let mut log = b"not a finding\n".to_vec();
    for report in reports {
        squall_report::json::write_lines(report, &mut log).unwrap();
    }
    if gz {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&log).unwrap();
        log = encoder.finish().unwrap();
    }
    std::fs::write(path, log).unwrap();
}

fn rows(config: &FindingsConfig) -> Vec<FindingRow> {
    let (findings, _) = Findings::open(config.clone()).unwrap();
    let page = squall_findings::Page {
        cursor: None,
        limit: 1000,
    };
    let rows = findings.search(&Filter::default(), &page).unwrap().findings;
    findings.close();
    rows
}

#[test]
fn a_rebuilt_store_gives_the_same_answers() {
    let mut store = Store::new();
    let mut made: Vec<_> = (0..300).map(Made::new).collect();
    made[7].name = "=cmd()\u{202e}\n".to_owned();
    let reports: Vec<_> = made.iter().map(Made::report).collect();
    store.feed(&reports);
    let expected = store.all(&Filter::default(), 1000);
    let (rotated, current) = (store.path("log.json.1.gz"), store.path("log.json"));
    write_log(&rotated, &reports[..200], true);
    // A log that was cut off and begun again repeats some.
    write_log(&current, &reports[150..], false);
    let logs = [rotated, current, store.path("missing.json")];

    let elsewhere = FindingsConfig::new(store.path("fresh.db"));
    let rebuilt = rebuild(&elsewhere, &logs).unwrap();
    assert_eq!(
        (rebuilt.from_logs, rebuilt.kept, rebuilt.passed_over),
        (300, 0, 2)
    );
    assert_eq!(rebuilt.failed_logs.len(), 1);
    let mut found = rows(&elsewhere);
    for (found, expected) in found.iter_mut().zip(&expected) {
        // A log does not tell the sample's id.
        assert_eq!(found.sample_id, None);
        found.sample_id = expected.sample_id;
    }
    assert_eq!(found, expected);

    // What only the old store has is kept: here everything, reviews included.
    store
        .findings
        .review(NewReview {
            event_id: made[3].event_id(),
            state: ReviewState::Reviewed,
            note: String::new(),
            who: String::new(),
            time_us: now_us(),
        })
        .unwrap();
    let expected = store.all(&Filter::default(), 1000);
    let config = store.config.clone();
    let error = rebuild(&config, &logs).unwrap_err();
    assert!(error.to_string().contains("in use"), "{error}");
    store.config.path = store.path("unused.db");
    store.reopen();
    let rebuilt = rebuild(&config, &logs[1..2]).unwrap();
    assert_eq!((rebuilt.from_logs, rebuilt.kept), (150, 150));
    assert_eq!(rows(&config), expected);
}

#[test]
fn a_damaged_store_is_rebuilt_from_the_log_alone() {
    let mut store = Store::new();
    let reports = [Made::new(1).report(), Made::new(2).report()];
    store.feed(&reports);
    let config = store.config.clone();
    store.config.path = store.path("unused.db");
    store.reopen();
    std::fs::write(&config.path, b"damaged").unwrap();
    let log = store.path("log.json");
    write_log(&log, &reports, false);
    let rebuilt = rebuild(&config, &[log]).unwrap();
    assert_eq!((rebuilt.from_logs, rebuilt.kept), (2, 0));
    assert!(rebuilt.set_aside.is_some_and(|path| path.exists()));
    assert_eq!(rows(&config).len(), 2);
}
