//! The console and the API document, which a page of the console explains.
//! Everything is in the program; nothing is loaded from elsewhere.

mod console;
mod refused;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use utoipa::openapi::OpenApi;

use crate::service::Service;
pub(crate) use refused::refused;

/// The console loads its own files and asks its own service.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";
/// Where the console explains the API, and lets it be tried out.
const API_PAGE: &str = "/#/api";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const JSON: &str = "application/json";

/// Returns the routes of the pages.
pub(crate) fn router(document: OpenApi) -> Router<Service> {
    let document = document.to_json().map(Bytes::from).unwrap_or_else(|error| {
        tracing::error!(%error, "cannot write the API document");
        Bytes::new()
    });
    let again = document.clone();
    Router::new()
        .route(
            "/static/icon.svg",
            get(async || page(SVG, include_str!("../../console/dist/static/icon.svg"))),
        )
        .route("/openapi.json", get(async move || page(JSON, document)))
        .route("/static/api.json", get(async move || page(JSON, again)))
        .merge(console::router())
        .merge(documentation())
}

/// Leads from where documentation of an API is looked for to that of this one.
fn documentation() -> Router<Service> {
    let lead = || get(async || Redirect::to(API_PAGE));
    Router::new()
        .route("/docs", lead())
        .route("/docs/", lead())
        .route("/docs/index.html", lead())
}

fn page(content_type: &'static str, content: impl IntoResponse) -> Response {
    let mut response = content.into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    with_policy(response, PAGE_POLICY)
}

fn with_policy(mut response: Response, policy: &'static str) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(policy),
    );
    // Kept, but asked for: a new version of the program has new files.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
