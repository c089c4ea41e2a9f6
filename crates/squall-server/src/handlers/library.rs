//! The rules in force, and the signature files that are written here.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use squall_api::v1;
use squall_findings::{NOTE_CHARS_MAX, NewReview, WHO_CHARS_MAX};

use super::collection::{read_json, short_enough};
use super::findings::{search, segment, stored_review, turn};
use super::parameters::{PrettyParameter, RuleParameters, RuleSourceParameters};
use crate::analyst::Analyst;
use crate::bound::Bound;
use crate::failure::Failure;
use crate::library::{LibraryError, Mistake, RuleFacts, SignatureLibrary};
use crate::query::Query;
use crate::reply;
use crate::service::Service;

/// Rules of a page by default, and at most.
const RULES_DEFAULT: i64 = 50;
const RULES_MAX: i64 = 500;
/// Most of a rule's text that is shown.
const RULE_LEN_MAX: usize = 64 * 1024;
/// Longest text of a file.
const TEXT_LEN_MAX: usize = 1024 * 1024;
/// The file of the hashes that are trusted because a finding was false.
const TRUSTED: &str = "console-trusted-hashes.txt";

/// Searches the rules in force, by name
#[utoipa::path(
    get,
    path = "/api/v1/signatures/rules",
    operation_id = "rules",
    tag = "console",
    params(RuleParameters),
    responses(
        (status = 200, description = "A page of rules", body = v1::RulePage),
        (status = 400, description = "A parameter makes no sense", body = v1::Error),
        (status = 404, description = "This service does not load signatures itself", body = v1::Error),
    )
)]
pub(crate) async fn rules(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    let query = Query::of(request.uri());
    let words: Vec<String> = query
        .first("q")
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_lowercase)
        .collect();
    let origin = query.first("origin").unwrap_or_default().to_owned();
    let limit = bounded(&query, "limit", RULES_DEFAULT, RULES_MAX)?;
    let offset = bounded(&query, "offset", 0, i64::MAX)?;
    let (total, rules) = ask_in_turn(&service, move |library| {
        let mut rules = library.rules();
        rules.retain(|rule| is_meant(rule, &words, &origin));
        rules.sort_by(|a, b| (&a.name, &a.file).cmp(&(&b.name, &b.file)));
        let total = rules.len();
        let page: Vec<_> = rules.into_iter().skip(offset).take(limit).collect();
        Ok((total, page))
    })
    .await?;
    let hits = hits(&service, &rules).await?;
    let shown = rules.len();
    let page = v1::RulePage {
        total: total as u64,
        next: (offset + shown < total && shown > 0).then_some((offset + shown) as u64),
        rules: rules
            .into_iter()
            .enumerate()
            .map(|(index, rule)| {
                row(
                    rule,
                    hits.as_ref().and_then(|hits| hits.get(index).copied()),
                )
            })
            .collect(),
    };
    Ok(reply::json(&page, query.pretty()))
}

/// Shows the text of a rule
///
/// As the rule's file has it now, which may be newer than the set in force.
#[utoipa::path(
    get,
    path = "/api/v1/signatures/rules/{name}",
    operation_id = "ruleSource",
    tag = "console",
    params(("name" = String, Path, description = "The rule"), RuleSourceParameters),
    responses(
        (status = 200, description = "The text", body = v1::RuleSource),
        (status = 404, description = "No rule in force is named like that, or its file is gone", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
    )
)]
pub(crate) async fn rule_source(
    State(service): State<Service>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let name = segment(name)?;
    let query = Query::of(request.uri());
    let wanted = query.first("file").unwrap_or_default().to_owned();
    let found = ask_in_turn(&service, move |library| {
        // Only files of the set in force are read.
        let rules = library.rules();
        let rule = rules
            .into_iter()
            .find(|rule| rule.name == name && (wanted.is_empty() || rule.file == wanted));
        let Some(rule) = rule else {
            return Ok(None);
        };
        let source = library.source(&rule.file, &rule.name)?;
        Ok(source.map(|(line, text)| (rule, line, text)))
    })
    .await?;
    let (rule, line, mut text) = found.ok_or_else(no_rule)?;
    text.truncate(text.floor_char_boundary(RULE_LEN_MAX));
    let source = v1::RuleSource {
        name: rule.name,
        file: rule.file,
        line,
        text,
    };
    Ok(reply::json(&source, query.pretty()))
}

/// Lists the signature files that were written through the API
#[utoipa::path(
    get,
    path = "/api/v1/signatures/own",
    operation_id = "ownFiles",
    tag = "console",
    params(PrettyParameter),
    responses(
        (status = 200, description = "The files, without their text", body = v1::OwnFiles),
        (status = 403, description = "The address is no analyst's", body = v1::Error),
        (status = 404, description = "This service does not load signatures itself", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
    )
)]
pub(crate) async fn own_files(
    _: Analyst,
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    let files = ask(&service, |library| library.written()).await?;
    let files = files.into_iter().map(|file| v1::OwnFile {
        name: file.name,
        size_bytes: file.size_bytes,
        modified: file.modified.to_string(),
        text: None,
    });
    let list = v1::OwnFiles {
        files: files.collect(),
    };
    Ok(reply::json(&list, Query::of(request.uri()).pretty()))
}

/// Shows a signature file that was written through the API
#[utoipa::path(
    get,
    path = "/api/v1/signatures/own/{name}",
    operation_id = "ownFile",
    tag = "console",
    params(("name" = String, Path, description = "The file"), PrettyParameter),
    responses(
        (status = 200, description = "The file", body = v1::OwnFile),
        (status = 403, description = "The address is no analyst's", body = v1::Error),
        (status = 400, description = "No signature file may be named like that", body = v1::Error),
        (status = 404, description = "There is no such file", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
    )
)]
pub(crate) async fn own_file(
    _: Analyst,
    State(service): State<Service>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let name = segment(name)?;
    let file = ask(&service, move |library| {
        let Some(text) = library.read(&name)? else {
            return Ok(None);
        };
        let written = library
            .written()?
            .into_iter()
            .find(|file| file.name == name);
        Ok(written.map(|file| v1::OwnFile {
            name: file.name,
            size_bytes: file.size_bytes,
            modified: file.modified.to_string(),
            text: Some(text),
        }))
    })
    .await?;
    let file = file.ok_or_else(no_file)?;
    Ok(reply::json(&file, Query::of(request.uri()).pretty()))
}

/// Writes a signature file and puts it in force
///
/// First the text is looked at: with a mistake that would cost a signature
/// nothing is written, and the answer says in which line it is. Rules may not
/// include other files.
#[utoipa::path(
    put,
    path = "/api/v1/signatures/own/{name}",
    operation_id = "writeOwnFile",
    tag = "console",
    params(("name" = String, Path, description = "The file: `*.yar`, `*.yara`, `*.txt` or `*.json`; the name of a list says what it holds"), PrettyParameter),
    request_body = v1::OwnFileText,
    responses(
        (status = 200, description = "Written and in force, or only looked at", body = v1::OwnFileOutcome),
        (status = 400, description = "Not as expected, or no signature file may be named like that", body = v1::Error),
        (status = 403, description = "A page of another site made a browser send it, or the address is no analyst's", body = v1::Error),
        (status = 404, description = "This service does not load signatures itself", body = v1::Error),
        (status = 409, description = "The set with the file is not fit; nothing changes", body = v1::Error),
        (status = 413, description = "The text is too long", body = v1::Error),
        (status = 422, description = "The text has mistakes; nothing is written", body = v1::OwnFileOutcome),
        (status = 500, description = "Internal error", body = v1::Error),
    )
)]
pub(crate) async fn write_own_file(
    _: Analyst,
    State(service): State<Service>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let name = segment(name)?;
    let pretty = Query::of(request.uri()).pretty();
    library(&service)?;
    // JSON may write a character as six.
    let asked: v1::OwnFileText = read_json(&service, request, 6 * TEXT_LEN_MAX).await?;
    if asked.text.len() > TEXT_LEN_MAX {
        return Err(Failure::MessageTooLarge {
            limit: TEXT_LEN_MAX,
        });
    }
    let (checked, text) = (name.clone(), asked.text.clone());
    let mistakes = ask(&service, move |library| library.check(&checked, &text)).await?;
    let is_fatal = mistakes.iter().any(|mistake| mistake.fatal);
    if !is_fatal && !asked.check_only {
        change(&service, name.clone(), Some(asked.text)).await?;
        tracing::info!(file = ?name, "a signature file was written through the API");
    }
    let outcome = v1::OwnFileOutcome {
        message: match (is_fatal, asked.check_only) {
            (true, _) => "the text has mistakes; nothing is written".to_owned(),
            (false, true) => "no mistake was found; nothing is written".to_owned(),
            (false, false) => "written and in force".to_owned(),
        },
        in_force: !is_fatal && !asked.check_only,
        problems: mistakes.into_iter().map(problem).collect(),
    };
    let mut response = reply::json(&outcome, pretty);
    if is_fatal {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// Removes a signature file that was written through the API
#[utoipa::path(
    delete,
    path = "/api/v1/signatures/own/{name}",
    operation_id = "removeOwnFile",
    tag = "console",
    params(("name" = String, Path, description = "The file"), PrettyParameter),
    responses(
        (status = 200, description = "Removed, and not in force any more", body = v1::OwnFileOutcome),
        (status = 400, description = "No signature file may be named like that", body = v1::Error),
        (status = 403, description = "A page of another site made a browser send it, or the address is no analyst's", body = v1::Error),
        (status = 404, description = "There is no such file", body = v1::Error),
        (status = 409, description = "The set without the file is not fit; nothing changes", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
    )
)]
pub(crate) async fn remove_own_file(
    _: Analyst,
    State(service): State<Service>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let name = segment(name)?;
    let asked = name.clone();
    let present = ask(&service, move |library| library.read(&asked)).await?;
    present.ok_or_else(no_file)?;
    change(&service, name.clone(), None).await?;
    tracing::info!(file = ?name, "a signature file was removed through the API");
    let outcome = v1::OwnFileOutcome {
        message: "removed".to_owned(),
        ..v1::OwnFileOutcome::default()
    };
    Ok(reply::json(&outcome, Query::of(request.uri()).pretty()))
}

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
        (status = 409, description = "The file has no digest, or the signatures could not be reloaded", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
        (status = 503, description = "The store is behind", body = v1::Error),
    )
)]
pub(crate) async fn trust_finding(
    _: Analyst,
    State(service): State<Service>,
    event_id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let event_id = segment(event_id)?;
    let pretty = Query::of(request.uri()).pretty();
    let asked: v1::TrustRequest = read_json(&service, request, TEXT_LEN_MAX).await?;
    short_enough("note", &asked.note, NOTE_CHARS_MAX)?;
    short_enough("who", &asked.who, WHO_CHARS_MAX)?;
    let id = event_id.clone();
    let found = search(&service, move |findings| findings.details(&id)).await?;
    let details =
        found.ok_or_else(|| Failure::Absent("no finding that is kept has this id".into()))?;
    let sha256 = details.summary.sha256.ok_or_else(|| {
        Failure::Conflict("the file could not be read, so there is no digest to trust".to_owned())
    })?;
    trust(&service, &sha256, &asked).await?;
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
    };
    Ok(reply::json(&trusted, pretty))
}

/// Adds a digest to the list of trusted ones, unless it is on it.
async fn trust(service: &Service, sha256: &str, asked: &v1::TrustRequest) -> Result<(), Failure> {
    let turn = Arc::clone(service.writing()).lock_owned().await;
    let list = ask(service, |library| library.read(TRUSTED)).await?;
    let mut list = list.unwrap_or_default();
    if list.lines().any(|line| line.starts_with(sha256)) {
        return Ok(());
    }
    if !list.is_empty() && !list.ends_with('\n') {
        list.push('\n');
    }
    list.push_str(&line(sha256, asked));
    change_in_turn(service, TRUSTED.to_owned(), Some(list), turn).await?;
    tracing::info!(sha256, who = ?asked.who, "a content is trusted from now on");
    Ok(())
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

async fn change(service: &Service, name: String, text: Option<String>) -> Result<(), Failure> {
    let turn = Arc::clone(service.writing()).lock_owned().await;
    change_in_turn(service, name, text, turn).await
}

/// Writes or removes a file and reloads; where the set is not fit then, the
/// file is made what it was. Goes on when the client does not wait.
async fn change_in_turn(
    service: &Service,
    name: String,
    text: Option<String>,
    turn: tokio::sync::OwnedMutexGuard<()>,
) -> Result<(), Failure> {
    let service = service.clone();
    let changed = tokio::spawn(async move {
        let _turn = turn;
        let control = service.signature_control().ok_or(Failure::NotFound)?;
        let (file, new) = (name.clone(), text);
        let before = ask(&service, move |library| {
            let before = library.read(&file)?;
            library.write(&file, new.as_deref())?;
            Ok(before)
        })
        .await?;
        let reloaded = control
            .reload()
            .await
            .map_err(|_| service.deny(Bound::Stopping))?;
        if let Err(reason) = reloaded {
            ask(&service, move |library| {
                library.write(&name, before.as_deref())
            })
            .await?;
            return Err(Failure::Conflict(reason));
        }
        Ok(())
    });
    changed.await.map_err(|error| {
        tracing::error!(%error, "a change of the signatures panicked");
        Failure::Internal
    })?
}

fn library(service: &Service) -> Result<Arc<dyn SignatureLibrary>, Failure> {
    service.library().ok_or(Failure::NotFound)
}

/// Asks the library in turn with searches: everybody may, and it costs.
async fn ask_in_turn<T: Send + 'static>(
    service: &Service,
    question: impl FnOnce(&dyn SignatureLibrary) -> Result<T, LibraryError> + Send + 'static,
) -> Result<T, Failure> {
    let turn = turn(service).await?;
    ask(service, move |library| {
        let _turn = turn;
        question(library)
    })
    .await
}

/// Asks the library, beside the runtime.
async fn ask<T: Send + 'static>(
    service: &Service,
    ask: impl FnOnce(&dyn SignatureLibrary) -> Result<T, LibraryError> + Send + 'static,
) -> Result<T, Failure> {
    let library = library(service)?;
    let answer = tokio::task::spawn_blocking(move || ask(&*library));
    let answer = answer.await.map_err(|error| {
        tracing::error!(%error, "reading signatures panicked");
        Failure::Internal
    })?;
    answer.map_err(|error| match error {
        LibraryError::Name(_) => Failure::BadRequest(error.to_string().into()),
        LibraryError::TooMany(_) => Failure::Conflict(error.to_string()),
        error @ LibraryError::Io { .. } => {
            tracing::error!(error = &error as &dyn std::error::Error, "signature files");
            Failure::Internal
        }
    })
}

/// Counts the findings of each rule, where findings are kept.
async fn hits(service: &Service, rules: &[RuleFacts]) -> Result<Option<Vec<u64>>, Failure> {
    if service.findings().is_none() {
        return Ok(None);
    }
    let names: Vec<String> = rules.iter().map(|rule| rule.name.clone()).collect();
    let hits = search(service, move |findings| findings.rule_hits(&names)).await?;
    Ok(Some(hits))
}

fn is_meant(rule: &RuleFacts, words: &[String], origin: &str) -> bool {
    if !origin.is_empty() && rule.origin != origin {
        return false;
    }
    let text = format!(
        "{} {} {} {} {}",
        rule.name,
        rule.description,
        rule.tags.join(" "),
        rule.author.as_deref().unwrap_or_default(),
        rule.file
    );
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}

fn bounded(query: &Query, name: &str, default: i64, max: i64) -> Result<usize, Failure> {
    let value = query.integer(name)?.unwrap_or(default);
    if value < default.min(1) {
        let reason = format!("the parameter `{name}` is too small");
        return Err(Failure::BadRequest(reason.into()));
    }
    Ok(usize::try_from(value.min(max)).unwrap_or_default())
}

fn row(rule: RuleFacts, hits: Option<u64>) -> v1::RuleRow {
    v1::RuleRow {
        name: rule.name,
        file: rule.file,
        origin: rule.origin.to_owned(),
        score: rule.score,
        description: rule.description,
        author: rule.author,
        date: rule.date,
        tags: rule.tags,
        hits,
    }
}

fn problem(mistake: Mistake) -> v1::FileProblem {
    v1::FileProblem {
        line: mistake.line,
        column: mistake.column,
        fatal: mistake.fatal,
        reason: mistake.reason,
    }
}

fn no_rule() -> Failure {
    Failure::Absent(
        "no rule in force is named like that, or its file does not have it any more".into(),
    )
}

fn no_file() -> Failure {
    Failure::Absent("no file of that name was written".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_list_is_one_line_of_two_fields() {
        let asked = v1::TrustRequest {
            note: "our tool;\r\n# see\u{1b} 7".to_owned(),
            who: "a;b".to_owned(),
        };
        let line = line("ab12", &asked);
        assert!(line.starts_with("ab12;false positive, a,b, 20"), "{line}");
        assert!(line.ends_with("Z: our tool, , see 7\n"), "{line}");
        assert_eq!(line.matches(';').count(), 1);
        assert_eq!(line.lines().count(), 1);
    }
}
