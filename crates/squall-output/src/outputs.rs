//! All receivers: findings in, tasks that send them out.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use squall_report::{forms, syslog};
use squall_trace::Tracer;
use squall_types::Report;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::{OutputConfig, SyslogTarget, Target, Transport};
use crate::dead_letters::DeadLetters;
use crate::delivery::{Deliveries, Sample};
use crate::drain::Drain;
use crate::error::OutputError;
use crate::health::OutputHealth;
use crate::link::{Trust, webhook};
use crate::spool::{BODY_BYTES_MAX, Spool, SpoolConfig};

/// The most bytes of an event in a request.
const WEBHOOK_BYTES_MAX: usize = 1 << 20;

/// The handle on all receivers; cheap to clone.
#[derive(Clone)]
pub struct Outputs(Arc<Inner>);

struct Inner {
    feeds: Vec<Feed>,
    tracer: Option<Tracer>,
    stop: CancellationToken,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// The way into one spool.
struct Feed {
    rendering: Rendering,
    spool: Arc<Spool>,
}

/// How an event is written for a receiver.
enum Rendering {
    Syslog(syslog::Options),
    Webhook { form: forms::Form, version: String },
}

impl Rendering {
    fn records(&self, report: &Report) -> Vec<Vec<u8>> {
        match self {
            Self::Syslog(options) => syslog::messages(report, options),
            Self::Webhook { form, version } => {
                let events = forms::events(report, *form, version, WEBHOOK_BYTES_MAX);
                let record = |event: forms::Rendered| webhook::record(&event.event_id, &event.body);
                events.into_iter().map(record).collect()
            }
        }
    }
}

impl Outputs {
    /// Opens the spools and starts to send, on `runtime`.
    ///
    /// # Errors
    ///
    /// Fails if a spool cannot be opened, or TLS is wanted and cannot be used.
    pub fn start(config: &OutputConfig, runtime: &Handle) -> Result<Self, OutputError> {
        let trust = trust(config)?;
        let stop = CancellationToken::new();
        let (mut feeds, mut tasks) = (Vec::new(), Vec::new());
        let mut targets: Vec<&Target> = Vec::new();
        for target in &config.targets {
            if targets.contains(&target) {
                tracing::warn!(target = %target, "a receiver is named twice; it gets everything once");
                continue;
            }
            targets.push(target);
            let spool = Arc::new(open(config, target)?);
            feeds.push(Feed {
                rendering: rendering(config, target),
                spool: Arc::clone(&spool),
            });
            let letters = DeadLetters::new(spool.dir(), config.spool_bytes_max);
            let deliveries = Deliveries::new(config.tracer.clone(), target);
            let drain = Drain::new(
                target.clone(),
                trust.clone(),
                spool,
                letters,
                deliveries,
                stop.clone(),
            );
            tasks.push(runtime.spawn(drain.run()));
        }
        warn_of_others(config, &targets);
        Ok(Self(Arc::new(Inner {
            feeds,
            tracer: config.tracer.clone(),
            stop,
            tasks: Mutex::new(tasks),
        })))
    }

    /// Takes what a scan said for every receiver; waits for the disk at most.
    /// Nothing is taken of a clean sample.
    ///
    /// # Errors
    ///
    /// Fails at the first spool whose disk refuses. It is to be offered again as
    /// a whole.
    pub fn offer(&self, report: &Report) -> Result<(), OutputError> {
        let time_ms = u64::try_from(report.scan.scanned_at_us / 1000).unwrap_or_default();
        let sample = Sample::traced(report, self.0.tracer.as_ref());
        for Feed { rendering, spool } in &self.0.feeds {
            let records = rendering.records(report);
            let appended = spool.append(time_ms.min(now_ms()), sample.as_ref(), &records);
            appended.map_err(|source| refused(spool, source))?;
        }
        Ok(())
    }

    /// Makes what was taken before as durable as promised.
    ///
    /// # Errors
    ///
    /// Fails if a disk refuses; it is tried again the next time.
    pub fn sync(&self) -> Result<(), OutputError> {
        for Feed { spool, .. } in &self.0.feeds {
            spool.sync().map_err(|source| refused(spool, source))?;
        }
        Ok(())
    }

    /// Tells whether a spool's disk refuses, so that scanning had better wait.
    #[must_use]
    pub fn refuse(&self) -> bool {
        self.0.feeds.iter().any(|feed| feed.spool.refuses())
    }

    /// Tries again what was refused before. To be called about every second.
    pub fn retry(&self) {
        for feed in &self.0.feeds {
            feed.spool.retry();
        }
    }

    /// Returns how each receiver fares.
    #[must_use]
    pub fn health(&self) -> Vec<Arc<OutputHealth>> {
        let feeds = self.0.feeds.iter();
        feeds.map(|feed| Arc::clone(feed.spool.health())).collect()
    }

    /// Ends the sending: what waits is sent for a few seconds, as far as its
    /// receiver is there; the rest is at the next start.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        let tasks = {
            let mut tasks = self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *tasks)
        };
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(error = &error as &dyn std::error::Error, "sending failed");
            }
        }
    }
}

fn trust(config: &OutputConfig) -> Result<Trust, OutputError> {
    let wants_tls = |target: &Target| match target {
        Target::Syslog(target) => target.transport == Transport::Tls,
        Target::Webhook(target) => target.url.starts_with("https:") && config.ca.is_some(),
    };
    if config.targets.iter().any(wants_tls) {
        Trust::open(config.ca.as_deref())
    } else {
        Ok(Trust::nobody())
    }
}

fn open(config: &OutputConfig, target: &Target) -> Result<Spool, OutputError> {
    let dir = config.dir.join(target.spool_name());
    let health = Arc::new(OutputHealth::new(target.to_string()));
    let wanted = SpoolConfig {
        dir: dir.clone(),
        bytes_max: config.spool_bytes_max,
        durable: config.durable,
    };
    Spool::open(wanted, health).map_err(|source| OutputError::Open { path: dir, source })
}

fn rendering(config: &OutputConfig, target: &Target) -> Rendering {
    let version = config.version.clone();
    match target {
        Target::Syslog(SyslogTarget {
            form,
            head,
            message_bytes_max,
            ..
        }) => Rendering::Syslog(syslog::Options {
            form: *form,
            head: *head,
            utc: config.utc,
            bytes_max: (*message_bytes_max).clamp(syslog::BYTES_MIN, BODY_BYTES_MAX),
            version,
        }),
        Target::Webhook(target) => Rendering::Webhook {
            form: target.form,
            version,
        },
    }
}

/// Says what waits for receivers that are not named any more: nobody will send
/// it, and nobody would look for it.
fn warn_of_others(config: &OutputConfig, targets: &[&Target]) {
    let names: Vec<_> = targets.iter().map(|target| target.spool_name()).collect();
    let entries = std::fs::read_dir(&config.dir).into_iter().flatten();
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        if !names.iter().any(|known| name == known.as_str()) {
            tracing::warn!(
                spool = %entry.path().display(),
                "findings may wait here for a receiver that is not in the configuration any more; \
                 remove the directory if it does not come back"
            );
        }
    }
}

fn refused(spool: &Spool, source: std::io::Error) -> OutputError {
    let path: &Path = spool.dir();
    OutputError::Write {
        path: path.to_owned(),
        source,
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
