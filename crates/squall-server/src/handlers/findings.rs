//! What was found before: searched, shown, and reviewed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use jiff::Timestamp;
use squall_api::v1;
use squall_findings::{
    CONDITIONS, Filter, Findings, FindingsError, NOTE_CHARS_MAX, NewReview, Page, WHO_CHARS_MAX,
};
use squall_types::ALERT_SUBSCORE_FLOOR;
use tokio::sync::OwnedSemaphorePermit;

use super::collection::{read_json, short_enough};
use super::kept::digest;
use super::parameters::{FindingParameters, PageParameters, PrettyParameter, WaitParameters};
use super::trust::trusted;
use crate::access::Caller;
use crate::failure::Failure;
use crate::query::Query;
use crate::reply;
use crate::service::Service;

/// Entries of a page by default, and at most.
const LIMIT_DEFAULT: i64 = 50;
const LIMIT_MAX: i64 = 1000;
/// When to come back after a search that took too long or was not begun.
const SEARCH_RETRY_AFTER: Duration = Duration::from_secs(2);
/// How long a finding is waited for, and how often it is looked for.
const WAIT_SECONDS_MAX: i64 = 10;
const WAIT_PAUSE: Duration = Duration::from_millis(100);
/// Longest body of a review.
const REVIEW_LEN_MAX: usize = 64 * 1024;
/// How long a search waits for its turn.
const SEARCH_WAIT_MAX: Duration = Duration::from_secs(5);

/// Searches what was found, newest first
///
/// Without parameters the newest findings are answered. Findings are in the
/// order of their times, to a ten-thousandth of a second. A search looks at so
/// many findings and no more: a page may hold fewer than it could, or none, and
/// have a `cursor` all the same.
#[utoipa::path(
    get,
    path = "/api/v1/findings",
    operation_id = "findings",
    tag = "findings",
    params(FindingParameters, PageParameters),
    responses(
        (status = 200, description = "A page of findings; `cursor`, unless null, begins the next", body = v1::FindingPage),
        (status = 400, description = "A parameter makes no sense", body = v1::Error),
        (status = 404, description = "This service keeps no findings", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
        (status = 503, description = "The search took too long; narrow it down", body = v1::Error),
    )
)]
pub(crate) async fn findings(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    let query = Query::of(request.uri());
    let filter = filter(&query)?;
    let page = page(&query)?;
    let found = search(&service, move |findings| findings.search(&filter, &page)).await?;
    Ok(reply::json(&found, query.pretty()))
}

/// Shows all that is known of a finding
///
/// The finding itself, what each reason adds to the score, what an analyst made
/// of it, and where else the file, its name and its rules were seen. A finding
/// is stored a moment after it was answered: `wait` waits for that.
#[utoipa::path(
    get,
    path = "/api/v1/findings/{event_id}",
    operation_id = "finding",
    tag = "findings",
    params(("event_id" = String, Path, description = "The finding's `event_id`"), WaitParameters),
    responses(
        (status = 200, description = "The finding", body = v1::FindingDetails),
        (status = 400, description = "A parameter makes no sense", body = v1::Error),
        (status = 404, description = "No finding that is kept has this id", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
        (status = 503, description = "The search took too long", body = v1::Error),
    )
)]
pub(crate) async fn finding(
    State(service): State<Service>,
    event_id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let event_id = segment(event_id)?;
    let query = Query::of(request.uri());
    let wait = query.integer("wait")?.unwrap_or_default();
    let wait = Duration::from_secs(wait.clamp(0, WAIT_SECONDS_MAX).unsigned_abs());
    let mut details = awaited(&service, event_id, wait).await?;
    details.levels = levels(&service);
    details.sample_kept = is_kept(&service, details.sample_sha256.as_deref());
    if let Some(sha256) = &details.summary.sha256 {
        (details.trusted, details.trusted_in_force) = trusted(&service, sha256).await?;
    }
    if let Some(hashes) = &details.finding.subject.hashes {
        let links = service.config().lookup_links.iter();
        details.lookups = links.map(|link| link.of(hashes)).collect();
    }
    Ok(reply::json(&details, query.pretty()))
}

/// Reads a finding; while there are any that are not stored yet, it is waited
/// for.
async fn awaited(
    service: &Service,
    event_id: String,
    wait: Duration,
) -> Result<v1::FindingDetails, Failure> {
    let until = Instant::now() + wait;
    loop {
        // Asked before: what is stored meanwhile is found.
        let is_behind = store(service)?.is_behind();
        let id = event_id.clone();
        let found = search(service, move |findings| findings.details(&id)).await?;
        match found {
            Some(details) => return Ok(details),
            None if is_behind && Instant::now() < until => {
                tokio::time::sleep(WAIT_PAUSE).await;
            }
            None => return Err(no_finding()),
        }
    }
}

fn levels(service: &Service) -> v1::Levels {
    let levels = service.config().levels;
    v1::Levels {
        notice: levels.notice,
        warning: levels.warning,
        alert: levels.alert,
        alert_subscore_above: ALERT_SUBSCORE_FLOOR,
    }
}

fn is_kept(service: &Service, sha256: Option<&str>) -> bool {
    let kept = service.kept_samples().zip(sha256.and_then(digest));
    kept.is_some_and(|(samples, digest)| samples.holds(digest))
}

/// Notes what an analyst makes of a finding
#[utoipa::path(
    post,
    path = "/api/v1/findings/{event_id}/review",
    operation_id = "reviewFinding",
    tag = "findings",
    params(("event_id" = String, Path, description = "The finding's `event_id`"), PrettyParameter),
    request_body = v1::ReviewRequest,
    responses(
        (status = 200, description = "As it is stored now", body = v1::Review),
        (status = 400, description = "Not JSON, not said to be, or too long", body = v1::Error),
        (status = 403, description = "A page of another site made a browser send it", body = v1::Error),
        (status = 404, description = "No finding that is kept has this id", body = v1::Error),
        (status = 408, description = "The message made no progress", body = v1::Error),
        (status = 413, description = "The message is too large", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
        (status = 503, description = "The store is behind; come back after `Retry-After` seconds", body = v1::Error),
    )
)]
pub(crate) async fn review_finding(
    caller: Caller,
    State(service): State<Service>,
    event_id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let pretty = Query::of(request.uri()).pretty();
    let event_id = segment(event_id)?;
    let asked: v1::ReviewRequest = read_json(&service, request, REVIEW_LEN_MAX).await?;
    short_enough("note", &asked.note, NOTE_CHARS_MAX)?;
    short_enough("who", &asked.who, WHO_CHARS_MAX)?;
    let review = NewReview {
        event_id,
        state: asked.state,
        note: asked.note,
        who: caller.name().map_or(asked.who, str::to_owned),
        time_us: Timestamp::now().as_microsecond(),
    };
    let stored = stored_review(&service, review).await?;
    Ok(reply::json(&stored, pretty))
}

/// Stores what an analyst makes of a finding, and says so in the log.
pub(super) async fn stored_review(
    service: &Service,
    review: NewReview,
) -> Result<v1::Review, Failure> {
    let logged = review.clone();
    let stored = search(service, move |findings| findings.review(review)).await?;
    let stored = stored.ok_or_else(no_finding)?;
    tracing::info!(
        event_id = ?logged.event_id,
        state = logged.state.name(),
        who = ?logged.who,
        "a finding was reviewed"
    );
    Ok(stored)
}

/// Reads the conditions of a search.
pub(super) fn filter(query: &Query) -> Result<Filter, Failure> {
    let mut filter = Filter::default();
    for (name, _) in CONDITIONS {
        let value = query.single(name)?.unwrap_or_default();
        filter
            .set(name, value)
            .map_err(|error| Failure::BadRequest(format!("the parameter {error}").into()))?;
    }
    Ok(filter)
}

/// Reads which page is wanted.
pub(super) fn page(query: &Query) -> Result<Page, Failure> {
    let limit = query.integer("limit")?.unwrap_or(LIMIT_DEFAULT);
    if limit < 1 {
        let reason = "the parameter `limit` is below 1";
        return Err(Failure::BadRequest(reason.into()));
    }
    Ok(Page {
        cursor: query.first("cursor").map(str::to_owned),
        limit: usize::try_from(limit.min(LIMIT_MAX)).unwrap_or_default(),
    })
}

/// Reads a part of the path.
pub(super) fn segment(path: Result<Path<String>, PathRejection>) -> Result<String, Failure> {
    match path {
        Ok(Path(segment)) => Ok(segment),
        Err(_) => Err(Failure::BadRequest("the path is no UTF-8".into())),
    }
}

/// Returns the store of findings.
pub(super) fn store(service: &Service) -> Result<Findings, Failure> {
    let none = "this service keeps no findings: `findings-db` is `none`, or its log says why";
    service
        .findings()
        .cloned()
        .ok_or(Failure::Absent(none.into()))
}

/// Asks the store, beside the runtime, in turn with others.
pub(super) async fn search<T: Send + 'static>(
    service: &Service,
    ask: impl FnOnce(&Findings) -> Result<T, FindingsError> + Send + 'static,
) -> Result<T, Failure> {
    let findings = store(service)?;
    let turn = turn(service).await?;
    let asked = tokio::task::spawn_blocking(move || {
        let answer = ask(&findings);
        drop(turn);
        answer
    });
    let answer = asked.await.map_err(|error| {
        tracing::error!(%error, "a search panicked");
        Failure::Internal
    })?;
    answer.map_err(|error| failure(&error))
}

/// Waits for a turn among searches.
pub(super) async fn turn(service: &Service) -> Result<OwnedSemaphorePermit, Failure> {
    let turn = Arc::clone(service.searches()).acquire_owned();
    match tokio::time::timeout(SEARCH_WAIT_MAX, turn).await {
        Ok(Ok(turn)) => Ok(turn),
        _ => Err(unavailable("too many searches are under way")),
    }
}

/// Returns what a client is told of an error of the store.
pub(super) fn failure(error: &FindingsError) -> Failure {
    match error {
        FindingsError::Cursor => Failure::BadRequest(error.to_string().into()),
        FindingsError::TooSlow => unavailable("the search takes too long, narrow it down"),
        FindingsError::Closed => unavailable("the findings store is behind or stopping"),
        error => {
            tracing::error!(error = error as &dyn std::error::Error, "findings store");
            Failure::Internal
        }
    }
}

pub(super) fn unavailable(reason: &'static str) -> Failure {
    Failure::Unavailable {
        reason: reason.into(),
        retry_after: SEARCH_RETRY_AFTER,
    }
}

pub(super) fn no_finding() -> Failure {
    Failure::Absent("no finding that is kept has this id".into())
}
