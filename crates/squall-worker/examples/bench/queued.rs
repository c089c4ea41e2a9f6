//! Samples in the durable queue, and the workers of the service that scan them.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use squall_engine::{ScanLimits, SignatureSet};
use squall_findings::{Findings, FindingsConfig};
use squall_queue::{Body, Limits, Queue, QueueConfig, SampleState};
use squall_report::stored::{self, StoredResult};
use squall_types::{Digests, Origin, OutcomeCounts, SampleId, Submission};
use squall_worker::{
    LogDurability, LogSink, Rotation, Signatures, Sinks, TextOptions, VerdictConfig, Verdicts,
    WorkerConfig, WorkerParts, Workers,
};

use crate::Failure;
use crate::bare::File;

/// How many samples are handed to the queue at a time, as by so many connections;
/// they share a flush. What thousands at a time leave behind in the database's
/// memory is nothing that a service has.
const AT_A_TIME: usize = 64;
/// How often it is looked whether the queue is empty. Whoever looks takes a
/// processor from the workers for a moment.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);
/// Longest time a queue may take.
const PATIENCE: Duration = Duration::from_secs(1800);

/// What samples are scanned with.
pub(crate) struct Plan {
    pub(crate) set: Arc<SignatureSet>,
    pub(crate) limits: ScanLimits,
    pub(crate) threads: usize,
}

/// Workers that have no signatures yet, and so do nothing.
pub(crate) struct Service {
    pub(crate) queue: Queue,
    signatures: Arc<Signatures>,
    workers: Workers,
}

impl Service {
    /// Opens a queue in `dir`, with logs and findings store as a service with
    /// the default settings has them.
    pub(crate) fn open(plan: &Plan, dir: &Path) -> Result<Self, Failure> {
        let mut config = QueueConfig::new(dir.join("queue"));
        config.limits = Limits {
            samples_max: u64::MAX,
            bytes_max: u64::MAX,
            ..Limits::default()
        };
        config.results_max = u64::MAX;
        let (queue, _) = Queue::open(config)?;
        let mut sinks = Sinks::new(TextOptions::default());
        let log = |name: &str| {
            let backlog = dir.join(name).with_extension("backlog");
            LogSink::open(
                dir.join(name),
                &backlog,
                LogDurability::Fsync,
                Rotation::default(),
            )
        };
        sinks.text = Some(log("text.log")?);
        sinks.json = Some(log("json.log")?);
        sinks.findings = Some(Findings::open(FindingsConfig::new(dir.join("findings.db")))?.0);
        let signatures = Arc::<Signatures>::default();
        let parts = WorkerParts {
            queue: queue.clone(),
            signatures: Arc::clone(&signatures),
            sinks: Arc::new(sinks),
            keeper: None,
            outcomes: Arc::<OutcomeCounts>::default(),
            verdicts: Some(Arc::new(Verdicts::new(VerdictConfig {
                bytes_max: 64 << 20,
                path: Some(dir.join("verdicts")),
                program: "bench".to_owned(),
            }))),
            recent: Some(Arc::default()),
            tracer: None,
        };
        let config = WorkerConfig {
            threads: plan.threads,
            sync_only_threads: 0,
            limits: plan.limits.clone(),
            scan_id: "S-bench".to_owned(),
        };
        Ok(Self {
            workers: Workers::start(&config, &parts)?,
            queue,
            signatures,
        })
    }

    /// Lets the workers begin; returns how long `count` samples took.
    pub(crate) fn drain(&self, plan: &Plan, count: u64) -> Result<Duration, Failure> {
        let begun = Instant::now();
        self.signatures.install(Arc::clone(&plan.set));
        loop {
            let stats = self.queue.stats();
            assert_eq!(stats.failed, 0, "a sample could not be scanned");
            if stats.scanned >= count {
                return Ok(begun.elapsed());
            }
            if begun.elapsed() > PATIENCE {
                return Err("the queue does not drain".into());
            }
            std::thread::sleep(LOOK_INTERVAL);
        }
    }

    /// Ends the workers and closes the queue.
    pub(crate) fn close(self) -> Result<(), Failure> {
        self.workers.stop(PATIENCE);
        self.queue.close_blocking()?;
        Ok(())
    }
}

/// Queues the files in a new directory and drains them; returns the time of the
/// latter and the number of samples that were not clean.
pub(crate) fn drain(plan: &Plan, files: &[File]) -> Result<(Duration, u64), Failure> {
    let dir = tempfile::tempdir()?;
    let service = Service::open(plan, dir.path())?;
    let ids = enqueue(&service.queue, files.len(), |number| {
        let file = &files[number];
        (
            file.content.clone(),
            submission(&file.name, file.content.len(), file.digests),
        )
    })?;
    let elapsed = service.drain(plan, files.len() as u64)?;
    let mut found = 0;
    for id in ids {
        found += u64::from(!is_clean(&service.queue, id)?);
    }
    service.close()?;
    Ok((elapsed, found))
}

/// Queues samples 0 to `count`, which `make` makes, and returns their ids.
pub(crate) fn enqueue(
    queue: &Queue,
    count: usize,
    make: impl Fn(usize) -> (Vec<u8>, Submission),
) -> Result<Vec<SampleId>, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut ids = Vec::with_capacity(count);
        for from in (0..count).step_by(AT_A_TIME) {
            let tasks: Vec<_> = (from..count.min(from + AT_A_TIME))
                .map(|number| {
                    let (content, submission) = make(number);
                    let queue = queue.clone();
                    tokio::spawn(async move {
                        let record = stored::encode_submission(&submission);
                        let source = &submission.origin.source;
                        queue
                            .enqueue(Body::from_bytes(content), record, source)
                            .await
                    })
                })
                .collect();
            for task in tasks {
                ids.push(task.await??);
            }
        }
        Ok(ids)
    })
}

/// What a sender's request says about a file.
pub(crate) fn submission(name: &str, len: usize, digests: Digests) -> Submission {
    let mut nonce = [0; 12];
    nonce.copy_from_slice(&digests.sha256[..12]);
    Submission {
        origin: Origin {
            source: "bench".to_owned(),
            remote_addr: "192.0.2.1".to_owned(),
            collector_run: None,
        },
        file_name: name.to_owned(),
        size_bytes: len as u64,
        digests,
        received_at_us: jiff::Timestamp::now().as_microsecond(),
        synchronous: false,
        nonce,
    }
}

fn is_clean(queue: &Queue, id: SampleId) -> Result<bool, Failure> {
    match queue.status(id)? {
        Some(SampleState::Complete(result)) => {
            Ok(stored::decode_result(&result)? == StoredResult::Clean)
        }
        other => Err(format!("sample {id} is {other:?}").into()),
    }
}
