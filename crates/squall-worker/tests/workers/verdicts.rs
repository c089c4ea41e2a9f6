//! Verdicts that are used again.

use squall_cache::Stats;

use super::*;

impl Bench {
    fn lookups(&self) -> (u64, u64) {
        let Stats { hits, misses, .. } = self.verdicts.cache().stats();
        (hits, misses)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_content_is_looked_up_and_told_for_each_sender() {
    let bench = Bench::new(1, 0);
    bench.signatures.install(set(RULE));
    let first = bench.enqueue("/a/first.txt", b"a needle").await;
    let first = bench.result(first).await.expect("found");
    let second = bench.enqueue("/b/second.txt", b"a needle").await;
    let second = bench.result(second).await.expect("found");
    let third = bench
        .check("/c/third.txt", b"a needle")
        .await
        .expect("found");
    assert_eq!(bench.lookups(), (2, 1));
    for (report, name) in [(&second, "/b/second.txt"), (&third, "/c/third.txt")] {
        let [finding] = report.outcome.findings.as_slice() else {
            panic!("{report:?}")
        };
        assert_eq!(finding.file.path, name);
        assert_eq!(finding.matches, first.outcome.findings[0].matches);
        assert_eq!(report.submission.file_name, name);
        assert!(report.scan.scanned_at_us >= first.scan.scanned_at_us);
    }
    let ids = [first.id, second.id, third.id];
    assert!(ids[0] != ids[1] && ids[1] != ids[2]);
    let text = bench.read("findings.log");
    for name in ["/a/first.txt", "/b/second.txt", "/c/third.txt"] {
        assert_eq!(text.matches(&format!("FILE: {name}")).count(), 1, "{text}");
    }
    // It is kept once more, with the names it has now.
    let kept = walk(&bench.dir.path().join("samples"));
    assert!(read(&kept[0]).contains("/b/second.txt"));
    assert_eq!(bench.queue.stats().scanned, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn clean_content_is_looked_up_too() {
    let bench = Bench::new(1, 0);
    bench.signatures.install(set(RULE));
    for number in 0..5 {
        let id = bench.enqueue(&format!("/{number}"), b"nothing").await;
        assert_eq!(bench.result(id).await, None);
    }
    assert_eq!(bench.lookups(), (4, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_a_rule_looks_at_makes_it_another_sample() {
    let bench = Bench::new(1, 0);
    bench.signatures.install(set(
        r#"rule Named { meta: score = 80 condition: filename == "bad" }"#,
    ));
    assert!(bench.check("/a/good", b"content").await.is_none());
    assert!(bench.check("/a/bad", b"content").await.is_some());
    assert!(bench.check("/b/good", b"content").await.is_none());
    assert!(bench.check("/b/bad", b"content").await.is_some());
    assert_eq!(bench.lookups(), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_set_scans_everything_again() {
    let bench = Bench::new(1, 0);
    bench.signatures.install(set(RULE));
    assert!(bench.check("x", b"needle").await.is_some());
    bench
        .signatures
        .install(set("rule Other { condition: false }"));
    assert!(bench.check("x", b"needle").await.is_none());
    bench.signatures.install(set(RULE));
    assert!(bench.check("x", b"needle").await.is_some());
    assert_eq!(bench.lookups(), (0, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_survive_a_restart() {
    let bench = Bench::new(2, 0);
    bench.signatures.install(set(RULE));
    assert!(bench.check("x", b"needle").await.is_some());
    let Bench {
        dir,
        queue,
        workers,
        ..
    } = bench;
    let stop = move || workers.stop(Duration::from_secs(20));
    assert_eq!(tokio::task::spawn_blocking(stop).await.expect("stopped"), 0);
    queue.close_blocking().expect("closed");
    drop(queue);
    let bench = Bench::start(dir, 1, 0);
    bench.signatures.install(set(RULE));
    let deadline = Instant::now() + Duration::from_secs(20);
    while bench.verdicts.cache().stats().entries == 0 {
        assert!(Instant::now() < deadline, "the verdicts were not read");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(bench.check("y", b"needle").await.is_some());
    assert_eq!(bench.lookups(), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_end_otherwise_next_time_is_scanned_again() {
    let bench = Bench::new(1, 0);
    bench.signatures.install(set(
        r#"import "time" rule Clock { meta: score = 80 condition: time.now() > 0 }"#,
    ));
    assert!(bench.check("x", b"needle").await.is_some());
    assert!(bench.check("x", b"needle").await.is_some());
    assert_eq!(bench.lookups(), (0, 0));
    assert_eq!(bench.verdicts.cache().stats().entries, 0);
}

/// Takes a second or so for what has the bytes `slow` in it.
const SLOW: &str = r#"rule Slow { meta: score = 80 strings: $a = "slow"
    condition: $a and for all i in (0..1000000000) : (i >= 0) }"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_scanned_is_waited_for_and_no_worker_waits() {
    let bench = Bench::new(2, 0);
    let mut same = Vec::new();
    for number in 0..20 {
        same.push(bench.enqueue(&format!("/{number}"), b"so slow").await);
    }
    let other = bench.enqueue("/other", b"quick").await;
    bench.signatures.install(set(SLOW));
    assert_eq!(bench.result(other).await, None);
    for &id in &same {
        let state = bench.queue.status(id).expect("readable");
        assert!(matches!(state, Some(SampleState::Scanning)), "{state:?}");
    }
    let check = bench.check("/checked", b"so slow").await.expect("found");
    assert_eq!(check.outcome.findings[0].file.path, "/checked");
    for (number, &id) in same.iter().enumerate() {
        let report = bench.result(id).await.expect("found");
        assert_eq!(report.outcome.findings[0].file.path, format!("/{number}"));
    }
    let (hits, _) = bench.lookups();
    assert_eq!(hits, 20, "one of 21 was scanned");
    let stats = bench.queue.stats();
    assert_eq!((stats.scanned, stats.failed, stats.scanning), (22, 0, 0));
}

/// `a member of some length`, compressed.
const GZIP: &[u8] = &[
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 75, 84, 200, 77, 205, 77, 74, 45, 82, 200, 79, 83, 40, 206,
    207, 77, 85, 200, 73, 205, 75, 47, 201, 224, 2, 0, 219, 169, 144, 132, 24, 0, 0, 0,
];

#[tokio::test(flavor = "multi_thread")]
async fn those_that_waited_in_vain_are_scanned() {
    let bench = Bench::new(2, 0);
    let mut same = Vec::new();
    for number in 0..5 {
        same.push(bench.enqueue(&format!("/{number}.gz"), GZIP).await);
    }
    bench
        .signatures
        .install(set(r#"rule Slow { meta: score = 80 strings: $a = "member"
            condition: $a and for all i in (0..3000000) : (i >= 0) }"#));
    for (number, &id) in same.iter().enumerate() {
        let report = bench.result(id).await.expect("found");
        // The path of a member begins with that of the sample.
        let path = &report.outcome.findings[0].file.path;
        assert!(path.starts_with(&format!("/{number}.gz|")), "{path}");
    }
    assert_eq!(bench.queue.stats().scanned, 5);
    assert!(bench.check("/0.gz", GZIP).await.is_some());
    assert_eq!(bench.queue.stats().failed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_another_class_waits_for_the_content_and_is_scanned_then() {
    let bench = Bench::new(2, 0);
    let mut same = Vec::new();
    for number in 0..8 {
        let name = if number % 2 == 0 { "bad" } else { "good" };
        let id = bench.enqueue(&format!("/{number}/{name}"), b"slow").await;
        same.push((name, id));
    }
    bench
        .signatures
        .install(set(r#"rule Slow { meta: score = 80 strings: $a = "slow"
            condition: $a and filename == "bad" and for all i in (0..3000000) : (i >= 0) }"#));
    for (number, (name, id)) in same.into_iter().enumerate() {
        let report = bench.result(id).await;
        assert_eq!(report.is_some(), name == "bad", "{name}");
        if let Some(report) = report {
            let path = format!("/{number}/bad");
            assert_eq!(report.outcome.findings[0].file.path, path);
        }
    }
    let stats = bench.queue.stats();
    assert_eq!((stats.scanned, stats.failed), (8, 0));
    let (hits, _) = bench.lookups();
    assert_eq!(hits, 6, "one scan for each of the two classes");
}
