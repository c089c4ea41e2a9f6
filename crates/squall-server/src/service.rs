//! What all handlers share.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use squall_cache::Cache;
use squall_findings::Findings;
use squall_queue::{EnqueueError, History, Queue};
use squall_types::SignatureSummary;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::access::Access;
use crate::bound::{Bound, BoundLog};
use crate::collection::{CollectionRun, Runs};
use crate::config::ServiceConfig;
use crate::failure::{Failure, whole_seconds};
use crate::health::Health;
use crate::library::SignatureLibrary;
use crate::metrics::Metrics;
use crate::outputs::{OutputState, OutputStates};
use crate::quota::{Exhausted, Quota};
use crate::samples::KeptSamples;
use crate::signatures::SignatureControl;
use crate::source::Sources;
use crate::throttle::Throttle;
use crate::upload::{KnownDigests, Places};
use squall_trace::Tracer;

/// When to come back while the signatures are being loaded.
const LOADING_RETRY_AFTER: Duration = Duration::from_secs(3);
/// When to come back while the disk takes nothing and nothing drains.
const DISK_RETRY_AFTER: Duration = Duration::from_secs(30);
/// Most histories that are made at the same time: one of a year is megabytes.
const HISTORIES_MAX: usize = 2;
/// Most searches in the findings store at the same time: scanning needs the
/// processor too.
const SEARCHES_MAX: usize = 4;
/// Most exports at the same time.
const EXPORTS_MAX: usize = 2;
/// Most consoles that are told the state every second; others ask.
const LISTENERS_MAX: usize = 32;
/// Faults of the disk are logged at most this often.
const STORAGE_LOG_INTERVAL: Duration = Duration::from_secs(1);

/// The service behind the router; cheap to clone.
#[derive(Clone)]
pub struct Service(Arc<Inner>);

struct Inner {
    config: ServiceConfig,
    access: Access,
    queue: Queue,
    signatures: Arc<ArcSwapOption<SignatureSummary>>,
    signature_control: OnceLock<Arc<dyn SignatureControl>>,
    library: OnceLock<Arc<dyn SignatureLibrary>>,
    kept_samples: OnceLock<Arc<dyn KeptSamples>>,
    outputs: OnceLock<Arc<dyn OutputStates>>,
    tracer: OnceLock<Tracer>,
    writing: Arc<tokio::sync::Mutex<()>>,
    sources: Sources,
    runs: Runs,
    places: Arc<Places>,
    known_digests: KnownDigests,
    histories: Semaphore,
    findings: OnceLock<Findings>,
    verdicts: OnceLock<Arc<Cache>>,
    searches: Arc<Semaphore>,
    exports: Arc<Semaphore>,
    listeners: Arc<Semaphore>,
    stopping: CancellationToken,
    zone: TimeZone,
    started: Instant,
    started_at: Timestamp,
    quota: Arc<Quota>,
    metrics: Metrics,
    health: Health,
    denied: AtomicU64,
    bound_log: BoundLog,
    storage_log: Throttle,
}

impl Service {
    /// Makes the service. Synchronous checks are refused with a 503 until
    /// `signatures` holds a summary; what is to be queued is taken.
    #[must_use]
    pub fn new(
        config: ServiceConfig,
        queue: Queue,
        signatures: Arc<ArcSwapOption<SignatureSummary>>,
    ) -> Self {
        let zone = if config.utc {
            TimeZone::UTC
        } else {
            TimeZone::system()
        };
        Self(Arc::new(Inner {
            sources: Sources::new(&config.reverse_lookup, config.resolve_timeout),
            runs: Runs::default(),
            places: Places::new(&config.limits),
            known_digests: KnownDigests::default(),
            histories: Semaphore::new(HISTORIES_MAX),
            findings: OnceLock::new(),
            verdicts: OnceLock::new(),
            searches: Arc::new(Semaphore::new(SEARCHES_MAX)),
            exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
            listeners: Arc::new(Semaphore::new(LISTENERS_MAX)),
            stopping: CancellationToken::new(),
            zone,
            started: Instant::now(),
            started_at: Timestamp::now(),
            quota: Quota::new(config.quota),
            metrics: Metrics::new(),
            health: Health::default(),
            denied: AtomicU64::new(denied_before(&queue)),
            bound_log: BoundLog::default(),
            storage_log: Throttle::new(STORAGE_LOG_INTERVAL),
            access: Access::new(config.access.clone()),
            config,
            queue,
            signatures,
            signature_control: OnceLock::new(),
            library: OnceLock::new(),
            kept_samples: OnceLock::new(),
            outputs: OnceLock::new(),
            tracer: OnceLock::new(),
            writing: Arc::default(),
        }))
    }

    /// Lets clients see and change the signatures through `control`. Without
    /// it, or the second time, nothing changes.
    pub fn set_signature_control(&self, control: Arc<dyn SignatureControl>) {
        let _ = self.0.signature_control.set(control);
    }

    pub(crate) fn signature_control(&self) -> Option<Arc<dyn SignatureControl>> {
        self.0.signature_control.get().cloned()
    }

    /// Lets clients see the text of signatures and write files of their own.
    /// Without it, or the second time, nothing changes.
    pub fn set_signature_library(&self, library: Arc<dyn SignatureLibrary>) {
        let _ = self.0.library.set(library);
    }

    pub(crate) fn library(&self) -> Option<Arc<dyn SignatureLibrary>> {
        self.0.library.get().cloned()
    }

    /// Lets clients have samples that were kept. Without it, or the second
    /// time, nothing changes.
    pub fn set_kept_samples(&self, samples: Arc<dyn KeptSamples>) {
        let _ = self.0.kept_samples.set(samples);
    }

    /// Lets the service add to traces of samples. Called before it serves; a
    /// second call changes nothing.
    pub fn set_tracer(&self, tracer: Tracer) {
        let _ = self.0.tracer.set(tracer);
    }

    pub(crate) fn tracer(&self) -> Option<&Tracer> {
        self.0.tracer.get()
    }

    pub(crate) fn kept_samples(&self) -> Option<Arc<dyn KeptSamples>> {
        self.0.kept_samples.get().cloned()
    }

    /// Lets monitoring see how receivers of findings fare. Without it, or the
    /// second time, nothing changes.
    pub fn set_outputs(&self, outputs: Arc<dyn OutputStates>) {
        let _ = self.0.outputs.set(outputs);
    }

    pub(crate) fn outputs(&self) -> Vec<OutputState> {
        self.0
            .outputs
            .get()
            .map_or_else(Vec::new, |outputs| outputs.states())
    }

    /// Held by whoever changes signature files.
    pub(crate) fn writing(&self) -> &Arc<tokio::sync::Mutex<()>> {
        &self.0.writing
    }

    /// Returns the runs of collectors that are remembered, oldest first.
    #[must_use]
    pub fn collection_runs(&self) -> Vec<CollectionRun> {
        self.0.runs.list()
    }

    /// Gives the service the store that findings, sources and collector runs
    /// are looked up in, and told to; without one such requests are answered
    /// with 404. A second store is ignored.
    #[must_use]
    pub fn with_findings(self, findings: Findings) -> Self {
        let _ = self.0.findings.set(findings);
        self
    }

    /// Gives the service the cache of verdicts, whose figures it shows. A second
    /// one is ignored.
    #[must_use]
    pub fn with_verdicts(self, verdicts: Arc<Cache>) -> Self {
        let _ = self.0.verdicts.set(verdicts);
        self
    }

    pub(crate) fn verdicts(&self) -> Option<&Cache> {
        self.0.verdicts.get().map(Arc::as_ref)
    }

    pub(crate) fn findings(&self) -> Option<&Findings> {
        self.0.findings.get()
    }

    pub(crate) fn searches(&self) -> &Arc<Semaphore> {
        &self.0.searches
    }

    pub(crate) fn exports(&self) -> &Arc<Semaphore> {
        &self.0.exports
    }

    pub(crate) fn listeners(&self) -> &Arc<Semaphore> {
        &self.0.listeners
    }

    /// Cancelled once no more requests are taken: answers without an end are
    /// to end then.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.0.stopping
    }

    pub(crate) fn config(&self) -> &ServiceConfig {
        &self.0.config
    }

    pub(crate) fn access(&self) -> &Access {
        &self.0.access
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.0.queue
    }

    pub(crate) fn sources(&self) -> &Sources {
        &self.0.sources
    }

    pub(crate) fn runs(&self) -> &Runs {
        &self.0.runs
    }

    pub(crate) fn places(&self) -> &Arc<Places> {
        &self.0.places
    }

    pub(crate) fn known_digests(&self) -> &KnownDigests {
        &self.0.known_digests
    }

    pub(crate) fn histories(&self) -> &Semaphore {
        &self.0.histories
    }

    pub(crate) fn zone(&self) -> &TimeZone {
        &self.0.zone
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.0.started.elapsed()
    }

    pub(crate) fn started_at(&self) -> Timestamp {
        self.0.started_at
    }

    /// Returns what is loaded, or nothing while it is being loaded.
    pub(crate) fn signatures(&self) -> Option<Arc<SignatureSummary>> {
        self.0.signatures.load_full()
    }

    /// Returns how many samples were refused, in this run of the service and
    /// in those that the history remembers: one number, whichever way it is
    /// asked for.
    pub(crate) fn denied(&self) -> u64 {
        self.0.denied.load(Ordering::Relaxed)
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn health(&self) -> &Health {
        &self.0.health
    }

    pub(crate) fn quota(&self) -> &Arc<Quota> {
        &self.0.quota
    }

    /// Refuses a sample because a bound is reached, and counts that.
    pub(crate) fn deny(&self, bound: Bound) -> Failure {
        let queue = self.queue();
        let retry_after = match bound {
            Bound::Loading => LOADING_RETRY_AFTER,
            // The queue may be empty while all places are taken, or full while
            // they are given back all the time.
            Bound::Connections => {
                let patience = self.config().limits.idle_timeout;
                self.metrics().until_connection(patience)
            }
            Bound::Uploads | Bound::BytesInFlight => self.places().retry_after(),
            // Nothing in the queue would make room: somebody else has to.
            Bound::DiskReserve | Bound::Storage if queue.stats().waiting == 0 => DISK_RETRY_AFTER,
            _ => queue.retry_after(),
        };
        self.deny_for(bound, retry_after)
    }

    /// Refuses a sample because the quota is used up, and counts that.
    pub(crate) fn deny_quota(&self, exhausted: Exhausted) -> Failure {
        // As the sender is told it.
        let seconds = whole_seconds(exhausted.retry_after);
        let retry_after = Duration::from_secs(u64::from(seconds));
        self.0.metrics.count_quota_wait(retry_after);
        self.deny_for(exhausted.bound, retry_after)
    }

    /// Refuses a sample because the queue would not take it, and counts that.
    /// The sender may try again: the fault is not in the sample.
    pub(crate) fn deny_unqueued(&self, error: &EnqueueError) -> Failure {
        match error {
            EnqueueError::Io(error) => self.deny_unstored(error),
            error => self.deny(Bound::from(error)),
        }
    }

    /// Refuses a sample because the machine would not store it, and counts
    /// that. The sender may try again: the fault is not in the sample.
    pub(crate) fn deny_unstored(&self, error: &(dyn std::error::Error + 'static)) -> Failure {
        if let Some(suppressed) = self.0.storage_log.admit() {
            tracing::error!(error, suppressed, "cannot store a sample");
        }
        self.deny(Bound::Storage)
    }

    fn deny_for(&self, bound: Bound, retry_after: Duration) -> Failure {
        self.0.denied.fetch_add(1, Ordering::Relaxed);
        self.0.metrics.count_refusal(bound);
        self.queue().record(History::Denied, 1);
        self.0.bound_log.note(bound, retry_after);
        Failure::Unavailable {
            reason: bound.text(),
            retry_after,
        }
    }

    /// Puts off a request that brings no sample.
    pub(crate) fn unavailable(&self, reason: &'static str) -> Failure {
        Failure::Unavailable {
            reason: reason.into(),
            retry_after: self.queue().retry_after(),
        }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("config", &self.0.config)
            .finish_non_exhaustive()
    }
}

/// Returns how many samples were refused in the time the history remembers.
fn denied_before(queue: &Queue) -> u64 {
    let history = queue.history(History::Denied);
    history.iter().map(|&(_, denied)| denied).sum()
}
