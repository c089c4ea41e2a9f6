//! A database that is no database any more.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::time::Duration;

use squall_api::v1::ReviewState;
use squall_findings::{Filter, Findings, NewReview};

use crate::support::{Made, Store, now_us, sample};

fn review(made: &Made) -> NewReview {
    NewReview {
        event_id: made.event_id(),
        state: ReviewState::FalsePositive,
        note: "known".to_owned(),
        who: "ana".to_owned(),
        time_us: now_us(),
    }
}

#[test]
fn a_damaged_database_is_moved_aside_and_reviews_come_back() {
    let mut store = Store::new();
    let made = Made::new(1);
    store.feed(&[made.report()]);
    store.findings.review(review(&made)).unwrap();
    store.findings.close();
    let config = store.config.clone();
    store.config.path = store.path("other.db");
    store.reopen();
    std::fs::write(
        &config.path,
        b"this is no database, and long enough to be one".repeat(400),
    )
    .unwrap();
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", config.path.display()));
    }
    let (findings, opened) = Findings::open(config.clone()).unwrap();
    let aside = opened.set_aside.expect("moved aside");
    assert!(aside.exists() && aside != config.path);
    assert_eq!((opened.stored, opened.reviews_restored), (0, 1));
    assert!(findings.take_behind());
    let finding = squall_report::v1::findings(&made.report()).remove(0);
    assert!(findings.offer_again(finding, Some(sample(2))).unwrap());
    assert!(findings.flush(Duration::from_secs(10)));
    let row = findings
        .search(&Filter::default(), &squall_findings::Page::default())
        .unwrap();
    assert_eq!(row.findings[0].review, ReviewState::FalsePositive);
    findings.close();
}

#[test]
fn damage_while_it_runs_is_noticed_and_mended() {
    let store = Store::new();
    let reports: Vec<_> = (0..400).map(|n| Made::new(n).report()).collect();
    store.feed(&reports);
    assert!(store.findings.take_behind());
    // The log of changes goes into the file, so that readers have to look there.
    rusqlite_checkpoint(&store);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .open(&store.config.path)
        .unwrap();
    let len = file.metadata().unwrap().len();
    file.seek(SeekFrom::Start(8192)).unwrap();
    file.write_all(&vec![0xa5; usize::try_from(len - 8192).unwrap()])
        .unwrap();
    file.sync_all().unwrap();
    // New connections see the damage; who asks says so to the writer.
    for _ in 0..200 {
        let page = squall_findings::Page {
            cursor: None,
            limit: 500,
        };
        let filter = Filter {
            text: Some("evil".to_owned()),
            ..Filter::default()
        };
        let _ = store.findings.search(&filter, &page);
        store.findings.offer(&Made::new(1000).report());
        if store.findings.stats().behind {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(store.findings.take_behind(), "the damage was not noticed");
    for report in &reports {
        let finding = squall_report::v1::findings(report).remove(0);
        store.findings.offer_again(finding, None).unwrap();
    }
    store.flush();
    let ids = store.ids(&Filter::default());
    assert!(ids.len() >= 400, "{}", ids.len());
    let aside = std::fs::read_dir(store.dir.path()).unwrap();
    assert!(
        aside
            .flatten()
            .any(|e| e.file_name().to_string_lossy().contains(".damaged-"))
    );
}

/// Makes the store write its log of changes into the database file.
fn rusqlite_checkpoint(store: &Store) {
    let connection = rusqlite::Connection::open(&store.config.path).unwrap();
    let busy: i64 = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .unwrap();
    assert_eq!(busy, 0);
}
