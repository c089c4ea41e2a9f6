//! The console: a page and its files, built from `console/` and committed, so
//! that `cargo build` needs nothing else.
//!
//! The files keep their names and are asked for again with their digest, which
//! costs an answer without a body: a new version of the program is seen at
//! once.

use std::io::Write as _;
use std::sync::LazyLock;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

use super::{CSS, HTML, JAVASCRIPT, PAGE_POLICY, with_policy};
use crate::service::Service;

/// A file of the console.
struct Asset {
    content_type: &'static str,
    content: &'static [u8],
    /// The same, compressed; empty where that cannot be.
    compressed: Bytes,
    /// Names the content.
    tag: HeaderValue,
}

static PAGE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new(HTML, include_bytes!("../../console/dist/index.html")));
static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        JAVASCRIPT,
        include_bytes!("../../console/dist/static/console.js"),
    )
});
static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new(CSS, include_bytes!("../../console/dist/static/console.css")));
static THEME: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        JAVASCRIPT,
        include_bytes!("../../console/dist/static/theme.js"),
    )
});

/// Returns the routes of the console.
pub(super) fn router() -> Router<Service> {
    let route = |asset: &'static LazyLock<Asset>| {
        get(move |request: Request| async move { asset.answer(request.headers()) })
    };
    Router::new()
        .route("/", route(&PAGE))
        .route("/static/console.js", route(&SCRIPT))
        .route("/static/console.css", route(&STYLE))
        .route("/static/theme.js", route(&THEME))
}

impl Asset {
    fn new(content_type: &'static str, content: &'static [u8]) -> Self {
        let digest = Sha256::digest(content);
        let digits: String = digest[..12]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            content_type,
            content,
            compressed: compress(content),
            tag: HeaderValue::try_from(format!("W/\"{digits}\""))
                .unwrap_or(HeaderValue::from_static("W/\"\"")),
        }
    }

    fn answer(&self, asked: &HeaderMap) -> Response {
        let holds = |name, word: &[u8]| {
            let value = asked.get(name).map_or(&[][..], HeaderValue::as_bytes);
            value.windows(word.len()).any(|part| part == word)
        };
        let mut response = if holds(header::IF_NONE_MATCH, self.tag.as_bytes()) {
            StatusCode::NOT_MODIFIED.into_response()
        } else if holds(header::ACCEPT_ENCODING, b"gzip") && !self.compressed.is_empty() {
            let mut response = self.compressed.clone().into_response();
            response
                .headers_mut()
                .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        } else {
            self.content.into_response()
        };
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(self.content_type),
        );
        headers.insert(header::ETAG, self.tag.clone());
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        with_policy(response, PAGE_POLICY)
    }
}

/// Compresses once what is sent often.
fn compress(content: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(content);
    let compressed = written.and_then(|()| encoder.finish());
    compressed.map_or_else(|_| Bytes::new(), Bytes::from)
}
