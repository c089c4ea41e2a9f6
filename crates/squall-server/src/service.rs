//! What all handlers share.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use squall_queue::{History, Queue};
use squall_types::SignatureSummary;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::collection::{CollectionRun, Runs};
use crate::config::ServiceConfig;
use crate::failure::Failure;
use crate::source::Sources;
use crate::throttle::Throttle;
use crate::upload::Places;

/// When to come back while the signatures are being loaded.
const LOADING_RETRY_AFTER: Duration = Duration::from_secs(3);
/// Most histories that are made at the same time: one of a year is megabytes.
const HISTORIES_MAX: usize = 2;
/// How often a service that stops looks whether checks are still scanned.
const STOP_CHECK_INTERVAL: Duration = Duration::from_millis(50);
/// Refusals are logged at most this often.
const DENIAL_LOG_INTERVAL: Duration = Duration::from_secs(1);

/// The service behind the router; cheap to clone.
#[derive(Clone)]
pub struct Service(Arc<Inner>);

struct Inner {
    config: ServiceConfig,
    queue: Queue,
    signatures: Arc<ArcSwapOption<SignatureSummary>>,
    sources: Sources,
    runs: Runs,
    places: Arc<Places>,
    histories: Semaphore,
    zone: TimeZone,
    started: Instant,
    started_at: Timestamp,
    /// Samples accepted before this run of the service.
    accepted_before: u64,
    denied: AtomicU64,
    denial_log: Throttle,
    storage_log: Throttle,
    stopping: CancellationToken,
}

impl Service {
    /// Makes the service. Samples are refused with a 503 until `signatures`
    /// holds a summary.
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
            histories: Semaphore::new(HISTORIES_MAX),
            zone,
            started: Instant::now(),
            started_at: Timestamp::now(),
            accepted_before: queue.stats().accepted,
            denied: AtomicU64::new(0),
            denial_log: Throttle::new(DENIAL_LOG_INTERVAL),
            storage_log: Throttle::new(DENIAL_LOG_INTERVAL),
            stopping: CancellationToken::new(),
            config,
            queue,
            signatures,
        }))
    }

    /// Returns the runs of collectors that are remembered, oldest first.
    #[must_use]
    pub fn collection_runs(&self) -> Vec<CollectionRun> {
        self.0.runs.list()
    }

    pub(crate) fn config(&self) -> &ServiceConfig {
        &self.0.config
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

    /// Returns how many samples were accepted and how many were denied since
    /// the service was started.
    pub(crate) fn admissions(&self) -> Admissions {
        Admissions {
            accepted: (self.queue().stats().accepted).saturating_sub(self.0.accepted_before),
            denied: self.0.denied.load(Ordering::Relaxed),
        }
    }

    /// Says that the service is about to end.
    pub(crate) fn begin_stop(&self) {
        self.0.stopping.cancel();
    }

    /// Waits until the service is about to end and no synchronous check is
    /// being scanned any more: those that still wait are never taken then.
    pub(crate) async fn checks_ended(&self) {
        self.0.stopping.cancelled().await;
        // Twice, since a verdict is on its way for a moment when the scan that
        // made it no longer counts.
        let mut idle = 0;
        while idle < 2 {
            tokio::time::sleep(STOP_CHECK_INTERVAL).await;
            let scanning = self.queue().stats().immediate_scanning > 0;
            idle = if scanning { 0 } else { idle + 1 };
        }
    }

    /// Refuses a sample for want of room, and counts that.
    pub(crate) fn deny(&self, reason: impl Into<Cow<'static, str>>) -> Failure {
        self.deny_for(reason.into(), self.queue().retry_after())
    }

    /// Refuses a sample because nothing could scan it yet, and counts that.
    pub(crate) fn deny_while_loading(&self) -> Failure {
        let reason = "the signatures are still being loaded";
        self.deny_for(reason.into(), LOADING_RETRY_AFTER)
    }

    /// Refuses a sample because the machine would not store it, and counts
    /// that. The sender may try again: the fault is not in the sample.
    pub(crate) fn deny_unstored(&self, error: &(dyn std::error::Error + 'static)) -> Failure {
        if let Some(suppressed) = self.0.storage_log.admit() {
            tracing::error!(error, suppressed, "cannot store a sample");
        }
        self.deny("the sample cannot be stored")
    }

    fn deny_for(&self, reason: Cow<'static, str>, retry_after: Duration) -> Failure {
        self.0.denied.fetch_add(1, Ordering::Relaxed);
        self.queue().record(History::Denied, 1);
        if let Some(suppressed) = self.0.denial_log.admit() {
            tracing::warn!(
                %reason,
                retry_after_s = retry_after.as_secs(),
                suppressed,
                "refused a sample"
            );
        }
        Failure::Unavailable {
            reason,
            retry_after,
        }
    }
}

/// Samples taken and refused since the service was started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admissions {
    pub(crate) accepted: u64,
    pub(crate) denied: u64,
}

impl Admissions {
    /// Returns the share of the denied, 0 to 1.
    #[expect(clippy::cast_precision_loss)]
    pub(crate) fn denied_proportion(self) -> f64 {
        let total = self.accepted + self.denied;
        if total == 0 {
            return 0.0;
        }
        self.denied as f64 / total as f64
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("config", &self.0.config)
            .finish_non_exhaustive()
    }
}
