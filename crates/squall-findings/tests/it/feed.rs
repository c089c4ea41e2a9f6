//! What goes in, once, within bounds.

use std::time::Duration;

use squall_api::v1::ReviewState;
use squall_findings::{Filter, NewReview, Page};

use crate::support::{Made, Store, now_us, sample};

#[test]
fn a_repetition_changes_nothing() {
    let store = Store::new();
    let reports = [Made::new(1).report(), Made::new(2).report()];
    store.feed(&reports);
    let before = store.all(&Filter::default(), 10);
    store.feed(&reports);
    let mut later = Made::new(1);
    later.level = squall_types::Level::Notice;
    store.feed(&[later.report()]);
    assert_eq!(store.all(&Filter::default(), 10), before);
    assert_eq!(store.findings.stats().stored, 2);
}

#[test]
fn the_members_of_an_archive_have_one_time_and_keep_their_order() {
    let store = Store::new();
    let mut report = Made::new(1).report();
    let one = report.outcome.findings.remove(0);
    for number in 0..300 {
        let mut member = one.clone();
        member.file.path = format!("outer.zip|{number}");
        member.file.unpack_source = vec!["ZIP".to_owned()];
        report.outcome.findings.push(member);
    }
    store.feed(&[report]);
    let rows = store.all(&Filter::default(), 7);
    let names: Vec<_> = rows.iter().map(|row| row.name.clone()).collect();
    let expected: Vec<_> = (0..300).rev().map(|n| format!("outer.zip|{n}")).collect();
    assert_eq!(names, expected);
    assert!(rows.iter().all(|row| row.depth == 1));
}

#[test]
fn a_clean_sample_and_an_incomplete_one() {
    let store = Store::new();
    let mut clean = Made::new(1).report();
    clean.outcome.findings.clear();
    let mut incomplete = Made::new(2).report();
    incomplete.outcome.findings.clear();
    incomplete
        .outcome
        .incomplete
        .push(squall_types::Incomplete {
            path: incomplete.outcome.sample.path.clone(),
            reason: squall_types::IncompleteReason::Encrypted,
            description: "locked".to_owned(),
        });
    store.feed(&[clean, incomplete]);
    let rows = store.all(&Filter::default(), 10);
    assert_eq!(rows.len(), 1);
    assert!(rows[0].has_issues && rows[0].score == 0 && rows[0].level == "Notice");
}

#[test]
fn what_there_is_no_room_for_is_put_off_and_taken_later() {
    let store = Store::with(|config| config.waiting_bytes_max = 8_000);
    assert!(
        store.findings.take_behind(),
        "the start asks for what is missing"
    );
    let reports: Vec<_> = (0..500).map(|n| Made::new(n).report()).collect();
    for report in &reports {
        store.findings.offer(report);
    }
    store.flush();
    let stats = store.findings.stats();
    assert!(stats.put_off > 0 && stats.behind, "{stats:?}");
    assert!(store.findings.take_behind());
    for report in &reports {
        for finding in squall_report::v1::findings(report) {
            store
                .findings
                .offer_again(finding, Some(sample(report.id.value())))
                .unwrap();
        }
    }
    store.flush();
    assert_eq!(store.ids(&Filter::default()).len(), 500);
}

#[test]
fn the_oldest_go_when_there_are_too_many_and_do_not_come_back() {
    let store = Store::with(|config| config.findings_max = Some(10));
    let made: Vec<_> = (0..30).map(Made::new).collect();
    let reports: Vec<_> = made.iter().map(Made::report).collect();
    store.feed(&reports);
    for _ in 0..200 {
        if store.findings.stats().stored == 10 {
            break;
        }
        // The writer looks every ten seconds; the first time at once.
        std::thread::sleep(Duration::from_millis(100));
    }
    let newest: Vec<_> = made.iter().rev().take(10).map(Made::event_id).collect();
    assert_eq!(store.ids(&Filter::default()), newest);
    for report in &reports {
        let finding = squall_report::v1::findings(report).remove(0);
        assert!(!store.findings.offer_again(finding, None).unwrap());
    }
    let source = store.findings.source("web-01").unwrap().unwrap();
    assert_eq!(source.source.findings.alert, 10);
}

#[test]
fn what_is_too_old_goes() {
    let mut store = Store::with(|config| config.age_max = None);
    let mut old = Made::new(1);
    old.time_us = now_us() - 3 * 3_600_000_000;
    let young = Made::new(2);
    store.feed(&[old.report(), young.report()]);
    assert_eq!(store.ids(&Filter::default()).len(), 2);
    store.config.age_max = Some(Duration::from_secs(3600));
    store.reopen();
    for _ in 0..100 {
        if store.findings.stats().stored == 1 {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(store.ids(&Filter::default()), [young.event_id()]);
    // Nothing of it is left in any index.
    for filter in [
        Filter {
            text: Some("file1".to_owned()),
            ..Filter::default()
        },
        Filter {
            name: Some("file1".to_owned()),
            ..Filter::default()
        },
    ] {
        assert_eq!(store.ids(&filter), Vec::<String>::new());
    }
}

#[test]
fn the_sample_of_a_member_is_known_however_deep_it_is() {
    let store = Store::new();
    for (number, containers) in [&[][..], &["ZIP"], &["ZIP", "TAR"], &["ZIP", "TAR", "GZIP"]]
        .into_iter()
        .enumerate()
    {
        let made = Made::new(u32::try_from(number).unwrap());
        let mut report = made.report();
        let sample = report.outcome.sample.clone();
        let finding = &mut report.outcome.findings[0];
        finding.file.unpack_source = containers.iter().map(ToString::to_string).collect();
        if !containers.is_empty() {
            finding.file.digests.sha256 = [9; 32];
            let mut parent = sample;
            if containers.len() > 1 {
                parent.digests.sha256 = [8; 32];
            }
            finding.parent = Some(parent);
        }
        store.feed(&[report]);
        let details = store.findings.details(&made.event_id()).unwrap().unwrap();
        assert_eq!(details.summary.depth, containers.len() as u64);
        assert_eq!(
            details.sample_sha256,
            Some("01".repeat(32)),
            "{containers:?}"
        );
    }
}

#[test]
fn a_finding_says_all_that_is_known_of_it() {
    let store = Store::new();
    let mut same = Made::new(2);
    same.source = "db-07".to_owned();
    same.name = "/tmp/FILE1.EXE".to_owned();
    let mut other = Made::new(3);
    other.content = 9;
    let one = Made::new(1);
    store.feed(&[one.report(), same.report(), other.report()]);
    let details = store.findings.details(&one.event_id()).unwrap().unwrap();
    assert_eq!(
        details.finding,
        squall_report::v1::findings(&one.report())[0]
    );
    assert!((details.shares[0].points - 75.0).abs() < 1e-9);
    assert_eq!(details.summary.sample_id, Some(2));
    let seen: Vec<_> = details
        .sightings
        .iter()
        .map(|s| (s.by, s.value.clone(), s.findings, s.sources, s.latest.len()))
        .collect();
    use squall_api::v1::SightingBy::{Hash, Name, Rule};
    assert_eq!(
        seen,
        [
            (Hash, "01".repeat(32), 1, 1, 1),
            (Name, "file1.exe".to_owned(), 1, 1, 1),
            (Rule, "Evil_Rule".to_owned(), 2, 2, 2),
        ]
    );
    assert_eq!(store.findings.details("unknown").unwrap(), None);
}

#[test]
fn a_review_stays_and_can_be_changed() {
    let mut store = Store::new();
    let made = Made::new(1);
    store.feed(&[made.report()]);
    let review = |event_id: &str, state| NewReview {
        event_id: event_id.to_owned(),
        state,
        note: "=note\n".to_owned(),
        who: "ana".to_owned(),
        time_us: now_us(),
    };
    let unknown = store
        .findings
        .review(review("nobody", ReviewState::Reviewed));
    assert_eq!(unknown.unwrap(), None);
    for state in [ReviewState::Reviewed, ReviewState::FalsePositive] {
        let stored = store
            .findings
            .review(review(&made.event_id(), state))
            .unwrap();
        assert_eq!(stored.unwrap().state, state);
    }
    store.reopen();
    let row = &store.all(&Filter::default(), 10)[0];
    assert_eq!(row.review, ReviewState::FalsePositive);
    let details = store.findings.details(&made.event_id()).unwrap().unwrap();
    assert_eq!(details.review.unwrap().note, "=note\n");
}

#[test]
fn only_one_process_writes() {
    let store = Store::new();
    let error = squall_findings::Findings::open(store.config.clone()).unwrap_err();
    assert!(
        error.to_string().contains("in use by another process"),
        "{error}"
    );
}

#[test]
fn a_cursor_that_is_none_is_refused() {
    let store = Store::new();
    let page = Page {
        cursor: Some("x".to_owned()),
        limit: 10,
    };
    for error in [
        store
            .findings
            .search(&Filter::default(), &page)
            .unwrap_err(),
        store.findings.sources(None, &page).unwrap_err(),
        store
            .findings
            .runs(&squall_findings::RunFilter::default(), &page)
            .unwrap_err(),
    ] {
        assert!(matches!(error, squall_findings::FindingsError::Cursor));
    }
}

#[test]
fn a_query_without_end_is_ended() {
    let store = Store::with(|config| config.query_time_max = Duration::ZERO);
    let reports: Vec<_> = (0..2000).map(|n| Made::new(n).report()).collect();
    for chunk in reports.chunks(500) {
        store.feed(chunk);
    }
    let filter = Filter {
        name: Some("zz".to_owned()),
        ..Filter::default()
    };
    let error = store
        .findings
        .search(&filter, &Page::default())
        .unwrap_err();
    assert!(
        matches!(error, squall_findings::FindingsError::TooSlow),
        "{error:?}"
    );
}

#[test]
fn a_monstrous_finding_is_kept_without_what_matched() {
    let store = Store::new();
    let mut made = Made::new(1);
    made.name = "x".repeat(60_000);
    made.rules = (0..120).map(|n| format!("Rule_{n}")).collect();
    let mut report = made.report();
    for found in &mut report.outcome.findings[0].matches {
        let one = found.strings.remove(0);
        for offset in 0..50 {
            let mut string = one.clone();
            string.offset = offset * 10_000;
            string.data = vec![b'A'; 4096];
            found.strings.push(string);
        }
    }
    store.feed(&[report]);
    let details = store.findings.details(&made.event_id()).unwrap().unwrap();
    assert_eq!(details.summary.name.len(), 4096);
    assert_eq!(details.summary.reason_count, 120);
    assert!(
        details
            .finding
            .reasons
            .iter()
            .all(|reason| reason.matched.is_empty())
    );
    let last = details.finding.issues.last().unwrap();
    assert_eq!(
        (last.affected.as_str(), last.category.as_str()),
        ("/reasons", "truncated")
    );
}
