//! Who sent samples, and the runs of collectors.

use axum::extract::{Request, State};
use axum::response::Response;
use squall_api::v1;
use squall_findings::RunFilter;

use super::findings::{page, search};
use super::parameters::{
    CollectionParameters, PageParameters, SourceNameParameter, SourceParameters,
};
use crate::failure::Failure;
use crate::query::Query;
use crate::reply;
use crate::service::Service;

/// Lists the senders of samples, the one heard of last first
///
/// All of them, also those whose samples were clean. Counts may be a second
/// behind.
#[utoipa::path(
    get,
    path = "/api/v1/sources",
    operation_id = "sources",
    tag = "findings",
    params(SourceParameters, PageParameters),
    responses(
        (status = 200, description = "A page of sources; `cursor`, unless null, begins the next", body = v1::SourcePage),
        (status = 400, description = "A parameter makes no sense", body = v1::Error),
        (status = 404, description = "This service keeps no findings", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
        (status = 503, description = "The search took too long", body = v1::Error),
    )
)]
pub(crate) async fn sources(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    let query = Query::of(request.uri());
    let page = page(&query)?;
    let name = query.first("name").filter(|name| !name.is_empty());
    let name = name.map(str::to_owned);
    let found = search(&service, move |findings| {
        findings.sources(name.as_deref(), &page)
    })
    .await?;
    Ok(reply::json(&found, query.pretty()))
}

/// Shows a sender of samples and its newest collector runs
///
/// The name is a parameter and no part of the path: senders choose it, and
/// clients take `..` in a path for another path.
#[utoipa::path(
    get,
    path = "/api/v1/source",
    operation_id = "source",
    tag = "findings",
    params(SourceNameParameter),
    responses(
        (status = 200, description = "The source", body = v1::SourceDetails),
        (status = 400, description = "No name is given", body = v1::Error),
        (status = 404, description = "No sample came from it", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
        (status = 503, description = "The search took too long", body = v1::Error),
    )
)]
pub(crate) async fn source(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    let query = Query::of(request.uri());
    let name = query.first("name").filter(|name| !name.is_empty());
    let none = || Failure::BadRequest("the parameter `name` is missing".into());
    let source = name.ok_or_else(none)?.to_owned();
    let found = search(&service, move |findings| findings.source(&source)).await?;
    let none = || Failure::Absent("no sample came from this source".into());
    let details = found.ok_or_else(none)?;
    Ok(reply::json(&details, query.pretty()))
}

/// Lists the runs of collectors, the newest first
///
/// A run that never said that it ended has the state `incomplete`.
#[utoipa::path(
    get,
    path = "/api/v1/collections",
    operation_id = "collections",
    tag = "findings",
    params(CollectionParameters, PageParameters),
    responses(
        (status = 200, description = "A page of runs; `cursor`, unless null, begins the next", body = v1::CollectionPage),
        (status = 400, description = "A parameter makes no sense", body = v1::Error),
        (status = 404, description = "This service keeps no findings", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
        (status = 503, description = "The search took too long", body = v1::Error),
    )
)]
pub(crate) async fn collections(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    let query = Query::of(request.uri());
    let page = page(&query)?;
    let incomplete = match query.single("state")? {
        None | Some("") => false,
        Some("incomplete") => true,
        Some(_) => {
            let reason = "the parameter `state` is not `incomplete`";
            return Err(Failure::BadRequest(reason.into()));
        }
    };
    let source = query.first("source").filter(|source| !source.is_empty());
    let filter = RunFilter {
        source: source.map(str::to_owned),
        incomplete,
    };
    let found = search(&service, move |findings| findings.runs(&filter, &page)).await?;
    Ok(reply::json(&found, query.pretty()))
}
