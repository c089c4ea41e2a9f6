//! `squall serve`: everything wired together, and taken apart in order.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use arc_swap::ArcSwapOption;
use squall_access::AuditLog;
use squall_api::v1::{Check, SettingInForce};
use squall_findings::Findings;
use squall_output::Outputs;
use squall_queue::Queue;
use squall_server::{AccessConfig, Listeners, LogTail, Service, ServiceConfig};
use squall_trace::Tracer;
use squall_types::{OutcomeCounts, ThreadHealth};
use squall_worker::{Keeper, Recent, Signatures, Sinks, Verdicts, WorkerParts, Workers};

use crate::answers::{Delivery, Kept};
use crate::banner::Urls;
use crate::config::{self, Loaded, Settings};
use crate::findings::{self, CatchUp};
use crate::shutdown::Grace;
use crate::shutdown::Signals;
use crate::signatures::administration::Administration;
use crate::signatures::cache::Cache;
use crate::signatures::control::{self, Control, Trigger};
use crate::signatures::library::Library;
use crate::signatures::{self, Selection, watch};
use crate::sockets::Sockets;
use crate::systemd::{Pulse, Systemd};
use crate::wiring::Addresses;
use crate::{
    allocator, backlog, banner, destinations, logging, privileges, sandbox, shutdown, start_checks,
    wiring,
};

/// How long the last spans of traces may take to be sent at the end.
const TRACES_GRACE: Duration = Duration::from_secs(2);

/// How long the first trials are waited for before systemd is told that the
/// service takes samples, and how often it is looked how they went.
const TRIAL_MAX: Duration = Duration::from_secs(30);
const TRIAL_PAUSE: Duration = Duration::from_millis(20);

/// Runs the service until it is told to stop.
///
/// # Errors
///
/// Fails if it cannot start: an address that cannot be listened on, a data
/// directory or a log file that cannot be opened, signatures that cannot be
/// read.
#[expect(
    clippy::too_many_lines,
    reason = "it is the list of what a service is made of, in the order in which it is opened"
)]
pub(crate) fn run(loaded: Loaded) -> anyhow::Result<()> {
    let begun = begin(loaded)?;
    let settings = begun.settings;
    let systemd = Systemd::start().context("cannot start the thread that tells systemd")?;
    let runtime = start_runtime()?;
    let signals = runtime.block_on(async { Signals::listen() })?;
    let mut sinks = destinations::open_sinks(&settings)?;
    let listeners = runtime.block_on(async { begun.sockets.listen() })?;
    let addresses = Addresses::of(&listeners)?;
    let access = wiring::access(&settings, &addresses)?;
    let (queue, recovery) = wiring::open_queue(&settings)?;
    let mut start_checks = vec![start_checks::queue(&recovery)];
    let keeper = destinations::open_keeper(&settings)?.map(Arc::new);
    let findings = findings::open(&settings, &mut start_checks);
    sinks.findings.clone_from(&findings);
    let scan_id = wiring::new_scan_id()?;
    let traces = destinations::start_traces(&settings, &scan_id)?;
    let tracer = traces.as_ref().map(|traces| traces.tracer().clone());
    destinations::trace_put_aside(&queue, &recovery, tracer.as_ref());
    sinks.outputs = destinations::start_outputs(&settings, tracer.as_ref(), runtime.handle())?;
    let outputs = sinks.outputs.clone();
    let sinks = Arc::new(sinks);
    let signatures = Arc::new(Signatures::default());
    let outcomes = Arc::new(OutcomeCounts::default());
    let verdicts = wiring::verdicts(&settings);
    let recent = Arc::new(Recent::default());
    let workers = Workers::start(
        &wiring::worker_config(&settings, &scan_id),
        &WorkerParts {
            queue: queue.clone(),
            signatures: Arc::clone(&signatures),
            sinks: Arc::clone(&sinks),
            keeper: keeper.clone(),
            outcomes: Arc::clone(&outcomes),
            verdicts: verdicts.clone(),
            recent: Some(Arc::clone(&recent)),
            tracer: tracer.clone(),
        },
    )
    .context("cannot start the scan threads")?;
    let catch_up = start_catch_up(findings.as_ref(), &queue, &settings)?;
    let grace = Grace::default();
    let ended = runtime.block_on(serve(
        &settings,
        Parts {
            listeners,
            addresses,
            queue: queue.clone(),
            signatures,
            sinks,
            signals,
            scan_id,
            outcomes,
            scan_threads: Arc::clone(workers.health()),
            systemd,
            findings: findings.clone(),
            verdicts,
            recent,
            tracer,
            keeper,
            shown: begun.shown,
            arguments: begun.arguments,
            start_checks,
            log: begun.log,
            access,
            grace: grace.clone(),
        },
    ));
    stop(workers, queue, &grace);
    stop_outputs(&runtime, outputs);
    stop_findings(catch_up, findings);
    if let Some(traces) = traces {
        traces.stop(TRACES_GRACE);
    }
    // Not waited for: signatures may still be compiling.
    runtime.shutdown_background();
    ended
}

/// What there is before any file is opened.
struct Begun {
    settings: Settings,
    sockets: Sockets,
    /// The configuration as it is shown.
    shown: Vec<SettingInForce>,
    /// The command line as it is shown.
    arguments: Vec<String>,
    log: LogTail,
}

/// Binds the sockets, becomes who the service is to be, locks the process in,
/// and begins to log.
fn begin(loaded: Loaded) -> anyhow::Result<Begun> {
    let shown = config::shown(&loaded);
    let arguments = config::arguments(&loaded);
    let places = config::places(&loaded);
    let settings = loaded.settings;
    let sockets = Sockets::bind(&settings.listen)?;
    // Both before the first thread, which would be left out.
    let privileges = privileges::drop_to(settings.access.run_as.as_ref(), &places)?;
    let sandbox = settings.access.sandbox;
    let sandbox = sandbox.then(|| {
        let (own, others) = (places.own_dirs(), places.other_paths());
        let read = places.read_paths().into_iter();
        // May be links to elsewhere.
        let read = read.chain(signatures::places_in_data_dir(&settings));
        sandbox::enter(&own, &others, &read.collect::<Vec<_>>())
    });
    let log = logging::start(&settings.outputs.log_level);
    if let Err(error) = allocator::give_back_while_idle() {
        tracing::warn!("{error:#}");
    }
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    privileges.log();
    match &sandbox {
        None => tracing::info!("sandbox: off"),
        Some(sandbox) if sandbox.is_whole() => tracing::info!("sandbox: {sandbox}"),
        Some(sandbox) => tracing::warn!("sandbox: {sandbox}"),
    }
    if let Some(sandbox) = &sandbox {
        sandbox.log_places();
    }
    // Fails only where one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(Begun {
        settings,
        sockets,
        shown,
        arguments,
        log,
    })
}

/// Has the findings store fed with what it missed, if there is one.
fn start_catch_up(
    findings: Option<&Findings>,
    queue: &Queue,
    settings: &Settings,
) -> anyhow::Result<Option<CatchUp>> {
    let started = findings.map(|findings| CatchUp::start(findings, queue, settings));
    started.transpose()
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
    listeners: Listeners,
    addresses: Addresses,
    queue: Queue,
    signatures: Arc<Signatures>,
    sinks: Arc<Sinks>,
    signals: Signals,
    scan_id: String,
    outcomes: Arc<OutcomeCounts>,
    scan_threads: Arc<ThreadHealth>,
    systemd: Systemd,
    findings: Option<Findings>,
    verdicts: Option<Arc<Verdicts>>,
    recent: Arc<Recent>,
    tracer: Option<Tracer>,
    keeper: Option<Arc<Keeper>>,
    /// The configuration as it is shown.
    shown: Vec<SettingInForce>,
    /// The command line as it is shown.
    arguments: Vec<String>,
    /// What was looked at so far.
    start_checks: Vec<Check>,
    log: LogTail,
    access: AccessConfig,
    grace: Grace,
}

/// Answers requests until told to stop, or until the signatures turn out to be
/// unusable.
async fn serve(settings: &Settings, parts: Parts) -> anyhow::Result<()> {
    let urls = Urls::of(&settings.listen, &parts.addresses);
    let (service, control, administration) = service(settings, &parts)?;
    let tls = wiring::tls(settings)?;
    let (tokens, audit) = (parts.access.tokens, parts.access.audit);
    if let Some(tokens) = &tokens {
        wiring::keep_uses(Arc::clone(tokens));
    }
    if let Some(login) = &parts.access.provider {
        wiring::look_at(login);
    }
    let systemd = parts.systemd;
    let hangup = shutdown::on_hangup(
        parts.signals.hangup,
        parts.sinks,
        control.clone(),
        systemd.clone(),
        audit.clone(),
    );
    tokio::spawn(hangup);
    if let Some(limit) = settings.queue.warn_samples {
        tokio::spawn(backlog::watch(parts.queue.clone(), limit));
    }
    let mut stop_signals = parts.signals.stop;
    let grace = parts.grace;
    let loading = load_signatures(settings, control, administration, urls, audit);
    let (stopping, tried) = (systemd.clone(), service.clone());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let watch = async move {
        let loaded = tokio::select! {
            loaded = loading => Some(loaded),
            () = stop_signals.received() => None,
        };
        if let Some(Ok(())) = loaded {
            tokio::spawn(tell_ready(systemd, tried));
            stop_signals.received().await;
        }
        grace.begin();
        stopping.stopping();
        parts.queue.stop_claims();
        let _ = stop.send(());
        loaded.unwrap_or(Ok(()))
    };
    let server = squall_server::serve(
        parts.listeners,
        service,
        tls,
        async { drop(stopped.await) },
        shutdown::GRACE,
    );
    let (served, watched) = tokio::join!(server, watch);
    if let Some(tokens) = tokens {
        wiring::write_uses(&tokens);
    }
    watched?;
    served.context("the service ended")
}

/// Tells systemd that the service takes samples, as soon as all that was tried
/// works, and no later than in [`TRIAL_MAX`]: one that is not ready then is better
/// asked for the reason than started again.
async fn tell_ready(systemd: Systemd, service: Service) {
    let ready = async {
        while !service.readiness().ready {
            tokio::time::sleep(TRIAL_PAUSE).await;
        }
    };
    let _ = tokio::time::timeout(TRIAL_MAX, ready).await;
    systemd.ready(pulse(service));
}

/// Feels the pulse of the service through its runtime.
fn pulse(service: Service) -> Pulse {
    let runtime = tokio::runtime::Handle::current();
    Box::new(move |patience| {
        let (beat, felt) = std::sync::mpsc::channel();
        let service = service.clone();
        runtime.spawn(async move {
            let alive = service.alive();
            let _ = beat.send(alive.map_or_else(|e| Err(e.to_owned()), |()| Ok(service.summary())));
        });
        felt.recv_timeout(patience)
            .unwrap_or_else(|_| Err("the runtime does not answer".to_owned()))
    })
}

/// Makes the service and starts the thread that loads its signatures.
fn service(
    settings: &Settings,
    parts: &Parts,
) -> anyhow::Result<(Service, Control, Administration)> {
    let summary = Arc::new(ArcSwapOption::empty());
    let config = ServiceConfig {
        settings: parts.shown.clone(),
        arguments: parts.arguments.clone(),
        start_checks: parts.start_checks.clone(),
        log: parts.log.clone(),
        access: parts.access.clone(),
        allowed_hosts: wiring::allowed_hosts(settings, parts.addresses.main),
        admin_allowed_hosts: parts
            .addresses
            .admin
            .and_then(|address| wiring::allowed_hosts(settings, address)),
        ..wiring::service_config(
            settings,
            &parts.scan_id,
            Arc::clone(&parts.outcomes),
            Arc::clone(&parts.scan_threads),
            parts.sinks.health(),
        )?
    };
    let service = Service::new(config, parts.queue.clone(), Arc::clone(&summary));
    let selection = Selection::of(settings);
    let library = Library::new(
        selection.clone(),
        Arc::clone(&parts.signatures),
        signatures::own_dir(settings),
        Arc::clone(&parts.recent),
    );
    library
        .time_rules_when_idle()
        .context("cannot start the thread that times rules")?;
    service.set_signature_library(Arc::new(library));
    add_destinations(&service, parts);
    let control = Control::start(control::Parts {
        selection,
        cache: Cache::open(&settings.signatures.cache_dir),
        signatures: Arc::clone(&parts.signatures),
        summary,
    })
    .context("cannot start the thread that loads signatures")?;
    let administration = Administration::new(
        settings.clone(),
        Arc::clone(&parts.signatures),
        control.clone(),
        tokio::runtime::Handle::current(),
    );
    service.set_signature_control(Arc::new(administration.clone()));
    let service = match &parts.findings {
        Some(findings) => service.with_findings(findings.clone()),
        None => service,
    };
    let service = match &parts.verdicts {
        Some(verdicts) => service.with_verdicts(Arc::clone(verdicts.cache())),
        None => service,
    };
    Ok((service, control, administration))
}

/// Lets the service know where findings, traces and samples go.
fn add_destinations(service: &Service, parts: &Parts) {
    if let Some(outputs) = &parts.sinks.outputs {
        service.set_outputs(Arc::new(Delivery(outputs.clone())));
    }
    if let Some(tracer) = &parts.tracer {
        service.set_tracer(tracer.clone());
    }
    if let Some(keeper) = &parts.keeper {
        service.set_kept_samples(Arc::new(Kept(Arc::clone(keeper))));
    }
}

/// Loads the signatures beside the running listener, which answers 503 until
/// they are there.
async fn load_signatures(
    settings: &Settings,
    control: Control,
    administration: Administration,
    urls: Urls,
    audit: Option<Arc<AuditLog>>,
) -> anyhow::Result<()> {
    if settings.signatures.watch {
        let paths = Selection::of(settings).paths();
        let watching = watch::start(paths, control.clone(), audit.clone());
        watching.context("cannot watch the signatures")?;
    }
    control
        .load(Trigger::Start)
        .await
        .context("loading the signatures failed")?
        .map_err(anyhow::Error::msg)?;
    start_updates(settings, administration, audit);
    if let Some(set) = control.state().current {
        banner::print(&banner::ready(settings, &urls, &set.summary));
    }
    Ok(())
}

/// Fetches signatures every so many hours from now on, if that is asked for.
fn start_updates(
    settings: &Settings,
    administration: Administration,
    audit: Option<Arc<AuditLog>>,
) {
    let Some(hours) = settings.signatures.update_interval_hours else {
        return;
    };
    if settings.signatures.sources.is_empty() {
        tracing::warn!("`signature-update-interval` has no effect: `signature-sources` is empty");
        return;
    }
    let interval = Duration::from_secs(u64::from(hours) * 3600);
    tokio::spawn(administration.keep_updating(interval, audit));
}

/// Finishes what is being scanned, hands back the rest and closes the queue.
fn stop(workers: Workers, queue: Queue, grace: &Grace) {
    tracing::info!("stopping: what is being scanned is finished, what waits is kept");
    let scanning = workers.stop(grace.left());
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
