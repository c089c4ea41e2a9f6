//! The body of an upload on its way to the parser, under limits.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::Frame;
use tokio::time::{Instant, Sleep};

use super::scrub::{HeadersTooLong, Scrubber};

/// Bytes that must arrive within the time limit for the body to count as
/// making progress. Without it a sender of one byte now and then would hold
/// its place for ever.
const PROGRESS_LEN_MIN: u64 = 1024;

/// Why a body could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyFault {
    /// The sender went silent.
    #[error("the upload made no progress for {0:?}")]
    Stalled(Duration),
    /// The sender sent more than the limit.
    #[error("the upload is larger than {0} bytes")]
    TooLarge(u64),
    /// The headers of a part are too long.
    #[error(transparent)]
    Headers(#[from] HeadersTooLong),
    /// The connection broke or the transfer encoding is malformed.
    #[error("cannot read the upload")]
    Broken(#[source] axum::Error),
}

/// The body, filtered and bounded.
pub(crate) struct UploadBody {
    inner: Body,
    scrubber: Scrubber,
    len: u64,
    len_max: u64,
    timeout: Duration,
    deadline: Pin<Box<Sleep>>,
    /// What `len` was when the deadline was last moved.
    len_at_progress: u64,
    /// True when the last poll gave a chunk. The parser takes all it can get
    /// before it parses; a pause after each chunk keeps its buffer small.
    paused: bool,
}

impl UploadBody {
    /// Wraps `inner`, whose parts are split by `boundary`. It fails beyond
    /// `len_max` bytes and when less than a kibibyte arrives within `timeout`.
    pub(crate) fn new(inner: Body, boundary: &str, len_max: u64, timeout: Duration) -> Self {
        Self {
            inner,
            scrubber: Scrubber::new(boundary),
            len: 0,
            len_max,
            timeout,
            deadline: Box::pin(tokio::time::sleep(timeout)),
            len_at_progress: 0,
            paused: false,
        }
    }

    /// Returns the unread rest of the body.
    pub(crate) fn into_inner(self) -> Body {
        self.inner
    }

    fn accept(&mut self, chunk: Bytes) -> Result<Bytes, BodyFault> {
        self.len += chunk.len() as u64;
        if self.len > self.len_max {
            return Err(BodyFault::TooLarge(self.len_max));
        }
        if self.len - self.len_at_progress >= PROGRESS_LEN_MIN {
            self.len_at_progress = self.len;
            self.deadline.as_mut().reset(Instant::now() + self.timeout);
        }
        Ok(self.scrubber.filter(chunk)?)
    }
}

impl HttpBody for UploadBody {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        let this = &mut *self;
        if std::mem::take(&mut this.paused) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            let frame = match Pin::new(&mut this.inner).poll_frame(cx) {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    ready!(this.deadline.as_mut().poll(cx));
                    return Poll::Ready(Some(Err(BodyFault::Stalled(this.timeout))));
                }
            };
            let Some(frame) = frame else {
                return Poll::Ready(None);
            };
            let chunk = match frame.map_err(BodyFault::Broken).map(Frame::into_data) {
                Ok(Ok(chunk)) => chunk,
                // Trailers say nothing about the sample.
                Ok(Err(_trailers)) => continue,
                Err(fault) => return Poll::Ready(Some(Err(fault))),
            };
            match this.accept(chunk) {
                Ok(chunk) if chunk.is_empty() => {}
                Ok(chunk) => {
                    this.paused = true;
                    return Poll::Ready(Some(Ok(Frame::data(chunk))));
                }
                Err(fault) => return Poll::Ready(Some(Err(fault))),
            }
        }
    }
}
