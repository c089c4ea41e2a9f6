//! The scan threads with a real queue and real rules.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use squall_engine::{CompileOptions, Included, ScanLimits, SignatureSet, SourceFile, digests};
use squall_queue::{Body, Queue, QueueConfig, SampleState, Verdict};
use squall_report::stored::{self, StoredResult};
use squall_types::{
    IncompleteReason, OutcomeCounts, Report, SampleId, SignatureOrigin, Submission,
};
use squall_worker::{
    KeepConfig, KeepLevel, Keeper, LogDurability, LogSink, Rotation, Signatures, Sinks,
    TextOptions, VerdictConfig, Verdicts, WorkerConfig, WorkerParts, Workers,
};

const RULE: &str = r#"rule Needle { meta: score = 80 strings: $a = "needle" condition: $a }"#;

fn set(rule: &str) -> Arc<SignatureSet> {
    let file = SourceFile {
        name: "test.yar".to_owned(),
        content: rule.as_bytes().to_vec(),
        origin: SignatureOrigin::Internal,
        modified: None,
        included: Included::default(),
    };
    Arc::new(SignatureSet::compile(&[file], CompileOptions::default(), |_| {}).expect("a set"))
}

fn submission(file_name: &str, content: &[u8]) -> Vec<u8> {
    stored::encode_submission(&Submission {
        file_name: file_name.to_owned(),
        size_bytes: content.len() as u64,
        digests: digests(content),
        ..Submission::default()
    })
}

#[path = "workers/verdicts.rs"]
mod verdicts;

struct Bench {
    dir: tempfile::TempDir,
    queue: Queue,
    signatures: Arc<Signatures>,
    sinks: Arc<Sinks>,
    outcomes: Arc<OutcomeCounts>,
    verdicts: Arc<Verdicts>,
    workers: Workers,
}

impl Bench {
    fn new(threads: usize, sync_only_threads: usize) -> Self {
        let dir = tempfile::tempdir().expect("temporary directory");
        Self::start(dir, threads, sync_only_threads)
    }

    /// Starts with what is in the directory.
    fn start(dir: tempfile::TempDir, threads: usize, sync_only_threads: usize) -> Self {
        let (queue, _) = Queue::open(QueueConfig::new(dir.path().join("queue"))).expect("queue");
        let signatures = Arc::new(Signatures::default());
        let log = |name: &str| {
            let backlog = dir.path().join("backlog").join(name);
            LogSink::open(
                dir.path().join(name),
                &backlog,
                LogDurability::Fsync,
                Rotation::default(),
            )
            .expect("log")
        };
        let mut sinks = Sinks::new(TextOptions::default());
        sinks.text = Some(log("findings.log"));
        sinks.json = Some(log("findings.json"));
        let sinks = Arc::new(sinks);
        let keeper = Keeper::open(KeepConfig {
            dir: dir.path().join("samples"),
            level: KeepLevel::Malicious,
            score_min: 200,
            bytes_max: None,
            age_max: None,
            free_bytes_min: 0,
            fsync: true,
        })
        .expect("keeper");
        let outcomes = Arc::new(OutcomeCounts::default());
        let verdicts = Arc::new(Verdicts::new(VerdictConfig {
            bytes_max: 1 << 20,
            path: Some(dir.path().join("verdicts")),
            program: "test".to_owned(),
        }));
        let parts = WorkerParts {
            queue: queue.clone(),
            signatures: Arc::clone(&signatures),
            sinks: Arc::clone(&sinks),
            keeper: Some(Arc::new(keeper)),
            outcomes: Arc::clone(&outcomes),
            verdicts: Some(Arc::clone(&verdicts)),
            recent: None,
            tracer: None,
        };
        let config = WorkerConfig {
            threads,
            sync_only_threads,
            limits: ScanLimits::default(),
            scan_id: "S-0123456789a".to_owned(),
        };
        let workers = Workers::start(&config, &parts).expect("threads");
        Self {
            dir,
            queue,
            signatures,
            sinks,
            outcomes,
            verdicts,
            workers,
        }
    }

    async fn enqueue(&self, file_name: &str, content: &[u8]) -> SampleId {
        let body = Body::from_bytes(content.to_vec());
        self.queue
            .enqueue(body, submission(file_name, content), "source")
            .await
            .expect("accepted")
    }

    async fn check(&self, file_name: &str, content: &[u8]) -> Option<Report> {
        let body = Body::from_bytes(content.to_vec());
        let checked = self
            .queue
            .check(body, submission(file_name, content))
            .await
            .expect("checked");
        match checked.verdict {
            Verdict::Complete(result) => report(&result),
            Verdict::Failed(reason) => panic!("{reason}"),
        }
    }

    async fn result(&self, id: SampleId) -> Option<Report> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            match self.queue.status(id).expect("readable") {
                Some(SampleState::Complete(result)) => return report(&result),
                Some(SampleState::Failed(reason)) => panic!("{reason}"),
                state => assert!(Instant::now() < deadline, "{state:?}"),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn read(&self, name: &str) -> String {
        read(&self.dir.path().join(name))
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("readable")
}

fn report(result: &[u8]) -> Option<Report> {
    match stored::decode_result(result).expect("result") {
        StoredResult::Clean => None,
        StoredResult::Report(report) => Some(*report),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_lanes_are_scanned_logged_and_answered() {
    let bench = Bench::new(2, 1);
    bench.signatures.install(set(RULE));
    let queued = bench.enqueue("/a/queued.txt", b"a needle").await;
    let clean = bench.enqueue("/a/clean.txt", b"nothing").await;
    let checked = bench
        .check("/a/checked.txt", b"needle")
        .await
        .expect("found");
    let found = bench.result(queued).await.expect("found");
    assert_eq!(bench.result(clean).await, None);
    assert_eq!(found.outcome.findings[0].matches[0].rule_name, "Needle");
    assert_eq!(found.scan.scan_id, "S-0123456789a");
    assert!(found.id != checked.id);

    let text = bench.read("findings.log");
    assert_eq!(text.lines().count(), 2, "{text}");
    for name in ["/a/queued.txt", "/a/checked.txt"] {
        assert!(text.contains(&format!("FILE: {name}")), "{text}");
    }
    assert_eq!(bench.read("findings.json").lines().count(), 2);
    let stats = bench.queue.stats();
    assert_eq!((stats.accepted, stats.scanned, stats.failed), (3, 3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_looked_at_is_counted_in_both_lanes() {
    let bench = Bench::new(1, 0);
    bench.signatures.install(set(RULE));
    let torn = b"\x1f\x8b\x08\0\0\0\0\0\0\x03 no stream";
    bench.check("torn.gz", torn).await.expect("told");
    let id = bench.enqueue("torn.gz", torn).await;
    bench.result(id).await.expect("told");
    bench.check("whole.txt", b"needle").await.expect("found");
    let counts = IncompleteReason::ALL.map(|reason| bench.outcomes.gaps.get(reason));
    assert_eq!(counts.iter().sum::<u64>(), 2);
    assert_eq!(bench.outcomes.gaps.get(IncompleteReason::Corrupt), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_scanned_before_there_are_signatures() {
    let bench = Bench::new(1, 0);
    let id = bench.enqueue("x", b"needle").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let state = bench.queue.status(id).expect("readable");
    assert!(matches!(state, Some(SampleState::Waiting)), "{state:?}");
    bench.signatures.install(set(RULE));
    assert!(bench.result(id).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_set_is_used_from_the_next_sample_on() {
    let bench = Bench::new(1, 0);
    bench.signatures.install(set(RULE));
    assert!(bench.check("x", b"needle").await.is_some());
    bench
        .signatures
        .install(set("rule Other { condition: filesize == 3 }"));
    assert!(bench.check("x", b"needle").await.is_none());
    let found = bench.check("x", b"abc").await.expect("found");
    assert_eq!(found.outcome.findings[0].matches[0].rule_name, "Other");
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_finishes_the_claimed_and_keeps_the_waiting() {
    let bench = Bench::new(2, 0);
    for number in 0..50 {
        bench.enqueue(&format!("{number}"), b"needle").await;
    }
    bench.signatures.install(set(RULE));
    let Bench {
        dir,
        queue,
        workers,
        ..
    } = bench;
    let still_scanning = tokio::task::spawn_blocking(move || workers.stop(Duration::from_secs(20)))
        .await
        .expect("stopped");
    assert_eq!(still_scanning, 0);
    let stats = queue.stats();
    assert_eq!(stats.scanned + stats.waiting, 50);
    queue.close_blocking().expect("closed");
    drop(queue);
    let (queue, recovery) =
        Queue::open(QueueConfig::new(dir.path().join("queue"))).expect("opens again");
    assert_eq!(recovery.damaged, 0);
    assert_eq!(queue.stats().waiting, stats.waiting);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_record_fails_and_the_queue_goes_on() {
    let bench = Bench::new(1, 0);
    bench.signatures.install(set(RULE));
    let bad = bench
        .queue
        .enqueue(Body::from_bytes(b"needle".to_vec()), b"junk".to_vec(), "s")
        .await
        .expect("accepted");
    let good = bench.enqueue("x", b"needle").await;
    assert!(bench.result(good).await.is_some());
    match bench.queue.status(bad).expect("readable") {
        Some(SampleState::Failed(reason)) => assert!(reason.contains("record"), "{reason}"),
        state => panic!("{state:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_whose_sender_left_is_not_scanned() {
    let bench = Bench::new(1, 0);
    let body = Body::from_bytes(b"needle".to_vec());
    let check = bench.queue.check(body, submission("left", b"needle"));
    // The sender leaves before there is a signature set to scan with.
    assert!(
        tokio::time::timeout(Duration::from_millis(100), check)
            .await
            .is_err()
    );
    bench.signatures.install(set(RULE));
    assert!(bench.check("stays", b"needle").await.is_some());
    let text = bench.read("findings.log");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("FILE: stays"), "{text}");
    let stats = bench.queue.stats();
    assert_eq!((stats.accepted, stats.scanned), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malicious_sample_is_kept_and_a_clean_one_is_not() {
    let bench = Bench::new(1, 0);
    bench.signatures.install(set(RULE));
    let found = bench.enqueue("/a/found", b"a needle").await;
    let clean = bench.enqueue("/a/clean", b"nothing").await;
    assert!(bench.result(found).await.is_some());
    assert!(bench.result(clean).await.is_none());
    let kept: Vec<_> = walk(&bench.dir.path().join("samples"));
    let [json, sample] = kept.as_slice() else {
        panic!("{kept:?}")
    };
    assert_eq!(std::fs::read(sample).expect("readable"), b"a needle");
    assert!(read(json).contains("/a/found"));
}

/// The files below a directory, `.json` first.
fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).expect("listed") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files.sort_by_key(|path| path.extension().is_none());
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_log_disk_stops_nothing_and_its_findings_are_there_later() {
    let bench = Bench::new(1, 0);
    let dir = bench.dir.path();
    // A device that is always full, from the next time the log is opened.
    std::fs::rename(dir.join("findings.json"), dir.join("aside")).expect("renames");
    std::os::unix::fs::symlink("/dev/full", dir.join("findings.json")).expect("links");
    assert!(bench.sinks.reopen().is_empty());
    bench.signatures.install(set(RULE));
    let id = bench.enqueue("/a/one", b"needle one").await;
    assert!(bench.result(id).await.is_some());
    assert!(bench.check("/a/two", b"needle two").await.is_some());
    assert_eq!(bench.read("findings.log").lines().count(), 2);
    assert_eq!(bench.read("backlog/findings.json").lines().count(), 2);

    std::fs::remove_file(dir.join("findings.json")).expect("removes");
    std::fs::rename(dir.join("aside"), dir.join("findings.json")).expect("renames");
    let deadline = Instant::now() + Duration::from_secs(20);
    while bench.read("findings.json").lines().count() < 2 {
        assert!(Instant::now() < deadline, "the log has not got its lines");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let lines = bench.read("findings.json");
    assert!(lines.find("/a/one") < lines.find("/a/two"), "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_that_can_be_logged_nowhere_keeps_its_sample_in_the_queue() {
    let bench = Bench::new(2, 1);
    let dir = bench.dir.path();
    std::fs::rename(dir.join("findings.json"), dir.join("aside")).expect("renames");
    std::os::unix::fs::symlink("/dev/full", dir.join("findings.json")).expect("links");
    std::fs::write(dir.join("backlog"), "not a directory").expect("writes");
    assert!(bench.sinks.reopen().is_empty());
    bench.signatures.install(set(RULE));
    let id = bench.enqueue("/a/queued", b"needle").await;
    // A check is answered all the same.
    assert!(bench.check("/a/checked", b"needle").await.is_some());
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let state = bench.queue.status(id).expect("readable");
    assert!(
        matches!(state, Some(SampleState::Waiting | SampleState::Scanning)),
        "{state:?}"
    );
    assert_eq!(
        bench.read("findings.log"),
        "",
        "not in one log without the other"
    );

    std::fs::remove_file(dir.join("backlog")).expect("removes");
    assert!(bench.result(id).await.is_some());
    assert!(bench.read("backlog/findings.json").contains("/a/queued"));
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_survive_a_stop_that_comes_at_once() {
    let bench = Bench::new(1, 0);
    bench.signatures.install(set(RULE));
    let id = bench.enqueue("/a/one", b"needle").await;
    assert!(bench.result(id).await.is_some());
    let Bench {
        dir,
        queue,
        workers,
        ..
    } = bench;
    tokio::task::spawn_blocking(move || {
        workers.stop(Duration::from_secs(20));
        queue.close_blocking().expect("closed");
    })
    .await
    .expect("stopped");
    let bench = Bench::start(dir, 1, 0);
    assert!(bench.result(id).await.is_some());
    assert_eq!(bench.read("findings.json").lines().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_without_samples_let_go_of_a_set_that_was_replaced() {
    let bench = Bench::new(3, 1);
    let first = set(RULE);
    let held = Arc::downgrade(&first);
    bench.signatures.install(first);
    assert!(bench.check("x", b"needle").await.is_some());
    bench
        .signatures
        .install(set("rule Other { condition: filesize == 3 }"));
    let deadline = Instant::now() + Duration::from_secs(20);
    while held.strong_count() > 0 {
        assert!(Instant::now() < deadline, "the old set stays in memory");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(bench.check("x", b"needle").await.is_none());
}

/// Sets are replaced while samples are scanned: each sample is scanned whole
/// with one of them, and its report names that one.
#[tokio::test(flavor = "multi_thread")]
async fn each_sample_is_scanned_with_the_set_that_its_report_names() {
    let bench = Bench::new(2, 0);
    let numbered = |number: u64| {
        let rule = format!("rule Set_{number} {{ meta: score = 80 condition: true }}");
        let file = SourceFile {
            name: "test.yar".to_owned(),
            content: rule.into_bytes(),
            origin: SignatureOrigin::Internal,
            modified: Some(UNIX_EPOCH + Duration::from_secs(number)),
            included: Included::default(),
        };
        let options = CompileOptions::default();
        Arc::new(SignatureSet::compile(&[file], options, |_| {}).expect("a set"))
    };
    bench.signatures.install(numbered(0));
    let mut ids = Vec::new();
    for number in 1..30 {
        for _ in 0..10 {
            ids.push(bench.enqueue("x", b"needle").await);
        }
        bench.signatures.install(numbered(number));
        let report = bench.check("x", b"needle").await.expect("a finding");
        let expected = format!("Set_{number}");
        assert_eq!(report.outcome.findings[0].matches[0].rule_name, expected);
    }
    for id in ids {
        let report = bench.result(id).await.expect("a finding");
        let rule = &report.outcome.findings[0].matches[0].rule_name;
        let number: u64 = rule.trim_start_matches("Set_").parse().expect("a number");
        let version = format!("1970/01/01-0000{number:02}");
        assert_eq!(report.scan.signature_version, version);
    }
}
