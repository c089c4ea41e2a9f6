//! The signals the service listens to.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use squall_access::AuditLog;
use squall_worker::Sinks;

use crate::acts;
use crate::signatures::control::{Control, Trigger};
use crate::systemd::Systemd;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long all that is under way may take once the service is told to stop:
/// uploads, answers and scans together. Then samples are handed back to the
/// queue.
pub(crate) const GRACE: Duration = Duration::from_secs(20);

/// What is left of [`GRACE`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Grace(Arc<OnceLock<Instant>>);

impl Grace {
    /// Notes that the service was told to stop, if that was not noted yet.
    pub(crate) fn begin(&self) {
        self.0.get_or_init(Instant::now);
    }

    /// Returns what is left: all of it before it began, and never nothing, so
    /// that what is done at once anyway gets done.
    pub(crate) fn left(&self) -> Duration {
        const LEAST: Duration = Duration::from_millis(500);
        let used = self.0.get().map(Instant::elapsed).unwrap_or_default();
        GRACE.saturating_sub(used).max(LEAST)
    }
}

/// The signals, listened to from the moment this exists. It is made before
/// anything that a signal must not interrupt half done.
pub(crate) struct Signals {
    /// SIGTERM and SIGINT.
    pub(crate) stop: StopSignals,
    /// SIGHUP.
    pub(crate) hangup: Signal,
}

/// The signals that ask the service to stop.
pub(crate) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Begins to listen. Called from within the runtime.
    ///
    /// # Errors
    ///
    /// Fails if the signals cannot be listened to.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen to signals");
        Ok(Self {
            stop: StopSignals {
                terminate: listen(SignalKind::terminate())?,
                interrupt: listen(SignalKind::interrupt())?,
            },
            hangup: listen(SignalKind::hangup())?,
        })
    }
}

impl StopSignals {
    /// Waits for one of them.
    pub(crate) async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// At every SIGHUP: opens the log files again, for log rotation, and reads the
/// signatures again. Those that did not change cost nothing but the reading.
pub(crate) async fn on_hangup(
    mut hangup: Signal,
    sinks: Arc<Sinks>,
    control: Control,
    systemd: Systemd,
    audit: Option<Arc<AuditLog>>,
) {
    while hangup.recv().await.is_some() {
        systemd.reloading();
        // The logs do not wait for it; how it went is logged.
        let loading = control.load(Trigger::Signal);
        let (teller, audit) = (systemd.clone(), audit.clone());
        tokio::spawn(async move {
            let done = matches!(loading.await, Ok(Ok(_)));
            teller.reloaded();
            let what = "signatures reload, log files opened again";
            acts::write_down(audit, "whoever may send signals", "SIGHUP", what, done).await;
        });
        let sinks = Arc::clone(&sinks);
        // A disk that hangs must not hold up the runtime.
        let reopened = tokio::task::spawn_blocking(move || sinks.reopen()).await;
        let errors = reopened.unwrap_or_default();
        for error in &errors {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "a log file could not be opened again"
            );
        }
        if errors.is_empty() {
            tracing::info!("log files opened again");
        }
    }
}
