//! What supervisors and load balancers ask.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use squall_api::v1;

use super::parameters::PrettyParameter;
use crate::query::Query;
use crate::reply;
use crate::service::Service;

/// Tells whether the process lives
///
/// When it does not, only a restart helps: no scan thread is left that does not
/// hang. That the disk refuses or signatures are being loaded is not told here.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "healthz",
    tag = "monitoring",
    params(PrettyParameter),
    responses(
        (status = 200, description = "It lives", body = v1::Liveness),
        (status = 503, description = "It should be restarted", body = v1::Liveness),
    )
)]
pub(crate) async fn healthz(State(service): State<Service>, request: Request) -> Response {
    let alive = service.alive();
    let liveness = v1::Liveness {
        alive: alive.is_ok(),
        reason: alive.err().map(str::to_owned),
    };
    answer(&liveness, liveness.alive, &request)
}

/// Tells whether samples can be sent
///
/// Signatures are loaded, the disk of the queue took what was written to it, and
/// a scan thread found the EICAR test file within the last minute. A queue that
/// is full is not told here: it refuses samples with a `Retry-After`.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readyz",
    tag = "monitoring",
    params(PrettyParameter),
    responses(
        (status = 200, description = "Ready", body = v1::Readiness),
        (status = 503, description = "Not ready, and which check failed", body = v1::Readiness),
    )
)]
pub(crate) async fn readyz(State(service): State<Service>, request: Request) -> Response {
    let readiness = service.readiness();
    answer(&readiness, readiness.ready, &request)
}

fn answer(body: &impl serde::Serialize, good: bool, request: &Request) -> Response {
    let mut response = reply::json(body, Query::of(request.uri()).pretty());
    if !good {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}
