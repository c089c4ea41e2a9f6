//! A million waiting samples. Slow, and meant for a release build:
//! `cargo test --release -p squall-queue --test it capacity -- --ignored --nocapture`.

use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use squall_queue::{Durability, Lanes, QueueConfig};

use crate::support::*;

const SAMPLES: u64 = 1_000_000;

fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib: Option<u64> = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    kib.unwrap() << 10
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn a_million_samples_wait_in_little_memory_and_open_quickly() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = QueueConfig::new(dir.path().join("data"));
    config.durability = Durability::Fsync;
    let (queue, _) = open(&config);
    let before = resident_bytes();
    let next = std::sync::Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let senders: Vec<_> = (0..512_u64)
        .map(|sender| {
            let (queue, next) = (queue.clone(), next.clone());
            tokio::spawn(async move {
                while next.fetch_add(1, Ordering::Relaxed) < SAMPLES {
                    let source = format!("host-{}", sender % 100);
                    enqueue(&queue, &bytes(sender, 300), &source).await.unwrap();
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    let rate = SAMPLES as f64 / started.elapsed().as_secs_f64();
    println!("{rate:.0} samples/s in");
    let grown = resident_bytes().saturating_sub(before);
    println!("{} MB more resident with a million waiting", grown >> 20);
    assert_eq!(stats(&queue).waiting, SAMPLES);
    queue.close().await.unwrap();

    let before = resident_bytes();
    let started = Instant::now();
    let (queue, recovery) = open(&config);
    let took = started.elapsed();
    println!("opened in {took:?}");
    assert_eq!(recovery.waiting, SAMPLES);
    let grown_open = resident_bytes().saturating_sub(before);
    println!("{} MB more resident after opening", grown_open >> 20);

    let started = Instant::now();
    let workers: Vec<_> = (0..2)
        .map(|slot| {
            let queue = queue.clone();
            thread::spawn(move || {
                while let Some(claim) = queue.claim(Lanes::All, slot) {
                    assert_eq!(body_of(&claim).len(), 300);
                    complete(&queue, claim, b"clean");
                }
            })
        })
        .collect();
    while stats(&queue).scanned < SAMPLES {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let rate = SAMPLES as f64 / started.elapsed().as_secs_f64();
    println!("{rate:.0} samples/s out");
    queue.stop_claims();
    for worker in workers {
        worker.join().unwrap();
    }
    queue.close().await.unwrap();
    println!("{} MB resident at the end", resident_bytes() >> 20);
    assert!(took < Duration::from_secs(10), "opening took {took:?}");
    assert!(grown < 200 << 20, "{grown} bytes more resident");
}
