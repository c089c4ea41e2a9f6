//! The body of an upload on its way to the parser, under limits.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::Frame;
use tokio::time::{Instant, Sleep};

use super::places::{NoPlace, Place};
use super::scrub::{HeadersTooLong, Scrubber};

/// Bytes that must arrive within the time limit for the body to count as
/// making progress. Without it a sender of one byte now and then would hold
/// its place for ever.
const PROGRESS_LEN_MIN: u64 = 1024;
/// How much shorter the time limit is for an upload whose place is wanted.
const WANTED_DIVISOR: u32 = 10;

/// Why a body could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyFault {
    /// The sender went silent.
    #[error("the upload made no progress for {0:?}")]
    Stalled(Duration),
    /// The sender sent more than the limit.
    #[error("the upload is larger than {0} bytes")]
    TooLarge(u64),
    /// It grew, and there is no place for it.
    #[error(transparent)]
    NoPlace(#[from] NoPlace),
    /// The headers of a part are too long.
    #[error(transparent)]
    Headers(#[from] HeadersTooLong),
    /// The connection broke or the transfer encoding is malformed.
    #[error("cannot read the upload")]
    Broken(#[source] axum::Error),
}

/// How much one body may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    /// Most bytes.
    pub(crate) len_max: u64,
    /// Longest time without progress. Shorter when places are scarce.
    pub(crate) timeout: Duration,
}

/// The body, filtered and bounded.
pub(crate) struct UploadBody {
    inner: Body,
    scrubber: Scrubber,
    limits: BodyLimits,
    place: Place,
    len: u64,
    /// When the upload last made progress, and how long it was then.
    progressed: (Instant, u64),
    /// When to look whether it stalls.
    check: Pin<Box<Sleep>>,
    /// True when the last poll gave a chunk. The parser takes all it can get
    /// before it parses; a pause after each chunk keeps its buffer small.
    paused: bool,
    /// True until the chunk given last was dealt with.
    busy: bool,
}

impl UploadBody {
    /// Wraps `inner`, whose parts are split by `boundary`.
    pub(crate) fn new(inner: Body, boundary: &str, limits: BodyLimits, place: Place) -> Self {
        Self {
            inner,
            scrubber: Scrubber::new(boundary),
            limits,
            place,
            len: 0,
            progressed: (Instant::now(), 0),
            check: Box::pin(tokio::time::sleep(limits.timeout / WANTED_DIVISOR)),
            paused: false,
            busy: false,
        }
    }

    /// Returns the unread rest of the body, and the upload's place.
    pub(crate) fn into_parts(self) -> (Body, Place) {
        (self.inner, self.place)
    }

    fn accept(&mut self, chunk: Bytes) -> Result<Bytes, BodyFault> {
        self.len += chunk.len() as u64;
        if self.len > self.limits.len_max {
            return Err(BodyFault::TooLarge(self.limits.len_max));
        }
        self.place.grow_to(self.len)?;
        if self.len - self.progressed.1 >= PROGRESS_LEN_MIN {
            self.progressed = (Instant::now(), self.len);
        }
        Ok(self.scrubber.filter(chunk)?)
    }

    /// Is ready when the sender has been silent for too long.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<BodyFault> {
        loop {
            ready!(self.check.as_mut().poll(cx));
            let shortest = self.limits.timeout / WANTED_DIVISOR;
            let patience = if self.place.is_wanted() {
                shortest
            } else {
                self.limits.timeout
            };
            if self.progressed.0.elapsed() >= patience {
                return Poll::Ready(BodyFault::Stalled(patience));
            }
            let next = Instant::now() + shortest.max(Duration::from_millis(1));
            self.check.as_mut().reset(next);
        }
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
        // The time it took to store the last chunk is not the sender's.
        if std::mem::take(&mut this.busy) && this.progressed.1 == this.len {
            this.progressed.0 = Instant::now();
        }
        loop {
            let frame = match Pin::new(&mut this.inner).poll_frame(cx) {
                Poll::Ready(frame) => frame,
                Poll::Pending => return this.poll_stalled(cx).map(|fault| Some(Err(fault))),
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
                    (this.paused, this.busy) = (true, true);
                    return Poll::Ready(Some(Ok(Frame::data(chunk))));
                }
                Err(fault) => return Poll::Ready(Some(Err(fault))),
            }
        }
    }
}
