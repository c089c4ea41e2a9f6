//! Logging in with a browser at a provider: pages, not calls of the API.

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use squall_access::SESSION_TIME_MAX;
use squall_oidc::{Answer, LOGIN_TIME_MAX, Provider};

use super::session::set_cookie;
use crate::access::LOGIN_COOKIE;
use crate::failure::Failure;
use crate::pages;
use crate::query::Query;
use crate::service::Service;

/// Where whoever is logged in goes; nobody says where else.
const CONSOLE: &str = "/";

/// Sends a browser to the provider
///
/// The answer sets a cookie that binds the browser to this log-in, for ten
/// minutes. It is `SameSite=Lax`: the way back is a link on a page of the
/// provider's, with which a browser sends no `Strict` cookie.
#[utoipa::path(
    get,
    path = "/oidc/login",
    operation_id = "beginProviderLogin",
    tag = "console",
    responses(
        (status = 303, description = "To the provider (setting `oidc-issuer`)"),
        (status = 404, description = "There is no provider to log in at"),
        (status = 502, description = "The provider says something else than was asked for: a page", content_type = "text/html", body = String),
        (status = 503, description = "The provider does not answer, or too many failed tries came from this address: a page", content_type = "text/html", body = String),
    )
)]
pub(crate) async fn begin_provider_login(
    State(service): State<Service>,
    request: Request,
) -> Response {
    let Some(login) = service.access().provider() else {
        return Failure::NotFound.into_response();
    };
    let (head, _) = request.into_parts();
    let begun = service.access().begin_at(&login.provider, &head, &service);
    let begun = match begun.await {
        Ok(begun) => begun,
        Err(why) => return pages::refused(&why),
    };
    let mut response = see_other(&begun.address);
    let secure = is_secure(&service, &login.provider, &head);
    bind(
        &mut response,
        &begun.cookie,
        LOGIN_TIME_MAX.as_secs(),
        secure,
    );
    response
}

/// Takes back a browser from the provider
///
/// Begins a session, like `POST /api/v1/session` with a token, for the browser
/// that `/oidc/login` sent there, once.
#[utoipa::path(
    get,
    path = "/oidc/callback",
    operation_id = "endProviderLogin",
    tag = "console",
    params(
        ("code" = Option<String>, Query, description = "What the provider gives an ID token for"),
        ("state" = Option<String>, Query, description = "What the log-in was begun with"),
        ("iss" = Option<String>, Query, description = "Who answers (RFC 9207)"),
        ("error" = Option<String>, Query, description = "Why there is no code"),
    ),
    responses(
        (status = 303, description = "Logged in: to the console"),
        (status = 400, description = "No such log-in is under way in this browser: a page", content_type = "text/html", body = String),
        (status = 403, description = "The provider refuses, or nothing it says gives a role here, or not from this address: a page", content_type = "text/html", body = String),
        (status = 404, description = "There is no provider to log in at"),
        (status = 500, description = "Internal error: a page", content_type = "text/html", body = String),
        (status = 502, description = "What the provider says is not to be believed: a page", content_type = "text/html", body = String),
        (status = 503, description = "The provider does not answer, or too many failed tries came from this address: a page", content_type = "text/html", body = String),
    )
)]
pub(crate) async fn end_provider_login(
    State(service): State<Service>,
    request: Request,
) -> Response {
    let Some(login) = service.access().provider() else {
        return Failure::NotFound.into_response();
    };
    let (head, _) = request.into_parts();
    let query = Query::of(&head.uri);
    let first = |name| query.first(name).map(str::to_owned);
    let answer = Answer {
        code: first("code"),
        state: first("state"),
        error: first("error"),
        issuer: first("iss"),
    };
    let access = service.access();
    let finished = access.finish_at(&login.provider, &head, &answer, &service);
    let id = match finished.await {
        Ok(id) => id,
        // The cookie stays: it may be that of a log-in in another tab.
        Err(why) => return pages::refused(&why),
    };
    let mut response = see_other(CONSOLE);
    let secure = is_secure(&service, &login.provider, &head);
    set_cookie(&mut response, &id, SESSION_TIME_MAX.as_secs(), secure);
    bind(&mut response, "", 0, secure);
    response
}

fn is_secure(service: &Service, provider: &Provider, head: &Parts) -> bool {
    provider.is_tls() || service.access().is_secure(head, service)
}

fn see_other(address: &str) -> Response {
    match HeaderValue::try_from(address) {
        Ok(address) => (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response(),
        // An address has no characters that could not be in a header.
        Err(_) => Failure::Internal.into_response(),
    }
}

/// Sets the cookie that binds a browser to a log-in.
fn bind(response: &mut Response, value: &str, seconds: u64, secure: bool) {
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!(
        "{LOGIN_COOKIE}={value}; Path=/oidc; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
    );
    // Nothing but letters, digits, `-` and `_` is in it.
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
