//! Where findings, samples and traces go.

use squall_types::LogHealth;

use crate::metrics::{Snapshot, float};
use crate::outputs::OutputState;
use crate::service::Service;

use super::flag;

/// Adds how logs, kept samples, receivers of findings and of traces fare.
pub(super) fn add(snapshot: &mut Snapshot, service: &Service) {
    add_logs(snapshot, service);
    add_kept_samples(snapshot, service);
    add_outputs(snapshot, service);
    add_traces(snapshot, service);
}

fn add_logs(snapshot: &mut Snapshot, service: &Service) {
    fn each<T>(service: &Service, value: impl Fn(&LogHealth) -> T) -> Vec<(&'static str, T)> {
        let logs = service.config().logs.iter();
        logs.map(|(name, health)| (*name, value(health))).collect()
    }
    if service.config().logs.is_empty() {
        return;
    }
    snapshot.counters(
        "squall_log_refused_lines_total",
        "Lines that a log file refused and its backlog took, since the start.",
        "log",
        &each(service, LogHealth::refused_lines),
    );
    snapshot.counters(
        "squall_log_unlogged_total",
        "Times that neither a log file nor its backlog took what was found, since the start.",
        "log",
        &each(service, LogHealth::unlogged),
    );
    snapshot.gauges(
        "squall_log_backlog_bytes",
        "Bytes of the lines that wait for a log file.",
        "log",
        &each(service, |health| float(health.backlog_bytes())),
    );
    snapshot.gauges(
        "squall_log_backlog_age_seconds",
        "How long lines have waited for a log file.",
        "log",
        &each(service, |health| health.backlog_age().as_secs_f64()),
    );
    snapshot.gauges(
        "squall_log_hangs",
        "1 while a log file does not answer.",
        "log",
        &each(service, |health| flag(health.hangs())),
    );
}

fn add_kept_samples(snapshot: &mut Snapshot, service: &Service) {
    let Some(samples) = service.kept_samples() else {
        return;
    };
    let stats = samples.stats();
    snapshot.gauge(
        "squall_kept_samples",
        "Samples kept after their scan.",
        float(stats.samples),
    );
    snapshot.gauge(
        "squall_kept_samples_bytes",
        "Bytes of kept samples and of what is noted of them.",
        float(stats.bytes),
    );
    snapshot.counter(
        "squall_kept_samples_refused_total",
        "Samples that were to be kept and were not, since the start.",
        stats.refused,
    );
    snapshot.counter(
        "squall_kept_samples_removed_total",
        "Kept samples that went for others or for their age, since the start.",
        stats.removed,
    );
}

fn add_outputs(snapshot: &mut Snapshot, service: &Service) {
    fn each<T>(outputs: &[OutputState], value: impl Fn(&OutputState) -> T) -> Vec<(&str, T)> {
        let outputs = outputs.iter();
        outputs
            .map(|output| (output.target.as_str(), value(output)))
            .collect()
    }
    let outputs = service.outputs();
    if outputs.is_empty() {
        return;
    }
    snapshot.counters(
        "squall_output_sent_total",
        "Findings sent to a receiver since the start, those sent again included.",
        "target",
        &each(&outputs, |output| output.sent),
    );
    snapshot.counters(
        "squall_output_dropped_total",
        "Findings given up since the start before they were known to have reached a receiver.",
        "target",
        &each(&outputs, |output| output.dropped),
    );
    snapshot.gauges(
        "squall_output_waiting",
        "Findings that are yet to be sent to a receiver.",
        "target",
        &each(&outputs, |output| float(output.waiting)),
    );
    snapshot.gauges(
        "squall_output_lag_bytes",
        "Bytes that are yet to be sent to a receiver.",
        "target",
        &each(&outputs, |output| float(output.lag_bytes)),
    );
    snapshot.gauges(
        "squall_output_age_seconds",
        "Age of the oldest finding that is yet to be sent to a receiver.",
        "target",
        &each(&outputs, |output| output.age.as_secs_f64()),
    );
}

fn add_traces(snapshot: &mut Snapshot, service: &Service) {
    let Some(tracer) = service.tracer() else {
        return;
    };
    let health = tracer.health();
    snapshot.counters(
        "squall_trace_spans_total",
        "Spans of traces, by what became of them: sent, failed (the collector did not take them) or dropped (it was too slow).",
        "outcome",
        &[
            ("sent", health.sent()),
            ("failed", health.failed()),
            ("dropped", health.dropped()),
        ],
    );
}
