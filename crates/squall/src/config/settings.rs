//! The configuration as the rest of the program reads it: one struct for each
//! concern, all of it checked.

use std::path::PathBuf;
use std::time::Duration;

use squall_access::{CertificateRules, RoleNetworks};
use squall_oidc::ProviderConfig;
use squall_types::Thresholds;

use super::account::Account;
use super::link::LookupLink;
use super::network::{Endpoint, Network};
use super::syslog::SyslogTarget;

/// The configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Where the service listens.
    pub(crate) listen: Listen,
    /// Who may use the service.
    pub(crate) access: Access,
    /// Who sent a sample.
    pub(crate) senders: Senders,
    /// What bounds the intake.
    pub(crate) limits: Limits,
    /// The scan threads.
    pub(crate) workers: Workers,
    /// The signatures.
    pub(crate) signatures: Signatures,
    /// How archives are unpacked.
    pub(crate) unpacking: Unpacking,
    /// The lowest score of each level.
    pub(crate) levels: Thresholds,
    /// Directory for all that the service keeps.
    pub(crate) data_dir: PathBuf,
    /// The queue and the results.
    pub(crate) queue: Queue,
    /// Which samples are kept after the scan.
    pub(crate) samples: Samples,
    /// What the service writes.
    pub(crate) outputs: Outputs,
    /// The database that findings are searched in; `None` for no such.
    pub(crate) findings: Option<Findings>,
    /// Links to look up a finding's file elsewhere.
    pub(crate) lookup_links: Vec<LookupLink>,
}

/// Where the service listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listen {
    /// An IP address without brackets, or a host name.
    pub(crate) host: String,
    /// The port; 0 for any free one.
    pub(crate) port: u16,
    /// Where it listens for administrators and the console, if that is
    /// elsewhere.
    pub(crate) admin: Option<Endpoint>,
    /// HTTPS; `None` for plain HTTP.
    pub(crate) tls: Option<Tls>,
    /// Certificates that clients are asked for; `None` for none.
    pub(crate) clients: Option<Clients>,
}

/// Which client certificates are good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Clients {
    /// The authorities' certificates.
    pub(crate) ca: PathBuf,
    /// What they revoked.
    pub(crate) crl: Option<PathBuf>,
    /// Whether a client without one is sent away.
    pub(crate) required: bool,
}

/// Who may use the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    /// Who is let in.
    pub(crate) mode: AccessMode,
    /// Whether a token may be in a URL.
    pub(crate) token_in_url: bool,
    /// What holders of client certificates may do.
    pub(crate) certificates: CertificateRules,
    /// From where callers are let in, by their role.
    pub(crate) role_networks: RoleNetworks,
    /// Where people may log in to the console; `None` for here only.
    pub(crate) login: Option<Login>,
    /// Names that the service may be called by.
    pub(crate) allowed_hosts: Vec<String>,
    /// The user that the service becomes; `None` to stay who started it.
    pub(crate) run_as: Option<Account>,
    /// Whether the service takes rights from itself.
    pub(crate) sandbox: bool,
    /// File for administrative acts.
    pub(crate) audit_log: PathBuf,
}

/// Where people may log in to the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Login {
    /// The provider.
    pub(crate) provider: ProviderConfig,
    /// What is on the button that leads there.
    pub(crate) label: String,
}

/// Who is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccessMode {
    /// Whoever reaches the service on a loopback address, unless it is said who
    /// may; elsewhere who has a token or a client certificate.
    Auto,
    /// Who has a token or a client certificate.
    Tokens,
    /// Whoever reaches the service, on any address.
    Open,
}

/// The certificate of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    /// One that the service makes and keeps itself.
    SelfSigned,
    /// One in PEM files.
    Files {
        /// The certificate chain.
        cert: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

/// How the sender of a sample is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Senders {
    /// The proxies whose word on the sender's address is taken.
    pub(crate) trusted_proxies: Vec<Network>,
    /// Addresses that may change signatures through the API.
    pub(crate) analysts: Vec<Network>,
    /// Whether the sender's address is turned into a name.
    pub(crate) reverse_dns: bool,
    /// Longest time the name is waited for.
    pub(crate) resolve_timeout: Duration,
    /// Samples accepted in an hour; `None` for no limit.
    pub(crate) samples_per_hour_max: Option<u64>,
    /// Samples accepted in an hour from one source; `None` for no limit.
    pub(crate) samples_per_hour_per_source_max: Option<u64>,
}

/// What bounds the intake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Largest sample.
    pub(crate) max_file_size_bytes: u64,
    /// Uploads received at the same time.
    pub(crate) uploads_max: usize,
    /// Connections open at the same time.
    pub(crate) connections_max: usize,
    /// Bytes announced or received that are not in the queue yet; `None` for
    /// no limit.
    pub(crate) bytes_in_flight_max: Option<u64>,
    /// Synchronous checks that may wait.
    pub(crate) waiting_checks_max: usize,
    /// Longest time for the head of a request.
    pub(crate) header_timeout: Duration,
    /// Longest pause in an upload.
    pub(crate) body_timeout: Duration,
    /// Longest time between two requests on a connection.
    pub(crate) idle_timeout: Duration,
}

/// The scan threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Workers {
    /// How many there are; at least 1.
    pub(crate) threads: usize,
    /// How many of them are reserved for synchronous checks; fewer than all.
    pub(crate) sync_only_threads: usize,
    /// Longest time for a scan.
    pub(crate) scan_timeout: Duration,
    /// Memory for verdicts of earlier scans; `None` to scan everything.
    pub(crate) verdict_bytes_max: Option<usize>,
}

/// The signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signatures {
    /// Whether the built-in set is used.
    pub(crate) builtin: bool,
    /// Directories of signatures beside or instead of it.
    pub(crate) dirs: Vec<PathBuf>,
    /// Directories of the operator's own signatures.
    pub(crate) custom: Vec<PathBuf>,
    /// Whether a change of the files is acted upon.
    pub(crate) watch: bool,
    /// Where compiled sets are kept.
    pub(crate) cache_dir: PathBuf,
    /// Where further sets are fetched from.
    pub(crate) sources: Vec<SignatureSource>,
    /// The file with the minisign public key that fetched sets must be signed
    /// with; `None` if they need not be.
    pub(crate) public_key: Option<PathBuf>,
    /// Hours between two updates; `None` for no updates.
    pub(crate) update_interval_hours: Option<u32>,
    /// Whether nothing but YARA rules is applied.
    pub(crate) pure_yara: bool,
}

/// Where a signature set is fetched from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignatureSource {
    /// An address (`https://…`), or the path of a bundle or a directory.
    pub(crate) location: String,
    /// What its SHA-256 must be, in lower-case hexadecimal digits.
    pub(crate) sha256: Option<String>,
}

impl SignatureSource {
    /// Reads `LOCATION` or `LOCATION#sha256=DIGITS`; `None` if the digits are
    /// not those of a SHA-256, or if the location is an address of another
    /// kind than `https://`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (location, sha256) = match text.rsplit_once("#sha256=") {
            None => (text, None),
            Some((location, digits)) => {
                let is_digest =
                    digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                (
                    location,
                    Some(is_digest.then(|| digits.to_ascii_lowercase())?),
                )
            }
        };
        let is_other_address = location.contains("://") && !location.starts_with("https://");
        (!location.is_empty() && !is_other_address).then(|| Self {
            location: location.to_owned(),
            sha256,
        })
    }

    /// Tells whether it is on the network.
    pub(crate) fn is_address(&self) -> bool {
        self.location.starts_with("https://")
    }

    /// Returns where the minisign signature of a bundle is that is a file, or of a
    /// directory: its name with `.minisig` behind it.
    pub(crate) fn signature_path(&self) -> PathBuf {
        // Not in the directory.
        PathBuf::from(format!("{}.minisig", self.location.trim_end_matches('/')))
    }
}

/// How archives are unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unpacking {
    /// Whether they are.
    pub(crate) archives: bool,
    /// How deep.
    pub(crate) depth_max: u32,
    /// How many members.
    pub(crate) members_max: u32,
    /// Passwords to try before the well-known ones.
    pub(crate) passwords: Vec<String>,
}

/// The queue and the results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Queue {
    /// Where they are kept.
    pub(crate) dir: PathBuf,
    /// When a sample counts as accepted.
    pub(crate) durability: Durability,
    /// Results kept.
    pub(crate) results_max: u64,
    /// Number of waiting samples above which a warning is logged; `None` for
    /// never.
    pub(crate) warn_samples: Option<u64>,
    /// Samples that may wait; `None` for no limit.
    pub(crate) samples_max: Option<u64>,
    /// Bytes of samples that may wait; `None` for no limit.
    pub(crate) bytes_max: Option<u64>,
    /// Bytes to leave free on the disk.
    pub(crate) free_bytes_min: u64,
}

/// When a queued sample counts as accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Once it is on disk: it survives a power cut.
    Fsync,
    /// Once the system has it: it survives a crash of the service.
    Buffered,
}

/// Which samples are kept after the scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Samples {
    /// Which, by their level.
    pub(crate) store: StoreSamples,
    /// The lowest score of samples that are kept whatever their level.
    pub(crate) store_score_min: u32,
    /// Where.
    pub(crate) dir: PathBuf,
    /// Most bytes of them; `None` for no limit.
    pub(crate) bytes_max: Option<u64>,
    /// How long they are kept after they were seen last; `None` for ever.
    pub(crate) age_max: Option<Duration>,
}

/// Which samples are kept after the scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreSamples {
    /// None.
    None,
    /// Those with a Warning or an Alert.
    Malicious,
    /// All.
    All,
}

/// Where traces of samples are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Traces {
    /// Address of the collector.
    pub(crate) endpoint: String,
    /// Names and values of headers.
    pub(crate) headers: Vec<(String, String)>,
    /// Of a hundred samples, how many are traced.
    pub(crate) percent: u8,
}

/// What the service writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outputs {
    /// File for findings as lines of text.
    pub(crate) logfile: Option<PathBuf>,
    /// File for findings as lines of JSON.
    pub(crate) jsonfile: Option<PathBuf>,
    /// How lines of JSON are written.
    pub(crate) json_format: JsonFormat,
    /// When log files begin anew.
    pub(crate) rotation: Rotation,
    /// Addresses that findings are sent to.
    pub(crate) webhooks: Vec<String>,
    /// The form of a finding there.
    pub(crate) webhook_format: JsonFormat,
    /// What requests are signed with.
    pub(crate) webhook_secrets: Vec<String>,
    /// File with more of that.
    pub(crate) webhook_secret_file: Option<PathBuf>,
    /// How often a refused finding is sent.
    pub(crate) webhook_tries_max: u32,
    /// Syslog receivers for findings.
    pub(crate) syslog: Vec<SyslogTarget>,
    /// Whether syslog messages are as RFC 3164 has them.
    pub(crate) syslog_rfc3164: bool,
    /// How syslog messages are told apart on a stream.
    pub(crate) syslog_framing: SyslogFraming,
    /// Longest syslog message.
    pub(crate) syslog_bytes_max: usize,
    /// Certificates that receivers are trusted by, instead of the system's.
    pub(crate) ca: Option<PathBuf>,
    /// Bytes that wait for each receiver.
    pub(crate) buffer_bytes_max: u64,
    /// Where traces of samples are sent.
    pub(crate) traces: Option<Traces>,
    /// Whether times are in UTC.
    pub(crate) utc: bool,
    /// Whether times in lines of text are in RFC 3339 form.
    pub(crate) rfc3339: bool,
    /// Least severe of the service's own messages: `off`, `error`, `warn`,
    /// `info`, `debug` or `trace`.
    pub(crate) log_level: String,
}

/// A form of findings in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonFormat {
    /// The v3 log form.
    V3,
    /// The flat form of older logs.
    V1,
    /// Elastic Common Schema.
    Ecs,
    /// OCSF Detection Findings.
    Ocsf,
}

/// When log files begin anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rotation {
    /// Bytes of a file; `None` for never.
    pub(crate) bytes: Option<u64>,
    /// Its age; `None` for never.
    pub(crate) age: Option<Duration>,
    /// How many are kept; `None` for all.
    pub(crate) kept: Option<usize>,
}

/// How syslog messages are told apart on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SyslogFraming {
    /// The length of each goes before it.
    OctetCounted,
    /// Each ends with a line feed.
    LineFeed,
}

/// The database that findings are searched in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Findings {
    /// Its file.
    pub(crate) path: PathBuf,
    /// Findings kept; `None` for no limit.
    pub(crate) findings_max: Option<u64>,
    /// How long findings are kept; `None` for no limit.
    pub(crate) age_max: Option<Duration>,
}
