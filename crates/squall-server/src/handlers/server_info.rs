//! What is running, and how busy it is.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use squall_api::{v0, v1};
use squall_queue::Stats;

use super::parameters::PrettyParameter;
use crate::metrics::float;
use crate::query::Query;
use crate::reply;
use crate::service::Service;

/// The licence of the original never ends here.
const LICENSE_EXPIRATION: &str = "9999/12/31";
const LICENSE_EXPIRATION_V1: &str = "9999-12-31T23:59:59Z";

/// Tells what is running
#[utoipa::path(
    get,
    path = "/api/info",
    operation_id = "info",
    tag = "v0",
    params(PrettyParameter),
    responses((status = 200, description = "Versions, signatures, limits", body = v0::Info))
)]
pub(crate) async fn info(State(service): State<Service>, request: Request) -> Response {
    let signatures = service.signatures().unwrap_or_default();
    let config = service.config();
    let info = v0::Info {
        thor_version: config.version.clone(),
        yara_version: signatures.engine.clone(),
        signature_version: signatures.version.clone(),
        sigma_version: String::new(),
        thor_timestamp: config.build_time.clone(),
        threads: config.threads as u64,
        allowed_samples_per_hour: config.quota.samples_per_hour.unwrap_or_default(),
        license_expiration_date: LICENSE_EXPIRATION.to_owned(),
        rules: signatures.rules,
        iocs: signatures.iocs,
    };
    reply::json(&info, Query::of(request.uri()).pretty())
}

/// Tells what is running
#[utoipa::path(
    get,
    path = "/api/v1/info",
    operation_id = "infoV1",
    tag = "v1",
    params(PrettyParameter),
    responses((status = 200, description = "Versions, signatures, limits", body = v1::Info))
)]
pub(crate) async fn info_v1(State(service): State<Service>, request: Request) -> Response {
    let signatures = service.signatures().unwrap_or_default();
    let config = service.config();
    let info = v1::Info {
        version_info: v1::VersionInfo {
            thor: config.version.clone(),
            build: config.build_time.clone(),
            signatures: signatures.version.clone(),
            sigma: String::new(),
        },
        arguments: config.arguments.clone(),
        license_expiration: LICENSE_EXPIRATION_V1.to_owned(),
        license_owner: String::new(),
        scan_speed_limitation: config.quota.samples_per_hour.unwrap_or_default(),
        threads: config.threads as u64,
    };
    reply::json(&info, Query::of(request.uri()).pretty())
}

/// Tells how busy the service is
#[utoipa::path(
    get,
    path = "/api/status",
    operation_id = "status",
    tag = "v0",
    params(PrettyParameter),
    responses((status = 200, description = "Live counters", body = v0::Status))
)]
pub(crate) async fn status(State(service): State<Service>, request: Request) -> Response {
    let status = v0::Status::from(counters(&service, &service.queue().stats()));
    reply::json(&status, Query::of(request.uri()).pretty())
}

/// Tells how busy the service is
#[utoipa::path(
    get,
    path = "/api/v1/status",
    operation_id = "statusV1",
    tag = "v1",
    params(PrettyParameter),
    responses((status = 200, description = "Live counters", body = v1::Status))
)]
pub(crate) async fn status_v1(State(service): State<Service>, request: Request) -> Response {
    let stats = service.queue().stats();
    let status = v1::Status {
        counters: counters(&service, &stats),
        accepted_samples: stats.accepted,
        failed_samples: stats.failed,
        waiting_samples: stats.waiting + stats.immediate_waiting,
        scanning_samples: stats.scanning + stats.immediate_scanning,
    };
    reply::json(&status, Query::of(request.uri()).pretty())
}

fn counters(service: &Service, stats: &Stats) -> v1::Counters {
    let denied = service.denied();
    let ended = stats.scanned + stats.failed;
    v1::Counters {
        uptime_seconds: service.uptime().as_secs(),
        scanned_samples: stats.scanned,
        queued_async_requests: stats.waiting,
        avg_scan_time_milliseconds: average_ms(stats.scan_time_total_us, ended),
        avg_total_time_milliseconds: average_ms(stats.total_time_total_us, ended),
        avg_wait_time_milliseconds: average_ms(stats.wait_time_total_us, ended),
        denied_requests: denied,
        denied_request_proportion: proportion(denied, stats.accepted),
        quota_waits: service.metrics().quota_waits(),
        quota_wait_time_milliseconds: service.metrics().quota_wait_time_ms(),
    }
}

/// Returns the share of `part` in the sum of both, 0 of nothing.
fn proportion(part: u64, rest: u64) -> f64 {
    if part == 0 {
        return 0.0;
    }
    float(part) / float(part.saturating_add(rest))
}

/// Returns the rounded average, 0 of nothing.
fn average_ms(total_us: u64, count: u64) -> u64 {
    let Some(average_us) = total_us.checked_div(count) else {
        return 0;
    };
    let rounded = Duration::from_micros(average_us) + Duration::from_micros(500);
    u64::try_from(rounded.as_millis()).unwrap_or(u64::MAX)
}
