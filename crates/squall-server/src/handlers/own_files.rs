//! Signature files that are written through the API.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use squall_api::v1;

use super::collection::read_json;
use super::findings::segment;
use super::library::{Expected, FileChange, TEXT_LEN_MAX, ask, change, library};
use super::parameters::PrettyParameter;
use crate::analyst::Analyst;
use crate::failure::Failure;
use crate::library::Mistake;
use crate::query::Query;
use crate::reply;
use crate::service::Service;

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
        digest: file.digest,
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
    params(("name" = String, Path, pattern = r"^[0-9A-Za-z][0-9A-Za-z._-]*$", max_length = 100, description = "The file"), PrettyParameter),
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
            digest: file.digest,
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
/// include other files. With `If-Match` and the file's `digest`, or
/// `If-None-Match: *` for a new file, nobody else's change is written over.
#[utoipa::path(
    put,
    path = "/api/v1/signatures/own/{name}",
    operation_id = "writeOwnFile",
    tag = "console",
    params(("name" = String, Path, pattern = r"^[0-9A-Za-z][0-9A-Za-z._-]*$", max_length = 100, description = "The file: `*.yar`, `*.yara`, `*.txt` or `*.json`; the name of a list says what it holds"), PrettyParameter,
        ("If-Match" = Option<String>, Header, pattern = r#"^("[0-9a-f]{1,64}"|\*)$"#, description = "The `digest` of the text that is meant, between double quotes; `*` for any"),
        ("If-None-Match" = Option<String>, Header, pattern = r"^\*$", description = "`*`: the file shall be a new one")),
    request_body = v1::OwnFileText,
    responses(
        (status = 200, description = "Written and in force, or only looked at", body = v1::OwnFileOutcome),
        (status = 400, description = "Not as expected, or no signature file may be named like that", body = v1::Error),
        (status = 403, description = "A page of another site made a browser send it, or the address is no analyst's", body = v1::Error),
        (status = 404, description = "This service does not load signatures itself", body = v1::Error),
        (status = 409, description = "The set with the file is not fit; nothing changes", body = v1::Error),
        (status = 412, description = "The file is not what the request takes it for", body = v1::Error),
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
    let expected = Expected::of(request.headers())?;
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
        let written = FileChange {
            name: name.clone(),
            text: Some(asked.text),
            expected,
        };
        change(&service, written).await?;
        tracing::info!(file = ?name, "a signature file was written through the API");
    }
    let is_written = !is_fatal && !asked.check_only;
    let control = service.signature_control();
    let is_applied =
        is_rule_file(&name) || !control.is_some_and(|control| control.state().pure_yara);
    let message = match (is_fatal, asked.check_only, is_applied) {
        (true, ..) => "the text has mistakes; nothing is written",
        (false, true, _) => "no mistake was found; nothing is written",
        (false, false, true) => "written and in force",
        (false, false, false) => {
            "written, but not in force: `pure-yara` is set, so lists are not applied"
        }
    };
    let outcome = v1::OwnFileOutcome {
        message: message.to_owned(),
        in_force: is_written && is_applied,
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
    params(("name" = String, Path, pattern = r"^[0-9A-Za-z][0-9A-Za-z._-]*$", max_length = 100, description = "The file"), PrettyParameter,
        ("If-Match" = Option<String>, Header, pattern = r#"^("[0-9a-f]{1,64}"|\*)$"#, description = "The `digest` of the text that is meant, between double quotes; `*` for any")),
    responses(
        (status = 200, description = "Removed, and not in force any more", body = v1::OwnFileOutcome),
        (status = 400, description = "No signature file may be named like that", body = v1::Error),
        (status = 403, description = "A page of another site made a browser send it, or the address is no analyst's", body = v1::Error),
        (status = 404, description = "There is no such file", body = v1::Error),
        (status = 409, description = "The set without the file is not fit; nothing changes", body = v1::Error),
        (status = 412, description = "The file is not what the request takes it for", body = v1::Error),
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
    let expected = Expected::of(request.headers())?;
    let asked = name.clone();
    let present = ask(&service, move |library| library.read(&asked)).await?;
    present.ok_or_else(no_file)?;
    let removed = FileChange {
        name: name.clone(),
        text: None,
        expected,
    };
    change(&service, removed).await?;
    tracing::info!(file = ?name, "a signature file was removed through the API");
    let outcome = v1::OwnFileOutcome {
        message: "removed".to_owned(),
        ..v1::OwnFileOutcome::default()
    };
    Ok(reply::json(&outcome, Query::of(request.uri()).pretty()))
}

/// Tells rules from lists of indicators.
fn is_rule_file(name: &str) -> bool {
    let extension = name.rsplit('.').next().unwrap_or_default();
    ["yar", "yara"]
        .iter()
        .any(|e| e.eq_ignore_ascii_case(extension))
}

fn problem(mistake: Mistake) -> v1::FileProblem {
    v1::FileProblem {
        line: mistake.line,
        column: mistake.column,
        fatal: mistake.fatal,
        reason: mistake.reason,
    }
}

fn no_file() -> Failure {
    Failure::Absent("no file of that name was written".into())
}
