//! The settings, made into what each crate is started with.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use squall_access::{AuditLog, Tokens};
use squall_engine::{ScanLimits, UnpackLimits};
use squall_queue::{Queue, QueueConfig, Recovery};
use squall_server::tls::{ClientAuth, Tls};
use squall_server::{
    AccessConfig, Listeners, LoginProvider, LookupLink, Network, QuotaConfig, ReverseLookup,
    ServiceConfig,
};
use squall_types::{LogHealth, OutcomeCounts, ThreadHealth};
use squall_worker::{VerdictConfig, Verdicts, WorkerConfig};
use tokio::net::TcpListener;

use crate::config::settings::{self, AccessMode};
use crate::config::{self, Settings};
use crate::signatures::BUILD_EPOCH;

/// How often the last uses of tokens are written down.
const USES_INTERVAL: Duration = Duration::from_secs(60);
/// Failed samples kept however few results are.
const FAILED_MIN: u64 = 1000;

/// Where the service listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    /// For everything, or for collectors where there is another.
    pub(crate) main: SocketAddr,
    /// For administrators and the console.
    pub(crate) admin: Option<SocketAddr>,
}

impl Addresses {
    pub(crate) fn of(listeners: &Listeners) -> anyhow::Result<Self> {
        let of = |listener: &TcpListener| listener.local_addr().context("cannot tell the address");
        Ok(Self {
            main: of(&listeners.main)?,
            admin: listeners.admin.as_ref().map(of).transpose()?,
        })
    }

    /// Returns an address that others than this machine reach, if there is one.
    fn beyond_loopback(&self) -> Option<SocketAddr> {
        let all = std::iter::once(self.main).chain(self.admin);
        all.into_iter()
            .find(|address| !address.ip().to_canonical().is_loopback())
    }
}

/// Says who may use the service that listens on `addresses`, and where acts
/// are written down. One address that others reach is enough for it to ask on
/// all of them: what is asked for on one is hardly meant for everybody on
/// another.
///
/// # Errors
///
/// Fails if everybody who reaches an address could use the service and nobody
/// said that this is meant, or if the tokens cannot be read.
pub(crate) fn access(settings: &Settings, addresses: &Addresses) -> anyhow::Result<AccessConfig> {
    let access = &settings.access;
    let audit = AuditLog::new(access.audit_log.clone());
    let config = AccessConfig {
        tokens: None,
        certificates: access.certificates.clone(),
        networks: access.role_networks.clone(),
        provider: login_provider(settings)?,
        token_in_url: access.token_in_url,
        tls: settings.listen.tls.is_some(),
        audit: Some(Arc::new(audit)),
    };
    let beyond = addresses.beyond_loopback();
    let says_who = !access.certificates.is_empty()
        || !access.role_networks.is_empty()
        || access.login.is_some();
    let open = match access.mode {
        AccessMode::Auto => beyond.is_none() && !says_who,
        AccessMode::Tokens => false,
        AccessMode::Open => true,
    };
    if open {
        if let Some(address) = beyond {
            tracing::warn!(%address, "whoever reaches this address may use all of the service (`insecure-open`)");
        }
        return Ok(config);
    }
    let tokens = Tokens::open(&settings.data_dir).context("cannot read who may use the service")?;
    let others = !access.certificates.is_empty() || access.login.is_some();
    let is_somebody = !tokens.is_empty() || others;
    if let (AccessMode::Auto, false, Some(address)) = (access.mode, is_somebody, beyond) {
        anyhow::bail!(
            "refusing to let everybody who reaches {address} use the service: make a token with \
             `squall token create --role admin --name NAME --data-dir {}`, give client \
             certificates roles with `certificate-role`, have people log in at a provider with \
             `oidc-issuer`, or start with `--insecure-open`",
            settings.data_dir.display()
        );
    }
    if !others && !tokens.any_in_force(Timestamp::now()) {
        tracing::warn!("no token is in force: nobody may use the service");
    }
    let tokens = tokens.within(access.role_networks.clone());
    Ok(AccessConfig {
        tokens: Some(Arc::new(tokens)),
        ..config
    })
}

/// Sets up the provider that people may log in at, if there is one. It is not
/// asked anything yet.
fn login_provider(settings: &Settings) -> anyhow::Result<Option<LoginProvider>> {
    let Some(login) = &settings.access.login else {
        return Ok(None);
    };
    let provider = squall_oidc::Provider::new(login.provider.clone())
        .context("cannot have people log in at `oidc-issuer`")?;
    Ok(Some(LoginProvider {
        provider: Arc::new(provider),
        label: login.label.clone(),
    }))
}

/// Says in the log whether the provider is there: better when the service is
/// started than when the first person wants to log in.
pub(crate) fn look_at(login: &LoginProvider) {
    let provider = Arc::clone(&login.provider);
    tokio::spawn(async move {
        let issuer = provider.issuer();
        match provider.look().await {
            Ok(()) => tracing::info!(issuer, "people may log in at the provider"),
            Err(error) => tracing::warn!(
                issuer,
                error = &error as &dyn std::error::Error,
                "nobody could log in at the provider now"
            ),
        }
    });
}

/// Returns the names that the service may be called by, besides addresses and
/// this machine's; `None` for every name.
pub(crate) fn allowed_hosts(settings: &Settings, address: SocketAddr) -> Option<Vec<String>> {
    let hosts = &settings.access.allowed_hosts;
    // A proxy may well hand on the name that it is called by itself.
    let is_local =
        address.ip().to_canonical().is_loopback() && settings.senders.trusted_proxies.is_empty();
    (is_local || !hosts.is_empty()).then(|| hosts.clone())
}

/// Has the last uses of tokens written down now and then, until the service
/// ends.
pub(crate) fn keep_uses(tokens: Arc<Tokens>) {
    tokio::spawn(async move {
        let mut turns = tokio::time::interval(USES_INTERVAL);
        loop {
            turns.tick().await;
            let tokens = Arc::clone(&tokens);
            let written = tokio::task::spawn_blocking(move || write_uses(&tokens)).await;
            if let Err(error) = written {
                tracing::error!(%error, "writing down the last uses of tokens panicked");
            }
        }
    });
}

/// Writes down when tokens were used last.
pub(crate) fn write_uses(tokens: &Tokens) {
    if let Err(error) = tokens.write_uses() {
        tracing::warn!(%error, "cannot write down when tokens were used last");
    }
}

pub(crate) fn open_queue(settings: &Settings) -> anyhow::Result<(Queue, Recovery)> {
    let wanted = &settings.queue;
    let mut config = QueueConfig::new(&wanted.dir);
    config.durability = match wanted.durability {
        settings::Durability::Fsync => squall_queue::Durability::Fsync,
        settings::Durability::Buffered => squall_queue::Durability::Buffered,
    };
    config.results_max = wanted.results_max;
    // However few results are kept, the latest failures are, with their reasons:
    // no acknowledged sample is to vanish without one.
    config.failed_max = wanted.results_max.max(FAILED_MIN);
    config.limits.samples_max = wanted.samples_max.unwrap_or(u64::MAX);
    let bytes_max = wanted.bytes_max;
    config.limits.bytes_max =
        bytes_max.unwrap_or_else(|| squall_queue::Limits::bytes_max_of_disk(&wanted.dir));
    config.limits.free_bytes_min = wanted.free_bytes_min;
    config.limits.immediate_max = settings.limits.waiting_checks_max;
    let (queue, recovery) = Queue::open(config)?;
    log_recovery(&recovery);
    Ok((queue, recovery))
}

/// Says what was found in the data directory, and exactly what was not intact.
fn log_recovery(recovery: &Recovery) {
    tracing::info!(
        waiting = recovery.waiting,
        results = recovery.results,
        failed = recovery.failed,
        "queue opened"
    );
    if !recovery.crashed.is_empty() {
        tracing::warn!(
            samples = ?recovery.crashed,
            put_aside = ?recovery.put_aside,
            "the service ended while these samples were being scanned"
        );
    }
    for damage in &recovery.damage {
        tracing::error!(sample_id = ?damage.id, "queue: {}", damage.description);
    }
    if recovery.damaged > recovery.damage.len() as u64 {
        tracing::error!(damaged = recovery.damaged, "more in the queue is damaged");
    }
    if recovery.salvaged > 0 || recovery.counter_difference != 0 {
        tracing::warn!(
            salvaged = recovery.salvaged,
            counter_difference = recovery.counter_difference,
            "queue repaired"
        );
    }
    if recovery.orphans_removed > 0 || recovery.incoming_removed > 0 {
        tracing::info!(
            orphans = recovery.orphans_removed,
            uploads = recovery.incoming_removed,
            "left-over files removed"
        );
    }
}

pub(crate) fn worker_config(settings: &Settings, scan_id: &str) -> WorkerConfig {
    WorkerConfig {
        threads: settings.workers.threads,
        sync_only_threads: settings.workers.sync_only_threads,
        limits: scan_limits(settings),
        scan_id: scan_id.to_owned(),
    }
}

/// Makes the store of earlier verdicts, if there is to be one.
pub(crate) fn verdicts(settings: &Settings) -> Option<Arc<Verdicts>> {
    let bytes_max = settings.workers.verdict_bytes_max?;
    Some(Arc::new(Verdicts::new(VerdictConfig {
        bytes_max,
        path: Some(settings.data_dir.join("verdicts")),
        program: program(),
    })))
}

/// What tells this build of the program from any other. Two builds of one
/// version differ in their size or their time.
fn program() -> String {
    let file = std::env::current_exe().and_then(|path| path.metadata());
    let (len, modified) = match &file {
        Ok(file) => (file.len(), file.modified().ok()),
        Err(_) => (0, None),
    };
    let version = env!("CARGO_PKG_VERSION");
    format!("{version} {BUILD_EPOCH} {len} {modified:?}")
}

/// What the scan of one sample may cost.
pub(crate) fn scan_limits(settings: &Settings) -> ScanLimits {
    ScanLimits {
        time_max: settings.workers.scan_timeout,
        thresholds: settings.levels,
        unpack: unpack_limits(settings),
    }
}

/// How archives are unpacked, or `None` if they are not.
fn unpack_limits(settings: &Settings) -> Option<UnpackLimits> {
    let unpacking = &settings.unpacking;
    let mut passwords = unpacking.passwords.clone();
    passwords.extend(UnpackLimits::default().passwords);
    unpacking.archives.then(|| UnpackLimits {
        depth_max: unpacking.depth_max,
        members_max: unpacking.members_max,
        member_bytes_max: settings.limits.max_file_size_bytes,
        time_max: settings.workers.scan_timeout,
        passwords,
        ..UnpackLimits::default()
    })
}

pub(crate) fn service_config(
    settings: &Settings,
    scan_id: &str,
    outcomes: Arc<OutcomeCounts>,
    scan_threads: Arc<ThreadHealth>,
    logs: Vec<(&'static str, Arc<LogHealth>)>,
) -> anyhow::Result<ServiceConfig> {
    let limits = &settings.limits;
    Ok(ServiceConfig {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        build_time: build_time(),
        threads: settings.workers.threads,
        scan_id: scan_id.to_owned(),
        utc: settings.outputs.utc,
        limits: squall_server::Limits {
            max_file_size_bytes: limits.max_file_size_bytes,
            uploads_max: limits.uploads_max,
            connections_max: limits.connections_max,
            bytes_in_flight_max: limits.bytes_in_flight_max.unwrap_or(u64::MAX),
            header_timeout: limits.header_timeout,
            body_timeout: limits.body_timeout,
            idle_timeout: limits.idle_timeout,
            ..squall_server::Limits::default()
        },
        quota: QuotaConfig {
            samples_per_hour: settings.senders.samples_per_hour_max,
            samples_per_hour_per_source: settings.senders.samples_per_hour_per_source_max,
        },
        trusted_proxies: networks(&settings.senders.trusted_proxies, "trusted-proxy")?,
        analysts: networks(&settings.senders.analysts, "analyst")?,
        reverse_lookup: if settings.senders.reverse_dns {
            ReverseLookup::System
        } else {
            ReverseLookup::Off
        },
        resolve_timeout: settings.senders.resolve_timeout,
        outcomes,
        scan_threads,
        logs,
        lookup_links: lookup_links(settings),
        levels: settings.levels,
        ..ServiceConfig::default()
    })
}

fn lookup_links(settings: &Settings) -> Vec<LookupLink> {
    let links = settings.lookup_links.iter();
    links
        .map(|link| LookupLink {
            name: link.name.clone(),
            url: link.url.clone(),
        })
        .collect()
}

fn networks(named: &[config::Network], setting: &str) -> anyhow::Result<Vec<Network>> {
    named
        .iter()
        .map(|network| {
            let text = format!("{}/{}", network.address, network.prefix_len);
            text.parse()
                .with_context(|| format!("`{setting}` names no network"))
        })
        .collect()
}

/// The service's certificate, or `None` for plain HTTP.
pub(crate) fn tls(settings: &Settings) -> anyhow::Result<Option<Tls>> {
    let listen = &settings.listen;
    let tls = match &listen.tls {
        None => return Ok(None),
        Some(settings::Tls::SelfSigned) => {
            let mut names = vec!["localhost".to_owned(), listen.host.clone()];
            names.extend(listen.admin.iter().map(|admin| admin.host.clone()));
            Tls::self_signed(&settings.data_dir.join("tls"), &names)
        }
        Some(settings::Tls::Files { cert, key }) => Tls::from_files(cert, key),
    };
    let tls = tls.context("cannot use TLS")?;
    let Some(clients) = &listen.clients else {
        return Ok(Some(tls));
    };
    let tls = tls.with_clients(ClientAuth {
        ca: clients.ca.clone(),
        crl: clients.crl.clone(),
        required: clients.required,
    });
    Ok(Some(tls.context("cannot ask clients for certificates")?))
}

/// Draws the id of this run of the service: `S-` and eleven of
/// `[A-Za-z0-9_-]`.
pub(crate) fn new_scan_id() -> anyhow::Result<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    let mut random = [0; 11];
    getrandom::fill(&mut random).context("cannot draw random bytes")?;
    let drawn = random
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 64)]));
    Ok("S-".chars().chain(drawn).collect())
}

/// When the binary was built, `YYYY-MM-DD HH:MM:SS`, UTC.
fn build_time() -> String {
    BUILD_EPOCH
        .parse()
        .ok()
        .and_then(|epoch| jiff::Timestamp::from_second(epoch).ok())
        .map_or_else(String::new, |time| {
            time.strftime("%Y-%m-%d %H:%M:%S").to_string()
        })
}
