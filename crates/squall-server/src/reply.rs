//! JSON answers, compact or indented.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::failure::Failure;

/// Answers with `value`. Compact unless `pretty`: some collectors read answers
/// with `grep`.
pub(crate) fn json(value: &impl Serialize, pretty: bool) -> Response {
    match encode(value, pretty) {
        Ok(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            response.headers_mut().insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
            response
        }
        Err(error) => {
            tracing::error!(%error, "cannot encode an answer");
            Failure::Internal.into_response()
        }
    }
}

fn encode(value: &impl Serialize, pretty: bool) -> serde_json::Result<Vec<u8>> {
    if !pretty {
        return serde_json::to_vec(value);
    }
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    value.serialize(&mut serde_json::Serializer::with_formatter(
        &mut bytes, formatter,
    ))?;
    bytes.push(b'\n');
    Ok(bytes)
}
