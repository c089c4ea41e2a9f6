//! What is refused, and that nothing of it stays.

use squall_queue::{EnqueueError, FullUnit, QueueConfig};

use crate::support::*;

fn spool_files(config: &QueueConfig) -> usize {
    ["spool/incoming", "spool/files"]
        .iter()
        .map(|dir| std::fs::read_dir(config.dir.join(dir)).unwrap().count())
        .sum()
}

#[tokio::test]
async fn samples_beyond_the_bound_are_refused_until_one_is_done() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(&dir);
    config.limits.samples_max = 2;
    let (queue, _) = open(&config);
    enqueue(&queue, b"1", "a").await.unwrap();
    enqueue(&queue, b"2", "a").await.unwrap();
    for len in [1, 5000] {
        let refused = enqueue(&queue, &bytes(0, len), "a").await.unwrap_err();
        let EnqueueError::Full { used, max, unit } = refused else {
            panic!("{refused:?}");
        };
        assert_eq!((used, max, unit), (2, 2, FullUnit::Samples));
    }
    assert_eq!(spool_files(&config), 0);
    assert_eq!(stats(&queue).accepted, 2);
    let taken = claim(&queue, 0);
    enqueue(&queue, b"3", "a").await.unwrap_err();
    complete(&queue, taken, b"");
    enqueue(&queue, b"3", "a").await.unwrap();
}

#[tokio::test]
async fn bytes_beyond_the_bound_are_refused_until_some_are_done() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(&dir);
    config.limits.bytes_max = 10_000;
    let (queue, _) = open(&config);
    enqueue(&queue, &bytes(1, 6000), "a").await.unwrap();
    let refused = enqueue(&queue, &bytes(2, 4000), "a").await.unwrap_err();
    assert!(
        matches!(
            refused,
            EnqueueError::Full {
                unit: FullUnit::Bytes,
                max: 10_000,
                ..
            }
        ),
        "{refused:?}"
    );
    assert_eq!(spool_files(&config), 1);
    enqueue(&queue, &bytes(3, 900), "a").await.unwrap();
    complete(&queue, claim(&queue, 0), b"");
    enqueue(&queue, &bytes(2, 4000), "a").await.unwrap();
}

#[tokio::test]
async fn a_nearly_full_disk_is_an_error_and_no_sample_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(&dir);
    let (queue, _) = open(&config);
    enqueue(&queue, b"1", "a").await.unwrap();
    queue.close().await.unwrap();
    config.limits.free_bytes_min = u64::MAX / 2;
    let (queue, _) = open(&config);
    let refused = enqueue(&queue, b"2", "a").await.unwrap_err();
    assert!(
        matches!(refused, EnqueueError::NoSpace { .. }),
        "{refused:?}"
    );
    let mut writer = queue.body();
    let error = writer.write(&bytes(0, 5000)).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    assert!(writer.finish().await.is_err());
    assert_eq!(spool_files(&config), 0);
    // What is in the queue can still be scanned.
    complete(&queue, claim(&queue, 0), b"done");
    assert_eq!(stats(&queue).scanned, 1);
}

#[tokio::test]
async fn a_closed_queue_takes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (queue, _) = open(&config(&dir));
    queue.close_blocking().unwrap();
    let refused = enqueue(&queue, b"x", "a").await.unwrap_err();
    assert!(matches!(refused, EnqueueError::Closed));
}

#[tokio::test]
async fn an_abandoned_upload_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir);
    let (queue, _) = open(&config);
    let mut writer = queue.body();
    writer.write(&bytes(0, 5000)).await.unwrap();
    assert_eq!(spool_files(&config), 1);
    assert_eq!(queue.stats().spool_bytes, 5000);
    drop(writer);
    assert_eq!(spool_files(&config), 0);
    assert_eq!(queue.stats().spool_bytes, 0);
    drop(upload(&queue, &bytes(0, 5000)).await);
    assert_eq!(spool_files(&config), 0);
}

#[tokio::test]
async fn the_time_to_retry_is_whole_seconds_within_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let (queue, _) = open(&config(&dir));
    assert_eq!(queue.retry_after().as_secs(), 1);
    for n in 0..50 {
        enqueue(&queue, &[n], "a").await.unwrap();
    }
    let stalled = queue.retry_after().as_secs();
    assert_eq!(stalled, 60);
    for _ in 0..20 {
        complete(&queue, claim(&queue, 0), b"");
    }
    let draining = queue.retry_after();
    assert!(draining.as_secs() < stalled && draining.subsec_nanos() == 0);
}

#[tokio::test]
async fn room_is_known_before_a_sample_arrives() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(&dir);
    config.limits.samples_max = 1;
    config.limits.bytes_max = 10_000;
    config.limits.immediate_max = 1;
    let (queue, _) = open(&config);
    queue.has_room(10_000).unwrap();
    let full = |error: EnqueueError| match error {
        EnqueueError::Full { unit, .. } => Some(unit),
        _ => None,
    };
    assert_eq!(
        full(queue.has_room(10_001).unwrap_err()),
        Some(FullUnit::Bytes)
    );
    enqueue(&queue, b"x", "a").await.unwrap();
    assert_eq!(
        full(queue.has_room(0).unwrap_err()),
        Some(FullUnit::Samples)
    );
    queue.has_room_for_check(5_000).unwrap();

    let mut config = crate::support::config(&dir);
    config.dir = dir.path().join("other");
    config.limits.free_bytes_min = u64::MAX;
    config.limits.immediate_max = 0;
    let (queue, _) = open(&config);
    assert!(matches!(
        queue.has_room(0),
        Err(EnqueueError::NoSpace { .. })
    ));
    let busy = queue.has_room_for_check(0).unwrap_err();
    assert_eq!(full(busy), Some(FullUnit::Checks));
    drop(queue);
    config.limits.immediate_max = 1;
    let (queue, _) = open(&config);
    // What fits into memory needs no disk.
    queue.has_room_for_check(config.inline_len_max).unwrap();
    let refused = queue.has_room_for_check(config.inline_len_max + 1);
    assert!(matches!(refused, Err(EnqueueError::NoSpace { .. })));
}
