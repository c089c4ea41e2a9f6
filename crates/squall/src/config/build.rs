//! Makes the typed configuration from values, and checks what takes more than
//! one of them to check.

use std::path::{Path, PathBuf};
use std::time::Duration;

use squall_access::{CertificateRules, RoleNetworks};
use squall_types::Thresholds;

use super::error::ConfigError;
use super::login::login;
use super::settings::{
    Access, AccessMode, Clients, Durability, Findings, JsonFormat, Limits, Listen, Outputs, Queue,
    Rotation, Samples, Senders, Settings, SignatureSource, Signatures, StoreSamples, SyslogFraming,
    Tls, Traces, Unpacking, Workers,
};
use super::shown::public;
use super::values::Values;

/// The word that stands for a self-signed certificate in `server-cert`.
pub(super) const SELF_SIGNED: &str = "auto";

/// The word that stands for the built-in set in `signatures`.
pub(super) const BUILT_IN: &str = "built-in";

/// The word that stands for no database in `findings-db`.
pub(super) const NO_DATABASE: &str = "none";

/// Makes the typed configuration. `cores` is the number of processor cores.
///
/// # Errors
///
/// Returns an error if values contradict each other.
pub(crate) fn build(values: &Values, cores: usize) -> Result<Settings, ConfigError> {
    let data_dir = values.path("data-dir")?.ok_or(ConfigError::Value {
        setting: "data-dir",
        origin: values.origin("data-dir")?,
        value: String::new(),
        expected: "a path".to_owned(),
    })?;
    Ok(Settings {
        listen: listen(values)?,
        access: access(values, &data_dir)?,
        senders: senders(values)?,
        limits: limits(values)?,
        workers: workers(values, cores)?,
        signatures: signatures(values, &data_dir)?,
        unpacking: unpacking(values)?,
        levels: levels(values)?,
        queue: queue(values, &data_dir)?,
        samples: samples(values, &data_dir)?,
        outputs: outputs(values)?,
        findings: findings(values, &data_dir)?,
        lookup_links: values.links("lookup-link")?,
        data_dir,
    })
}

fn listen(values: &Values) -> Result<Listen, ConfigError> {
    let tls = tls(values)?;
    Ok(Listen {
        host: values.text("server-host")?,
        port: values.integer("server-port")?,
        admin: values.endpoint("admin-listen")?,
        clients: clients(values, tls.is_some())?,
        tls,
    })
}

/// Says which client certificates are good, if any are asked for.
fn clients(values: &Values, has_tls: bool) -> Result<Option<Clients>, ConfigError> {
    let contradiction = |setting: &'static str, problem: String, remedy| {
        Ok::<_, ConfigError>(ConfigError::Contradiction {
            problem,
            origin: values.origin(setting)?,
            remedy,
        })
    };
    let ca = values.path("client-ca")?;
    let crl = values.path("client-crl")?;
    let required = values.text("client-auth")? == "required";
    let rules = values.certificate_rules("certificate-role")?;
    let Some(ca) = ca else {
        let pointless = [
            ("client-auth", required),
            ("client-crl", crl.is_some()),
            ("certificate-role", !rules.is_empty()),
        ];
        return match pointless.into_iter().find(|(_, is_set)| *is_set) {
            None => Ok(None),
            Some((setting, _)) => Err(contradiction(
                setting,
                format!("`{setting}` is set but no client certificate is good without `client-ca`"),
                "name the certificates of the authorities that issue client certificates in \
                 `client-ca`",
            )?),
        };
    };
    if !has_tls {
        return Err(contradiction(
            "client-ca",
            "`client-ca` is set but the service speaks plain HTTP".to_owned(),
            "name the certificate of the service in `server-cert`",
        )?);
    }
    Ok(Some(Clients { ca, crl, required }))
}

fn tls(values: &Values) -> Result<Option<Tls>, ConfigError> {
    let contradiction = |setting, problem: &str, remedy| {
        Ok::<_, ConfigError>(ConfigError::Contradiction {
            problem: problem.to_owned(),
            origin: values.origin(setting)?,
            remedy,
        })
    };
    match (values.path("server-cert")?, values.path("server-key")?) {
        (None, None) => Ok(None),
        (Some(cert), None) if cert == Path::new(SELF_SIGNED) => Ok(Some(Tls::SelfSigned)),
        (Some(cert), Some(_)) if cert == Path::new(SELF_SIGNED) => Err(contradiction(
            "server-key",
            "`server-key` is set but `server-cert` is `auto`, which makes its own key",
            "leave out `server-key`, or name the certificate of that key in `server-cert`",
        )?),
        (Some(cert), Some(key)) => Ok(Some(Tls::Files { cert, key })),
        (Some(_), None) => Err(contradiction(
            "server-cert",
            "`server-cert` is set but `server-key` is not",
            "name the private key of that certificate in `server-key`, \
             or set `server-cert` to `auto` for a self-signed one",
        )?),
        (None, Some(_)) => Err(contradiction(
            "server-key",
            "`server-key` is set but `server-cert` is not",
            "name the certificate of that key in `server-cert`",
        )?),
    }
}

fn access(values: &Values, data_dir: &Path) -> Result<Access, ConfigError> {
    let mode = match (
        values.text("access")?.as_str(),
        values.flag("insecure-open")?,
    ) {
        ("auto", false) => AccessMode::Auto,
        ("auto", true) => AccessMode::Open,
        ("tokens", false) => AccessMode::Tokens,
        ("tokens", true) => {
            return Err(ConfigError::Contradiction {
                problem: "`access` is `tokens` but `insecure-open` lets everybody in".to_owned(),
                origin: values.origin("insecure-open")?,
                remedy: "leave out one of the two",
            });
        }
        _ => return inconsistent("access"),
    };
    let rules = values.certificate_rules("certificate-role")?;
    let networks = values.role_networks("role-network")?;
    let login = login(values)?;
    for (setting, is_set) in [
        ("certificate-role", !rules.is_empty()),
        ("role-network", !networks.is_empty()),
        ("oidc-issuer", login.is_some()),
    ] {
        if is_set && mode == AccessMode::Open {
            return Err(ConfigError::Contradiction {
                problem: format!("`{setting}` says who may but `insecure-open` lets everybody in"),
                origin: values.origin(setting)?,
                remedy: "leave out one of the two",
            });
        }
    }
    let certificates = match CertificateRules::new(rules) {
        Ok(rules) => rules,
        Err(error) => {
            return Err(ConfigError::Contradiction {
                problem: error.to_string(),
                origin: values.origin("certificate-role")?,
                remedy: "leave out one of the two",
            });
        }
    };
    Ok(Access {
        mode,
        certificates,
        role_networks: RoleNetworks::new(networks),
        login,
        token_in_url: values.flag("token-in-url")?,
        allowed_hosts: values.hosts("allowed-hosts")?,
        run_as: values.account("run-as")?,
        sandbox: values.text("sandbox")? != "off",
        audit_log: values
            .path("audit-log")?
            .unwrap_or_else(|| data_dir.join("audit.log")),
    })
}

fn senders(values: &Values) -> Result<Senders, ConfigError> {
    Ok(Senders {
        trusted_proxies: values.networks("trusted-proxy")?,
        analysts: values.networks("analyst")?,
        reverse_dns: values.flag("reverse-dns")?,
        resolve_timeout: values.duration("resolve-timeout")?,
        samples_per_hour_max: unless_zero(values.integer("allowed-samples-per-hour")?),
        samples_per_hour_per_source_max: unless_zero(
            values.integer("allowed-samples-per-hour-per-source")?,
        ),
    })
}

fn limits(values: &Values) -> Result<Limits, ConfigError> {
    Ok(Limits {
        max_file_size_bytes: values.size("max_file_size")?,
        uploads_max: values.integer("max-uploads")?,
        connections_max: values.integer("max-connections")?,
        bytes_in_flight_max: unless_zero(values.size("max-bytes-in-flight")?),
        waiting_checks_max: values.integer("max-waiting-checks")?,
        header_timeout: values.duration("header-timeout")?,
        body_timeout: values.duration("body-timeout")?,
        idle_timeout: values.duration("idle-timeout")?,
    })
}

fn workers(values: &Values, cores: usize) -> Result<Workers, ConfigError> {
    let threads = thread_count(values.integer("threads")?, cores);
    let sync_only_threads: usize = values.integer("sync-only-threads")?;
    if sync_only_threads >= threads {
        return Err(ConfigError::Contradiction {
            problem: format!(
                "`sync-only-threads` is {sync_only_threads} of {threads} scan thread(s), \
                 so that none would be left to scan the queue"
            ),
            origin: values.origin("sync-only-threads")?,
            remedy: "lower `sync-only-threads` or raise `threads`",
        });
    }
    Ok(Workers {
        threads,
        sync_only_threads,
        scan_timeout: values.duration("scan-timeout")?,
        verdict_bytes_max: unless_zero(values.size("verdict-cache-size")?)
            .map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
    })
}

/// Returns how many threads there are to be: what is not positive is taken
/// from the number of cores, as the original scanner does, and one is left.
fn thread_count(wanted: i64, cores: usize) -> usize {
    match usize::try_from(wanted) {
        Ok(threads) if threads > 0 => threads,
        _ => {
            let fewer = usize::try_from(wanted.unsigned_abs()).unwrap_or(usize::MAX);
            cores.saturating_sub(fewer).max(1)
        }
    }
}

fn signatures(values: &Values, data_dir: &Path) -> Result<Signatures, ConfigError> {
    let (builtin, dirs): (Vec<PathBuf>, Vec<PathBuf>) = values
        .paths("signatures")?
        .into_iter()
        .partition(|path| path == Path::new(BUILT_IN));
    Ok(Signatures {
        // An empty list, as `signatures: []`, asks for nothing else either.
        builtin: !builtin.is_empty() || dirs.is_empty(),
        dirs,
        custom: values.paths("custom-signatures")?,
        watch: values.flag("watch-signatures")?,
        cache_dir: values
            .path("signature-cache-dir")?
            .unwrap_or_else(|| data_dir.join("signature-cache")),
        sources: signature_sources(values)?,
        public_key: values.path("signature-public-key")?,
        update_interval_hours: unless_zero(values.integer("signature-update-interval")?),
        pure_yara: values.flag("pure-yara")?,
    })
}

fn signature_sources(values: &Values) -> Result<Vec<SignatureSource>, ConfigError> {
    let setting = "signature-sources";
    let origin = values.origin(setting)?;
    let paths = values.paths(setting)?;
    let sources = paths.iter().map(|path| {
        let text = path.to_string_lossy();
        SignatureSource::parse(&text).ok_or_else(|| ConfigError::Value {
            setting,
            origin: origin.clone(),
            value: public(&text),
            expected: "an address https://…, or the path of a bundle or a directory, with or \
                       without #sha256= and 64 hexadecimal digits behind it"
                .to_owned(),
        })
    });
    sources.collect()
}

fn unpacking(values: &Values) -> Result<Unpacking, ConfigError> {
    Ok(Unpacking {
        archives: !values.flag("noarchive")?,
        depth_max: values.integer("max-recursion-depth")?,
        members_max: values.integer("max-nested-objects")?,
        passwords: values.passwords("archive-password")?,
    })
}

fn levels(values: &Values) -> Result<Thresholds, ConfigError> {
    let levels = Thresholds {
        notice: values.integer("notice")?,
        warning: values.integer("warning")?,
        alert: values.integer("alert")?,
    };
    let Thresholds {
        notice,
        warning,
        alert,
    } = levels;
    let (setting, problem) = if notice > warning {
        (
            "warning",
            format!("`warning` is {warning} but `notice` is {notice}"),
        )
    } else if warning > alert {
        (
            "alert",
            format!("`alert` is {alert} but `warning` is {warning}"),
        )
    } else {
        return Ok(levels);
    };
    Err(ConfigError::Contradiction {
        problem,
        origin: values.origin(setting)?,
        remedy: "`notice` must not be above `warning`, nor `warning` above `alert`",
    })
}

fn queue(values: &Values, data_dir: &Path) -> Result<Queue, ConfigError> {
    Ok(Queue {
        dir: values
            .path("queue-storage")?
            .unwrap_or_else(|| data_dir.join("queue")),
        durability: match values.text("queue-durability")?.as_str() {
            "buffered" => Durability::Buffered,
            "fsync" => Durability::Fsync,
            _ => return inconsistent("queue-durability"),
        },
        results_max: values.integer("server-result-cache-size")?,
        warn_samples: unless_zero(values.integer("queue-warn-size")?),
        samples_max: unless_zero(values.integer("queue-max-samples")?),
        bytes_max: unless_zero(values.size("queue-max-bytes")?),
        free_bytes_min: values.size("disk-reserve")?,
    })
}

fn samples(values: &Values, data_dir: &Path) -> Result<Samples, ConfigError> {
    Ok(Samples {
        store: match values.text("server-store-samples")?.as_str() {
            "none" => StoreSamples::None,
            "malicious" => StoreSamples::Malicious,
            "all" => StoreSamples::All,
            _ => return inconsistent("server-store-samples"),
        },
        store_score_min: values.integer("store-samples-score")?,
        dir: values
            .path("server-upload-dir")?
            .unwrap_or_else(|| data_dir.join("samples")),
        bytes_max: unless_zero(values.size("store-samples-max-bytes")?),
        age_max: unless_zero(values.integer("store-samples-max-age")?)
            .map(|days: u64| Duration::from_secs(days * 86_400)),
    })
}

fn outputs(values: &Values) -> Result<Outputs, ConfigError> {
    Ok(Outputs {
        logfile: values.path("logfile")?,
        jsonfile: values.path("jsonfile")?,
        json_format: json_format(values, "json-format")?,
        rotation: rotation(values)?,
        webhooks: values.addresses("webhook")?,
        webhook_format: json_format(values, "webhook-format")?,
        webhook_secrets: values.passwords("webhook-secret")?,
        webhook_secret_file: values.path("webhook-secret-file")?,
        webhook_tries_max: values.integer("webhook-tries")?,
        syslog: values.syslog_targets("syslog")?,
        syslog_rfc3164: values.flag("syslog-rfc3164")?,
        syslog_framing: match values.text("syslog-framing")?.as_str() {
            "octet-counted" => SyslogFraming::OctetCounted,
            "line-feed" => SyslogFraming::LineFeed,
            _ => return inconsistent("syslog-framing"),
        },
        syslog_bytes_max: values
            .size("syslog-length-limit")
            .map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX))?,
        ca: values.path("output-ca")?,
        buffer_bytes_max: values.size("output-buffer-size")?,
        traces: traces(values)?,
        utc: values.flag("utc")?,
        rfc3339: values.flag("rfc3339")?,
        log_level: values.text("log-level")?,
    })
}

fn traces(values: &Values) -> Result<Option<Traces>, ConfigError> {
    let headers = values.passwords("otlp-header")?.into_iter();
    let headers = headers.filter_map(|header| {
        let (name, value) = header.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    });
    let headers = headers.collect();
    let percent = values.integer("otlp-percent")?;
    let endpoint = values.address("otlp-endpoint")?;
    Ok(endpoint.map(|endpoint| Traces {
        endpoint,
        headers,
        percent,
    }))
}

fn json_format(values: &Values, setting: &'static str) -> Result<JsonFormat, ConfigError> {
    match values.text(setting)?.as_str() {
        "v3" => Ok(JsonFormat::V3),
        "v1" => Ok(JsonFormat::V1),
        "ecs" => Ok(JsonFormat::Ecs),
        "ocsf" => Ok(JsonFormat::Ocsf),
        _ => inconsistent(setting),
    }
}

fn rotation(values: &Values) -> Result<Rotation, ConfigError> {
    let hours: Option<u64> = unless_zero(values.integer("log-rotate-hours")?);
    Ok(Rotation {
        bytes: unless_zero(values.size("log-rotate-size")?),
        age: hours.map(|hours| Duration::from_secs(hours * 3600)),
        kept: unless_zero(values.integer("log-rotate-keep")?),
    })
}

fn findings(values: &Values, data_dir: &Path) -> Result<Option<Findings>, ConfigError> {
    let path = values
        .path("findings-db")?
        .unwrap_or_else(|| data_dir.join("findings/findings.db"));
    if path == Path::new(NO_DATABASE) {
        return Ok(None);
    }
    let days: Option<u64> = unless_zero(values.integer("findings-max-age")?);
    Ok(Some(Findings {
        path,
        findings_max: unless_zero(values.integer("findings-max")?),
        age_max: days.map(|days| Duration::from_secs(days * 24 * 3600)),
    }))
}

/// Turns the 0 that stands for "no limit" or "never" into `None`.
fn unless_zero<T: Default + PartialEq>(number: T) -> Option<T> {
    (number != T::default()).then_some(number)
}

fn inconsistent<T>(setting: &'static str) -> Result<T, ConfigError> {
    Err(ConfigError::Inconsistent { setting })
}
