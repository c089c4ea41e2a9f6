//! Random operations, with crashes and reopenings among them, against a model.
//!
//! On every backend, which is sled with both kinds of durability, with and
//! without somebody who holds verdicts back now and then.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use proptest::prelude::*;
use squall_types::SampleId;
use tempfile::TempDir;

use crate::{
    Body, Claim, Completion, Durability, EnqueueError, Lanes, Queue, QueueConfig, RetryError,
    SampleState, Verdict, fail_point::FailPoint, keys, record::SampleRecord,
};

const PAUSE: Duration = Duration::from_millis(5);

#[derive(Clone, Debug)]
enum Operation {
    Enqueue {
        len: usize,
        source: u8,
    },
    Claim,
    Complete {
        claim: usize,
        len: usize,
    },
    Fail {
        claim: usize,
    },
    HandBack {
        claim: usize,
    },
    Abandon {
        claim: usize,
    },
    Retry {
        nth: usize,
    },
    Status {
        nth: usize,
    },
    Settle,
    /// The next commit reaches the disk and is reported as failed.
    Doubt,
    Close,
    Crash,
    /// The committer ends in the middle of its work, with a sample on its way.
    CrashAt {
        point: FailPoint,
        len: usize,
        source: u8,
    },
}

fn fail_point() -> impl Strategy<Value = FailPoint> {
    prop_oneof![
        Just(FailPoint::BytesStored),
        Just(FailPoint::ResultsStored),
        Just(FailPoint::BatchWritten),
        Just(FailPoint::Published),
        Just(FailPoint::Copied),
        Just(FailPoint::Moved),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    let claim = 0..4_usize;
    let len = prop_oneof![3 => 0..200_usize, 1 => 900..3000_usize];
    prop_oneof![
        10 => (len.clone(), 0..3_u8).prop_map(|(len, source)| Operation::Enqueue { len, source }),
        10 => Just(Operation::Claim),
        6 => (claim.clone(), len.clone()).prop_map(|(claim, len)| Operation::Complete { claim, len }),
        4 => claim.clone().prop_map(|claim| Operation::Fail { claim }),
        2 => claim.clone().prop_map(|claim| Operation::HandBack { claim }),
        1 => claim.prop_map(|claim| Operation::Abandon { claim }),
        2 => any::<usize>().prop_map(|nth| Operation::Retry { nth }),
        4 => any::<usize>().prop_map(|nth| Operation::Status { nth }),
        1 => Just(Operation::Settle),
        2 => Just(Operation::Doubt),
        1 => Just(Operation::Close),
        1 => Just(Operation::Crash),
        3 => (fail_point(), len, 0..3_u8)
            .prop_map(|(point, len, source)| Operation::CrashAt { point, len, source }),
    ]
}

impl Queue {
    /// Ends the queue the way the end of the process would: what is only in
    /// memory is lost, claims stay in their slots.
    pub(crate) fn crash(self) {
        self.shared.lock().crashed = true;
        // The error, if any, would have been lost too.
        let _ = self.close_blocking();
    }

    /// Waits until everything is on the disk but `claims` samples, which are
    /// in the hands of workers.
    pub(crate) fn settle(&self, claims: usize) {
        loop {
            let mut state = self.shared.lock();
            state.urgent = true;
            let settled = state.changes.is_empty()
                && state.recent.is_empty()
                && state.scanning.len() == claims;
            if settled {
                return;
            }
            drop(state);
            self.shared.commit.notify_one();
            std::thread::yield_now();
        }
    }
}

/// What is known of an acknowledged sample.
#[derive(Clone, Debug)]
struct Sample {
    bytes: Vec<u8>,
    attempts: u32,
    state: Expected,
}

#[derive(Clone, Debug, PartialEq)]
enum Expected {
    Waiting,
    Scanning,
    /// The verdict, and whether it was on the disk for certain.
    Done {
        verdict: Option<Vec<u8>>,
        stored: bool,
    },
}

/// What a queue is run on.
#[derive(Clone, Copy, Debug)]
struct Variant {
    durability: Durability,
    /// Every other time verdicts are held back.
    gated: bool,
}

struct Model {
    dir: TempDir,
    variant: Variant,
    /// Whoever holds verdicts back is to let them all go.
    lenient: Arc<AtomicBool>,
    queue: Option<Queue>,
    claims: Vec<Claim>,
    samples: BTreeMap<SampleId, Sample>,
    highest: u64,
}

impl Model {
    fn new(variant: Variant) -> Self {
        let mut model = Self {
            dir: tempfile::tempdir().unwrap(),
            variant,
            lenient: Arc::default(),
            queue: None,
            claims: Vec::new(),
            samples: BTreeMap::new(),
            highest: 0,
        };
        model.open();
        model
    }

    fn open(&mut self) {
        let mut config = QueueConfig::new(self.dir.path());
        config.durability = self.variant.durability;
        config.inline_len_max = 1000;
        // So short that there are several, and some to be compacted.
        config.segment_len_max = 500;
        config.limits.free_bytes_min = 0;
        let (queue, recovery) = Queue::open(config).unwrap();
        assert_eq!(recovery.damage, []);
        assert_eq!(recovery.counter_difference, 0);
        if self.variant.gated {
            let (lenient, ready) = (Arc::default(), AtomicBool::default());
            self.lenient = Arc::clone(&lenient);
            let asked = queue.before_results(move || {
                ready.fetch_xor(true, Ordering::Relaxed) || lenient.load(Ordering::Relaxed)
            });
            asked.unwrap();
        }
        self.queue = Some(queue);
    }

    fn queue(&self) -> &Queue {
        self.queue.as_ref().unwrap()
    }

    fn sample(&mut self, id: SampleId) -> &mut Sample {
        self.samples.get_mut(&id).unwrap()
    }

    fn claim_at(&mut self, at: usize) -> Option<Claim> {
        (at < self.claims.len()).then(|| self.claims.remove(at))
    }

    async fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::Enqueue { len, source } => self.enqueue(len, source).await,
            Operation::Claim => self.claim(),
            Operation::Complete { claim, len } => self.finish(claim, Some(vec![7; len])),
            Operation::Fail { claim } => self.finish(claim, None),
            Operation::HandBack { claim } => {
                if let Some(claim) = self.claim_at(claim) {
                    self.sample(claim.id()).state = Expected::Waiting;
                    self.queue().hand_back(claim);
                }
            }
            Operation::Abandon { claim } => self.abandon(claim),
            Operation::Retry { nth } => self.retry(nth),
            Operation::Status { nth } => {
                if let Some(id) = self.nth(nth) {
                    self.check(id);
                }
            }
            Operation::Settle => self.settle(),
            Operation::Doubt => self
                .queue()
                .shared
                .store
                .doubtful
                .store(true, Ordering::Relaxed),
            Operation::Close => self.close(),
            Operation::Crash => self.crash(Vec::new()),
            Operation::CrashAt { point, len, source } => self.crash_at(point, len, source).await,
        }
        self.check_counts();
    }

    async fn enqueue(&mut self, len: usize, source: u8) {
        // Refused samples are sent again until one is taken, so that a batch
        // that was not certain is always followed by one that is.
        let id = loop {
            match self.send(len, source).await {
                Ok(id) => break id,
                Err(EnqueueError::Io(_)) => tokio::time::sleep(PAUSE).await,
                Err(error) => panic!("{error:?}"),
            }
        };
        self.accepted(id, len);
    }

    async fn send(&self, len: usize, source: u8) -> Result<SampleId, EnqueueError> {
        let mut writer = self.queue().body();
        writer.write(&bytes(len)).await.unwrap();
        let body: Body = writer.finish().await.unwrap();
        let submission = len.to_string().into_bytes();
        let source = source.to_string();
        self.queue().enqueue(body, submission, &source).await
    }

    /// Notes a sample that was acknowledged, or is found to be stored.
    fn accepted(&mut self, id: SampleId, len: usize) {
        let bytes = bytes(len);
        assert!(id.value() > self.highest, "id {id} was used before");
        self.highest = id.value();
        let state = Expected::Waiting;
        let attempts = 0;
        self.samples.insert(
            id,
            Sample {
                bytes,
                attempts,
                state,
            },
        );
    }

    fn claim(&mut self) {
        let waits = self
            .samples
            .values()
            .any(|sample| sample.state == Expected::Waiting && sample.attempts == 0);
        if self.claims.len() >= 4 || !waits {
            return;
        }
        let slot = (0..4)
            .find(|&slot| !self.claims.iter().any(|claim| claim.slot() == Some(slot)))
            .unwrap();
        let claim = self.queue().claim(Lanes::All, slot).unwrap();
        let sample = self.sample(claim.id());
        assert_eq!(sample.state, Expected::Waiting);
        assert_eq!(claim.attempts(), sample.attempts);
        assert_eq!(
            claim.submission(),
            sample.bytes.len().to_string().as_bytes()
        );
        sample.state = Expected::Scanning;
        let mut body = Vec::new();
        claim.read_body(&mut body).unwrap();
        assert!(body == sample.bytes);
        self.claims.push(claim);
    }

    fn finish(&mut self, at: usize, verdict: Option<Vec<u8>>) {
        let Some(claim) = self.claim_at(at) else {
            return;
        };
        let id = claim.id();
        let completion = Completion {
            verdict: match &verdict {
                Some(result) => Verdict::Complete(result.clone()),
                None => Verdict::Failed("broken".to_owned()),
            },
            scan_time: Duration::from_micros(5),
        };
        self.queue().complete(claim, completion).unwrap();
        self.sample(id).state = Expected::Done {
            verdict,
            stored: false,
        };
        self.check(id);
    }

    fn abandon(&mut self, at: usize) {
        let Some(claim) = self.claim_at(at) else {
            return;
        };
        let id = claim.id();
        drop(claim);
        self.settle();
        self.attempted(id);
        self.check(id);
    }

    /// Notes a scan without a verdict.
    fn attempted(&mut self, id: SampleId) {
        let sample = self.sample(id);
        sample.attempts += 1;
        sample.state = if sample.attempts < 2 {
            Expected::Waiting
        } else {
            Expected::Done {
                verdict: None,
                stored: true,
            }
        };
    }

    fn retry(&mut self, nth: usize) {
        let failed = self.queue().failed();
        if failed.is_empty() {
            return;
        }
        let id = failed[nth % failed.len()];
        loop {
            match self.queue().retry(id) {
                Ok(()) => break,
                Err(RetryError::Storage { .. }) => std::thread::sleep(PAUSE),
                Err(error) => panic!("{error:?}"),
            }
        }
        let sample = self.sample(id);
        assert!(matches!(sample.state, Expected::Done { verdict: None, .. }));
        sample.state = Expected::Waiting;
        sample.attempts = 0;
    }

    /// Waits until all verdicts are on the disk.
    fn settle(&mut self) {
        self.queue().settle(self.claims.len());
        for sample in self.samples.values_mut() {
            if let Expected::Done { stored, .. } = &mut sample.state {
                *stored = true;
            }
        }
    }

    fn close(&mut self) {
        for claim in std::mem::take(&mut self.claims) {
            self.sample(claim.id()).state = Expected::Waiting;
            self.queue().hand_back(claim);
        }
        self.lenient.store(true, Ordering::Relaxed);
        self.queue.take().unwrap().close_blocking().unwrap();
        self.open();
        for id in self.samples.keys() {
            self.check(*id);
        }
    }

    /// Ends the committer at `point`, or after a while if it does not get
    /// there, with one or two samples on their way.
    async fn crash_at(&mut self, point: FailPoint, len: usize, source: u8) {
        self.queue().shared.lock().fail_point = Some(point);
        let mut unsure = Vec::new();
        for pause in [PAUSE, 5 * PAUSE] {
            match self.send(len, source).await {
                Ok(id) => self.accepted(id, len),
                // Nothing was promised, and it may be stored all the same.
                Err(EnqueueError::Io(_) | EnqueueError::Closed) => unsure.push(len),
                Err(error) => panic!("{error:?}"),
            }
            // Verdicts are committed after a while, and segments compacted.
            tokio::time::sleep(pause).await;
        }
        self.crash(unsure);
    }

    /// `unsure` are the lengths of samples that were sent and not acknowledged.
    fn crash(&mut self, mut unsure: Vec<usize>) {
        let claimed: Vec<SampleId> = self.claims.iter().map(Claim::id).collect();
        self.queue.take().unwrap().crash();
        self.claims.clear();
        self.open();
        for (id, len) in self.stored() {
            if !self.samples.contains_key(&id) {
                let sent = unsure.iter().position(|&sent| sent == len);
                unsure.remove(sent.expect("a sample that nobody sent"));
                self.accepted(id, len);
            }
        }
        for id in claimed {
            self.attempted(id);
        }
        // A verdict that was not on the disk may be lost: the scan is repeated.
        for id in self.samples.keys().copied().collect::<Vec<_>>() {
            let found = self.queue().status(id).unwrap();
            let sample = self.sample(id);
            let unsure = matches!(sample.state, Expected::Done { stored: false, .. });
            if unsure && found == Some(SampleState::Waiting) {
                sample.state = Expected::Waiting;
            }
            self.check(id);
        }
        let files = crate::fs::list(&self.queue().shared.layout.files).unwrap();
        assert_eq!(files.len(), self.large_samples());
    }

    /// The samples whose records are stored, and their lengths.
    fn stored(&self) -> Vec<(SampleId, usize)> {
        let mut stored = Vec::new();
        let store = &self.queue().shared.store;
        let scanned = store.scan(keys::SAMPLES, |key, value| {
            let record = SampleRecord::decode(value).unwrap();
            let len = record.extent.body_len as usize;
            stored.extend(keys::parse_id(key).map(|id| (id, len)));
        });
        scanned.unwrap();
        stored
    }

    fn large_samples(&self) -> usize {
        self.samples
            .values()
            .filter(|sample| {
                sample.bytes.len() > 1000
                    && !matches!(
                        sample.state,
                        Expected::Done {
                            verdict: Some(_),
                            ..
                        }
                    )
            })
            .count()
    }

    fn nth(&self, nth: usize) -> Option<SampleId> {
        let len = self.samples.len();
        (len > 0).then(|| *self.samples.keys().nth(nth % len).unwrap())
    }

    fn check(&self, id: SampleId) {
        let found = self.queue().status(id).unwrap();
        match (&self.samples[&id].state, found) {
            (Expected::Waiting, Some(SampleState::Waiting))
            | (Expected::Scanning, Some(SampleState::Scanning))
            | (Expected::Done { verdict: None, .. }, Some(SampleState::Failed(_))) => {}
            (
                Expected::Done {
                    verdict: Some(expected),
                    ..
                },
                Some(SampleState::Complete(found)),
            ) => assert!(*expected == found),
            (expected, found) => panic!("sample {id} is {found:?}, expected {expected:?}"),
        }
    }

    fn check_counts(&self) {
        let stats = self.queue().stats();
        let count = |wanted: fn(&Expected) -> bool| {
            let states = self.samples.values().filter(|sample| wanted(&sample.state));
            states.count() as u64
        };
        assert_eq!(stats.accepted, self.samples.len() as u64);
        assert_eq!(stats.waiting, count(|state| *state == Expected::Waiting));
        assert_eq!(stats.scanning, count(|state| *state == Expected::Scanning));
        let failed = count(|state| matches!(state, Expected::Done { verdict: None, .. }));
        assert_eq!(stats.failed, failed);
        let done = count(|state| matches!(state, Expected::Done { .. }));
        assert_eq!(stats.scanned, done - failed);
    }
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 7 + len) as u8).collect()
}

/// Few cases by default: `PROPTEST_CASES` asks for more.
fn cases() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 16;
    }
    config
}

/// Does `operations` to a queue and to the model of it.
fn run(variant: Variant, operations: Vec<Operation>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut model = Model::new(variant);
        for operation in operations {
            model.apply(operation).await;
        }
        model.close();
    });
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    proptest::collection::vec(operation(), 1..160)
}

// One test for each variant: much of the time of each is waiting.
proptest! {
    #![proptest_config(cases())]

    #[test]
    fn an_fsync_queue_keeps_what_it_acknowledged(operations in operations()) {
        run(Variant { durability: Durability::Fsync, gated: false }, operations);
    }

    #[test]
    fn a_gated_fsync_queue_keeps_what_it_acknowledged(operations in operations()) {
        run(Variant { durability: Durability::Fsync, gated: true }, operations);
    }

    #[test]
    fn a_buffered_queue_keeps_what_it_acknowledged(operations in operations()) {
        run(Variant { durability: Durability::Buffered, gated: false }, operations);
    }

    #[test]
    fn a_gated_buffered_queue_keeps_what_it_acknowledged(operations in operations()) {
        run(Variant { durability: Durability::Buffered, gated: true }, operations);
    }
}
