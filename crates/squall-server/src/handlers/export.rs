//! Findings as a stream of lines, or as a document.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use hyper::body::Frame;
use squall_api::v1;
use squall_findings::{Export, ExportFormat, Exported};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::findings::{filter, store, unavailable};
use super::parameters::{ExportParameters, FindingParameters};
use crate::failure::Failure;
use crate::query::Query;
use crate::service::Service;

/// Pieces that are made ahead of a slow reader.
const PIECES_AHEAD: usize = 2;

/// Exports what was found, newest first
///
/// Takes the conditions of a search. The answer is a stream: it is complete
/// only if the connection is ended in order.
#[utoipa::path(
    get,
    path = "/api/v1/findings/export",
    operation_id = "exportFindings",
    tag = "findings",
    params(FindingParameters, ExportParameters),
    responses(
        (status = 200, description = "The findings: with `jsonl` in the v3 log form, one a line; with `csv` as a table in which nothing is a formula; with `stix` and `misp` as one document", content(
            (String = "application/x-ndjson"),
            (String = "text/csv"),
            (Object = "application/stix+json"),
            (Object = "application/json"),
        )),
        (status = 400, description = "A parameter makes no sense", body = v1::Error),
        (status = 404, description = "This service keeps no findings", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
        (status = 503, description = "Too many exports are under way", body = v1::Error),
    )
)]
pub(crate) async fn export_findings(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Failure> {
    let query = Query::of(request.uri());
    let (format, content_type, disposition) = match query.single("format")? {
        None | Some("" | "jsonl") => (
            ExportFormat::JsonLines,
            "application/x-ndjson",
            "attachment; filename=\"findings.jsonl\"",
        ),
        Some("csv") => (
            ExportFormat::Csv,
            "text/csv; charset=utf-8",
            "attachment; filename=\"findings.csv\"",
        ),
        Some("stix") => (
            ExportFormat::Stix,
            "application/stix+json;version=2.1",
            "attachment; filename=\"findings.stix.json\"",
        ),
        Some("misp") => (
            ExportFormat::Misp,
            "application/json",
            "attachment; filename=\"findings.misp.json\"",
        ),
        Some(_) => {
            let reason = "the parameter `format` is none of `jsonl`, `csv`, `stix` and `misp`";
            return Err(Failure::BadRequest(reason.into()));
        }
    };
    let limit = query.integer("limit")?;
    if limit.is_some_and(|limit| limit < 1) {
        let reason = "the parameter `limit` is below 1";
        return Err(Failure::BadRequest(reason.into()));
    }
    let export = store(&service)?.export(Exported {
        filter: filter(&query)?,
        format,
        limit: limit.and_then(|limit| u64::try_from(limit).ok()),
    });
    let turn = Arc::clone(service.exports())
        .try_acquire_owned()
        .map_err(|_| unavailable("too many exports are under way"))?;
    let mut response = Response::new(stream(export, turn));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static(disposition),
    );
    Ok(response)
}

/// Makes the export on a thread of its own, no faster than it is read.
fn stream(mut export: Export, turn: OwnedSemaphorePermit) -> Body {
    let (sender, receiver) = mpsc::channel::<Result<Bytes, axum::Error>>(PIECES_AHEAD);
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        loop {
            let piece = match export.next_piece() {
                Ok(None) => return,
                Ok(Some(piece)) => Ok(Bytes::from(piece)),
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "an export was broken off"
                    );
                    Err(axum::Error::new(error))
                }
            };
            let failed = piece.is_err();
            if sender.blocking_send(piece).is_err() || failed {
                return;
            }
        }
    });
    Body::new(Pieces(receiver))
}

/// The pieces of an export as the body of an answer.
struct Pieces(mpsc::Receiver<Result<Bytes, axum::Error>>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let piece = self.0.poll_recv(context);
        piece.map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
