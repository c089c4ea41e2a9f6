//! What rules cost in time.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use squall_api::v1;

use super::library::ask;
use super::parameters::PrettyParameter;
use super::rules::count_hits;
use crate::analyst::Analyst;
use crate::failure::Failure;
use crate::query::Query;
use crate::reply;
use crate::service::Service;

/// Tells which rules cost most, as it was last measured
#[utoipa::path(
    get,
    path = "/api/v1/signatures/costs",
    operation_id = "ruleCosts",
    tag = "console",
    params(PrettyParameter),
    responses(
        (status = 200, description = "The last measurement, and whether one is under way", body = v1::RuleCosts),
        (status = 404, description = "This service does not load signatures itself", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
        (status = 503, description = "The search took too long", body = v1::Error),
    )
)]
pub(crate) async fn rule_costs(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    let costs = with_hits(&service).await?;
    Ok(reply::json(&costs, Query::of(request.uri()).pretty()))
}

/// Begins to measure which rules cost most
///
/// Every rule file scans copies of some samples that were scanned shortly
/// before, alone, beside the scans of the service and with a lower priority. It
/// takes a second to a minute; `GET` tells how far it is.
#[utoipa::path(
    post,
    path = "/api/v1/signatures/costs",
    operation_id = "measureRuleCosts",
    tag = "console",
    params(PrettyParameter),
    responses(
        (status = 202, description = "Begun", body = v1::RuleCosts),
        (status = 403, description = "Sent by a page of another site, or the address is no analyst's", body = v1::Error),
        (status = 404, description = "This service does not load signatures itself", body = v1::Error),
        (status = 409, description = "It is being measured, or no sample was scanned since the start", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
        (status = 503, description = "The search took too long", body = v1::Error),
    )
)]
pub(crate) async fn measure_rule_costs(
    _: Analyst,
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    ask(&service, |library| library.measure()).await?;
    let costs = with_hits(&service).await?;
    let mut response = reply::json(&costs, Query::of(request.uri()).pretty());
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

/// Returns the costs with the findings of each rule.
async fn with_hits(service: &Service) -> Result<v1::RuleCosts, Failure> {
    let mut costs = ask(service, |library| Ok(library.costs())).await?;
    if let Some(measured) = &mut costs.measured {
        let names = measured.rules.iter().map(|cost| cost.rule.clone());
        let names = names.map(Option::unwrap_or_default).collect();
        if let Some(hits) = count_hits(service, names).await? {
            for (cost, hits) in measured.rules.iter_mut().zip(hits) {
                cost.hits = Some(hits);
            }
        }
    }
    Ok(costs)
}
