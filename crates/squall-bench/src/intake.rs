//! The intake without anybody who scans: the real router over the real queue,
//! so that the cost of taking a sample can be measured alone.
//!
//! * `durable`: `/api/checkAsync` as a service has it. What is taken waits for
//!   ever, and is thrown away with the directory.
//! * `buffered`: the same without flushes.
//! * `throw-away`: the same server, router, parser and digests; the sample goes
//!   to the in-memory lane of `/api/check`, where a thread throws it away and
//!   answers at once. The difference to `durable` is what durability costs.
//! * `discard`: nothing but the HTTP stack (axum, hyper, tokio): a handler reads
//!   the body to its end, frame by frame, and answers an id. No parser, no
//!   digests, no queue: the least a server made of these parts can do.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use arc_swap::ArcSwapOption;
use axum::Router;
use axum::body::Body;
use axum::routing::post;
use http_body_util::BodyExt as _;
use squall_queue::{Completion, Durability, Lanes, Limits, Queue, QueueConfig, Verdict};
use squall_report::stored;
use squall_server::tls::Tls;
use squall_server::{ReverseLookup, Service, ServiceConfig};
use squall_types::{Outcome, Report, SampleId, ScanFacts, SignatureSummary, Submission};
use tokio::net::TcpListener;

use crate::args::Args;
use crate::say;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Durable,
    Buffered,
    ThrowAway,
    Discard,
}

#[derive(Debug, thiserror::Error)]
#[error("expected `durable`, `buffered`, `throw-away` or `discard`")]
struct UnknownMode;

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        match text {
            "durable" => Ok(Self::Durable),
            "buffered" => Ok(Self::Buffered),
            "throw-away" => Ok(Self::ThrowAway),
            "discard" => Ok(Self::Discard),
            _ => Err(UnknownMode),
        }
    }
}

/// Listens on a free port of the loopback address, prints it, and serves until
/// it is killed.
pub(crate) fn run(mut args: Args) -> anyhow::Result<()> {
    let dir: PathBuf = args.required("dir")?;
    let mode: Mode = args.required("mode")?;
    let tls = args.switch("tls");
    args.finish()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .context("cannot listen")?;
        say(&format!("listening on {}", listener.local_addr()?))?;
        if mode == Mode::Discard {
            let ids = Arc::new(AtomicU64::new(0));
            let answer = move |body: Body| discard_body(body, Arc::clone(&ids));
            let router = Router::new().fallback(post(answer));
            return axum::serve(listener, router)
                .await
                .context("the server ended");
        }
        let tls = tls
            .then(|| Tls::self_signed(&dir.join("tls"), &["localhost".to_owned()]))
            .transpose()?;
        let queue = open_queue(dir, mode)?;
        if mode == Mode::ThrowAway {
            let queue = queue.clone();
            thread::Builder::new().spawn(move || throw_away(&queue))?;
        }
        let config = ServiceConfig {
            reverse_lookup: ReverseLookup::Off,
            ..ServiceConfig::default()
        };
        // The signatures of nobody: without any, checks are refused.
        let signatures = ArcSwapOption::from_pointee(SignatureSummary::default());
        let service = Service::new(config, queue, Arc::new(signatures));
        let never = std::future::pending();
        squall_server::serve(listener, service, tls, never, Duration::ZERO)
            .await
            .context("the server ended")
    })
}

fn open_queue(dir: PathBuf, mode: Mode) -> anyhow::Result<Queue> {
    let mut config = QueueConfig::new(dir);
    config.limits = Limits {
        samples_max: u64::MAX,
        bytes_max: u64::MAX,
        ..Limits::default()
    };
    match mode {
        Mode::Buffered => config.durability = Durability::Buffered,
        Mode::ThrowAway => config.inline_len_max = u64::MAX,
        Mode::Durable | Mode::Discard => {}
    }
    let (queue, _) = Queue::open(config)?;
    Ok(queue)
}

/// Takes every check and calls it clean without a look: nothing but the load
/// generator may be the sender.
fn throw_away(queue: &Queue) {
    while let Some(claim) = queue.claim(Lanes::ImmediateOnly, 0) {
        let verdict = Verdict::Complete(clean(claim.id()));
        let scan_time = Duration::ZERO;
        let _ = queue.complete(claim, Completion { verdict, scan_time });
    }
}

fn clean(id: SampleId) -> Vec<u8> {
    stored::encode_result(&Report {
        id,
        submission: Submission::default(),
        scan: ScanFacts::default(),
        outcome: Outcome::default(),
    })
}

async fn discard_body(mut body: Body, ids: Arc<AtomicU64>) -> String {
    let mut len = 0;
    while let Some(Ok(frame)) = body.frame().await {
        len += frame.data_ref().map_or(0, |data| data.len());
    }
    assert!(len > 0, "an upload without a byte");
    let id = ids.fetch_add(1, Ordering::Relaxed) + 1;
    format!("{{\"id\":{id}}}")
}
