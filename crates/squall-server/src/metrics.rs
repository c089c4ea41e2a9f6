//! What the service counts for monitoring, in the Prometheus text format.
//!
//! Events are counted as they happen. What the queue knows is asked of it when
//! somebody looks. No label holds anything a client chose: a label's values
//! are paths of the router, statuses and words of this program.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};
use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

use squall_queue::TimeCounts;

use crate::bound::Bound;
use crate::turnover::Turnover;

/// Events since the start, and what is open now.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    refused: IntCounterVec,
    connections: IntGauge,
    connections_ended: Arc<Turnover>,
    quota_waits: IntCounter,
    /// Milliseconds.
    quota_wait_time: AtomicU64,
    /// The highest values shown so far of counts that may fall for a while: a
    /// retry takes back a failure. To a monitor a counter that falls was
    /// started anew.
    high_water: [AtomicU64; 2],
}

/// One open connection; dropped when it ends.
#[derive(Debug)]
pub(crate) struct OpenConnection {
    open: IntGauge,
    /// Where its end is noted; not that of one that had no place.
    ended: Option<Arc<Turnover>>,
}

impl Metrics {
    /// Makes the counters, all of them 0.
    ///
    /// # Errors
    ///
    /// Fails if a name is invalid or there twice, which a test would show.
    fn try_new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let requests = IntCounterVec::new(
            Opts::new(
                "squall_http_requests_total",
                "Requests answered, by path of the API and status.",
            ),
            &["endpoint", "status"],
        )?;
        let refused = IntCounterVec::new(
            Opts::new(
                "squall_refused_samples_total",
                "Samples refused with a 503, by the bound that was reached.",
            ),
            &["reason"],
        )?;
        // All of them are there from the start, so that a first refusal is a
        // change and not a new series.
        for bound in Bound::ALL {
            refused.with_label_values(&[bound.word()]);
        }
        let connections = IntGauge::new("squall_connections", "Connections open now.")?;
        let quota_waits = IntCounter::new(
            "squall_quota_waits_total",
            "Samples told to wait for the quota.",
        )?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(refused.clone()))?;
        registry.register(Box::new(connections.clone()))?;
        registry.register(Box::new(quota_waits.clone()))?;
        Ok(Self {
            registry,
            requests,
            refused,
            connections,
            connections_ended: Arc::new(Turnover::new()),
            quota_waits,
            quota_wait_time: AtomicU64::new(0),
            high_water: Default::default(),
        })
    }

    /// Makes the counters, all of them 0.
    pub(crate) fn new() -> Self {
        // The names are constants, and every test of this crate comes by here.
        Self::try_new().expect("the names of metrics are valid and unique")
    }

    pub(crate) fn count_request(&self, endpoint: &str, status: u16) {
        let status = status.to_string();
        self.requests
            .with_label_values(&[endpoint, status.as_str()])
            .inc();
    }

    pub(crate) fn count_refusal(&self, bound: Bound) {
        self.refused.with_label_values(&[bound.word()]).inc();
    }

    pub(crate) fn count_quota_wait(&self, wait: Duration) {
        self.quota_waits.inc();
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self.quota_wait_time.fetch_add(wait_ms, Ordering::Relaxed);
    }

    /// Returns how often a sample was told to wait for the quota.
    pub(crate) fn quota_waits(&self) -> u64 {
        self.quota_waits.get()
    }

    /// Returns how long samples were told to wait for the quota in total, in
    /// milliseconds.
    pub(crate) fn quota_wait_time_ms(&self) -> u64 {
        self.quota_wait_time.load(Ordering::Relaxed)
    }

    /// Counts a connection for as long as the value lives.
    pub(crate) fn open_connection(&self, refused: bool) -> OpenConnection {
        self.connections.inc();
        OpenConnection {
            open: self.connections.clone(),
            ended: (!refused).then(|| Arc::clone(&self.connections_ended)),
        }
    }

    /// Returns when a connection has a place again. One on which nothing
    /// happens is closed after `patience`.
    pub(crate) fn until_connection(&self, patience: Duration) -> Duration {
        let open = u64::try_from(self.connections.get()).unwrap_or_default();
        self.connections_ended.until_free(open, patience)
    }

    /// Returns the highest of `value` and what was passed for `count` before.
    pub(crate) fn never_falling(&self, count: Count, value: u64) -> u64 {
        let before = self.high_water[count as usize].fetch_max(value, Ordering::Relaxed);
        before.max(value)
    }

    /// Returns the text of these metrics and of `snapshot`.
    ///
    /// # Errors
    ///
    /// Fails if a family of `snapshot` is not well formed.
    pub(crate) fn render(&self, snapshot: Snapshot) -> prometheus::Result<String> {
        let mut families = self.registry.gather();
        families.extend(snapshot.0);
        TextEncoder::new().encode_to_string(&families)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.open.dec();
        if let Some(ended) = &self.ended {
            ended.record();
        }
    }
}

/// A count that may fall for a while and is shown as if it did not.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Count {
    /// Samples accepted.
    Accepted,
    /// Samples scanned.
    Scanned,
}

/// Values read at the moment somebody looks.
#[derive(Debug, Default)]
pub(crate) struct Snapshot(Vec<MetricFamily>);

impl Snapshot {
    /// Adds a value that goes up and down.
    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.gauges(name, help, "", &[("", value)]);
    }

    /// Adds values that go up and down, one for each word of `label`.
    pub(crate) fn gauges(&mut self, name: &str, help: &str, label: &str, values: &[(&str, f64)]) {
        let metric = |&(word, value): &(&str, f64)| {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            let mut metric = Metric::from_label(labels(label, word));
            metric.set_gauge(gauge);
            metric
        };
        let metrics = values.iter().map(metric).collect();
        self.add(name, help, MetricType::GAUGE, metrics);
    }

    /// Adds a value that only grows.
    pub(crate) fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.counters(name, help, "", &[("", value)]);
    }

    /// Adds a value that only grows and is no count.
    pub(crate) fn counter_of(&mut self, name: &str, help: &str, value: f64) {
        let mut counter = Counter::default();
        counter.set_value(value);
        let mut metric = Metric::from_label(Vec::new());
        metric.set_counter(counter);
        self.add(name, help, MetricType::COUNTER, vec![metric]);
    }

    /// Adds values that only grow, one for each word of `label`.
    pub(crate) fn counters(&mut self, name: &str, help: &str, label: &str, values: &[(&str, u64)]) {
        let metric = |&(word, value): &(&str, u64)| {
            let mut counter = Counter::default();
            counter.set_value(float(value));
            let mut metric = Metric::from_label(labels(label, word));
            metric.set_counter(counter);
            metric
        };
        let metrics = values.iter().map(metric).collect();
        self.add(name, help, MetricType::COUNTER, metrics);
    }

    /// Adds times, one distribution for each word of `label`.
    pub(crate) fn times(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: &[(&str, &TimeCounts)],
    ) {
        let metric = |&(word, times): &(&str, &TimeCounts)| {
            let mut metric = Metric::from_label(labels(label, word));
            metric.set_histogram(histogram(times));
            metric
        };
        let metrics = values.iter().map(metric).collect();
        self.add(name, help, MetricType::HISTOGRAM, metrics);
    }

    fn add(&mut self, name: &str, help: &str, kind: MetricType, metrics: Vec<Metric>) {
        let mut family = MetricFamily::default();
        family.set_name(name.to_owned());
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        family.set_metric(metrics);
        self.0.push(family);
    }
}

fn histogram(times: &TimeCounts) -> Histogram {
    let seconds = |us| Duration::from_micros(us).as_secs_f64();
    let buckets = times.within().map(|(bound_us, count)| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(seconds(bound_us));
        bucket.set_cumulative_count(count);
        bucket
    });
    let mut histogram = Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(times.count());
    histogram.set_sample_sum(seconds(times.sum_us()));
    histogram
}

fn labels(label: &str, word: &str) -> Vec<LabelPair> {
    if label.is_empty() {
        return Vec::new();
    }
    let mut pair = LabelPair::default();
    pair.set_name(label.to_owned());
    pair.set_value(word.to_owned());
    vec![pair]
}

/// Prometheus knows floating point numbers only.
#[expect(clippy::cast_precision_loss)]
pub(crate) fn float(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_every_kind() {
        let metrics = Metrics::new();
        metrics.count_request("/api/check", 200);
        metrics.count_refusal(Bound::Quota);
        metrics.count_quota_wait(Duration::from_millis(1500));
        assert_eq!(
            (metrics.quota_waits(), metrics.quota_wait_time_ms()),
            (1, 1500)
        );
        let connection = metrics.open_connection(false);
        let mut snapshot = Snapshot::default();
        snapshot.gauges("g", "A gauge.", "bound", &[("a", 1.0), ("b", 2.5)]);
        snapshot.counter("c_total", "A counter.", 7);
        let times = TimeCounts::default();
        snapshot.times("t_seconds", "A time.", "lane", &[("a", &times)]);
        snapshot.counter_of("w_seconds_total", "A time in all.", 1.5);
        let text = metrics.render(snapshot).unwrap();
        for line in [
            "# TYPE squall_http_requests_total counter",
            r#"squall_http_requests_total{endpoint="/api/check",status="200"} 1"#,
            r#"squall_refused_samples_total{reason="quota"} 1"#,
            r#"squall_refused_samples_total{reason="uploads"} 0"#,
            "squall_connections 1",
            "# HELP g A gauge.",
            r#"g{bound="b"} 2.5"#,
            "c_total 7",
            "# TYPE t_seconds histogram",
            r#"t_seconds_bucket{lane="a",le="0.001"} 0"#,
            r#"t_seconds_bucket{lane="a",le="+Inf"} 0"#,
            r#"t_seconds_count{lane="a"} 0"#,
            "w_seconds_total 1.5",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
        }
        drop(connection);
        let text = metrics.render(Snapshot::default()).unwrap();
        assert!(text.contains("squall_connections 0\n"));
    }

    #[test]
    fn what_is_shown_of_a_count_never_falls() {
        let metrics = Metrics::new();
        let shown = |value| metrics.never_falling(Count::Scanned, value);
        assert_eq!([shown(5), shown(4), shown(6)], [5, 5, 6]);
        assert_eq!(metrics.never_falling(Count::Accepted, 1), 1);
    }
}
