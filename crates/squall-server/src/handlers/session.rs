//! Logging in with a browser: a token for a cookie that scripts cannot read.

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use squall_access::SESSION_TIME_MAX;
use squall_api::v1;

use super::collection::read_json;
use super::parameters::PrettyParameter;
use crate::access::{Caller, SESSION_COOKIE, address};
use crate::analyst;
use crate::failure::Failure;
use crate::query::Query;
use crate::reply;
use crate::service::Service;

/// Longest message that begins a session.
const MESSAGE_LEN_MAX: usize = 4096;

/// Tells who is asking
///
/// Also without a token: whether one is needed, then.
#[utoipa::path(
    get,
    path = "/api/v1/session",
    operation_id = "session",
    tag = "console",
    params(PrettyParameter),
    responses((status = 200, description = "Who is asking", body = v1::Session))
)]
pub(crate) async fn session(State(service): State<Service>, request: Request) -> Response {
    let pretty = Query::of(request.uri()).pretty();
    let (head, _) = request.into_parts();
    let caller = service.access().who(&head, &service);
    reply::json(&shown(&service, &caller, &head), pretty)
}

/// Begins a session of a browser
///
/// The answer sets a cookie that stands for the token for twelve hours, or
/// two without a request. Requests that change something need the header
/// `X-Squall-Console` with it.
#[utoipa::path(
    post,
    path = "/api/v1/session",
    operation_id = "beginSession",
    tag = "console",
    params(PrettyParameter),
    request_body = v1::SessionRequest,
    responses(
        (status = 200, description = "Who is asking from now on", body = v1::Session),
        (status = 400, description = "Not JSON, or not said to be", body = v1::Error),
        (status = 401, description = "The token is not good", body = v1::Error),
        (status = 403, description = "A page of another site made a browser send it, or the token is not good from there", body = v1::Error),
        (status = 404, description = "This service asks for no tokens", body = v1::Error),
        (status = 408, description = "The message made no progress", body = v1::Error),
        (status = 413, description = "The message is too large", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
        (status = 503, description = "Too many wrong tokens came from this address", body = v1::Error),
    )
)]
pub(crate) async fn begin_session(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    let pretty = Query::of(request.uri()).pretty();
    let (head, body) = request.into_parts();
    let message = Request::from_parts(head.clone(), body);
    let asked: v1::SessionRequest = read_json(&service, message, MESSAGE_LEN_MAX).await?;
    let (caller, id) = service
        .access()
        .log_in(&head, asked.token.trim(), &service)
        .await?;
    let mut response = reply::json(&shown(&service, &caller, &head), pretty);
    let secure = service.access().is_secure(&head, &service);
    set_cookie(&mut response, &id, SESSION_TIME_MAX.as_secs(), secure);
    Ok(response)
}

/// Ends the session of a browser
#[utoipa::path(
    delete,
    path = "/api/v1/session",
    operation_id = "endSession",
    tag = "console",
    params(PrettyParameter),
    responses(
        (status = 200, description = "It is over, if there was one", body = v1::Session),
        (status = 403, description = "A page of another site made a browser send it", body = v1::Error),
    )
)]
pub(crate) async fn end_session(State(service): State<Service>, request: Request) -> Response {
    let pretty = Query::of(request.uri()).pretty();
    let (head, _) = request.into_parts();
    service.access().log_out(&head, &service).await;
    let mut response = reply::json(&shown(&service, &Caller::Anybody, &head), pretty);
    let secure = service.access().is_secure(&head, &service);
    set_cookie(&mut response, "", 0, secure);
    response
}

fn shown(service: &Service, caller: &Caller, head: &Parts) -> v1::Session {
    v1::Session {
        required: service.access().is_required(),
        name: caller.name().map(str::to_owned),
        subject: caller.subject().map(str::to_owned),
        role: caller.role().map(|role| role.name().to_owned()),
        analyst: analyst::may(caller, head, service),
        address: address(head, service).to_string(),
        provider: service.access().provider().map(|login| login.label.clone()),
    }
}

/// Sets the cookie: for no script, for no request from another site, and only
/// over TLS where there is TLS.
pub(super) fn set_cookie(response: &mut Response, id: &str, seconds: u64, secure: bool) {
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!(
        "{SESSION_COOKIE}={id}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    );
    // Nothing but digits is in it that could be no header.
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
