//! Where findings, traces and samples go, as the settings say.

use std::io::Read as _;

use anyhow::Context as _;
use squall_output::{
    Framing, OutputConfig, Outputs, Secret, SyslogTarget, Target, Transport, WebhookTarget,
};
use squall_queue::{Queue, Recovery};
use squall_report::syslog::{Form, Head};
use squall_trace::Tracer;
use squall_types::SampleId;
use squall_worker::{
    Console, JsonForm, KeepConfig, KeepLevel, Keeper, LogDurability, LogSink, Rotation, Sinks,
    TextOptions,
};

use crate::config::settings;
use crate::config::{self, Settings};

pub(crate) fn open_sinks(settings: &Settings) -> anyhow::Result<Sinks> {
    let outputs = &settings.outputs;
    let durability = match settings.queue.durability {
        settings::Durability::Fsync => LogDurability::Fsync,
        settings::Durability::Buffered => LogDurability::Buffered,
    };
    // Lines that a log refuses; on the disk of the queue, which holds their
    // samples as long as that refuses as well.
    let backlog = settings.data_dir.join("log-backlog");
    let rotation = Rotation {
        bytes: outputs.rotation.bytes,
        age: outputs.rotation.age,
        kept: outputs.rotation.kept,
    };
    let open = |path: &Option<std::path::PathBuf>, name| {
        let path = path.as_ref();
        path.map(|path| LogSink::open(path, &backlog.join(name), durability, rotation))
            .transpose()
    };
    let mut sinks = Sinks::new(TextOptions {
        utc: outputs.utc,
        rfc3339: outputs.rfc3339,
        ..TextOptions::default()
    });
    sinks.text = open(&outputs.logfile, "logfile")?;
    sinks.json = open(&outputs.jsonfile, "jsonfile")?;
    sinks.json_form = json_form(outputs.json_format);
    env!("CARGO_PKG_VERSION").clone_into(&mut sinks.version);
    sinks.console = Some(Console::start().context("cannot start the console's thread")?);
    Ok(sinks)
}

/// The most bytes of a syslog message, and of one in a datagram.
const SYSLOG_BYTES_MAX: usize = 1 << 20;
const SYSLOG_UDP_BYTES_MAX: usize = 60 << 10;

/// Starts to send findings to receivers; `None` if there are none. Deliveries
/// are told to `tracer`.
pub(crate) fn start_outputs(
    settings: &Settings,
    tracer: Option<&Tracer>,
    runtime: &tokio::runtime::Handle,
) -> anyhow::Result<Option<Outputs>> {
    let outputs = &settings.outputs;
    let syslog = outputs
        .syslog
        .iter()
        .map(|target| syslog_target(outputs, target));
    let config = OutputConfig {
        dir: settings.data_dir.join("outputs"),
        spool_bytes_max: outputs.buffer_bytes_max,
        durable: settings.queue.durability == settings::Durability::Fsync,
        ca: outputs.ca.clone(),
        utc: outputs.utc,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        tracer: tracer.cloned(),
        targets: syslog
            .map(Target::Syslog)
            .chain(webhooks(outputs)?)
            .collect(),
    };
    if config.targets.is_empty() {
        return Ok(None);
    }
    let started = Outputs::start(&config, runtime).context("cannot send findings to receivers")?;
    Ok(Some(started))
}

/// The form that the settings name.
const fn json_form(format: settings::JsonFormat) -> JsonForm {
    match format {
        settings::JsonFormat::V3 => JsonForm::V3,
        settings::JsonFormat::V1 => JsonForm::V1,
        settings::JsonFormat::Ecs => JsonForm::Ecs,
        settings::JsonFormat::Ocsf => JsonForm::Ocsf,
    }
}

/// The most bytes of a file of secrets.
const SECRETS_BYTES_MAX: u64 = 64 << 10;

/// Starts to send traces, if there is somebody to send them to.
///
/// # Errors
///
/// Fails if they cannot be sent whoever takes them.
pub(crate) fn start_traces(
    settings: &Settings,
    scan_id: &str,
) -> anyhow::Result<Option<squall_trace::Exporter>> {
    let outputs = &settings.outputs;
    let Some(traces) = &outputs.traces else {
        return Ok(None);
    };
    let config = squall_trace::TraceConfig {
        endpoint: traces.endpoint.clone(),
        headers: traces.headers.clone(),
        ca: outputs.ca.clone(),
        ratio: f64::from(traces.percent) / 100.0,
        instance: scan_id.to_owned(),
        version: env!("CARGO_PKG_VERSION"),
    };
    let exporter = squall_trace::Exporter::start(&config);
    exporter
        .map(Some)
        .context("cannot send traces (`otlp-endpoint`)")
}

/// Ends the traces of samples that were put aside at this start.
pub(crate) fn trace_put_aside(queue: &Queue, recovery: &Recovery, tracer: Option<&Tracer>) {
    let Some(tracer) = tracer else { return };
    for id in &recovery.put_aside {
        let before = SampleId::new(id.value() - 1);
        for sample in queue.failed_samples(before, 1) {
            squall_worker::trace_put_aside(tracer, &sample);
        }
    }
}

fn webhooks(outputs: &settings::Outputs) -> anyhow::Result<Vec<Target>> {
    if outputs.webhooks.is_empty() {
        return Ok(Vec::new());
    }
    let mut secrets = outputs.webhook_secrets.clone();
    if let Some(path) = &outputs.webhook_secret_file {
        let failed = || format!("cannot read `webhook-secret-file` `{}`", path.display());
        let mut text = String::new();
        let file = std::fs::File::open(path).with_context(failed)?;
        file.take(SECRETS_BYTES_MAX)
            .read_to_string(&mut text)
            .with_context(failed)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let before = secrets.len();
        secrets.extend(lines.map(str::to_owned));
        anyhow::ensure!(
            secrets.len() > before,
            "`{}` holds no secret",
            path.display()
        );
    }
    let secrets: Vec<_> = secrets.into_iter().map(Secret::new).collect();
    let mut origins: Vec<String> = Vec::new();
    let target = |url: &String| {
        let origin = config::origin(url);
        let same = origins.iter().filter(|known| **known == origin).count();
        origins.push(origin.clone());
        Target::Webhook(WebhookTarget {
            url: url.clone(),
            // Two at one server are told apart by their place in the list.
            label: match same {
                0 => origin,
                same => format!("{origin}#{}", same + 1),
            },
            form: json_form(outputs.webhook_format),
            secrets: secrets.clone(),
            tries_max: outputs.webhook_tries_max,
        })
    };
    Ok(outputs.webhooks.iter().map(target).collect())
}

fn syslog_target(outputs: &settings::Outputs, target: &config::SyslogTarget) -> SyslogTarget {
    let transport = match target.protocol {
        config::SyslogProtocol::Udp => Transport::Udp,
        config::SyslogProtocol::Tcp => Transport::Tcp,
        config::SyslogProtocol::TcpTls => Transport::Tls,
    };
    SyslogTarget {
        host: target.host.clone(),
        port: target.port,
        form: match target.format {
            config::SyslogFormat::Default => Form::Text,
            config::SyslogFormat::Cef => Form::Cef,
            config::SyslogFormat::Json => Form::Json,
            config::SyslogFormat::SyslogJson => Form::SyslogJson,
            config::SyslogFormat::SyslogKeyValue => Form::KeyValue,
        },
        head: if outputs.syslog_rfc3164 {
            Head::Rfc3164
        } else {
            Head::Rfc5424
        },
        transport,
        framing: match outputs.syslog_framing {
            settings::SyslogFraming::OctetCounted => Framing::OctetCounted,
            settings::SyslogFraming::LineFeed => Framing::LineFeed,
        },
        message_bytes_max: outputs.syslog_bytes_max.min(match transport {
            Transport::Udp => SYSLOG_UDP_BYTES_MAX,
            Transport::Tcp | Transport::Tls => SYSLOG_BYTES_MAX,
        }),
    }
}

/// Opens the directory of kept samples if any are to be kept.
pub(crate) fn open_keeper(settings: &Settings) -> anyhow::Result<Option<Keeper>> {
    let samples = &settings.samples;
    let config = KeepConfig {
        dir: samples.dir.clone(),
        level: match samples.store {
            settings::StoreSamples::None => KeepLevel::None,
            settings::StoreSamples::Malicious => KeepLevel::Malicious,
            settings::StoreSamples::All => KeepLevel::All,
        },
        score_min: samples.store_score_min,
        bytes_max: samples.bytes_max,
        age_max: samples.age_max,
        free_bytes_min: settings.queue.free_bytes_min,
        fsync: settings.queue.durability == settings::Durability::Fsync,
    };
    if !config.keeps_any() {
        return Ok(None);
    }
    let keeper = Keeper::open(config).context("cannot keep samples (`server-store-samples`)")?;
    Ok(Some(keeper))
}
