//! What the tests share.

use std::time::Duration;

use squall_queue::{
    Body, Claim, Completion, Durability, EnqueueError, Lanes, Queue, QueueConfig, Recovery,
    SampleState, Stats, Verdict,
};
use squall_types::SampleId;
use tempfile::TempDir;

/// A configuration in which everything is small.
pub(crate) fn config(dir: &TempDir) -> QueueConfig {
    let mut config = QueueConfig::new(dir.path().join("data"));
    config.durability = Durability::Buffered;
    config.inline_len_max = 1000;
    config.segment_len_max = 4000;
    config.limits.free_bytes_min = 0;
    config
}

pub(crate) fn open(config: &QueueConfig) -> (Queue, Recovery) {
    Queue::open(config.clone()).expect("the queue opens")
}

/// Bytes of a sample: `len` of them, different for each `seed`.
pub(crate) fn bytes(seed: u64, len: usize) -> Vec<u8> {
    (0..len)
        .map(|at| (seed.wrapping_mul(31).wrapping_add(at as u64) % 251) as u8)
        .collect()
}

/// Uploads a sample the way the server does.
pub(crate) async fn upload(queue: &Queue, bytes: &[u8]) -> Body {
    let mut writer = queue.body();
    for chunk in bytes.chunks(777) {
        writer.write(chunk).await.expect("the chunk is taken");
    }
    assert_eq!(writer.len(), bytes.len() as u64);
    writer.finish().await.expect("the upload ends")
}

pub(crate) async fn enqueue(
    queue: &Queue,
    bytes: &[u8],
    source: &str,
) -> Result<SampleId, EnqueueError> {
    let body = upload(queue, bytes).await;
    let submission = format!("submission of {}", bytes.len()).into_bytes();
    queue.enqueue(body, submission, source).await
}

/// Claims the next sample; there has to be one.
pub(crate) fn claim(queue: &Queue, slot: usize) -> Claim {
    queue.claim(Lanes::All, slot).expect("claims go on")
}

pub(crate) fn body_of(claim: &Claim) -> Vec<u8> {
    let mut body = vec![1, 2, 3];
    claim.read_body(&mut body).expect("the body is intact");
    body
}

pub(crate) fn complete(queue: &Queue, claim: Claim, result: &[u8]) {
    let completion = Completion {
        verdict: Verdict::Complete(result.to_vec()),
        scan_time: Duration::from_millis(3),
    };
    queue
        .complete(claim, completion)
        .expect("the verdict is taken");
}

pub(crate) fn fail(queue: &Queue, claim: Claim, reason: &str) {
    let completion = Completion {
        verdict: Verdict::Failed(reason.to_owned()),
        scan_time: Duration::ZERO,
    };
    queue
        .complete(claim, completion)
        .expect("the verdict is taken");
}

pub(crate) fn status(queue: &Queue, id: SampleId) -> Option<SampleState> {
    queue.status(id).expect("the state can be read")
}

/// Returns the counts, having checked that they add up.
pub(crate) fn stats(queue: &Queue) -> Stats {
    let stats = queue.stats();
    assert_eq!(
        stats.accepted,
        stats.scanned
            + stats.failed
            + stats.waiting
            + stats.scanning
            + stats.immediate_waiting
            + stats.immediate_scanning,
        "{stats:?}"
    );
    stats
}
