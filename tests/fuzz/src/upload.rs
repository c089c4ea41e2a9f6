//! The server's upload: a multipart body in chunks, and what a part says of itself.

#[path = "../../../crates/squall-server/src/upload"]
mod files {
    pub(crate) mod body;
    mod digest;
    pub(crate) mod disposition;
    pub(crate) mod known;
    pub(crate) mod parts;
    pub(crate) mod places;
    mod scrub;
}

use std::convert::Infallible;
use std::sync::LazyLock;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::StreamBody;
use hyper::body::Frame;
use squall_queue::{Queue, QueueConfig};

use crate::config::Limits;
use files::body::{BodyLimits, UploadBody};
use files::disposition::Disposition;
use files::known::KnownDigests;
use files::parts::{Source, read_file};
use files::places::Places;

const BOUNDARY: &str = "b0undary";

/// The largest sample.
const SAMPLE_LEN_MAX: u64 = 64 * 1024;

/// Where the bytes of uploads go, and where the futures run.
static STORE: LazyLock<(Queue, tokio::runtime::Runtime, tempfile::TempDir)> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (queue, _) = Queue::open(QueueConfig::new(directory.path())).expect("a queue");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    (queue, runtime, directory)
});

/// Reads a value of `Content-Disposition`.
pub fn disposition(content: &[u8]) {
    let disposition = Disposition::parse(content);
    let name = disposition.file_name.unwrap_or_default();
    assert!(name.chars().count() <= 5000);
}

/// Reads a body that arrives in pieces, whose length the first byte says.
pub fn multipart(content: &[u8]) {
    let Some((&piece, body)) = content.split_first() else {
        return;
    };
    let (queue, runtime, _) = &*STORE;
    let pieces: Vec<Result<Frame<Bytes>, Infallible>> = body
        .chunks(usize::from(piece).max(1))
        .map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece))))
        .collect();
    runtime.block_on(async {
        let places = Places::new(&Limits {
            connections_max: 1,
            uploads_max: 1,
            bytes_in_flight_max: 16 * 1024 * 1024,
            body_timeout: Duration::from_secs(5),
        });
        let place = places.take(None).expect("a free place");
        let limits = BodyLimits {
            len_max: 1024 * 1024,
            timeout: Duration::from_secs(5),
        };
        let stream = StreamBody::new(Pieces(pieces.into_iter()));
        let mut body = UploadBody::new(Body::new(stream), BOUNDARY, limits, place);
        let source = Source {
            body: &mut body,
            boundary: BOUNDARY,
        };
        if let Ok(file) = read_file(
            source,
            queue.body(),
            SAMPLE_LEN_MAX,
            &KnownDigests::default(),
        )
        .await
        {
            assert!(file.len <= SAMPLE_LEN_MAX);
        }
    });
}

/// The pieces as a stream.
struct Pieces(std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>);

impl futures_core::Stream for Pieces {
    type Item = Result<Frame<Bytes>, Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.next())
    }
}
