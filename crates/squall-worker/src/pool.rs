//! The threads that scan.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use squall_engine::{ScanLimits, Scanner};
use squall_queue::{Claim, Claimed, Completion, Lanes, Probe, Queue, Verdict};
use squall_trace::Tracer;
use squall_types::{OutcomeCounts, ThreadHealth};

use crate::housekeeping::Housekeeping;
use crate::in_flight::{InFlight, Key};
use crate::keep::Keeper;
use crate::overdue::{Current, Scans};
use crate::patience::Patience;
use crate::recent::Recent;
use crate::scan_job::{self, Bench, Context, End, First, Unknown};
use crate::signatures::{Held, Signatures};
use crate::sink::Sinks;
use crate::trace;
use crate::verdicts::{Saving, Verdicts};

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

/// What the workers work with.
#[derive(Clone)]
pub struct WorkerParts {
    /// Where samples come from and results go.
    pub queue: Queue,
    /// What samples are scanned with.
    pub signatures: Arc<Signatures>,
    /// Where findings are written.
    pub sinks: Arc<Sinks>,
    /// Where samples are kept; `None` to keep none.
    pub keeper: Option<Arc<Keeper>>,
    /// Where it is counted what scans came to.
    pub outcomes: Arc<OutcomeCounts>,
    /// Verdicts of earlier scans; `None` to scan everything.
    pub verdicts: Option<Arc<Verdicts>>,
    /// Where some samples are copied to after their scan; `None` to copy none.
    pub recent: Option<Arc<Recent>>,
    /// What takes spans of samples' traces; `None` for no traces.
    pub tracer: Option<Tracer>,
}

/// The running scan threads.
pub struct Workers {
    threads: Vec<JoinHandle<()>>,
    scans: Scans,
    health: Arc<ThreadHealth>,
    _housekeeping: Housekeeping,
    _saving: Option<Saving>,
    verdicts: Option<Arc<Verdicts>>,
    signatures: Arc<Signatures>,
    queue: Queue,
}

/// A buffer larger than this is given back after a large sample, so that one
/// of 200 MB does not cost every worker that much for good. What larger ones
/// take to scan is a hundred times what a new buffer takes.
const BUFFER_KEPT_MAX_BYTES: usize = 2 * 1024 * 1024;

/// How long a worker waits after a sample that lacked something.
const PAUSE_BEFORE_RETRY: Duration = Duration::from_secs(1);

impl Workers {
    /// Starts the threads. They wait for the first signature set. From now on
    /// results reach the disk after what the sinks took is as durable as they
    /// promise.
    ///
    /// # Errors
    ///
    /// Fails if a thread cannot be started.
    pub fn start(config: &WorkerConfig, parts: &WorkerParts) -> io::Result<Self> {
        let sinks = Arc::clone(&parts.sinks);
        parts.queue.before_results(move || sinks.sync())?;
        let scans = Scans::new(config.threads, config.sync_only_threads, &config.limits);
        let health = Arc::default();
        let keeper = parts.keeper.as_ref();
        let housekeeping = Housekeeping::start(&parts.sinks, keeper, &scans, &health)?;
        let in_flight = Arc::new(InFlight::new(config.limits.time_max));
        let verdicts = parts.verdicts.clone();
        let start = |verdicts| Saving::start(verdicts, &in_flight, &parts.queue);
        let saving = verdicts.as_ref().map(start).transpose()?;
        let patience = Arc::new(Patience::default());
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
                parts: parts.clone(),
                patience: Arc::clone(&patience),
                current: scans.of(slot),
                in_flight: Arc::clone(&in_flight),
            };
            threads.push(
                Builder::new()
                    .name(format!("scan-{slot}"))
                    .spawn(move || worker.run_on())?,
            );
        }
        Ok(Self {
            threads,
            scans,
            health,
            _housekeeping: housekeeping,
            _saving: saving,
            verdicts,
            signatures: Arc::clone(&parts.signatures),
            queue: parts.queue.clone(),
        })
    }

    /// Returns how the threads fare.
    #[must_use]
    pub fn health(&self) -> &Arc<ThreadHealth> {
        &self.health
    }

    /// Stops claiming and waits until what is being scanned is done, for
    /// `limit` at most. Returns the number of threads that still scan; their
    /// samples are scanned again at the next start, unless it is the second time
    /// that their scan did not end long after its own limit.
    pub fn stop(self, limit: Duration) -> usize {
        self.queue.stop_claims();
        self.signatures.close();
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline && self.threads.iter().any(|t| !t.is_finished()) {
            std::thread::sleep(Duration::from_millis(10));
        }
        for id in self.scans.overdue() {
            if let Err(error) = self.queue.blame(id) {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(sample_id = %id, error, "cannot count a scan that does not end");
            }
        }
        if let Some(verdicts) = &self.verdicts {
            verdicts.save();
        }
        self.threads.iter().filter(|t| !t.is_finished()).count()
    }
}

struct Worker {
    slot: usize,
    lanes: Lanes,
    config: WorkerConfig,
    parts: WorkerParts,
    patience: Arc<Patience>,
    current: Arc<Current>,
    in_flight: Arc<InFlight>,
}

impl Worker {
    fn run(&self) {
        let mut buffer = Vec::new();
        let mut pending = None;
        while let Some(held) = self.parts.signatures.wait() {
            match self.run_with(&held, pending.take(), &mut buffer) {
                Next::Renew(claim) => pending = claim,
                Next::Stop => return,
            }
        }
        // No set comes any more. Dropped, it would count as a scan that failed.
        if let Some(claim) = pending {
            self.parts.queue.hand_back(claim);
        }
    }

    /// Scans until claims are stopped, whatever breaks: a thread less would
    /// stay unnoticed.
    fn run_on(&self) {
        while catch_unwind(AssertUnwindSafe(|| self.run())).is_err() {
            tracing::error!(slot = self.slot, "a scan thread broke and begins anew");
            std::thread::sleep(PAUSE_BEFORE_RETRY);
        }
    }

    /// Scans with one scanner until the set was replaced, the scanner is
    /// spoiled, or claims are stopped.
    fn run_with(&self, held: &Held, mut pending: Option<Claim>, buffer: &mut Vec<u8>) -> Next {
        let mut scanner = Scanner::new(&held.set, self.config.limits.clone());
        let context = Context {
            sinks: &self.parts.sinks,
            keeper: self.parts.keeper.as_deref(),
            scan_id: &self.config.scan_id,
            signature_version: &held.set.summary().version,
            outcomes: &self.parts.outcomes,
            known: self
                .parts
                .verdicts
                .as_ref()
                .and_then(|verdicts| verdicts.of(held, &self.config.limits)),
            in_flight: &self.in_flight,
            recent: self.parts.recent.as_deref(),
            tracer: self.parts.tracer.as_ref(),
        };
        loop {
            let claim = match pending.take() {
                Some(claim) => claim,
                None => match self.next_claim(held) {
                    Claimed::Sample(claim) => claim,
                    Claimed::Probe(probe) => {
                        if answer(probe, &mut scanner) {
                            continue;
                        }
                        return Next::Renew(None);
                    }
                    Claimed::Left => return Next::Renew(None),
                    Claimed::Stopped => return Next::Stop,
                },
            };
            if !self.parts.signatures.is_current(held) {
                return Next::Renew(Some(claim));
            }
            if self.process(claim, &mut scanner, buffer, &context) {
                return Next::Renew(None);
            }
        }
    }

    /// Waits for a sample. A worker without one must not hold on to a set that
    /// was replaced: it would stay in memory until the next sample comes.
    fn next_claim(&self, held: &Held) -> Claimed {
        self.parts.queue.claim_unless(self.lanes, self.slot, || {
            !self.parts.signatures.is_current(held)
        })
    }

    /// Scans one sample, and settles those that waited for its verdict. Returns
    /// whether the scanner is spoiled.
    fn process<'a>(
        &'a self,
        mut claim: Claim,
        scanner: &'a mut Scanner<'_>,
        buffer: &'a mut Vec<u8>,
        context: &Context<'_>,
    ) -> bool {
        let mut bench = Bench {
            scanner,
            buffer,
            unknown: Unknown::MayWait,
            first: None,
            scanning: None,
        };
        let spoiled = loop {
            let (end, spoiled) = self.judge(claim, &mut bench, context);
            match end {
                None => break spoiled,
                Some((back, key)) => match self.in_flight.wait(key, back) {
                    None => break spoiled,
                    Some(back) => {
                        claim = back;
                        bench.unknown = Unknown::Scan;
                    }
                },
            }
        };
        if let Some(First { key, holds }) = bench.first.take() {
            bench.unknown = Unknown::Leave;
            for waiting in self.in_flight.end(key, holds && !spoiled) {
                self.settle(waiting, &mut bench, context);
            }
        }
        drop(bench);
        buffer.clear();
        if buffer.capacity() > BUFFER_KEPT_MAX_BYTES {
            buffer.shrink_to(BUFFER_KEPT_MAX_BYTES);
        }
        spoiled
    }

    /// Gives a sample that waited the verdict that is known by now, or hands it
    /// back: a scan is for any worker to make.
    fn settle<'a>(&'a self, waiting: Claim, bench: &mut Bench<'a, '_>, context: &Context<'_>) {
        // Without the pause that a log which refuses makes for each sample.
        if context.sinks.refuse() {
            return self.parts.queue.hand_back(waiting);
        }
        if let (Some((back, _)), _) = self.judge(waiting, bench, context) {
            self.parts.queue.hand_back(back);
        }
    }

    /// Gives one sample a verdict, or hands it back. Returns it if its verdict
    /// depends on another scan, with the key of that, and whether the scanner
    /// is spoiled.
    fn judge<'a>(
        &'a self,
        claim: Claim,
        bench: &mut Bench<'a, '_>,
        context: &Context<'_>,
    ) -> (Option<(Claim, Key)>, bool) {
        // Nobody waits for the answer any more.
        if claim.cancelled() {
            self.parts.queue.hand_back(claim);
            return (None, false);
        }
        let id = claim.id();
        let started = Instant::now();
        bench.scanning = Some(self.current.begin(id));
        let done = scan_job::guarded(&claim, context, || scan_job::run(&claim, bench, context));
        bench.scanning = None;
        let spoiled = done.scanner_spoiled;
        let verdict = match done.end {
            End::Unknown(key) => return (Some((claim, key)), spoiled),
            End::Verdict(verdict) => Some(verdict),
            End::Unlogged => None,
            End::Later(reason) if claim.is_immediate() => {
                tracing::warn!(sample_id = %id, reason, "a check cannot be scanned now");
                None
            }
            End::Later(reason) => self.unless_later(&claim, reason, context),
        };
        match verdict {
            Some(verdict) => self.complete(
                claim,
                Completion {
                    verdict,
                    scan_time: started.elapsed(),
                },
            ),
            // Its sender is told to come back: nothing was promised to it.
            None if claim.is_immediate() => drop(claim),
            None => {
                self.parts.queue.hand_back(claim);
                // It is the next of its source again.
                std::thread::sleep(PAUSE_BEFORE_RETRY);
            }
        }
        (None, spoiled)
    }

    /// Returns the verdict on a sample that lacked something too often, `None`
    /// if it may be tried again.
    fn unless_later(
        &self,
        claim: &Claim,
        reason: String,
        context: &Context<'_>,
    ) -> Option<Verdict> {
        let id = claim.id();
        if self.patience.may_try_again(id) {
            tracing::warn!(sample_id = %id, reason, "the sample is tried again later");
            None
        } else {
            tracing::error!(sample_id = %id, reason, "sample failed");
            trace::failed(context.tracer, claim, &reason, context.signature_version);
            Some(Verdict::Failed(reason))
        }
    }

    fn complete(&self, claim: Claim, completion: Completion) {
        let id = claim.id();
        self.patience.forget(id);
        if let Err(error) = self.parts.queue.complete(claim, completion) {
            tracing::error!(
                sample_id = %id,
                error = &error as &dyn std::error::Error,
                "a result could not be stored"
            );
        }
    }
}

/// Answers whether this thread and its scanner find what they must find.
/// Returns whether they do.
fn answer(probe: Probe, scanner: &mut Scanner<'_>) -> bool {
    // A panic is an answer too.
    let result = catch_unwind(AssertUnwindSafe(|| scanner.self_test()));
    let result = match result {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("the self-test panicked".to_owned()),
    };
    let passed = result.is_ok();
    probe.answer(result);
    passed
}

/// Why a worker stopped using a scanner.
enum Next {
    /// It needs a new one, first of all for this claim.
    Renew(Option<Claim>),
    /// No more claims.
    Stop,
}
