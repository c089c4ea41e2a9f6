//! Reads what a sender is still sending when its request is decided.
//!
//! Closing a connection with unread bytes resets it, and the sender may then
//! never see the answer: a collector that misses a 503 drops the sample. So
//! the rest is read and thrown away for a while beside the answer.

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt as _;

/// Most bytes that are read and thrown away.
const LEN_MAX: u64 = 256 * 1024 * 1024;
/// Longest time this takes.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Starts to throw away the rest of `body`.
pub(crate) fn drain(body: Body) {
    if axum::body::HttpBody::is_end_stream(&body) {
        return;
    }
    tokio::spawn(tokio::time::timeout(TIMEOUT, read_off(body)));
}

async fn read_off(mut body: Body) {
    let mut len = 0;
    while let Some(Ok(frame)) = body.frame().await {
        len += frame.data_ref().map_or(0, bytes::Bytes::len) as u64;
        if len > LEN_MAX {
            return;
        }
    }
}
