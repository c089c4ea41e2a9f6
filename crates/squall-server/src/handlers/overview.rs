//! The state of the service as the console shows it: once, or live.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use hyper::body::Frame;
use jiff::Timestamp;
use squall_api::v1;
use squall_queue::Stats;
use tokio::sync::mpsc;

use super::findings::{search, unavailable};
use super::metrics::signature_age_seconds;
use super::parameters::{MinutesParameters, OverviewEvent, PrettyParameter};
use crate::access::Caller;
use crate::failure::Failure;
use crate::metrics::float;
use crate::query::Query;
use crate::reply;
use crate::service::Service;

/// How often the state is sent.
const EVENT_INTERVAL: Duration = Duration::from_secs(1);
/// How often it is looked at whether who listens still may.
const CALLER_INTERVAL: Duration = Duration::from_secs(5);
/// Share of the last scans that the longer of the two times covers, in percent.
const PERCENT: usize = 95;
/// Minutes of a history by default, and at most.
const MINUTES_DEFAULT: i64 = 60;
const MINUTES_MAX: i64 = 24 * 60;

/// Tells the state of the service at this moment
#[utoipa::path(
    get,
    path = "/api/v1/overview",
    operation_id = "overview",
    tag = "console",
    params(PrettyParameter),
    responses((status = 200, description = "Queue, workers, times, disk, signatures, findings", body = v1::Overview))
)]
pub(crate) async fn overview(State(service): State<Service>, request: Request) -> Response {
    reply::json(&state(&service), Query::of(request.uri()).pretty())
}

/// Tells the state of the service, again every second
///
/// Server-sent events; the data of each is what `overview` answers. The stream
/// ends when the service is stopped, and within seconds when the caller would
/// not be let in any more.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "events",
    tag = "console",
    responses(
        (status = 200, description = "Events; of each, its name and what stands in its data", body = OverviewEvent, content_type = "text/event-stream"),
        (status = 503, description = "Too many are listening; ask `overview` now and then", body = v1::Error),
    )
)]
pub(crate) async fn events(
    caller: Caller,
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    let (head, _) = request.into_parts();
    let listener = std::sync::Arc::clone(service.listeners())
        .try_acquire_owned()
        .map_err(|_| unavailable("too many are listening"))?;
    // One at a time: who does not read gets no more.
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let _listener = listener;
        let mut ticks = tokio::time::interval(EVENT_INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut looked_at = Instant::now();
        loop {
            tokio::select! {
                () = service.stopping().cancelled() => return,
                () = sender.closed() => return,
                _ = ticks.tick() => {}
            }
            if looked_at.elapsed() >= CALLER_INTERVAL {
                looked_at = Instant::now();
                // Tokens are taken back, and sessions end.
                let may = caller.role();
                if may.is_some() && service.access().who(&head, &service).role() != may {
                    return;
                }
            }
            let Some(event) = event(&state(&service)) else {
                return;
            };
            tokio::select! {
                () = service.stopping().cancelled() => return,
                sent = sender.send(event) => if sent.is_err() {
                    return;
                },
            }
        }
    });
    let mut response = Response::new(Body::new(Events(receiver)));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    // Proxies that collect answers before they pass them on are asked not to.
    response
        .headers_mut()
        .insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// Counts the findings of the last minutes
#[utoipa::path(
    get,
    path = "/api/v1/findings/history",
    operation_id = "findingHistory",
    tag = "console",
    params(MinutesParameters),
    responses(
        (status = 200, description = "Findings by minute and level", body = v1::FindingHistory),
        (status = 400, description = "A parameter makes no sense", body = v1::Error),
        (status = 404, description = "This service keeps no findings", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
        (status = 503, description = "The search took too long", body = v1::Error),
    )
)]
pub(crate) async fn finding_history(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    let query = Query::of(request.uri());
    let minutes = query.integer("minutes")?.unwrap_or(MINUTES_DEFAULT);
    if minutes < 1 {
        let reason = "the parameter `minutes` is below 1";
        return Err(Failure::BadRequest(reason.into()));
    }
    let minutes = u32::try_from(minutes.min(MINUTES_MAX)).unwrap_or_default();
    let now_us = Timestamp::now().as_microsecond();
    let minutes = search(&service, move |findings| findings.minutes(now_us, minutes)).await?;
    let history = v1::FindingHistory { minutes };
    Ok(reply::json(&history, query.pretty()))
}

fn state(service: &Service) -> v1::Overview {
    let stats = service.queue().stats();
    let config = service.config();
    v1::Overview {
        version: config.version.clone(),
        started_at: service.started_at().to_string(),
        time: Timestamp::now().to_string(),
        samples: samples(service, &stats),
        workers: config.threads as u64,
        workers_busy: stats.scanning + stats.immediate_scanning,
        scan_time: scan_time(service, &stats),
        storage: v1::Storage {
            queue_bytes: stats.waiting_bytes,
            spool_bytes: stats.spool_bytes,
            free_bytes: service.queue().free_bytes(),
            ok: stats.storage_ok,
        },
        signatures: service.signatures().map(|set| v1::SignatureFacts {
            version: set.version.clone(),
            age_seconds: signature_age_seconds(&set.updated)
                .map(|age| Duration::from_secs_f64(age).as_secs()),
            rules: set.rules,
            iocs: set.iocs,
            skipped: set.skipped,
        }),
        findings: service.findings().map(|findings| {
            let stats = findings.stats();
            v1::FindingsFeed {
                stored: stats.stored,
                waiting: stats.waiting,
                behind: stats.behind,
            }
        }),
    }
}

fn samples(service: &Service, stats: &Stats) -> v1::SampleCounts {
    v1::SampleCounts {
        accepted: stats.accepted,
        scanned: stats.scanned,
        failed: stats.failed,
        queued: stats.waiting,
        checks_waiting: stats.immediate_waiting,
        denied: service.denied(),
        rate_per_second: stats.drain_rate_per_second,
        oldest_waiting_seconds: stats.oldest_waiting.map(|waited| waited.as_secs_f64()),
    }
}

fn scan_time(service: &Service, stats: &Stats) -> v1::ScanTimes {
    let ended = stats.scanned + stats.failed;
    v1::ScanTimes {
        average_milliseconds: (ended > 0)
            .then(|| float(stats.scan_time_total_us) / float(ended) / 1000.0),
        p95_milliseconds: service
            .queue()
            .scan_time_percentile(PERCENT)
            .map(|time| time.as_secs_f64() * 1000.0),
    }
}

/// Writes an event; `None` of what is no JSON, which cannot be.
fn event(state: &v1::Overview) -> Option<Bytes> {
    let json = serde_json::to_string(state).ok()?;
    Some(Bytes::from(format!("event: overview\ndata: {json}\n\n")))
}

/// Events as the body of an answer.
struct Events(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Events {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let event = self.0.poll_recv(context);
        event.map(|event| event.map(|event| Ok(Frame::data(event))))
    }
}
