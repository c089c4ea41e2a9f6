//! What monitoring reads.

mod destinations;
mod process;

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use squall_queue::Stats;
use squall_types::{IncompleteReason, Level};

use crate::failure::Failure;
use crate::metrics::{Count, Snapshot, float};
use crate::service::Service;

/// What rules are counted under that are not shown one by one.
const OTHER_RULES: &str = "other";

/// The version of the format, as Prometheus wants it said.
const CONTENT_TYPE: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Tells how busy the service is, for monitoring
///
/// In the Prometheus text format. No label holds a source or a file name.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "monitoring",
    responses((status = 200, description = "Metrics", body = String, content_type = "text/plain"))
)]
pub(crate) async fn metrics(State(service): State<Service>) -> Result<Response, Failure> {
    let mut snapshot = Snapshot::default();
    let stats = service.queue().stats();
    add_state(&mut snapshot, &service, &stats);
    add_samples(&mut snapshot, &service, &stats);
    add_outcomes(&mut snapshot, &service);
    add_times(&mut snapshot, &service, &stats);
    add_usage(&mut snapshot, &service, &stats);
    process::add(&mut snapshot, service.started_at());
    add_limits(&mut snapshot, &service);
    add_signatures(&mut snapshot, &service);
    add_signature_changes(&mut snapshot, &service);
    add_findings(&mut snapshot, &service);
    destinations::add(&mut snapshot, &service);
    add_verdicts(&mut snapshot, &service);
    let text = service.metrics().render(snapshot).map_err(|error| {
        tracing::error!(%error, "cannot write the metrics");
        Failure::Internal
    })?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}

fn add_state(snapshot: &mut Snapshot, service: &Service, stats: &Stats) {
    snapshot.gauges(
        "squall_build_info",
        "1, with the version of the program.",
        "version",
        &[(service.config().version.as_str(), 1.0)],
    );
    snapshot.gauge(
        "squall_ready",
        "1 while /readyz says that samples can be sent.",
        flag(service.readiness().ready),
    );
    snapshot.gauge(
        "squall_scan_threads",
        "Scan threads.",
        float(service.config().threads as u64),
    );
    snapshot.gauge(
        "squall_scan_threads_busy",
        "Scan threads that scan.",
        float(stats.scanning + stats.immediate_scanning),
    );
    snapshot.gauge(
        "squall_scan_threads_stuck",
        "Scan threads whose scan should have ended long ago.",
        float(service.config().scan_threads.stuck()),
    );
    if let Some(failures) = service.access().audit_failures() {
        snapshot.counter(
            "squall_audit_failures_total",
            "Acts that could not be written into the audit log, since the start.",
            failures,
        );
    }
}

fn add_outcomes(snapshot: &mut Snapshot, service: &Service) {
    let findings = &service.config().outcomes.findings;
    let levels = [Level::Alert, Level::Warning, Level::Notice];
    snapshot.counters(
        "squall_findings_total",
        "Findings by level, since the start.",
        "level",
        &levels.map(|level| (level.name(), findings.of_level(level))),
    );
    let by_rule = findings.by_rule();
    let rules = by_rule.rules.iter();
    let mut rules: Vec<(&str, u64)> = rules.map(|(name, n)| (name.as_str(), *n)).collect();
    rules.push((OTHER_RULES, by_rule.other));
    snapshot.counters(
        "squall_rule_findings_total",
        "Findings by rule, of the hundred rules with most of them, since the start.",
        "rule",
        &rules,
    );
}

fn flag(value: bool) -> f64 {
    f64::from(u8::from(value))
}

fn add_samples(snapshot: &mut Snapshot, service: &Service, stats: &Stats) {
    let metrics = service.metrics();
    snapshot.counter(
        "squall_accepted_samples_total",
        "Samples accepted since the data directory was made.",
        metrics.never_falling(Count::Accepted, stats.accepted),
    );
    snapshot.counter(
        "squall_scanned_samples_total",
        "Samples with a result since the data directory was made.",
        metrics.never_falling(Count::Scanned, stats.scanned),
    );
    snapshot.gauge(
        "squall_failed_samples",
        "Samples that could not be scanned since the data directory was made, without those retried.",
        float(stats.failed),
    );
    snapshot.gauge(
        "squall_failed_samples_kept",
        "Failed samples that are kept and can be listed.",
        float(service.queue().failed_kept()),
    );
    let gaps = &service.config().outcomes.gaps;
    snapshot.counters(
        "squall_incomplete_total",
        "Files and parts of files that could not be looked at, by reason.",
        "reason",
        &IncompleteReason::ALL.map(|reason| (reason.category(), gaps.get(reason))),
    );
    let lanes = |queue, checks| [("queue", float(queue)), ("checks", float(checks))];
    snapshot.gauges(
        "squall_waiting_samples",
        "Samples waiting for a scan thread, in the durable queue and as synchronous checks.",
        "lane",
        &lanes(stats.waiting, stats.immediate_waiting),
    );
    snapshot.gauges(
        "squall_scanning_samples",
        "Samples being scanned.",
        "lane",
        &lanes(stats.scanning, stats.immediate_scanning),
    );
}

fn add_times(snapshot: &mut Snapshot, service: &Service, stats: &Stats) {
    let times = service.queue().sample_times();
    snapshot.times(
        "squall_scan_seconds",
        "Time samples were scanned for, since the start.",
        "",
        &[("", &times.scan)],
    );
    snapshot.times(
        "squall_wait_seconds",
        "Time samples waited for a scan thread, since the start.",
        "lane",
        &[
            ("queue", &times.durable.wait),
            ("checks", &times.immediate.wait),
        ],
    );
    snapshot.times(
        "squall_sample_seconds",
        "Time from a sample's arrival to its result, since the start.",
        "lane",
        &[
            ("queue", &times.durable.total),
            ("checks", &times.immediate.total),
        ],
    );
    let oldest = stats.oldest_waiting.unwrap_or_default();
    snapshot.gauge(
        "squall_oldest_waiting_seconds",
        "How long the oldest sample of the queue has waited.",
        oldest.as_secs_f64(),
    );
    snapshot.gauge(
        "squall_drain_rate",
        "Samples that got their result in the last minute, per second.",
        stats.drain_rate_per_second,
    );
}

fn add_usage(snapshot: &mut Snapshot, service: &Service, stats: &Stats) {
    let places = service.places();
    snapshot.counter(
        "squall_received_bytes_total",
        "Bytes of uploads received.",
        places.received(),
    );
    snapshot.gauge(
        "squall_uploads",
        "Uploads being received.",
        float(places.uploads() as u64),
    );
    snapshot.gauge(
        "squall_in_flight_bytes",
        "Bytes announced or received that are not in the queue yet.",
        float(places.bytes_in_flight()),
    );
    snapshot.gauge(
        "squall_queue_bytes",
        "Bytes of the samples waiting in the queue.",
        float(stats.waiting_bytes),
    );
    snapshot.gauge(
        "squall_spool_bytes",
        "Bytes the spool has on the disk.",
        float(stats.spool_bytes),
    );
    if let Some(free_bytes) = service.queue().free_bytes() {
        snapshot.gauge(
            "squall_disk_free_bytes",
            "Bytes free on the disk of the queue.",
            float(free_bytes),
        );
    }
    if let Some(disk_bytes) = service.queue().disk_bytes() {
        snapshot.gauge(
            "squall_disk_bytes",
            "Size of the disk of the queue.",
            float(disk_bytes),
        );
    }
    snapshot.gauge(
        "squall_storage_ok",
        "1 while the disk takes samples, 0 while it refuses.",
        flag(stats.storage_ok),
    );
    let quota_wait = Duration::from_millis(service.metrics().quota_wait_time_ms());
    snapshot.counter_of(
        "squall_quota_wait_seconds_total",
        "Time samples were told to wait for the quota.",
        quota_wait.as_secs_f64(),
    );
}

fn add_limits(snapshot: &mut Snapshot, service: &Service) {
    let config = service.config();
    let limits = &config.limits;
    let queue = service.queue().limits();
    let per_hour = |limit: Option<u64>| limit.map_or(f64::INFINITY, float);
    let unbounded = |limit: u64| {
        if limit == u64::MAX {
            f64::INFINITY
        } else {
            float(limit)
        }
    };
    snapshot.gauges(
        "squall_limit",
        "The bounds at which samples are refused, named as in squall_refused_samples_total.",
        "reason",
        &[
            ("connections", float(limits.connections_max as u64)),
            ("uploads", float(limits.uploads_max as u64)),
            ("bytes_in_flight", unbounded(limits.bytes_in_flight_max)),
            ("queue_samples", unbounded(queue.samples_max)),
            ("queue_bytes", unbounded(queue.bytes_max)),
            ("disk_reserve", float(queue.free_bytes_min)),
            ("waiting_checks", float(queue.immediate_max as u64)),
            ("quota", per_hour(config.quota.samples_per_hour)),
            (
                "source_quota",
                per_hour(config.quota.samples_per_hour_per_source),
            ),
        ],
    );
}

fn add_signatures(snapshot: &mut Snapshot, service: &Service) {
    let signatures = service.signatures();
    let loaded = signatures.is_some();
    let signatures = signatures.unwrap_or_default();
    snapshot.gauge(
        "squall_signatures_loaded",
        "1 once signatures are loaded; before, synchronous checks are refused.",
        flag(loaded),
    );
    snapshot.gauges(
        "squall_signatures",
        "Signatures in use, and those skipped for an error.",
        "kind",
        &[
            ("rules", float(signatures.rules)),
            ("iocs", float(signatures.iocs)),
            ("skipped", float(signatures.skipped)),
        ],
    );
    if let Some(age) = signature_age_seconds(&signatures.updated) {
        snapshot.gauge(
            "squall_signature_age_seconds",
            "Age of the newest signature file in use.",
            age,
        );
    }
}

fn add_signature_changes(snapshot: &mut Snapshot, service: &Service) {
    let Some(control) = service.signature_control() else {
        return;
    };
    let state = control.state();
    snapshot.counter(
        "squall_signature_changes_total",
        "Times that another signature set was put in force since the start.",
        state.changed,
    );
    snapshot.counter(
        "squall_signature_change_failures_total",
        "Signature sets that were not fit to be put in force since the start.",
        state.failed,
    );
}

fn add_findings(snapshot: &mut Snapshot, service: &Service) {
    let Some(findings) = service.findings() else {
        return;
    };
    let stats = findings.stats();
    snapshot.gauge(
        "squall_findings_stored",
        "Findings in the findings store.",
        float(stats.stored),
    );
    snapshot.gauge(
        "squall_findings_waiting",
        "Findings that wait for the writer of the findings store.",
        float(stats.waiting),
    );
    snapshot.counter(
        "squall_findings_put_off_total",
        "Findings that the findings store could not take at once.",
        stats.put_off,
    );
    snapshot.gauge(
        "squall_findings_lag_seconds",
        "How long the findings stored last had waited.",
        float(stats.lag_ms) / 1000.0,
    );
}

fn add_verdicts(snapshot: &mut Snapshot, service: &Service) {
    let Some(verdicts) = service.verdicts() else {
        return;
    };
    let stats = verdicts.stats();
    snapshot.counters(
        "squall_verdict_cache_lookups_total",
        "Look-ups of verdicts on what was scanned before, by whether there was one.",
        "result",
        &[("hit", stats.hits), ("miss", stats.misses)],
    );
    snapshot.counter(
        "squall_verdict_cache_evictions_total",
        "Verdicts that had to go for others.",
        stats.evictions,
    );
    snapshot.gauge(
        "squall_verdict_cache_entries",
        "Verdicts in the cache.",
        float(stats.entries),
    );
    snapshot.gauge(
        "squall_verdict_cache_bytes",
        "Memory of the verdict cache.",
        float(stats.bytes),
    );
    snapshot.gauge(
        "squall_verdict_cache_max_bytes",
        "The most memory of the verdict cache.",
        float(stats.bytes_max),
    );
}

/// Reads the age from the time of a set, `YYYY/MM/DD-HHMMSS`.
pub(super) fn signature_age_seconds(time: &str) -> Option<f64> {
    let made = Timestamp::strptime("%Y/%m/%d-%H%M%S%z", format!("{time}+0000")).ok()?;
    let age = Timestamp::now().duration_since(made);
    Some(age.as_secs_f64().max(0.0))
}
