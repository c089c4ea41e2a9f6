//! What became of a queued sample.

use axum::extract::{Request, State};
use axum::response::Response;
use squall_api::{SampleStatus, v0, v1};
use squall_queue::{Queue, ReadError, SampleState};
use squall_types::{Report, SampleId};

use super::check::scanned;
use super::parameters::ResultParameters;
use crate::access::Caller;
use crate::failure::Failure;
use crate::query::Query;
use crate::reply;
use crate::service::Service;

/// Tells how far the analysis of a queued file has come, and what was found
#[utoipa::path(
    get,
    path = "/api/getAsyncResults",
    operation_id = "getAsyncResults",
    tag = "v0",
    params(ResultParameters),
    responses(
        (status = 200, description = "The status and, once complete, what was found", body = v0::AsyncResult),
        (status = 400, description = "No id, not an integer, unknown, or no longer kept", body = v0::Error),
        (status = 500, description = "Internal error", body = v0::Error),
    )
)]
pub(crate) async fn get_async_results(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    answer(service, request, |status, found| v0::AsyncResult {
        status,
        result: found.map(|report| report.map(squall_report::v0::findings).unwrap_or_default()),
    })
    .await
}

/// Tells how far the analysis of a queued file has come, and what was found
#[utoipa::path(
    get,
    path = "/api/v1/getAsyncResults",
    operation_id = "getAsyncResultsV1",
    tag = "v1",
    params(ResultParameters),
    responses(
        (status = 200, description = "The status and, once complete, what was found", body = v1::AsyncResult),
        (status = 400, description = "No id, not an integer, unknown, or no longer kept", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
    )
)]
pub(crate) async fn get_async_results_v1(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    answer(service, request, |status, found| v1::AsyncResult {
        status,
        result: found.map(|report| report.map(squall_report::v1::findings).unwrap_or_default()),
    })
    .await
}

/// Answers with what `render` makes of the status and, if the analysis is
/// complete, of the report (nothing for a clean sample).
async fn answer<B: serde::Serialize + 'static>(
    service: Service,
    request: Request,
    render: fn(SampleStatus, Option<Option<&Report>>) -> B,
) -> Result<Response, Failure> {
    let query = Query::of(request.uri());
    let id = sample_id(&query)?;
    let pretty = query.pretty();
    let caller = Caller::of(request.extensions());
    // The store may have to read from the disk.
    let answered = tokio::task::spawn_blocking(move || {
        let state = visible(service.queue(), id, &caller).map_err(|error| {
            tracing::error!(sample_id = %id, error = &error as &dyn std::error::Error, "cannot look up a sample");
            Failure::Internal
        })?;
        let body = match state {
            None => {
                let reason = format!("no sample has the id {id}, or its result is no longer kept");
                return Err(Failure::BadRequest(reason.into()));
            }
            Some(SampleState::Waiting) => render(SampleStatus::Waiting, None),
            Some(SampleState::Scanning) => render(SampleStatus::Scanning, None),
            Some(SampleState::Failed(_)) => render(SampleStatus::Failed, None),
            Some(SampleState::Complete(result)) => {
                let scanned = scanned(id, &result)?;
                let body = render(SampleStatus::Complete, Some(scanned.report.as_deref()));
                return Ok(scanned.named(reply::json(&body, pretty)));
            }
        };
        Ok(reply::json(&body, pretty))
    });
    answered.await.map_err(|error| {
        tracing::error!(%error, "a lookup panicked");
        Failure::Internal
    })?
}

/// Returns where a sample is; a sample that is another's is as good as none.
fn visible(queue: &Queue, id: SampleId, caller: &Caller) -> Result<Option<SampleState>, ReadError> {
    // Nobody's sample is looked up in the same way: how long it takes tells
    // nothing.
    match queue.owner(id)? {
        Some(owner) if !caller.may_see(owner) => Ok(None),
        _ => queue.status(id),
    }
}

fn sample_id(query: &Query) -> Result<SampleId, Failure> {
    let text = query
        .first("id")
        .ok_or(Failure::BadRequest("the parameter `id` is missing".into()))?;
    let value: i64 = text
        .trim()
        .parse()
        .map_err(|_| Failure::BadRequest("the parameter `id` is no integer".into()))?;
    u64::try_from(value)
        .ok()
        .and_then(SampleId::new)
        .ok_or_else(|| Failure::BadRequest(format!("no sample has the id {value}").into()))
}
