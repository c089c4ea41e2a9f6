//! What the service is told when it is started.

use std::sync::Arc;
use std::time::Duration;

use squall_api::v1::{self, Check, SettingInForce};
use squall_types::{LogHealth, OutcomeCounts, ThreadHealth, Thresholds};

use crate::access::AccessConfig;
use crate::log_tail::LogTail;
use crate::quota::QuotaConfig;
use crate::source::{Network, RESOLVE_TIMEOUT_MAX, ReverseLookup};

/// How the service presents itself and whom it believes.
#[derive(Clone, Debug)]
pub struct ServiceConfig {
    /// The version of the program.
    pub version: String,
    /// When the program was built, `YYYY-MM-DD HH:MM:SS`.
    pub build_time: String,
    /// Number of scan threads, as shown by `info`.
    pub threads: usize,
    /// The command line, as shown by `info`; without secrets.
    pub arguments: Vec<String>,
    /// The id of this run of the service.
    pub scan_id: String,
    /// Times are shown in UTC instead of the local time zone.
    pub utc: bool,
    /// Bounds of what clients may cost.
    pub limits: Limits,
    /// How many samples are taken in an hour.
    pub quota: QuotaConfig,
    /// The proxies whose word on the client's address is believed.
    pub trusted_proxies: Vec<Network>,
    /// Addresses that may change signatures and see samples and settings,
    /// beside this machine, where there are no tokens.
    pub analysts: Vec<Network>,
    /// Who may use the service.
    pub access: AccessConfig,
    /// Names that the service may be called by, besides addresses and
    /// `localhost`; `None` for every name.
    pub allowed_hosts: Option<Vec<String>>,
    /// The same for the listener for administrators.
    pub admin_allowed_hosts: Option<Vec<String>>,
    /// How host names of senders are found.
    pub reverse_lookup: ReverseLookup,
    /// Longest time an answer waits for a host name; default and most 200 ms.
    pub resolve_timeout: Duration,
    /// What the workers count of what scans came to.
    pub outcomes: Arc<OutcomeCounts>,
    /// How the scan threads fare.
    pub scan_threads: Arc<ThreadHealth>,
    /// How the log files fare, each with its name.
    pub logs: Vec<(&'static str, Arc<LogHealth>)>,
    /// The configuration as it is shown; without secrets.
    pub settings: Vec<SettingInForce>,
    /// The last lines of the log.
    pub log: LogTail,
    /// What was looked at when the service was started.
    pub start_checks: Vec<Check>,
    /// Where a finding's file can be looked up elsewhere.
    pub lookup_links: Vec<LookupLink>,
    /// From which scores on a finding has which level.
    pub levels: Thresholds,
}

/// A link to look up a file elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupLink {
    /// What it is called.
    pub name: String,
    /// Its address, `http://…` or `https://…`, with `{md5}`, `{sha1}` or
    /// `{sha256}` in it.
    pub url: String,
}

impl LookupLink {
    /// Returns the address for a file.
    pub(crate) fn of(&self, hashes: &v1::Hashes) -> v1::Lookup {
        v1::Lookup {
            name: self.name.clone(),
            url: self
                .url
                .replace("{md5}", &hashes.md5)
                .replace("{sha1}", &hashes.sha1)
                .replace("{sha256}", &hashes.sha256),
        }
    }
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            build_time: String::new(),
            threads: 1,
            arguments: Vec::new(),
            scan_id: String::new(),
            utc: false,
            limits: Limits::default(),
            quota: QuotaConfig::default(),
            trusted_proxies: Vec::new(),
            analysts: Vec::new(),
            access: AccessConfig::default(),
            allowed_hosts: None,
            admin_allowed_hosts: None,
            reverse_lookup: ReverseLookup::default(),
            resolve_timeout: RESOLVE_TIMEOUT_MAX,
            outcomes: Arc::default(),
            scan_threads: Arc::default(),
            logs: Vec::new(),
            settings: Vec::new(),
            log: LogTail::default(),
            start_checks: Vec::new(),
            lookup_links: Vec::new(),
            levels: Thresholds::default(),
        }
    }
}

/// Bounds of what clients may cost.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest sample, in bytes; default 200 MB.
    pub max_file_size_bytes: u64,
    /// Most uploads of more than 64 KiB at the same time; default 256. Each
    /// holds less than a megabyte of memory, whatever its size. Smaller ones
    /// are as many as there may be connections.
    pub uploads_max: usize,
    /// Most bytes announced or received that are not in the queue yet; default
    /// 4 GiB. One upload alone may be larger.
    pub bytes_in_flight_max: u64,
    /// Most connections at the same time; default 1024. Some more are accepted
    /// to be told that they are too many.
    pub connections_max: usize,
    /// Longest time a client may take for a TLS handshake and for the head of
    /// a request; default 10 s.
    pub header_timeout: Duration,
    /// Longest time an upload may go without progress, which is a kibibyte;
    /// default 30 s. A tenth of it while three quarters of the uploads allowed
    /// are under way.
    pub body_timeout: Duration,
    /// Longest time a connection may stay open without a request, and a client
    /// may leave an answer unread; default 60 s.
    pub idle_timeout: Duration,
    /// Longest time a synchronous check waits for its result; default 10 min.
    pub sync_wait_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_file_size_bytes: 200_000_000,
            uploads_max: 256,
            bytes_in_flight_max: 4 << 30,
            connections_max: 1024,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            sync_wait_max: Duration::from_secs(600),
        }
    }
}
