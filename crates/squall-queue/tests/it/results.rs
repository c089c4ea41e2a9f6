//! Results, failed samples, histories.

use squall_queue::{CompleteError, Completion, History, Queue, RetryError, SampleState, Verdict};
use squall_types::SampleId;

use crate::support::*;

#[tokio::test]
async fn the_oldest_results_are_evicted_first_across_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(&dir);
    (config.results_max, config.failed_max) = (3, 3);
    let (queue, _) = open(&config);
    let mut ids = Vec::new();
    for n in 0..5_usize {
        let id = enqueue(&queue, &[1], "a").await.unwrap();
        complete(&queue, claim(&queue, 0), &bytes(n as u64, n * 900));
        ids.push(id);
    }
    queue.close().await.unwrap();
    let (queue, recovery) = open(&config);
    assert_eq!(recovery.results, 3);
    assert_eq!(status(&queue, ids[0]), None);
    assert_eq!(status(&queue, ids[1]), None);
    for (n, id) in ids.into_iter().enumerate().skip(2) {
        let expected = SampleState::Complete(bytes(n as u64, n * 900));
        assert_eq!(status(&queue, id), Some(expected));
    }
    assert_eq!(stats(&queue).scanned, 5);
    let unknown = SampleId::new(1 << 40).unwrap();
    assert_eq!(status(&queue, unknown), None);
}

#[tokio::test]
async fn no_results_are_kept_when_none_are_wanted() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(&dir);
    (config.results_max, config.failed_max) = (0, 0);
    let (queue, _) = open(&config);
    let done = enqueue(&queue, b"done", "a").await.unwrap();
    complete(&queue, claim(&queue, 0), &bytes(0, 5000));
    let failed = enqueue(&queue, b"failed", "a").await.unwrap();
    fail(&queue, claim(&queue, 0), "broken");
    queue.close().await.unwrap();
    let (queue, recovery) = open(&config);
    assert_eq!((recovery.results, recovery.failed), (0, 0));
    assert_eq!(status(&queue, done), None);
    assert_eq!(status(&queue, failed), None);
    let stats = stats(&queue);
    assert_eq!((stats.scanned, stats.failed), (1, 1));
    assert_eq!(stats.spool_bytes, 0);
}

#[tokio::test]
async fn a_failed_sample_keeps_its_bytes_and_can_be_retried() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir);
    let (queue, _) = open(&config);
    for len in [10, 5000] {
        let id = enqueue(&queue, &bytes(3, len), "a").await.unwrap();
        fail(&queue, claim(&queue, 0), "broken");
        assert_eq!(
            status(&queue, id),
            Some(SampleState::Failed("broken".to_owned()))
        );
        assert_eq!(queue.failed(), [id]);
        queue.retry(id).unwrap();
        assert_eq!(queue.failed(), []);
        assert_eq!(status(&queue, id), Some(SampleState::Waiting));
        assert_eq!(stats(&queue).failed, 0);
        let again = claim(&queue, 0);
        assert_eq!(again.id(), id);
        assert_eq!(body_of(&again), bytes(3, len));
        complete(&queue, again, b"good");
        assert_eq!(
            status(&queue, id),
            Some(SampleState::Complete(b"good".to_vec()))
        );
        let gone = queue.retry(id).unwrap_err();
        assert!(matches!(gone, RetryError::NotFailed { .. }));
    }
}

#[tokio::test]
async fn failed_samples_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir);
    let (queue, _) = open(&config);
    let id = enqueue(&queue, &bytes(3, 5000), "a").await.unwrap();
    fail(&queue, claim(&queue, 0), "broken");
    queue.close().await.unwrap();
    let (queue, recovery) = open(&config);
    assert_eq!(recovery.failed, 1);
    assert_eq!(
        status(&queue, id),
        Some(SampleState::Failed("broken".to_owned()))
    );
    queue.retry(id).unwrap();
    assert_eq!(body_of(&claim(&queue, 0)), bytes(3, 5000));
}

#[tokio::test]
async fn failed_samples_beyond_their_budget_are_evicted() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(&dir);
    config.limits.bytes_max = 40_000;
    let (queue, _) = open(&config);
    let mut ids = Vec::new();
    for n in 0..4 {
        ids.push(enqueue(&queue, &bytes(n, 4000), "a").await.unwrap());
        fail(&queue, claim(&queue, 0), "broken");
    }
    queue.close().await.unwrap();
    let (queue, _) = open(&config);
    // A quarter of the bytes: two samples of 4,000 and their submissions.
    assert_eq!(queue.failed(), ids[2..]);
    assert_eq!(status(&queue, ids[0]), None);
    assert_eq!(stats(&queue).failed, 4);
    let files = std::fs::read_dir(config.dir.join("spool/files")).unwrap();
    assert_eq!(files.count(), 2);
}

#[tokio::test]
async fn a_result_beyond_all_measure_fails_the_sample() {
    let dir = tempfile::tempdir().unwrap();
    let (queue, _) = open(&config(&dir));
    let id = enqueue(&queue, b"x", "a").await.unwrap();
    let completion = Completion {
        verdict: Verdict::Complete(vec![0; (64 << 20) + 1]),
        scan_time: std::time::Duration::ZERO,
    };
    let refused = queue.complete(claim(&queue, 0), completion).unwrap_err();
    assert!(matches!(refused, CompleteError::TooLarge { .. }));
    assert!(matches!(status(&queue, id), Some(SampleState::Failed(_))));
}

#[tokio::test]
async fn a_verdict_after_the_close_is_refused_and_the_sample_scanned_again() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir);
    let (queue, _) = open(&config);
    let id = enqueue(&queue, b"x", "a").await.unwrap();
    let taken = claim(&queue, 0);
    queue.close_blocking().unwrap();
    let completion = Completion {
        verdict: Verdict::Complete(Vec::new()),
        scan_time: std::time::Duration::ZERO,
    };
    let refused = queue.complete(taken, completion).unwrap_err();
    assert!(matches!(refused, CompleteError::Closed { .. }));
    drop(queue);
    let (queue, recovery) = open(&config);
    assert_eq!(recovery.waiting, 1);
    assert_eq!(recovery.counter_difference, 0);
    assert_eq!(claim(&queue, 0).id(), id);
}

#[tokio::test]
async fn histories_are_recorded_and_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir);
    let (queue, _) = open(&config);
    let instance = queue.instance();
    for _ in 0..3 {
        enqueue(&queue, b"x", "a").await.unwrap();
    }
    for _ in 0..2 {
        complete(&queue, claim(&queue, 0), b"");
    }
    queue.record(History::Denied, 4);
    queue.record(History::Denied, 0);
    let total = |queue: &squall_queue::Queue, history| -> u64 {
        queue.history(history).iter().map(|(_, n)| n).sum()
    };
    assert_eq!(total(&queue, History::Denied), 4);
    assert_eq!(total(&queue, History::Samples), 2);
    queue.close().await.unwrap();
    let (queue, _) = open(&config);
    assert_eq!(total(&queue, History::Denied), 4);
    assert_eq!(total(&queue, History::Samples), 2);
    let highest = queue.history(History::Queue).iter().map(|(_, n)| *n).max();
    assert_eq!(highest, Some(3));
    assert_eq!(queue.instance(), instance);
    assert_ne!(instance, [0; 8]);
}

#[tokio::test]
async fn failed_samples_are_described_page_by_page_and_retried_together() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir);
    let (queue, _) = open(&config);
    let mut ids = Vec::new();
    for (n, len) in [10, 5000, 20].into_iter().enumerate() {
        let body = upload(&queue, &bytes(3, len)).await;
        let record = format!("about {n}").into_bytes();
        ids.push(queue.enqueue(body, record, "a").await.unwrap());
        fail(&queue, claim(&queue, 0), &format!("broken {n}"));
    }
    assert_eq!(queue.failed_kept(), 3);
    let page = queue.failed_samples(None, 2);
    assert_eq!(page.len(), 2);
    assert_eq!((page[1].id, page[1].size_bytes), (ids[1], 5000));
    assert_eq!((page[1].reason.as_str(), page[1].attempts), ("broken 1", 0));
    assert_eq!(page[1].submission.as_deref(), Some(&b"about 1"[..]));
    assert!(page[1].retryable && page[1].enqueued_at_us > 0);
    let rest = queue.failed_samples(Some(page[1].id), 2);
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].id, ids[2]);

    let unknown = squall_types::SampleId::new(999).unwrap();
    let outcomes = queue.retry_many(&[ids[0], unknown, ids[2], ids[0]]);
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok());
    assert!(matches!(outcomes[1], Err(RetryError::NotFailed { .. })));
    assert!(matches!(outcomes[3], Err(RetryError::NotFailed { .. })));
    assert_eq!(queue.failed(), [ids[1]]);
    assert_eq!(stats(&queue).waiting, 2);
}

#[tokio::test]
async fn the_results_that_are_kept_can_be_listed() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(&dir);
    (config.results_max, config.failed_max) = (2, 2);
    let (queue, _) = open(&config);
    assert_eq!(queue.results_kept().unwrap(), []);
    let mut ids = Vec::new();
    for n in 0..3 {
        let body = upload(&queue, &bytes(n, 10)).await;
        ids.push(queue.enqueue(body, vec![1], "a").await.unwrap());
        fail(&queue, claim(&queue, 0), "broken");
    }
    // Results are committed in the background.
    queue.close().await.unwrap();
    let (queue, _) = open(&config);
    let kept = queue.results_kept().unwrap();
    assert!(kept.ends_with(&ids[1..]), "{kept:?} of {ids:?}");
    assert!(kept.is_sorted());
}

#[tokio::test]
async fn whose_a_sample_is_is_known_as_long_as_the_sample() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(&dir);
    (config.results_max, config.failed_max) = (2, 2);
    let (queue, _) = open(&config);
    let mut ids = Vec::new();
    for owner in [7, 0, u64::MAX] {
        let body = squall_queue::Body::from_bytes(bytes(owner, 50));
        let queued = queue.enqueue_for(body, Vec::new(), "a", owner);
        ids.push((queued.await.unwrap(), owner));
    }
    let check = |queue: &Queue, ids: &[(SampleId, u64)]| {
        for &(id, owner) in ids {
            assert_eq!(queue.owner(id).unwrap(), Some(owner), "{id}");
        }
    };
    check(&queue, &ids);
    let first = claim(&queue, 0);
    check(&queue, &ids);
    fail(&queue, first, "broken");
    check(&queue, &ids);
    queue.retry(ids[0].0).unwrap();
    check(&queue, &ids);
    queue.close().await.unwrap();
    let (queue, _) = open(&config);
    check(&queue, &ids);
    for n in 0..3 {
        check(&queue, &ids);
        complete(&queue, claim(&queue, 0), &bytes(n, 900 * n as usize));
    }
    queue.close().await.unwrap();
    let (queue, _) = open(&config);
    // The oldest result is gone, and with it whose it was.
    assert_eq!(queue.owner(ids[0].0).unwrap(), None);
    check(&queue, &ids[1..]);
    assert_eq!(queue.owner(SampleId::new(1 << 40).unwrap()).unwrap(), None);
}
