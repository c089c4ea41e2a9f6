//! Messages of collectors about their runs.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::Response;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use squall_api::v0::{
    Acknowledged, Collection, CollectionAnswer, CollectionBegun, CollectionEvent,
};
use squall_api::{v0, v1};

use super::parameters::PrettyParameter;
use crate::collection::new_scan_id;
use crate::failure::Failure;
use crate::query::Query;
use crate::reply;
use crate::service::Service;

/// Largest message, in bytes.
const MESSAGE_LEN_MAX: usize = 64 * 1024;

/// Takes a collector's message about its run
///
/// `begin` is answered with the `scan_id` that the run's uploads carry; every
/// other message with `{"ok":true}`.
#[utoipa::path(
    post,
    path = "/api/collection",
    operation_id = "collection",
    tag = "v0",
    params(PrettyParameter),
    request_body = Collection,
    responses(
        (status = 200, description = "To `begin`: the run's `scan_id`; else `{\"ok\":true}`", body = CollectionAnswer),
        (status = 400, description = "Not JSON, or an unknown type", body = v0::Error),
        (status = 408, description = "The message came too slowly", body = v0::Error),
        (status = 413, description = "The message is too long", body = v0::Error),
    )
)]
pub(crate) async fn collection(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    answer(&service, request).await
}

/// Takes a collector's message about its run
#[utoipa::path(
    post,
    path = "/api/v1/collection",
    operation_id = "collectionV1",
    tag = "v1",
    params(PrettyParameter),
    request_body = Collection,
    responses(
        (status = 200, description = "To `begin`: the run's `scan_id`; else `{\"ok\":true}`", body = CollectionAnswer),
        (status = 400, description = "Not JSON, or an unknown type", body = v1::Error),
        (status = 408, description = "The message came too slowly", body = v1::Error),
        (status = 413, description = "The message is too long", body = v1::Error),
    )
)]
pub(crate) async fn collection_v1(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    answer(&service, request).await
}

async fn answer(service: &Service, request: Request) -> Result<Response, Failure> {
    let pretty = Query::of(request.uri()).pretty();
    let bytes = read_message(service, request.into_body()).await?;
    let message: Collection = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::BadRequest(format!("the message is not as expected: {error}").into())
    })?;
    if message.event == CollectionEvent::Begin {
        let scan_id = new_scan_id().map_err(|error| {
            tracing::error!(%error, "cannot draw random bytes");
            Failure::Internal
        })?;
        let begin = service.runs().begin(&scan_id, &message);
        if let Some(findings) = service.findings() {
            findings.begin_run(begin);
        }
        let answer = CollectionAnswer::Begun(CollectionBegun { scan_id });
        return Ok(reply::json(&answer, pretty));
    }
    let end = service.runs().end(&message);
    if let Some(findings) = service.findings() {
        findings.end_run(end);
    }
    let answer = CollectionAnswer::Acknowledged(Acknowledged::default());
    Ok(reply::json(&answer, pretty))
}

/// Reads the body of a request that is no sample.
pub(super) async fn read_message(service: &Service, body: Body) -> Result<Bytes, Failure> {
    read_body(service, body, MESSAGE_LEN_MAX).await
}

async fn read_body(service: &Service, body: Body, len_max: usize) -> Result<Bytes, Failure> {
    let timeout = service.config().limits.body_timeout;
    let collected = tokio::time::timeout(timeout, Limited::new(body, len_max).collect());
    match collected.await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Failure::MessageTooLarge { limit: len_max })
        }
        Ok(Err(_)) => Err(Failure::BadRequest("the message broke off".into())),
        Err(_) => Err(Failure::TooSlow(timeout)),
    }
}

/// Reads the JSON body of a request that changes something. It must say what
/// it is: a page of somebody else's can have a browser send a form, but not
/// JSON.
pub(super) async fn read_json<T: serde::de::DeserializeOwned>(
    service: &Service,
    request: Request,
    len_max: usize,
) -> Result<T, Failure> {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let is_json = content_type
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("application/json"));
    if !is_json {
        let reason = "the content type is not `application/json`";
        return Err(Failure::BadRequest(reason.into()));
    }
    let body = read_body(service, request.into_body(), len_max).await?;
    serde_json::from_slice(&body).map_err(|error| {
        Failure::BadRequest(format!("the message is not as expected: {error}").into())
    })
}

/// Refuses a text that is longer than `chars_max` characters.
pub(super) fn short_enough(name: &str, text: &str, chars_max: usize) -> Result<(), Failure> {
    if text.chars().count() > chars_max {
        let reason = format!("`{name}` is longer than {chars_max} characters");
        return Err(Failure::BadRequest(reason.into()));
    }
    Ok(())
}
