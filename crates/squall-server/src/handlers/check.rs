//! Uploads: scanned at once, or through the queue.

use std::time::SystemTime;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use squall_api::{v0, v1};
use squall_findings::Sample;
use squall_queue::{CheckError, Verdict};
use squall_report::stored::{self, StoredResult};
use squall_trace::{Fact, Span, Step};
use squall_types::{Report, SampleId, Submission};

use super::parameters::{Upload, UploadParameters};
use crate::access::Caller;
use crate::bound::Bound;
use crate::failure::Failure;
use crate::query::Query;
use crate::reply;
use crate::service::Service;
use crate::upload::{self, Mode, Received};

/// Names the signatures that a sample was scanned with.
const SIGNATURE_VERSION: HeaderName = HeaderName::from_static("x-signature-version");
/// Bytes kept of what a sender says it is.
const AGENT_LEN_MAX: usize = 256;

/// Scans a file and answers what was found
///
/// Exactly one multipart part named `file` is wanted. The answer is the list
/// of findings, empty for a clean file.
#[utoipa::path(
    post,
    path = "/api/check",
    operation_id = "check",
    tag = "v0",
    params(UploadParameters),
    request_body(content = Upload, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "What was found; `[]` for a clean file", body = Vec<v0::Finding>),
        (status = 400, description = "No file, several files, not multipart, or cut off", body = v0::Error),
        (status = 408, description = "The upload made no progress", body = v0::Error),
        (status = 413, description = "The file is larger than the limit", body = v0::Error),
        (status = 500, description = "The file could not be scanned", body = v0::Error),
        (status = 503, description = "Busy; come back after `Retry-After` seconds", body = v0::Error),
    )
)]
pub(crate) async fn check(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    let pretty = Query::of(request.uri()).pretty();
    let scanned = scan_now(&service, request).await?;
    let findings = scanned.report.as_deref().map(squall_report::v0::findings);
    Ok(scanned.named(reply::json(&findings.unwrap_or_default(), pretty)))
}

/// Scans a file and answers what was found
#[utoipa::path(
    post,
    path = "/api/v1/check",
    operation_id = "checkV1",
    tag = "v1",
    params(UploadParameters),
    request_body(content = Upload, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "What was found; `[]` for a clean file", body = Vec<v1::Finding>),
        (status = 400, description = "No file, several files, not multipart, or cut off", body = v1::Error),
        (status = 408, description = "The upload made no progress", body = v1::Error),
        (status = 413, description = "The file is larger than the limit", body = v1::Error),
        (status = 500, description = "The file could not be scanned", body = v1::Error),
        (status = 503, description = "Busy; come back after `Retry-After` seconds", body = v1::Error),
    )
)]
pub(crate) async fn check_v1(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    let pretty = Query::of(request.uri()).pretty();
    let scanned = scan_now(&service, request).await?;
    let findings = scanned.report.as_deref().map(squall_report::v1::findings);
    Ok(scanned.named(reply::json(&findings.unwrap_or_default(), pretty)))
}

/// Queues a file for scanning
///
/// The answer comes when the file is stored durably; from then on it will be
/// scanned whatever happens. Ask `getAsyncResults` for what was found.
#[utoipa::path(
    post,
    path = "/api/checkAsync",
    operation_id = "checkAsync",
    tag = "v0",
    params(UploadParameters),
    request_body(content = Upload, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "The file's id", body = v0::Queued),
        (status = 400, description = "No file, several files, not multipart, or cut off", body = v0::Error),
        (status = 408, description = "The upload made no progress", body = v0::Error),
        (status = 413, description = "The file is larger than the limit", body = v0::Error),
        (status = 500, description = "Internal error", body = v0::Error),
        (status = 503, description = "Busy; come back after `Retry-After` seconds", body = v0::Error),
    )
)]
pub(crate) async fn check_async(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    enqueue(&service, request).await
}

/// Queues a file for scanning
#[utoipa::path(
    post,
    path = "/api/v1/checkAsync",
    operation_id = "checkAsyncV1",
    tag = "v1",
    params(UploadParameters),
    request_body(content = Upload, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "The file's id", body = v0::Queued),
        (status = 400, description = "No file, several files, not multipart, or cut off", body = v1::Error),
        (status = 408, description = "The upload made no progress", body = v1::Error),
        (status = 413, description = "The file is larger than the limit", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
        (status = 503, description = "Busy; come back after `Retry-After` seconds", body = v1::Error),
    )
)]
pub(crate) async fn check_async_v1(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    enqueue(&service, request).await
}

async fn enqueue(service: &Service, request: Request) -> Result<Response, Failure> {
    let begun = SystemTime::now();
    let pretty = Query::of(request.uri()).pretty();
    let agent = agent(&request);
    let caller = Caller::of(request.extensions());
    let Received {
        body,
        submission,
        place,
        token,
    } = upload::receive(service, request, Mode::Queued).await?;
    let record = stored::encode_submission(&submission);
    let queued = service
        .queue()
        .enqueue_for(body, record, &submission.origin.source, caller.owner())
        .await;
    drop(place);
    let queued = queued.map_err(|error| service.deny_unqueued(&error));
    trace(service, &submission, begun, queued.as_ref().copied());
    let id = queued?;
    token.spend();
    count(service, &submission, agent.as_deref());
    Ok(reply::json(&v0::Queued { id: id.value() }, pretty))
}

/// Has a sample scanned.
async fn scan_now(service: &Service, request: Request) -> Result<Scanned, Failure> {
    let begun = SystemTime::now();
    let agent = agent(&request);
    let Received {
        body,
        submission,
        mut place,
        token,
    } = upload::receive(service, request, Mode::Synchronous).await?;
    // The queue has a bound of its own on checks that wait, but their bytes
    // are still in memory.
    place.arrived();
    let record = stored::encode_submission(&submission);
    let check = service.queue().check(body, record);
    let wait_max = service.config().limits.sync_wait_max;
    let checked = tokio::select! {
        biased;
        checked = check => checked.map_err(|error| match error {
            CheckError::Busy { .. } => service.deny(Bound::WaitingChecks),
            CheckError::Closed => service.deny(Bound::Stopping),
            // The sample is not to blame: it was handed back, not tried and failed.
            CheckError::Lost => service.deny(Bound::Workers),
        }),
        () = tokio::time::sleep(wait_max) => Err(service.deny(Bound::Workers)),
    };
    let id = checked.as_ref().map(|checked| checked.id);
    trace(service, &submission, begun, id);
    let checked = checked?;
    token.spend();
    count(service, &submission, agent.as_deref());
    match checked.verdict {
        Verdict::Complete(result) => scanned(checked.id, &result),
        Verdict::Failed(reason) => Err(Failure::NotScanned(reason)),
    }
}

/// Adds to a sample's trace that it was sent, and how that was answered.
fn trace(
    service: &Service,
    submission: &Submission,
    begun: SystemTime,
    answer: Result<SampleId, &Failure>,
) {
    let tracer = service
        .tracer()
        .filter(|tracer| tracer.wants(&submission.nonce));
    let Some(tracer) = tracer else {
        return;
    };
    let origin = &submission.origin;
    let path = match submission.synchronous {
        true => "/api/check",
        false => "/api/checkAsync",
    };
    let mut facts = vec![
        ("http.route", Fact::Text(path.to_owned())),
        ("client.address", Fact::Text(origin.remote_addr.clone())),
        ("squall.source", Fact::Text(origin.source.clone())),
        ("file.size", Fact::Number(submission.size_bytes)),
    ];
    if let Ok(id) = answer {
        facts.push(("squall.sample.id", Fact::Number(id.value())));
    }
    tracer.record(Span {
        nonce: submission.nonce,
        step: Step::Upload,
        receiver: None,
        begun,
        ended: SystemTime::now(),
        facts,
        error: answer.err().map(|failure| failure.reason().into_owned()),
    });
}

/// Counts a sample that was taken.
fn count(service: &Service, submission: &Submission, agent: Option<&str>) {
    service.runs().count_upload(submission);
    if let Some(findings) = service.findings() {
        findings.count_sample(&Sample {
            source: &submission.origin.source,
            size_bytes: submission.size_bytes,
            received_at_us: submission.received_at_us,
            scan_id: submission.origin.collector_run.as_deref(),
            agent,
        });
    }
}

/// Returns what the sender says it is.
fn agent(request: &Request) -> Option<String> {
    let agent = request.headers().get(header::USER_AGENT)?;
    let agent = &agent.as_bytes()[..agent.len().min(AGENT_LEN_MAX)];
    Some(String::from_utf8_lossy(agent).into_owned())
}

/// What a scan said.
pub(super) struct Scanned {
    /// Nothing for a clean sample.
    pub(super) report: Option<Box<Report>>,
    /// With which signatures; unknown of clean results of earlier releases.
    signature_version: Option<String>,
}

impl Scanned {
    /// Names the signatures in the head of an answer: a clean one has no other
    /// place for it.
    pub(super) fn named(&self, mut answer: Response) -> Response {
        let version = self.signature_version.as_deref();
        if let Some(value) = version.and_then(|version| HeaderValue::from_str(version).ok()) {
            answer.headers_mut().insert(SIGNATURE_VERSION, value);
        }
        answer
    }
}

/// Reads a stored result.
pub(super) fn scanned(id: SampleId, result: &[u8]) -> Result<Scanned, Failure> {
    match stored::decode_result(result) {
        Ok(StoredResult::Clean) => Ok(Scanned {
            report: None,
            signature_version: stored::clean_signature_version(result).map(str::to_owned),
        }),
        Ok(StoredResult::Report(report)) => Ok(Scanned {
            signature_version: Some(report.scan.signature_version.clone()),
            report: Some(report),
        }),
        Err(error) => {
            tracing::error!(sample_id = %id, %error, "cannot read a result");
            Err(Failure::Internal)
        }
    }
}
