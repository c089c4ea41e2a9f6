//! A running service in one line: a queue in a temporary directory, the real
//! router, and a worker that answers as the sample's bytes tell it to.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use squall_queue::{Claim, Completion, Lanes, Queue, QueueConfig, Verdict};
use squall_report::stored;
use squall_server::{ReverseLookup, Service, ServiceConfig};
use squall_types::{
    FileFacts, Finding, FirstBytes, Incomplete, IncompleteReason, Level, Match, MatchField,
    MatchedString, Outcome, Report, ScanFacts, Score, SignatureKind, SignatureOrigin,
    SignatureSummary, Submission,
};
use tempfile::TempDir;
use tower::ServiceExt as _;

pub(crate) const BOUNDARY: &str = "------------------------d74496d66958873e";

pub(crate) struct TestApp {
    pub(crate) service: Service,
    pub(crate) queue: Queue,
    pub(crate) signatures: Arc<ArcSwapOption<SignatureSummary>>,
    pub(crate) dir: TempDir,
    worker: Option<JoinHandle<()>>,
}

/// What a test may adjust before the service starts.
pub(crate) struct Setup {
    pub(crate) config: ServiceConfig,
    pub(crate) queue: QueueConfig,
    /// Whether anything is scanned.
    pub(crate) worker: bool,
    /// Whether the signatures are loaded.
    pub(crate) loaded: bool,
}

impl TestApp {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(adjust: impl FnOnce(&mut Setup)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut setup = Setup {
            config: ServiceConfig {
                version: "1.2.3".to_owned(),
                build_time: "2026-11-24 08:30:00".to_owned(),
                threads: 3,
                arguments: vec!["squall".to_owned(), "serve".to_owned()],
                scan_id: "S-0123456789a".to_owned(),
                utc: true,
                reverse_lookup: ReverseLookup::Off,
                ..ServiceConfig::default()
            },
            queue: QueueConfig::new(dir.path().join("queue")),
            worker: true,
            loaded: true,
        };
        adjust(&mut setup);
        let (queue, _recovery) = Queue::open(setup.queue).unwrap();
        let signatures = Arc::new(ArcSwapOption::empty());
        if setup.loaded {
            signatures.store(Some(Arc::new(summary())));
        }
        let worker = setup.worker.then(|| start_worker(queue.clone()));
        Self {
            service: Service::new(setup.config, queue.clone(), Arc::clone(&signatures)),
            queue,
            signatures,
            dir,
            worker,
        }
    }

    /// Sends a request through the router.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let router = squall_server::router(self.service.clone());
        let response = router.oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        Answer {
            status: head.status,
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes().to_vec(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    /// Uploads one file.
    pub(crate) async fn upload(&self, path: &str, name: &str, bytes: &[u8]) -> Answer {
        self.send(upload_request(path, form(&[part(name, bytes)])))
            .await
    }

    /// Waits until the sample's analysis has ended.
    pub(crate) async fn result(&self, base: &str, id: u64) -> Value {
        for _ in 0..500 {
            let answer = self.get(&format!("{base}/getAsyncResults?id={id}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
            let status = answer.json()["status"].as_str().unwrap().to_owned();
            if status.starts_with("Sample analysis") {
                return answer.json();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("sample {id} was never scanned");
    }

    /// Asserts that nothing was taken and no upload left a file behind.
    pub(crate) fn assert_nothing_stored(&self) {
        let stats = self.queue.stats();
        assert_eq!(stats.accepted, 0, "a sample was taken");
        assert_eq!(self.spool_files(), Vec::<String>::new());
    }

    /// Returns the files of incomplete and large uploads.
    pub(crate) fn spool_files(&self) -> Vec<String> {
        let spool = self.dir.path().join("queue/spool");
        ["incoming", "files"]
            .iter()
            .filter_map(|name| std::fs::read_dir(spool.join(name)).ok())
            .flatten()
            .map(|entry| entry.unwrap().path().display().to_string())
            .collect()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.queue.stop_claims();
        if let Some(worker) = self.worker.take() {
            let ended = worker.join();
            assert!(ended.is_ok() || std::thread::panicking());
        }
    }
}

/// An answer, read completely.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in `{}`", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts status and envelope of a refusal of the first generation.
    #[track_caller]
    pub(crate) fn assert_refusal(&self, status: u16, words: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/json");
        let json = self.json();
        let reason = json["reason"].as_str().unwrap();
        assert!(reason.contains(words), "`{reason}` lacks `{words}`");
        assert_eq!(json["message"], json["reason"]);
        if status == 503 {
            let seconds: u32 = self.header("retry-after").parse().unwrap();
            assert!(seconds >= 1);
        }
    }
}

/// A part named `file`.
pub(crate) fn part(name: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    [head.as_bytes(), bytes].concat()
}

/// A body of `parts`, each with its headers.
pub(crate) fn form(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        body.extend(format!("--{BOUNDARY}\r\n").as_bytes());
        body.extend(part);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

pub(crate) fn upload_request(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path)
        .header(
            "content-type",
            format!("multipart/form-data; boundary={BOUNDARY}"),
        )
        .body(body.into())
        .unwrap()
}

fn summary() -> SignatureSummary {
    SignatureSummary {
        version: "2026/11/24-080000".to_owned(),
        updated: "2026/11/24-080000".to_owned(),
        engine: "YARA-X 1.22.1".to_owned(),
        rules: 42,
        iocs: 7,
        skipped: 1,
    }
}

fn start_worker(queue: Queue) -> JoinHandle<()> {
    std::thread::spawn(move || {
        while let Some(claim) = queue.claim(Lanes::All, 0) {
            let verdict = scan(&claim);
            let scan_time = Duration::from_millis(4);
            queue
                .complete(claim, Completion { verdict, scan_time })
                .unwrap();
        }
    })
}

/// Answers as the bytes say: `EVIL`, `PARTIAL`, `FAIL` or anything else.
fn scan(claim: &Claim) -> Verdict {
    let submission = stored::decode_submission(claim.submission()).unwrap();
    let mut bytes = Vec::new();
    claim.read_body(&mut bytes).unwrap();
    if contains(&bytes, b"FAIL") {
        return Verdict::Failed("the engine gave up".to_owned());
    }
    let file = facts(&submission, &bytes);
    let mut outcome = Outcome {
        sample: file.clone(),
        ..Outcome::default()
    };
    if contains(&bytes, b"EVIL") {
        outcome.findings.push(finding(file.clone()));
    }
    if contains(&bytes, b"PARTIAL") {
        outcome.incomplete.push(Incomplete {
            path: file.path,
            reason: IncompleteReason::Encrypted,
            description: "a member is encrypted".to_owned(),
        });
    }
    let scan = ScanFacts {
        scan_id: "S-0123456789a".to_owned(),
        scanned_at_us: 1_795_507_200_000_000,
        scan_time_us: 4000,
        signature_version: summary().version,
    };
    Verdict::Complete(stored::encode_result(&Report {
        id: claim.id(),
        submission,
        scan,
        outcome,
    }))
}

fn facts(submission: &Submission, bytes: &[u8]) -> FileFacts {
    FileFacts {
        path: submission.file_name.clone(),
        extension: ".exe".to_owned(),
        file_type: "EXE".to_owned(),
        size_bytes: bytes.len() as u64,
        digests: submission.digests,
        first_bytes: FirstBytes::of(bytes),
        unpack_source: Vec::new(),
        pe_info: None,
        entropy_millibits: None,
    }
}

fn finding(file: FileFacts) -> Finding {
    Finding {
        level: Level::Alert,
        score: Score::new(94),
        file,
        parent: None,
        matches: vec![Match {
            kind: SignatureKind::YaraRule,
            origin: SignatureOrigin::Internal,
            rule_name: "Evil_Test".to_owned(),
            description: "Finds what is evil".to_owned(),
            author: Some("A. Tester".to_owned()),
            references: vec!["https://example.org/evil".to_owned()],
            date: Some("2026-11-01".to_owned()),
            id: None,
            false_positives: Vec::new(),
            tags: vec!["TEST".to_owned()],
            subscore: 85,
            strings: vec![MatchedString {
                identifier: "$a".to_owned(),
                field: MatchField::Content,
                offset: 0,
                data: b"EVIL".to_vec(),
                length: 4,
                before: Vec::new(),
                after: Vec::new(),
            }],
        }],
    }
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}
