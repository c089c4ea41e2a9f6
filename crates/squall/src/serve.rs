//! `squall serve`: everything wired together, and taken apart in order.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use arc_swap::ArcSwapOption;
use squall_api::v1::SettingInForce;
use squall_findings::Findings;
use squall_output::{OutputHealth, Outputs};
use squall_queue::Queue;
use squall_server::{
    KeptSamples, LogTail, OutputState, OutputStates, Service, ServiceConfig, SignatureControl as _,
};
use squall_types::GapCounts;
use squall_worker::{Keeper, Signatures, Sinks, Verdicts, WorkerParts, Workers};
use tokio::net::TcpListener;

use crate::config::{self, Loaded, Settings};
use crate::findings::{self, CatchUp};
use crate::shutdown::Signals;
use crate::signatures::cache::Cache;
use crate::signatures::control::{self, Control, Trigger};
use crate::signatures::library::Library;
use crate::signatures::{self, Selection, update, watch};
use crate::{backlog, banner, logging, shutdown, wiring};

/// How long samples that are being scanned may take once the service is told
/// to stop; then they are handed back to the queue.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(20);

/// Runs the service until it is told to stop.
///
/// # Errors
///
/// Fails if it cannot start: an address that cannot be listened on, a data
/// directory or a log file that cannot be opened, signatures that cannot be
/// read.
pub(crate) fn run(loaded: Loaded) -> anyhow::Result<()> {
    let shown = config::shown(&loaded);
    let settings = loaded.settings;
    let log = logging::start(&settings.outputs.log_level);
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    // Fails only where one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = start_runtime()?;
    let signals = runtime.block_on(async { Signals::listen() })?;
    let mut sinks = wiring::open_sinks(&settings)?;
    let listener = runtime.block_on(wiring::listen(&settings))?;
    let queue = wiring::open_queue(&settings)?;
    let keeper = wiring::open_keeper(&settings)?.map(Arc::new);
    let findings = findings::open(&settings);
    sinks.findings.clone_from(&findings);
    sinks.outputs = wiring::start_outputs(&settings, runtime.handle())?;
    let outputs = sinks.outputs.clone();
    let sinks = Arc::new(sinks);
    let scan_id = wiring::new_scan_id()?;
    let signatures = Arc::new(Signatures::default());
    let gaps = Arc::new(GapCounts::default());
    let verdicts = wiring::verdicts(&settings);
    let workers = Workers::start(
        &wiring::worker_config(&settings, &scan_id),
        &WorkerParts {
            queue: queue.clone(),
            signatures: Arc::clone(&signatures),
            sinks: Arc::clone(&sinks),
            keeper: keeper.clone(),
            gaps: Arc::clone(&gaps),
            verdicts: verdicts.clone(),
        },
    )
    .context("cannot start the scan threads")?;
    let catch_up = findings
        .as_ref()
        .map(|findings| CatchUp::start(findings, &queue, &settings))
        .transpose()?;
    let ended = runtime.block_on(serve(
        &settings,
        Parts {
            listener,
            queue: queue.clone(),
            signatures,
            sinks,
            signals,
            scan_id,
            gaps,
            findings: findings.clone(),
            verdicts,
            keeper,
            shown,
            log,
        },
    ));
    stop(workers, queue);
    stop_outputs(&runtime, outputs);
    stop_findings(catch_up, findings);
    // Not waited for: signatures may still be compiling.
    runtime.shutdown_background();
    ended
}

/// Ends the feeding of the findings store, then the store.
fn stop_findings(catch_up: Option<CatchUp>, findings: Option<Findings>) {
    if let Some(catch_up) = catch_up {
        catch_up.stop();
    }
    if let Some(findings) = findings {
        findings.close();
    }
}

/// Ends the sending to receivers, once nothing is found any more.
fn stop_outputs(runtime: &tokio::runtime::Runtime, outputs: Option<Outputs>) {
    if let Some(outputs) = outputs {
        runtime.block_on(outputs.stop());
    }
}

fn start_runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

/// What the running service is made of.
struct Parts {
    listener: TcpListener,
    queue: Queue,
    signatures: Arc<Signatures>,
    sinks: Arc<Sinks>,
    signals: Signals,
    scan_id: String,
    gaps: Arc<GapCounts>,
    findings: Option<Findings>,
    verdicts: Option<Arc<Verdicts>>,
    keeper: Option<Arc<Keeper>>,
    /// The configuration as it is shown.
    shown: Vec<SettingInForce>,
    log: LogTail,
}

/// Lets the service have samples that were kept.
struct Kept(Arc<Keeper>);

impl KeptSamples for Kept {
    fn read(&self, sha256: [u8; 32]) -> std::io::Result<Option<Vec<u8>>> {
        self.0.content(&sha256)
    }
}

/// Tells the service how receivers fare.
struct Delivery(Outputs);

impl OutputStates for Delivery {
    fn states(&self) -> Vec<OutputState> {
        let state = |health: Arc<OutputHealth>| OutputState {
            target: health.target().to_owned(),
            sent: health.sent(),
            dropped: health.dropped(),
            lag_bytes: health.lag_bytes(),
            age: health.age(),
        };
        self.0.health().into_iter().map(state).collect()
    }
}

/// Answers requests until told to stop, or until the signatures turn out to be
/// unusable.
async fn serve(settings: &Settings, parts: Parts) -> anyhow::Result<()> {
    let bound = parts
        .listener
        .local_addr()
        .context("cannot tell the address")?;
    let url = banner::base_url(&settings.listen, bound);
    let (service, control) = service(settings, &parts)?;
    let tls = wiring::tls(settings)?;
    let hangup = shutdown::on_hangup(parts.signals.hangup, parts.sinks, control.clone());
    tokio::spawn(hangup);
    if let Some(limit) = settings.queue.warn_samples {
        tokio::spawn(backlog::watch(parts.queue.clone(), limit));
    }
    let mut stop_signals = parts.signals.stop;
    let loading = load_signatures(settings, control, url);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let watch = async move {
        let loaded = tokio::select! {
            loaded = loading => Some(loaded),
            () = stop_signals.received() => None,
        };
        if let Some(Ok(())) = loaded {
            stop_signals.received().await;
        }
        parts.queue.stop_claims();
        let _ = stop.send(());
        loaded.unwrap_or(Ok(()))
    };
    let server = squall_server::serve(
        parts.listener,
        service,
        tls,
        async { drop(stopped.await) },
        SHUTDOWN_GRACE,
    );
    let (served, watched) = tokio::join!(server, watch);
    watched?;
    served.context("the service ended")
}

/// Makes the service and starts the thread that loads its signatures.
fn service(settings: &Settings, parts: &Parts) -> anyhow::Result<(Service, Control)> {
    let summary = Arc::new(ArcSwapOption::empty());
    let config = ServiceConfig {
        settings: parts.shown.clone(),
        log: parts.log.clone(),
        ..wiring::service_config(
            settings,
            &parts.scan_id,
            Arc::clone(&parts.gaps),
            parts.sinks.health(),
        )?
    };
    let service = Service::new(config, parts.queue.clone(), Arc::clone(&summary));
    let selection = Selection::of(settings);
    let library = Library::new(
        selection.clone(),
        Arc::clone(&parts.signatures),
        signatures::own_dir(settings),
    );
    service.set_signature_library(Arc::new(library));
    if let Some(outputs) = &parts.sinks.outputs {
        service.set_outputs(Arc::new(Delivery(outputs.clone())));
    }
    if let Some(keeper) = &parts.keeper {
        service.set_kept_samples(Arc::new(Kept(Arc::clone(keeper))));
    }
    let control = Control::start(control::Parts {
        selection,
        cache: Cache::open(&settings.signatures.cache_dir),
        signatures: Arc::clone(&parts.signatures),
        summary,
    })
    .context("cannot start the thread that loads signatures")?;
    service.set_signature_control(Arc::new(control.clone()));
    let service = match &parts.findings {
        Some(findings) => service.with_findings(findings.clone()),
        None => service,
    };
    let service = match &parts.verdicts {
        Some(verdicts) => service.with_verdicts(Arc::clone(verdicts.cache())),
        None => service,
    };
    Ok((service, control))
}

/// Loads the signatures beside the running listener, which answers 503 until
/// they are there.
async fn load_signatures(settings: &Settings, control: Control, url: String) -> anyhow::Result<()> {
    if settings.signatures.watch {
        let paths = Selection::of(settings).paths();
        watch::start(paths, control.clone()).context("cannot watch the signatures")?;
    }
    control
        .load(Trigger::Start)
        .await
        .context("loading the signatures failed")?
        .map_err(anyhow::Error::msg)?;
    start_updates(settings, &control);
    if let Some(set) = control.state().current {
        banner::print(&banner::ready(settings, &url, &set.summary));
    }
    Ok(())
}

/// Fetches signatures every so many hours from now on, if that is asked for.
fn start_updates(settings: &Settings, control: &Control) {
    let Some(hours) = settings.signatures.update_interval_hours else {
        return;
    };
    if settings.signatures.sources.is_empty() {
        tracing::warn!("`signature-update-interval` has no effect: `signature-sources` is empty");
        return;
    }
    let interval = Duration::from_secs(u64::from(hours) * 3600);
    let updating = update::keep_updating(settings.clone(), interval, control.clone());
    tokio::spawn(updating);
}

/// Finishes what is being scanned, hands back the rest and closes the queue.
fn stop(workers: Workers, queue: Queue) {
    tracing::info!("stopping: what is being scanned is finished, what waits is kept");
    let scanning = workers.stop(SHUTDOWN_GRACE);
    if scanning > 0 {
        tracing::warn!(
            scanning,
            "samples still being scanned are handed back to the queue"
        );
    }
    match queue.close_blocking() {
        Ok(()) => tracing::info!("stopped"),
        Err(error) => tracing::error!(
            error = &error as &dyn std::error::Error,
            "the queue was not closed in order; it is recovered at the next start"
        ),
    }
}
