//! The content of a false finding, trusted from then on.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use squall_api::v1;
use squall_findings::{Filter, Hash, NOTE_CHARS_MAX, NewReview, PAGE_MAX, Page, WHO_CHARS_MAX};

use super::collection::{read_json, short_enough};
use super::findings::{no_finding, search, segment, stored_review};
use super::library::{Expected, FileChange, TEXT_LEN_MAX, ask, change_in_turn};
use super::parameters::PrettyParameter;
use crate::access::Caller;
use crate::analyst::Analyst;
use crate::failure::Failure;
use crate::query::Query;
use crate::reply;
use crate::service::Service;

/// The file of the hashes that are trusted because a finding was false.
const TRUSTED: &str = "console-trusted-hashes.txt";

/// Trusts the content of a finding's file, because the finding is false
///
/// Its SHA-256 goes on a list of trusted hashes, with the note, the name and
/// the time: nothing is reported on that content any more. The finding is
/// marked as a false positive.
#[utoipa::path(
    post,
    path = "/api/v1/findings/{event_id}/trust",
    operation_id = "trustFinding",
    tag = "console",
    params(("event_id" = String, Path, description = "The finding's `event_id`"), PrettyParameter),
    request_body = v1::TrustRequest,
    responses(
        (status = 200, description = "Trusted from now on", body = v1::Trusted),
        (status = 400, description = "Not JSON, not said to be, or too long", body = v1::Error),
        (status = 403, description = "A page of another site made a browser send it, or the address is no analyst's", body = v1::Error),
        (status = 404, description = "No finding that is kept has this id, or this service does not load signatures itself", body = v1::Error),
        (status = 409, description = "The file has no digest, the signatures could not be reloaded, or `pure-yara` is set", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
        (status = 503, description = "The store is behind", body = v1::Error),
    )
)]
pub(crate) async fn trust_finding(
    _: Analyst,
    caller: Caller,
    State(service): State<Service>,
    event_id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let event_id = segment(event_id)?;
    let pretty = Query::of(request.uri()).pretty();
    let mut asked: v1::TrustRequest = read_json(&service, request, TEXT_LEN_MAX).await?;
    short_enough("note", &asked.note, NOTE_CHARS_MAX)?;
    short_enough("who", &asked.who, WHO_CHARS_MAX)?;
    if let Some(name) = caller.name() {
        name.clone_into(&mut asked.who);
    }
    let sha256 = digest_of(&service, &event_id).await?;
    trust(&service, &sha256, &asked).await?;
    let others = if asked.same_content {
        mark_others(&service, &event_id, &sha256, &asked).await?
    } else {
        0
    };
    let review = NewReview {
        event_id,
        state: v1::ReviewState::FalsePositive,
        note: asked.note,
        who: asked.who,
        time_us: jiff::Timestamp::now().as_microsecond(),
    };
    let review = stored_review(&service, review).await?;
    let trusted = v1::Trusted {
        sha256,
        list: TRUSTED.to_owned(),
        review,
        findings: 1 + others,
    };
    Ok(reply::json(&trusted, pretty))
}

/// Stops trusting the content of a finding's file
///
/// Its SHA-256 is taken off the list that `POST` puts it on, and the finding
/// is open again. Other findings of the content stay as they were reviewed.
#[utoipa::path(
    delete,
    path = "/api/v1/findings/{event_id}/trust",
    operation_id = "distrustFinding",
    tag = "console",
    params(("event_id" = String, Path, description = "The finding's `event_id`"), PrettyParameter),
    request_body = v1::DistrustRequest,
    responses(
        (status = 200, description = "Not trusted any more; the review as it is stored now", body = v1::Review),
        (status = 400, description = "Not JSON, not said to be, or too long", body = v1::Error),
        (status = 403, description = "A page of another site made a browser send it, or the address is no analyst's", body = v1::Error),
        (status = 404, description = "No finding that is kept has this id, its content is not on the list, or this service does not load signatures itself", body = v1::Error),
        (status = 409, description = "The file has no digest, or the signatures could not be reloaded", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
        (status = 503, description = "The store is behind", body = v1::Error),
    )
)]
pub(crate) async fn distrust_finding(
    _: Analyst,
    caller: Caller,
    State(service): State<Service>,
    event_id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let event_id = segment(event_id)?;
    let pretty = Query::of(request.uri()).pretty();
    let asked: v1::DistrustRequest = read_json(&service, request, TEXT_LEN_MAX).await?;
    short_enough("note", &asked.note, NOTE_CHARS_MAX)?;
    short_enough("who", &asked.who, WHO_CHARS_MAX)?;
    let sha256 = digest_of(&service, &event_id).await?;
    let who = caller.name().map_or(asked.who, str::to_owned);
    distrust(&service, &sha256, &who).await?;
    let review = NewReview {
        event_id,
        state: v1::ReviewState::Open,
        note: asked.note,
        who,
        time_us: jiff::Timestamp::now().as_microsecond(),
    };
    let review = stored_review(&service, review).await?;
    Ok(reply::json(&review, pretty))
}

/// Returns what the list of trusted digests says of one, if it is on it, and
/// whether the set in force trusts it.
pub(super) async fn trusted(
    service: &Service,
    sha256: &str,
) -> Result<(Option<String>, bool), Failure> {
    if service.library().is_none() {
        return Ok((None, false));
    }
    let digest = Hash::parse(sha256).and_then(|hash| hash.sha256());
    let (list, in_force) = ask(service, move |library| {
        let in_force = digest.is_some_and(|digest| library.trusts(&digest));
        Ok((library.read(TRUSTED)?, in_force))
    })
    .await?;
    let list = list.unwrap_or_default();
    let found = list.lines().find(|line| is_of(line, sha256));
    let comment = found.map(|line| line.split_once(';').map_or("", |(_, comment)| comment));
    let comment = comment.map(|comment| comment.chars().take(NOTE_CHARS_MAX).collect());
    Ok((comment, in_force))
}

/// Tells whether a line of the list is about this digest.
fn is_of(line: &str, sha256: &str) -> bool {
    let digest = line.split([';', '#']).next().unwrap_or_default();
    digest.trim().eq_ignore_ascii_case(sha256)
}

/// Returns the digest of a finding's file.
async fn digest_of(service: &Service, event_id: &str) -> Result<String, Failure> {
    let id = event_id.to_owned();
    let found = search(service, move |findings| findings.details(&id)).await?;
    let details = found.ok_or_else(no_finding)?;
    details.summary.sha256.ok_or_else(|| {
        Failure::Conflict("the file could not be read, so it has no digest".to_owned())
    })
}

/// Marks the other findings of a content as false positives; returns how many
/// there were.
async fn mark_others(
    service: &Service,
    event_id: &str,
    sha256: &str,
    asked: &v1::TrustRequest,
) -> Result<u64, Failure> {
    let filter = Filter {
        hash: Hash::parse(sha256),
        ..Filter::default()
    };
    let page = Page {
        cursor: None,
        limit: PAGE_MAX,
    };
    let (event_id, asked) = (event_id.to_owned(), asked.clone());
    let marked = search(service, move |findings| {
        let time_us = jiff::Timestamp::now().as_microsecond();
        let others = findings.search(&filter, &page)?.findings;
        let others = others.into_iter().filter(|row| row.event_id != event_id);
        let reviews = others.map(|row| NewReview {
            event_id: row.event_id,
            state: v1::ReviewState::FalsePositive,
            note: asked.note.clone(),
            who: asked.who.clone(),
            time_us,
        });
        findings.review_all(reviews.collect())
    })
    .await?;
    tracing::info!(sha256, marked, "other findings of the content were marked");
    Ok(marked)
}

/// Takes a digest off the list of trusted ones.
async fn distrust(service: &Service, sha256: &str, who: &str) -> Result<(), Failure> {
    let turn = Arc::clone(service.writing()).lock_owned().await;
    let list = ask(service, |library| library.read(TRUSTED)).await?;
    let list = list.unwrap_or_default();
    let kept: Vec<&str> = list.lines().filter(|line| !is_of(line, sha256)).collect();
    if kept.len() == list.lines().count() {
        return Err(Failure::Absent(
            format!("the content is not on the list `{TRUSTED}`").into(),
        ));
    }
    // A list without a line is none.
    let rest = (!kept.is_empty()).then(|| kept.join("\n") + "\n");
    change_in_turn(service, list_of(rest), turn).await?;
    tracing::info!(sha256, ?who, "a content is not trusted any more");
    Ok(())
}

/// Adds a digest to the list of trusted ones, unless it is on it.
async fn trust(service: &Service, sha256: &str, asked: &v1::TrustRequest) -> Result<(), Failure> {
    let control = service.signature_control().ok_or(Failure::NotFound)?;
    if control.state().pure_yara {
        let reason = "`pure-yara` is set: lists of trusted hashes are not applied, so the file would go on being found";
        return Err(Failure::Conflict(reason.to_owned()));
    }
    let turn = Arc::clone(service.writing()).lock_owned().await;
    let list = ask(service, |library| library.read(TRUSTED)).await?;
    let mut list = list.unwrap_or_default();
    if list.lines().any(|line| is_of(line, sha256)) {
        return Ok(());
    }
    if !list.is_empty() && !list.ends_with('\n') {
        list.push('\n');
    }
    list.push_str(&line(sha256, asked));
    change_in_turn(service, list_of(Some(list)), turn).await?;
    tracing::info!(sha256, who = ?asked.who, "a content is trusted from now on");
    Ok(())
}

/// The list is to have this text. It was read in this turn.
fn list_of(text: Option<String>) -> FileChange {
    FileChange {
        name: TRUSTED.to_owned(),
        text,
        expected: Expected::Anything,
    }
}

/// A line of the list: the comment says what happened, on one line, without
/// what separates fields.
fn line(sha256: &str, asked: &v1::TrustRequest) -> String {
    let plain = |text: &str| -> String {
        let parts = text.split(|c: char| c.is_whitespace() || c.is_control());
        let words: Vec<_> = parts.filter(|word| !word.is_empty()).collect();
        words.join(" ").replace([';', '#'], ",")
    };
    let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
    let who = plain(&asked.who);
    let who = if who.is_empty() { "somebody" } else { &who };
    let note = plain(&asked.note);
    let colon = if note.is_empty() { "" } else { ": " };
    format!("{sha256};false positive, {who}, {time}{colon}{note}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_list_is_one_line_of_two_fields() {
        let asked = v1::TrustRequest {
            note: "our tool;\r\n# see\u{1b} 7".to_owned(),
            who: "a;b".to_owned(),
            same_content: false,
        };
        let line = line("ab12", &asked);
        assert!(line.starts_with("ab12;false positive, a,b, 20"), "{line}");
        assert!(line.ends_with("Z: our tool, , see 7\n"), "{line}");
        assert_eq!(line.matches(';').count(), 1);
        assert_eq!(line.lines().count(), 1);
        assert!(is_of(&line, "AB12") && !is_of(&line, "ab1"));
    }
}
