//! Samples that were kept, for analysts.

use std::io::{Cursor, Write as _};
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use squall_api::v1;
use zip::unstable::write::FileOptionsExt as _;
use zip::write::SimpleFileOptions;

use super::findings::{segment, unavailable};
use crate::analyst::Analyst;
use crate::failure::Failure;
use crate::service::Service;

/// The password that everybody expects, so that no scanner on the way and no
/// double click opens the archive.
const PASSWORD: &[u8] = b"infected";

/// Sends a kept sample, in an archive with the password `infected`
///
/// The archive is encrypted the old way (`ZipCrypto`), which every program can
/// open. The file in it is named by its SHA-256.
#[utoipa::path(
    get,
    path = "/api/v1/samples/{sha256}/zip",
    operation_id = "keptSample",
    tag = "console",
    params(("sha256" = String, Path, pattern = "^[0-9A-Fa-f]{64}$", description = "The sample's SHA-256 in hexadecimal")),
    responses(
        (status = 200, description = "The archive", body = String, content_type = "application/zip"),
        (status = 403, description = "The address is no analyst's", body = v1::Error),
        (status = 400, description = "Not a SHA-256", body = v1::Error),
        (status = 404, description = "The sample is not kept, or this service keeps none", body = v1::Error),
        (status = 500, description = "Internal error", body = v1::Error),
        (status = 503, description = "Too many are being sent", body = v1::Error),
    )
)]
pub(crate) async fn kept_sample(
    _: Analyst,
    State(service): State<Service>,
    sha256: Result<Path<String>, PathRejection>,
) -> Result<Response, Failure> {
    let name = segment(sha256)?.to_ascii_lowercase();
    let digest =
        digest(&name).ok_or_else(|| Failure::BadRequest("that is not a SHA-256".into()))?;
    let samples = service
        .kept_samples()
        .ok_or_else(|| Failure::Absent("this service keeps no samples".into()))?;
    // A sample is in memory meanwhile, twice.
    let turn = Arc::clone(service.exports())
        .try_acquire_owned()
        .map_err(|_| unavailable("too many samples or findings are being sent"))?;
    let file = name.clone();
    let packed = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let content = samples.read(digest)?;
        content.map(|content| pack(&file, &content)).transpose()
    });
    let packed = packed.await.map_err(|error| {
        tracing::error!(%error, "packing a sample panicked");
        Failure::Internal
    })?;
    let packed = packed.map_err(|error| {
        tracing::error!(%error, "cannot send a kept sample");
        Failure::Internal
    })?;
    let packed = packed.ok_or_else(|| Failure::Absent("this sample is not kept".into()))?;
    let mut response = Bytes::from(packed).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/zip"),
    );
    let disposition = format!("attachment; filename=\"{name}.zip\"");
    if let Ok(disposition) = HeaderValue::try_from(disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

fn pack(name: &str, content: &[u8]) -> std::io::Result<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .unix_permissions(0o600)
        .with_deprecated_encryption(PASSWORD)?;
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file(name, options)?;
    archive.write_all(content)?;
    Ok(archive.finish()?.into_inner())
}

/// Reads 64 hexadecimal digits.
pub(super) fn digest(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut digest = [0; 32];
    for (index, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_archive_opens_with_the_password_only() {
        let packed = pack("ab12", b"MZ evil").unwrap();
        assert!(!packed.windows(4).any(|window| window == b"evil"));
        let mut archive = zip::ZipArchive::new(Cursor::new(packed)).unwrap();
        assert!(archive.by_name("ab12").is_err());
        let mut content = Vec::new();
        archive
            .by_name_decrypt("ab12", PASSWORD)
            .unwrap()
            .read_to_end(&mut content)
            .unwrap();
        assert_eq!(content, b"MZ evil");
    }

    #[test]
    fn only_a_digest_is_one() {
        assert_eq!(digest(&"ab".repeat(32)), Some([0xab; 32]));
        for text in [
            "",
            "ab",
            "../../etc/passwd",
            &"g".repeat(64),
            &"é".repeat(32),
        ] {
            assert_eq!(digest(text), None, "{text}");
        }
    }
}
