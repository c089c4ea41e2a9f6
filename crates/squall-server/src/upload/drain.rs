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
/// The same of senders that showed no right to send anything.
const LEN_MAX_OF_STRANGERS: u64 = 4 * 1024 * 1024;
/// Longest time this takes.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The same for strangers.
const TIMEOUT_OF_STRANGERS: Duration = Duration::from_secs(2);

/// Starts to throw away the rest of `body`.
pub(crate) fn drain(body: Body) {
    start(body, LEN_MAX, TIMEOUT);
}

/// Does the same for a sender that may not send anything: what small uploads
/// have, so that it learns why.
pub(crate) fn drain_a_little(body: Body) {
    start(body, LEN_MAX_OF_STRANGERS, TIMEOUT_OF_STRANGERS);
}

fn start(body: Body, len_max: u64, timeout: Duration) {
    if axum::body::HttpBody::is_end_stream(&body) {
        return;
    }
    tokio::spawn(tokio::time::timeout(timeout, read_off(body, len_max)));
}

async fn read_off(mut body: Body, len_max: u64) {
    let mut len = 0;
    while let Some(Ok(frame)) = body.frame().await {
        len += frame.data_ref().map_or(0, bytes::Bytes::len) as u64;
        if len > len_max {
            return;
        }
    }
}
