#![doc = include_str!("../README.md")]

mod export;
mod ids;
mod span;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use opentelemetry_sdk::trace::SpanData;

pub use span::{Fact, Span, Step};

/// Spans that wait for the exporter at most.
const WAITING_MAX: usize = 16 * 1024;

/// Where traces are sent to, and how many.
#[derive(Clone)]
pub struct TraceConfig {
    /// Where to send spans: `http://HOST:4318/v1/traces`. Without a path, that of
    /// the specification is taken.
    pub endpoint: String,
    /// Headers of each request, as names and values; values may be secret.
    pub headers: Vec<(String, String)>,
    /// PEM file with the certificates that the collector is trusted by, instead
    /// of those of the system.
    pub ca: Option<PathBuf>,
    /// Which share of samples has a trace, 0 to 1. All that happens to one
    /// sample is traced or nothing of it.
    pub ratio: f64,
    /// What tells this service from others, `service.instance.id`.
    pub instance: String,
    /// The version of the service.
    pub version: &'static str,
}

/// Why traces cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The address is none.
    #[error("no address of a collector")]
    Endpoint(#[source] http::uri::InvalidUri),
    /// The file of certificates cannot be read.
    #[error("cannot read the certificates `{}`", path.display())]
    Ca {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The client cannot be set up.
    #[error("cannot set up the client")]
    Client(#[source] reqwest::Error),
    /// The exporter cannot be set up.
    #[error("cannot set up the exporter")]
    Exporter(#[source] opentelemetry_otlp::ExporterBuildError),
    /// The thread or its runtime cannot be started.
    #[error("cannot start the thread")]
    Thread(#[source] std::io::Error),
}

/// What became of spans since the start.
#[derive(Debug, Default)]
pub struct TraceHealth {
    sent: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
}

impl TraceHealth {
    /// Spans that the collector took.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Spans for which there was no room, because the collector is too slow.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Spans that the collector did not take.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

/// Takes spans, to be shared by all who make some.
#[derive(Clone)]
pub struct Tracer {
    /// Which trace ids are sent: those whose last eight bytes are below this.
    below: u64,
    sender: SyncSender<SpanData>,
    health: Arc<TraceHealth>,
}

/// The thread that sends spans.
pub struct Exporter {
    tracer: Tracer,
    stop: Arc<export::Stop>,
    thread: JoinHandle<()>,
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracer")
            .field("health", &self.health)
            .finish_non_exhaustive()
    }
}

impl Tracer {
    /// Tells whether the sample of this nonce has a trace. Without, no span of
    /// it needs to be made.
    #[must_use]
    pub fn wants(&self, nonce: &[u8; 12]) -> bool {
        ids::low(nonce) <= self.below
    }

    /// Takes a span to be sent, without waiting for anything.
    pub fn record(&self, span: Span) {
        if !self.wants(&span.nonce) {
            return;
        }
        match self.sender.try_send(span.into_data()) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.health.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Returns what became of spans.
    #[must_use]
    pub fn health(&self) -> &TraceHealth {
        &self.health
    }
}

impl Exporter {
    /// Starts to send spans. Nothing is asked of the collector before there is
    /// one.
    ///
    /// # Errors
    ///
    /// Fails if the address is none, or if the client or the thread cannot be
    /// made.
    pub fn start(config: &TraceConfig) -> Result<Self, TraceError> {
        let (sender, receiver) = mpsc::sync_channel(WAITING_MAX);
        let tracer = Tracer {
            below: ids::below(config.ratio),
            sender,
            health: Arc::default(),
        };
        let stop: Arc<export::Stop> = Arc::default();
        let thread = export::start(
            config,
            receiver,
            Arc::clone(&tracer.health),
            Arc::clone(&stop),
        )?;
        Ok(Self {
            tracer,
            stop,
            thread,
        })
    }

    /// Returns what takes spans.
    #[must_use]
    pub fn tracer(&self) -> &Tracer {
        &self.tracer
    }

    /// Sends what there is, for `limit` at most, and ends. Spans that come
    /// later are dropped.
    pub fn stop(self, limit: Duration) {
        self.stop.set();
        let deadline = Instant::now() + limit;
        while !self.thread.is_finished() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
