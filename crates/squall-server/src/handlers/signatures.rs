//! What is loaded, and asking for something else to be.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use squall_api::v1;

use super::findings::turn;
use super::parameters::PrettyParameter;
use crate::analyst::Analyst;
use crate::bound::Bound;
use crate::failure::Failure;
use crate::query::Query;
use crate::reply;
use crate::service::Service;
use crate::signatures::{
    Change, ChangeOutcome, LoadedSet, Pending, SignatureControl, SignatureState,
};

/// Tells which signatures are in force, and how their last change went
#[utoipa::path(
    get,
    path = "/api/v1/signatures",
    operation_id = "signatures",
    tag = "v1",
    params(PrettyParameter),
    responses(
        (status = 200, description = "The set in force, the one before, problems, the last change", body = v1::Signatures),
        (status = 404, description = "This service does not load signatures itself", body = v1::Error),
    )
)]
pub(crate) async fn signatures(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    let control = control(&service)?;
    let body = body(control.state());
    Ok(reply::json(&body, Query::of(request.uri()).pretty()))
}

/// Reads the signatures again
///
/// The new set is compiled beside the one in force, tested, and put in force
/// between two samples. The answer comes when that is done. Where the new set
/// is not fit, nothing changes.
#[utoipa::path(
    post,
    path = "/api/v1/signatures/reload",
    operation_id = "reloadSignatures",
    tag = "v1",
    params(PrettyParameter),
    responses(
        (status = 200, description = "Done; `last_change` says whether anything changed", body = v1::Signatures),
        (status = 403, description = "Sent by a page of another site", body = v1::Error),
        (status = 404, description = "This service does not load signatures itself", body = v1::Error),
        (status = 409, description = "The new set is not fit; the one before stays", body = v1::Error),
    )
)]
pub(crate) async fn reload_signatures(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    change(service, request, |control| control.reload()).await
}

/// Puts the set before in force again
///
/// It stays until the signatures are reloaded on request or by a signal, their
/// files change to something else, or the service is started again.
#[utoipa::path(
    post,
    path = "/api/v1/signatures/rollback",
    operation_id = "rollBackSignatures",
    tag = "v1",
    params(PrettyParameter),
    responses(
        (status = 200, description = "Done", body = v1::Signatures),
        (status = 403, description = "Sent by a page of another site", body = v1::Error),
        (status = 404, description = "This service does not load signatures itself", body = v1::Error),
        (status = 409, description = "There is no set before", body = v1::Error),
    )
)]
pub(crate) async fn roll_back_signatures(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    change(service, request, |control| control.roll_back()).await
}

/// Lists where the signatures come from
#[utoipa::path(
    get,
    path = "/api/v1/signatures/sources",
    operation_id = "signatureSources",
    tag = "console",
    params(PrettyParameter),
    responses(
        (status = 200, description = "Every place that signatures are read from", body = v1::SignatureSources),
        (status = 404, description = "This service does not load signatures itself", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
        (status = 503, description = "Too many searches are under way", body = v1::Error),
    )
)]
pub(crate) async fn signature_sources(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    let control = control(&service)?;
    // In turn with searches: everybody may ask, and it costs.
    let turn = turn(&service).await?;
    let sources = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        control.sources()
    });
    let sources = sources.await.map_err(|error| {
        tracing::error!(%error, "listing the sources of signatures panicked");
        Failure::Internal
    })?;
    Ok(reply::json(&sources, Query::of(request.uri()).pretty()))
}

/// Asks the sources of `signature-sources` for something new, and puts it in force
///
/// What is new is checked and tested like everything else before it is put in
/// force; the answer comes when that is done. Sources that fail keep the others
/// from nothing.
#[utoipa::path(
    post,
    path = "/api/v1/signatures/update",
    operation_id = "updateSignatures",
    tag = "console",
    params(PrettyParameter),
    responses(
        (status = 200, description = "Every source was asked; `last_change` says whether anything changed", body = v1::Signatures),
        (status = 403, description = "Sent by a page of another site, or the address is no analyst's", body = v1::Error),
        (status = 404, description = "This service does not load signatures itself", body = v1::Error),
        (status = 409, description = "There are no sources, one could not be asked, or what is new is not fit", body = v1::Error),
    )
)]
pub(crate) async fn update_signatures(
    _: Analyst,
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    change(service, request, |control| control.update()).await
}

async fn change(
    service: Service,
    request: Request,
    ask: impl FnOnce(&dyn SignatureControl) -> Pending,
) -> Result<Response, Failure> {
    let pretty = Query::of(request.uri()).pretty();
    drop(request);
    let control = control(&service)?;
    let changed = ask(&*control).await.map_err(|_| {
        // The thread that loads signatures ends only with the service.
        service.deny(Bound::Stopping)
    })?;
    changed.map_err(Failure::Conflict)?;
    let body = body(control.state());
    Ok(reply::json(&body, pretty))
}

fn control(service: &Service) -> Result<Arc<dyn SignatureControl>, Failure> {
    service.signature_control().ok_or(Failure::NotFound)
}

fn body(state: SignatureState) -> v1::Signatures {
    v1::Signatures {
        current: state.current.map(set),
        previous: state.previous.map(set),
        problems: state.problems,
        problems_omitted: state.problems_omitted,
        warnings: state.warnings,
        warnings_omitted: state.warnings_omitted,
        last_change: state.last_change.map(last_change),
        changes: state.changed,
        failed_changes: state.failed,
        pure_yara: state.pure_yara,
        rolled_back: state.rolled_back,
    }
}

fn set(set: LoadedSet) -> v1::SignatureSet {
    v1::SignatureSet {
        version: set.summary.version,
        fingerprint: set.fingerprint,
        engine: set.summary.engine,
        rules: set.summary.rules,
        iocs: set.summary.iocs,
        skipped: set.summary.skipped,
        loaded_at: set.loaded_at.to_string(),
        load_time_milliseconds: set.load_time_ms,
        from_cache: set.from_cache,
    }
}

fn last_change(change: Change) -> v1::SignatureChange {
    v1::SignatureChange {
        at: change.at.to_string(),
        trigger: change.trigger.to_owned(),
        outcome: match change.outcome {
            ChangeOutcome::Replaced => v1::SignatureChangeOutcome::Replaced,
            ChangeOutcome::RolledBack => v1::SignatureChangeOutcome::RolledBack,
            ChangeOutcome::Unchanged => v1::SignatureChangeOutcome::Unchanged,
            ChangeOutcome::Failed => v1::SignatureChangeOutcome::Failed,
        },
        error: change.error,
        duration_milliseconds: change.duration_ms,
    }
}
