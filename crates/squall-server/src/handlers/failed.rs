//! Samples that could not be scanned: what they were, and another try.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use jiff::Timestamp;
use squall_api::v1;
use squall_queue::{FailedSample, Queue, RetryError};
use squall_report::stored;
use squall_types::SampleId;

use super::parameters::{FailedParameters, PrettyParameter};
use crate::failure::Failure;
use crate::query::Query;
use crate::reply;
use crate::service::Service;

/// Failed samples in one answer.
const LIMIT_DEFAULT: i64 = 100;
const LIMIT_MAX: i64 = 1000;
/// Samples put back with one flush.
const RETRIED_AT_ONCE: usize = 1000;

/// Lists the samples that could not be scanned
///
/// Oldest first. Their bytes are kept, so that they can be scanned again.
#[utoipa::path(
    get,
    path = "/api/v1/samples/failed",
    operation_id = "failedSamples",
    tag = "v1",
    params(FailedParameters),
    responses(
        (status = 200, description = "Failed samples; `next`, if there, is the `after` of the next page", body = v1::FailedSamples),
        (status = 400, description = "A parameter is no valid integer", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
    )
)]
pub(crate) async fn failed_samples(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    let query = Query::of(request.uri());
    let limit = query.integer("limit")?.unwrap_or(LIMIT_DEFAULT);
    if limit < 1 {
        let reason = "the parameter `limit` is below 1";
        return Err(Failure::BadRequest(reason.into()));
    }
    let limit = usize::try_from(limit.min(LIMIT_MAX)).unwrap_or_default();
    let after = query.integer("after")?.unwrap_or_default();
    let after = u64::try_from(after).ok().and_then(SampleId::new);
    let page = blocking(move || page(service.queue(), after, limit)).await?;
    Ok(reply::json(&page, query.pretty()))
}

/// Has a failed sample scanned again
#[utoipa::path(
    post,
    path = "/api/v1/samples/{id}/retry",
    operation_id = "retrySample",
    tag = "v1",
    params(("id" = i64, Path, minimum = 1, description = "The sample's id"), PrettyParameter),
    responses(
        (status = 200, description = "It is in the queue again", body = v1::Retried),
        (status = 400, description = "The id is no integer", body = v1::Error),
        (status = 404, description = "No failed sample has this id", body = v1::Error),
        (status = 409, description = "Its bytes are lost", body = v1::Error),
        (status = 503, description = "Come back after `Retry-After` seconds", body = v1::Error),
    )
)]
pub(crate) async fn retry_sample(
    State(service): State<Service>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let value: i64 = id
        .parse()
        .map_err(|_| Failure::BadRequest("the sample's id is no integer".into()))?;
    let id = u64::try_from(value).ok().and_then(SampleId::new);
    let id = id.ok_or_else(|| no_failed_sample(value))?;
    let queue = service.queue().clone();
    let retried = blocking(move || queue.retry(id)).await?;
    retried.map_err(|error| match error {
        RetryError::NotFailed { .. } => no_failed_sample(value),
        RetryError::BytesLost { .. } => Failure::Conflict(error.to_string()),
        error => put_off(&service, &error),
    })?;
    tracing::info!(sample_id = %id, "a failed sample is scanned again");
    let body = v1::Retried {
        retried: 1,
        not_retried: 0,
    };
    Ok(reply::json(&body, Query::of(request.uri()).pretty()))
}

/// Has all failed samples scanned again
///
/// Those that fail in the meantime are not among them, nor those whose bytes
/// are lost.
#[utoipa::path(
    post,
    path = "/api/v1/samples/failed/retry",
    operation_id = "retryFailedSamples",
    tag = "v1",
    params(PrettyParameter),
    responses(
        (status = 200, description = "How many are in the queue again, and how many could not be put back", body = v1::Retried),
        (status = 500, description = "Internal error", body = v1::Error),
        (status = 503, description = "None could be put back; come back after `Retry-After` seconds", body = v1::Error),
    )
)]
pub(crate) async fn retry_failed_samples(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    let for_retry = service.clone();
    let (body, error) = blocking(move || retry_all(for_retry.queue())).await?;
    if let Some(error) = error {
        let put_off = put_off(&service, &error);
        if body.retried == 0 {
            return Err(put_off);
        }
    }
    tracing::info!(
        retried = body.retried,
        not_retried = body.not_retried,
        "failed samples are scanned again"
    );
    Ok(reply::json(&body, Query::of(request.uri()).pretty()))
}

/// Retries as many as the disk takes, and says why it stopped if it did.
fn retry_all(queue: &Queue) -> (v1::Retried, Option<RetryError>) {
    let mut body = v1::Retried::default();
    let failed = queue.failed();
    let mut stopped = None;
    for ids in failed.chunks(RETRIED_AT_ONCE) {
        for outcome in queue.retry_many(ids) {
            match outcome {
                Ok(()) => body.retried += 1,
                Err(RetryError::NotFailed { .. } | RetryError::BytesLost { .. }) => {}
                Err(error) => stopped = Some(error),
            }
        }
        // The next would have to wait as well.
        if stopped.is_some() {
            break;
        }
    }
    body.not_retried = failed.len() as u64 - body.retried;
    (body, stopped)
}

/// Tells whoever wants a sample retried to come back, and the log why.
fn put_off(service: &Service, error: &RetryError) -> Failure {
    let reason = match error {
        RetryError::Closed => return service.unavailable("the service is stopping"),
        RetryError::Slow { .. } => {
            "the disk takes too long; the sample may be in the queue all the same"
        }
        _ => "the sample cannot be put back into the queue at the moment",
    };
    let error: &dyn std::error::Error = error;
    tracing::error!(error, "cannot retry a sample");
    service.unavailable(reason)
}

fn page(queue: &Queue, after: Option<SampleId>, limit: usize) -> v1::FailedSamples {
    // One more than asked for tells whether there are more.
    let mut found = queue.failed_samples(after, limit + 1);
    let more = found.len() > limit;
    found.truncate(limit);
    v1::FailedSamples {
        next: found.last().filter(|_| more).map(|last| last.id.value()),
        total: queue.failed_kept(),
        samples: found.into_iter().map(described).collect(),
    }
}

fn described(failed: FailedSample) -> v1::FailedSample {
    let submission = failed.submission.as_deref();
    let submission = submission.and_then(|bytes| stored::decode_submission(bytes).ok());
    let received_at_us = submission
        .as_ref()
        .map_or(failed.enqueued_at_us, |submission| {
            submission.received_at_us
        });
    let received_at = Timestamp::from_microsecond(received_at_us).unwrap_or_default();
    v1::FailedSample {
        id: failed.id.value(),
        reason: failed.reason,
        source: submission.as_ref().map(|s| s.origin.source.clone()),
        file_name: submission.as_ref().map(|s| s.file_name.clone()),
        sha256: submission.as_ref().map(|s| hex(&s.digests.sha256)),
        size_bytes: failed.size_bytes,
        received_at: received_at.to_string(),
        attempts: failed.attempts,
        retryable: failed.retryable,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn no_failed_sample(id: i64) -> Failure {
    Failure::UnknownSample(format!("no failed sample has the id {id}"))
}

/// Runs what reads or writes the disk beside the runtime.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "a task on failed samples panicked");
        Failure::Internal
    })
}
