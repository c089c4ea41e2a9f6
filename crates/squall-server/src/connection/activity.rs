//! Knows when a connection has been useless for too long.
//!
//! hyper's own timer covers the head of a request on HTTP/1 only: not a client
//! that connects and says nothing, nor an idle HTTP/2 connection, nor one that
//! never reads its answer. So the bytes and requests of each connection are
//! watched here, for both protocols alike.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How long a connection may do nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For the head of a request, from its first byte (or from the start).
    pub(crate) header_timeout: Duration,
    /// Between requests, and for an answer that is not being read.
    pub(crate) idle_timeout: Duration,
}

/// What happened on one connection, and when (in milliseconds since it began).
#[derive(Debug)]
pub(crate) struct Activity {
    began: Instant,
    /// Requests that a handler works on.
    handling: AtomicUsize,
    /// Requests whose answer is not completely handed over.
    open: AtomicUsize,
    /// When the last request was done with.
    idle_since: AtomicU64,
    /// When the first byte of the next request came; [`NEVER`] before it.
    head_since: AtomicU64,
    /// When the client last took bytes.
    wrote: AtomicU64,
}

const NEVER: u64 = u64::MAX;

impl Activity {
    /// A connection that began now. Its first request is due.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            handling: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            idle_since: AtomicU64::new(0),
            head_since: AtomicU64::new(0),
            wrote: AtomicU64::new(0),
        })
    }

    /// Tells whether the connection should be cut.
    pub(crate) fn is_stale(&self, patience: Patience) -> bool {
        if self.handling.load(Ordering::Acquire) > 0 {
            // Uploads and waiting have limits of their own.
            return false;
        }
        let age = |since: u64| Duration::from_millis(self.now().saturating_sub(since));
        if self.open.load(Ordering::Acquire) > 0 {
            return age(self.wrote.load(Ordering::Relaxed)) > patience.idle_timeout;
        }
        let head_since = self.head_since.load(Ordering::Relaxed);
        if head_since != NEVER {
            return age(head_since) > patience.header_timeout;
        }
        age(self.idle_since.load(Ordering::Relaxed)) > patience.idle_timeout
    }

    /// Notes that a request's head is there. Dropping the first guard says
    /// that its handler is done, the second that its answer is handed over.
    pub(crate) fn begin(self: &Arc<Self>) -> (Handling, Open) {
        self.handling.fetch_add(1, Ordering::AcqRel);
        self.open.fetch_add(1, Ordering::AcqRel);
        self.head_since.store(NEVER, Ordering::Relaxed);
        (Handling(Arc::clone(self)), Open(Arc::clone(self)))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }

    fn note_read(&self) {
        if self.open.load(Ordering::Acquire) == 0 {
            let now = self.now();
            // Keeps the time of the first byte.
            let _ =
                self.head_since
                    .compare_exchange(NEVER, now, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    fn note_write(&self) {
        self.wrote.store(self.now(), Ordering::Relaxed);
    }
}

/// A handler works on a request.
pub(crate) struct Handling(Arc<Activity>);

impl Drop for Handling {
    fn drop(&mut self) {
        // The client's time to read the answer begins.
        self.0.note_write();
        self.0.handling.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A request's answer is not completely handed over.
pub(crate) struct Open(Arc<Activity>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.idle_since.store(self.0.now(), Ordering::Relaxed);
        self.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}

/// An answer's body that keeps its request open until it is handed over.
pub(crate) struct OpenBody {
    pub(crate) inner: Body,
    pub(crate) _open: Open,
}

impl HttpBody for OpenBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        HttpBody::size_hint(&self.inner)
    }
}

/// A stream that notes when bytes pass.
pub(crate) struct Watched<S> {
    pub(crate) inner: S,
    pub(crate) activity: Arc<Activity>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.note_read();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, buf);
        if matches!(polled, Poll::Ready(Ok(len)) if len > 0) {
            self.activity.note_write();
        }
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        if matches!(polled, Poll::Ready(Ok(len)) if len > 0) {
            self.activity.note_write();
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        header_timeout: Duration::from_millis(20),
        idle_timeout: Duration::from_millis(100),
    };

    fn wait(millis: u64) {
        std::thread::sleep(Duration::from_millis(millis));
    }

    #[test]
    fn a_silent_client_is_stale_after_the_header_timeout() {
        let activity = Activity::new();
        assert!(!activity.is_stale(PATIENCE));
        wait(30);
        assert!(activity.is_stale(PATIENCE));
    }

    #[test]
    fn a_request_in_work_is_never_stale_and_an_idle_one_late() {
        let activity = Activity::new();
        let (handling, open) = activity.begin();
        wait(120);
        assert!(!activity.is_stale(PATIENCE));
        drop(handling);
        drop(open);
        wait(30);
        assert!(!activity.is_stale(PATIENCE));
        activity.note_read();
        wait(30);
        assert!(activity.is_stale(PATIENCE));
    }

    #[test]
    fn an_answer_that_is_not_read_is_stale_after_the_idle_timeout() {
        let activity = Activity::new();
        let (handling, _open) = activity.begin();
        drop(handling);
        wait(60);
        activity.note_write();
        wait(60);
        assert!(!activity.is_stale(PATIENCE));
        wait(60);
        assert!(activity.is_stale(PATIENCE));
    }
}
