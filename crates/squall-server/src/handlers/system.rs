//! The service itself: its configuration, and what it logged last.

use axum::extract::{Request, State};
use axum::response::Response;
use squall_api::v1;

use super::parameters::{LogParameters, PrettyParameter};
use crate::analyst::Analyst;
use crate::failure::Failure;
use crate::query::Query;
use crate::reply;
use crate::service::Service;

/// Lines of the log by default.
const LINES_DEFAULT: i64 = 200;

/// Tells the configuration in force
///
/// Passwords, and those in addresses, are hidden.
#[utoipa::path(
    get,
    path = "/api/v1/configuration",
    operation_id = "configuration",
    tag = "console",
    params(PrettyParameter),
    responses(
        (status = 200, description = "Every setting and where it comes from", body = v1::Configuration),
        (status = 403, description = "The address is no analyst's", body = v1::Error),
    )
)]
pub(crate) async fn configuration(
    _: Analyst,
    State(service): State<Service>,
    request: Request,
) -> Response {
    let configuration = v1::Configuration {
        settings: service.config().settings.clone(),
    };
    reply::json(&configuration, Query::of(request.uri()).pretty())
}

/// Shows the last lines of the service's log
#[utoipa::path(
    get,
    path = "/api/v1/log",
    operation_id = "log",
    tag = "console",
    params(LogParameters),
    responses(
        (status = 200, description = "The lines, oldest first", body = v1::LogTail),
        (status = 403, description = "The address is no analyst's", body = v1::Error),
        (status = 400, description = "A parameter makes no sense", body = v1::Error),
    )
)]
pub(crate) async fn log(
    _: Analyst,
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    let query = Query::of(request.uri());
    let lines = query.integer("lines")?.unwrap_or(LINES_DEFAULT);
    if lines < 1 {
        return Err(Failure::BadRequest(
            "the parameter `lines` is below 1".into(),
        ));
    }
    let tail = v1::LogTail {
        lines: service
            .config()
            .log
            .last(usize::try_from(lines).unwrap_or(usize::MAX)),
    };
    Ok(reply::json(&tail, query.pretty()))
}
