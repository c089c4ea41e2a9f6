//! Which path is answered by what, and what every request passes on its way.

use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::http::header::{self, HeaderName};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::bound::Bound;
use crate::door::Elsewhere;
use crate::failure::{self, Failure};
use crate::openapi::{self, Document};
use crate::service::Service;
use crate::upload::drain;
use crate::{access, handlers, hosts, pages, same_site};

/// What requests are counted under that are for no path of the router.
const NO_ENDPOINT: &str = "none";

/// Makes the router; the server is this function.
pub fn router(service: Service) -> Router {
    let (api, mut document) = api().split_for_parts();
    openapi::complete(&mut document);
    let routes = api
        .merge(pages::router(document))
        .fallback(async || Failure::NotFound)
        .method_not_allowed_fallback(async || Failure::MethodNotAllowed)
        .layer(middleware::from_fn_with_state(
            service.clone(),
            access::guard,
        ));
    layered(routes, &service).with_state(service)
}

/// Makes the router for connections that are too many: it refuses everything
/// but supervisors, who would restart a service that has much to do.
pub(crate) fn refusing_router(service: Service) -> Router {
    let refuse = async |State(service): State<Service>, request: Request| -> Failure {
        drain(request.into_body());
        service.deny(Bound::Connections)
    };
    let routes = Router::new()
        .route("/healthz", get(handlers::healthz))
        .route("/readyz", get(handlers::readyz))
        .fallback(refuse);
    layered(routes, &service).with_state(service)
}

/// Returns the routes of both API generations with their descriptions.
pub(crate) fn api() -> OpenApiRouter<Service> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(handlers::check))
        .routes(routes!(handlers::check_async))
        .routes(routes!(handlers::get_async_results))
        .routes(routes!(handlers::queue_history))
        .routes(routes!(handlers::sample_history))
        .routes(routes!(handlers::denied_history))
        .routes(routes!(handlers::info))
        .routes(routes!(handlers::status))
        .routes(routes!(handlers::collection))
        .routes(routes!(handlers::check_v1))
        .routes(routes!(handlers::check_async_v1))
        .routes(routes!(handlers::get_async_results_v1))
        .routes(routes!(handlers::queue_history_v1))
        .routes(routes!(handlers::sample_history_v1))
        .routes(routes!(handlers::denied_history_v1))
        .routes(routes!(handlers::info_v1))
        .routes(routes!(handlers::status_v1))
        .routes(routes!(handlers::collection_v1))
        .routes(routes!(handlers::failed_samples))
        .routes(routes!(handlers::retry_failed_samples))
        .routes(routes!(handlers::retry_sample))
        .routes(routes!(handlers::metrics))
        .routes(routes!(handlers::healthz))
        .routes(routes!(handlers::readyz))
        .routes(routes!(handlers::signatures))
        .routes(routes!(handlers::reload_signatures))
        .routes(routes!(handlers::roll_back_signatures))
        .routes(routes!(handlers::findings))
        .routes(routes!(handlers::export_findings))
        .routes(routes!(handlers::finding))
        .routes(routes!(handlers::review_finding))
        .routes(routes!(handlers::sources))
        .routes(routes!(handlers::source))
        .routes(routes!(handlers::collections))
        .routes(routes!(handlers::finding_history))
        .routes(routes!(handlers::trust_finding, handlers::distrust_finding))
        .routes(routes!(handlers::signature_sources))
        .routes(routes!(handlers::update_signatures))
        .routes(routes!(handlers::rule_costs, handlers::measure_rule_costs))
        .routes(routes!(handlers::rules))
        .routes(routes!(handlers::rule_source))
        .routes(routes!(handlers::own_files))
        .routes(routes!(
            handlers::own_file,
            handlers::write_own_file,
            handlers::remove_own_file
        ))
        .routes(routes!(handlers::kept_sample))
        .routes(routes!(handlers::configuration))
        .routes(routes!(handlers::log))
        .routes(routes!(handlers::self_check))
        .merge(logins())
        .routes(routes!(handlers::overview))
        .routes(routes!(handlers::events))
}

/// Returns the routes that a browser logs in and out by.
fn logins() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(
            handlers::session,
            handlers::begin_session,
            handlers::end_session
        ))
        .routes(routes!(handlers::begin_provider_login))
        .routes(routes!(handlers::end_provider_login))
}

/// Adds what every request passes; the last one added is passed first.
fn layered(routes: Router<Service>, service: &Service) -> Router<Service> {
    routes
        .layer(CatchPanicLayer::custom(failure::from_panic))
        .layer(middleware::from_fn(same_site::protect))
        .layer(middleware::from_fn_with_state(
            service.clone(),
            hosts::check,
        ))
        .layer(middleware::from_fn(failure::render))
        .layer(middleware::from_fn_with_state(service.clone(), observe))
        .layer(middleware::from_fn(secure))
}

/// Counts each request and writes a line about it. The path is the client's:
/// escaped, and without the query, which names the source; what is counted is
/// the path of the router.
async fn observe(State(service): State<Service>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let endpoint = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let endpoint = endpoint.filter(|_| !Elsewhere::is(&response));
    let endpoint = endpoint.as_ref().map_or(NO_ENDPOINT, MatchedPath::as_str);
    service
        .metrics()
        .count_request(endpoint, response.status().as_u16());
    tracing::debug!(
        %method,
        ?path,
        status = response.status().as_u16(),
        elapsed_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}

/// Nothing of an answer may run, be framed or be taken for something else;
/// pages that need more set their own policy.
async fn secure(request: Request, next: Next) -> Response {
    const HEADERS: [(HeaderName, &str); 4] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ];
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    // Answers change all the time and hold findings.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::body::Body;
    use http_body_util::BodyExt as _;
    use squall_queue::{Queue, QueueConfig};
    use tower::ServiceExt as _;

    use super::*;
    use crate::ServiceConfig;

    #[tokio::test]
    async fn a_panic_is_a_500_that_reveals_nothing() {
        let boom = async || -> Response { panic!("secret") };
        let dir = tempfile::tempdir().unwrap();
        let (queue, _) = Queue::open(QueueConfig::new(dir.path())).unwrap();
        let service = Service::new(ServiceConfig::default(), queue, Arc::default());
        let router = Router::new()
            .route("/api/boom", get(boom))
            .route("/api/v1/boom", get(boom));
        let router = layered(router, &service).with_state(service);
        for (path, start) in [
            ("/api/boom", r#"{"reason":"internal error"#),
            ("/api/v1/boom", r#"{"message":"internal error"#),
        ] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status().as_u16(), 500);
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let text = String::from_utf8(body.to_vec()).unwrap();
            assert!(
                text.starts_with(start) && !text.contains("secret"),
                "{text}"
            );
        }
    }
}
