//! Many at a time.

use std::{
    collections::HashSet,
    thread::{self, JoinHandle},
};

use squall_queue::{Durability, Lanes, Queue, SampleState};
use squall_types::SampleId;

use crate::support::*;

/// Scans until claims are stopped; returns which samples.
fn start_worker(queue: &Queue, slot: usize) -> JoinHandle<Vec<SampleId>> {
    let queue = queue.clone();
    thread::spawn(move || {
        let mut scanned = Vec::new();
        while let Some(claim) = queue.claim(Lanes::All, slot) {
            let body = body_of(&claim);
            scanned.push(claim.id());
            complete(&queue, claim, &body[..body.len().min(100)]);
        }
        scanned
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_senders_share_flushes_and_every_sample_is_scanned_once() {
    const SENDERS: u64 = 64;
    const EACH: u64 = 20;
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(&dir);
    config.durability = Durability::Fsync;
    let (queue, _) = open(&config);
    let workers: Vec<_> = (0..3).map(|slot| start_worker(&queue, slot)).collect();
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let queue = queue.clone();
            tokio::spawn(async move {
                let mut sent = Vec::new();
                for n in 0..EACH {
                    let len = if n == 7 { 3000 } else { 100 + n as usize };
                    let source = (sender % 5).to_string();
                    let sample = bytes(sender * EACH + n, len);
                    sent.push((enqueue(&queue, &sample, &source).await.unwrap(), sample));
                }
                sent
            })
        })
        .collect();
    let mut sent = Vec::new();
    for sender in senders {
        sent.extend(sender.await.unwrap());
    }
    while stats(&queue).scanned < SENDERS * EACH {
        tokio::task::yield_now().await;
    }
    queue.stop_claims();
    let scanned: Vec<_> = workers
        .into_iter()
        .flat_map(|w| w.join().unwrap())
        .collect();
    assert_eq!(scanned.len() as u64, SENDERS * EACH);
    let unique: HashSet<_> = scanned.iter().collect();
    assert_eq!(unique.len(), scanned.len());
    for (id, sample) in &sent {
        let expected = SampleState::Complete(sample[..sample.len().min(100)].to_vec());
        assert_eq!(status(&queue, *id), Some(expected));
    }
    queue.close().await.unwrap();
    let (queue, recovery) = open(&config);
    assert_eq!(recovery.results, SENDERS * EACH);
    assert_eq!(recovery.orphans_removed, 0);
    assert_eq!(stats(&queue).spool_bytes, 0);
}

#[tokio::test]
async fn segments_go_away_and_failed_samples_do_not_keep_them() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir);
    let (queue, _) = open(&config);
    let mut failed = Vec::new();
    for n in 0..120 {
        let id = enqueue(&queue, &bytes(n, 900), "a").await.unwrap();
        let taken = claim(&queue, 0);
        if n % 20 == 0 {
            fail(&queue, taken, "broken");
            failed.push((id, n));
        } else {
            complete(&queue, taken, b"");
        }
    }
    // Six failed samples of about a kilobyte in some thirty segments.
    let started = std::time::Instant::now();
    while queue.stats().spool_bytes > 20_000 {
        assert!(started.elapsed().as_secs() < 60, "{:?}", queue.stats());
        enqueue(&queue, &bytes(0, 900), "a").await.unwrap();
        complete(&queue, claim(&queue, 0), b"");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    queue.close().await.unwrap();
    let (queue, recovery) = open(&config);
    assert_eq!(recovery.damage, []);
    for (id, n) in failed {
        queue.retry(id).unwrap();
        let taken = claim(&queue, 0);
        assert_eq!(taken.id(), id);
        assert_eq!(body_of(&taken), bytes(n, 900));
        complete(&queue, taken, b"");
    }
    stats(&queue);
}
