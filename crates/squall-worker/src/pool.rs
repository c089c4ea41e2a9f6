//! The threads that scan.

use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use squall_engine::{ScanLimits, Scanner, SignatureSet};
use squall_queue::{Claim, Completion, Lanes, Queue};

use crate::scan_job::{self, Context};
use crate::signatures::Signatures;
use crate::sink::Sinks;

/// How the workers work.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Number of scan threads, at least 1.
    pub threads: usize,
    /// How many of them take synchronous checks only; less than `threads`.
    pub sync_only_threads: usize,
    /// What one scan may cost.
    pub limits: ScanLimits,
    /// The id of this run of the service, shown where a sample has none of a
    /// collector's run.
    pub scan_id: String,
}

/// The running scan threads.
pub struct Workers {
    threads: Vec<JoinHandle<()>>,
    signatures: Arc<Signatures>,
    queue: Queue,
}

/// A buffer larger than this is given back after a large sample, so that one
/// of 200 MB does not cost every worker that much for good.
const BUFFER_KEPT_MAX_BYTES: usize = 16 * 1024 * 1024;

impl Workers {
    /// Starts the threads. They wait for the first signature set.
    ///
    /// # Errors
    ///
    /// Fails if a thread cannot be started.
    pub fn start(
        config: &WorkerConfig,
        queue: &Queue,
        signatures: &Arc<Signatures>,
        sinks: &Arc<Sinks>,
    ) -> io::Result<Self> {
        let mut threads = Vec::with_capacity(config.threads);
        for slot in 0..config.threads {
            let worker = Worker {
                slot,
                lanes: if slot < config.sync_only_threads {
                    Lanes::ImmediateOnly
                } else {
                    Lanes::All
                },
                config: config.clone(),
                queue: queue.clone(),
                signatures: Arc::clone(signatures),
                sinks: Arc::clone(sinks),
            };
            threads.push(
                Builder::new()
                    .name(format!("scan-{slot}"))
                    .spawn(move || worker.run())?,
            );
        }
        Ok(Self {
            threads,
            signatures: Arc::clone(signatures),
            queue: queue.clone(),
        })
    }

    /// Stops claiming and waits until what is being scanned is done, for
    /// `limit` at most. Returns the number of threads that still scan; their
    /// samples are scanned again at the next start.
    pub fn stop(self, limit: Duration) -> usize {
        self.queue.stop_claims();
        self.signatures.close();
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline && self.threads.iter().any(|t| !t.is_finished()) {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.threads.iter().filter(|t| !t.is_finished()).count()
    }
}

struct Worker {
    slot: usize,
    lanes: Lanes,
    config: WorkerConfig,
    queue: Queue,
    signatures: Arc<Signatures>,
    sinks: Arc<Sinks>,
}

impl Worker {
    fn run(&self) {
        let mut buffer = Vec::new();
        let mut pending = None;
        while let Some(set) = self.signatures.wait() {
            match self.run_with(&set, pending.take(), &mut buffer) {
                Next::Renew(claim) => pending = claim,
                Next::Stop => return,
            }
        }
    }

    /// Scans with one scanner until the set was replaced, the scanner is
    /// spoiled, or claims are stopped.
    fn run_with(
        &self,
        set: &Arc<SignatureSet>,
        mut pending: Option<Claim>,
        buffer: &mut Vec<u8>,
    ) -> Next {
        let mut scanner = Scanner::new(set, self.config.limits.clone());
        let context = Context {
            sinks: &self.sinks,
            scan_id: &self.config.scan_id,
            signature_version: &set.summary().version,
        };
        loop {
            let claim = pending
                .take()
                .or_else(|| self.queue.claim(self.lanes, self.slot));
            let Some(claim) = claim else {
                return Next::Stop;
            };
            if !self.signatures.is_current(set) {
                return Next::Renew(Some(claim));
            }
            if self.process(claim, &mut scanner, buffer, &context) {
                return Next::Renew(None);
            }
        }
    }

    /// Scans one sample; returns whether the scanner is spoiled.
    fn process(
        &self,
        claim: Claim,
        scanner: &mut Scanner<'_>,
        buffer: &mut Vec<u8>,
        context: &Context<'_>,
    ) -> bool {
        // Nobody waits for the answer any more.
        if claim.cancelled() {
            self.queue.hand_back(claim);
            return false;
        }
        let id = claim.id();
        let started = Instant::now();
        let done = scan_job::guarded(id, || scan_job::run(&claim, scanner, buffer, context));
        let completion = Completion {
            verdict: done.verdict,
            scan_time: started.elapsed(),
        };
        if let Err(error) = self.queue.complete(claim, completion) {
            tracing::error!(
                sample_id = %id,
                error = &error as &dyn std::error::Error,
                "a result could not be stored"
            );
        }
        buffer.clear();
        if buffer.capacity() > BUFFER_KEPT_MAX_BYTES {
            buffer.shrink_to(BUFFER_KEPT_MAX_BYTES);
        }
        done.scanner_spoiled
    }
}

/// Why a worker stopped using a scanner.
enum Next {
    /// It needs a new one, first of all for this claim.
    Renew(Option<Claim>),
    /// No more claims.
    Stop,
}
