//! The console, the API document, and the interactive documentation.
//! Everything is in the program; nothing is loaded from elsewhere.

mod console;
mod refused;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::failure::Failure;
use crate::service::Service;
pub(crate) use refused::refused;

/// The console loads its own files and asks its own service.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";
/// The one style that the documentation's library writes into the page, that of
/// its logo, is named by its digest. With another version of the library it may
/// be another: a browser tells which, and `tests/console` fails.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; img-src 'self' data:; font-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

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

fn documentation() -> Router<Service> {
    let config = Config::from("/openapi.json").try_it_out_enabled(true);
    Router::from(SwaggerUi::new("/docs").config(config)).layer(middleware::from_fn(
        async |request, next: Next| match next.run(request).await {
            missing if missing.status() == StatusCode::NOT_FOUND => {
                Failure::NotFound.into_response()
            }
            found => with_policy(found, DOCS_POLICY),
        },
    ))
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
