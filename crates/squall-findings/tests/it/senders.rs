//! Sources and collector runs.

use squall_api::v0::{CollectionEvent, CollectionStats};
use squall_api::v1::LevelCounts;
use squall_findings::{Findings, Page, RunBegin, RunEnd, RunFilter, Sample};

use crate::support::{Made, Store};

fn count(findings: &Findings, source: &str, run: Option<&str>, at_us: i64) {
    findings.count_sample(&Sample {
        source,
        size_bytes: 10,
        received_at_us: at_us,
        scan_id: run,
        agent: Some("collector/1"),
    });
}

fn page(limit: usize) -> Page {
    Page {
        cursor: None,
        limit,
    }
}

#[test]
fn a_source_is_counted_with_and_without_findings() {
    let mut store = Store::new();
    for n in 0..5 {
        count(&store.findings, "clean", None, 1_000_000 + n);
    }
    count(&store.findings, "web-01", None, 2_000_000);
    store.feed(&[Made::new(1).report()]);
    store.reopen();
    let sources = store.findings.sources(None, &page(10)).unwrap().sources;
    let names: Vec<_> = sources
        .iter()
        .map(|s| (s.source.as_str(), s.samples, s.bytes))
        .collect();
    assert_eq!(names, [("web-01", 1, 10), ("clean", 5, 50)]);
    assert_eq!(sources[0].findings.alert, 1);
    assert_eq!(sources[1].findings, LevelCounts::default());
    assert_eq!(sources[1].first_seen, "1970-01-01T00:00:01.000000Z");
    assert_eq!(sources[1].last_seen, "1970-01-01T00:00:01.000004Z");
    assert_eq!(sources[1].agent, "collector/1");
    assert_eq!(
        store
            .findings
            .sources(Some("CLE"), &page(10))
            .unwrap()
            .sources
            .len(),
        1
    );
    assert_eq!(store.findings.source("nobody").unwrap(), None);
}

#[test]
fn sources_come_in_pages() {
    let mut store = Store::new();
    for n in 0..25 {
        // Ties are broken by who came first.
        count(
            &store.findings,
            &format!("host-{n}"),
            None,
            1_000_000 + n / 3,
        );
    }
    store.reopen();
    let mut seen = Vec::new();
    let mut asked = page(4);
    loop {
        let found = store.findings.sources(None, &asked).unwrap();
        seen.extend(found.sources.into_iter().map(|s| (s.last_seen, s.source)));
        if found.cursor.is_none() {
            break;
        }
        asked.cursor = found.cursor;
    }
    assert_eq!(seen.len(), 25);
    assert!(
        seen.windows(2).all(|pair| pair[0].0 >= pair[1].0),
        "{seen:?}"
    );
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 25);
}

#[test]
fn a_run_that_never_ends_is_incomplete() {
    let mut store = Store::new();
    let findings = &store.findings;
    for (n, scan_id) in ["a", "b"].into_iter().enumerate() {
        findings.begin_run(RunBegin {
            scan_id: scan_id.to_owned(),
            source: "web-01".to_owned(),
            collector: "bash/1".to_owned(),
            at_us: 1_000_000 * (n as i64 + 1),
        });
    }
    store.flush();
    for run in [Some("a"), Some("a"), Some("never begun"), None] {
        count(&store.findings, "web-01", run, 3_000_000);
    }
    let stats = CollectionStats {
        scanned: 7,
        submitted: 2,
        ..CollectionStats::default()
    };
    for scan_id in ["a", "never begun"] {
        store.findings.end_run(RunEnd {
            scan_id: scan_id.to_owned(),
            event: CollectionEvent::Interrupted,
            at_us: 5_000_000,
            stats: Some(stats),
        });
    }
    let mut made = Made::new(1);
    made.run = Some("a".to_owned());
    store.feed(&[made.report()]);
    store.reopen();
    let runs = |filter: &RunFilter| store.findings.runs(filter, &page(10)).unwrap().collections;
    let all = runs(&RunFilter::default());
    let ids: Vec<_> = all.iter().map(|run| run.scan_id.as_str()).collect();
    assert_eq!(ids, ["b", "a"]);
    assert_eq!(
        (all[0].state.as_str(), all[0].ended.as_ref()),
        ("incomplete", None)
    );
    assert_eq!(all[1].state, "interrupted");
    assert_eq!(
        (all[1].samples, all[1].bytes, all[1].findings.alert),
        (2, 20, 1)
    );
    assert_eq!(all[1].stats, Some(stats));
    let incomplete = runs(&RunFilter {
        incomplete: true,
        ..RunFilter::default()
    });
    assert_eq!(incomplete, all[..1]);
    assert_eq!(
        store
            .findings
            .source("web-01")
            .unwrap()
            .unwrap()
            .collections,
        all
    );
}
