//! Verdicts that wait until what they rely on is safe.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use squall_queue::{Queue, RetryError, SampleState};
use tempfile::TempDir;

use crate::support::{body_of, bytes, claim, complete, config, enqueue, fail, open, stats, status};

/// Somebody who says when verdicts may be stored.
#[derive(Clone, Default)]
struct Gate {
    open: Arc<AtomicBool>,
    asked: Arc<AtomicU32>,
}

impl Gate {
    fn watch(&self, queue: &Queue) {
        let gate = self.clone();
        let watched = queue.before_results(move || {
            gate.asked.fetch_add(1, Ordering::SeqCst);
            gate.open.load(Ordering::SeqCst)
        });
        watched.unwrap();
    }

    fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    fn wait_until_asked(&self, times: u32) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.asked() < times {
            assert!(Instant::now() < deadline, "not asked {times} times");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_about_samples_alone() {
    let dir = TempDir::new().unwrap();
    let (queue, _) = open(&config(&dir));
    let gate = Gate::default();
    gate.watch(&queue);
    for _ in 0..5 {
        enqueue(&queue, b"sample", "source").await.unwrap();
    }
    queue.close().await.unwrap();
    assert_eq!(gate.asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn held_back_verdicts_can_be_read_and_samples_are_taken_meanwhile() {
    let dir = TempDir::new().unwrap();
    let (queue, _) = open(&config(&dir));
    let gate = Gate::default();
    gate.watch(&queue);
    let first = enqueue(&queue, b"first", "source").await.unwrap();
    complete(&queue, claim(&queue, 0), b"found");
    gate.wait_until_asked(3);
    assert_eq!(
        status(&queue, first),
        Some(SampleState::Complete(b"found".to_vec()))
    );
    let second = enqueue(&queue, b"second", "source").await.unwrap();
    assert_eq!(status(&queue, second), Some(SampleState::Waiting));
    assert_eq!(stats(&queue).scanned, 1);

    gate.open();
    let asked = gate.asked();
    gate.wait_until_asked(asked + 1);
    queue.close().await.unwrap();
    let (queue, recovery) = open(&config(&dir));
    assert_eq!((recovery.waiting, recovery.results), (1, 1));
    assert_eq!(recovery.counter_difference, 0);
    assert_eq!(
        status(&queue, first),
        Some(SampleState::Complete(b"found".to_vec()))
    );
    assert_eq!(stats(&queue).scanned, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_still_held_back_at_the_end_is_scanned_again() {
    let dir = TempDir::new().unwrap();
    let (queue, _) = open(&config(&dir));
    Gate::default().watch(&queue);
    let id = enqueue(&queue, b"sample", "source").await.unwrap();
    complete(&queue, claim(&queue, 0), b"found");
    assert!(queue.close().await.is_err());

    let (queue, recovery) = open(&config(&dir));
    assert_eq!((recovery.waiting, recovery.results), (1, 0));
    assert_eq!(recovery.counter_difference, 0);
    assert_eq!(status(&queue, id), Some(SampleState::Waiting));
    assert_eq!(claim(&queue, 0).id(), id);
    assert_eq!(stats(&queue).scanned, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sample_is_retried_while_the_verdicts_of_others_are_held_back() {
    let dir = TempDir::new().unwrap();
    let (queue, _) = open(&config(&dir));
    let gate = Gate::default();
    gate.open();
    gate.watch(&queue);
    let failed = enqueue(&queue, b"first", "source").await.unwrap();
    fail(&queue, claim(&queue, 0), "broken");
    gate.wait_until_asked(1);
    let other = enqueue(&queue, b"second", "source").await.unwrap();
    gate.open.store(false, Ordering::SeqCst);
    complete(&queue, claim(&queue, 0), b"found");
    gate.wait_until_asked(gate.asked() + 2);
    // The call returns once it is on the disk.
    queue.retry(failed).unwrap();
    assert_eq!(status(&queue, failed), Some(SampleState::Waiting));
    assert!(queue.close().await.is_err());

    let (queue, recovery) = open(&config(&dir));
    assert_eq!((recovery.waiting, recovery.counter_difference), (2, 0));
    for id in [failed, other] {
        assert_eq!(status(&queue, id), Some(SampleState::Waiting));
    }
}

/// More verdicts than hurry the committer: it must not spin on a closed gate.
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_gate_is_asked_now_and_then() {
    const SAMPLES: usize = 1100;
    let dir = TempDir::new().unwrap();
    let (queue, _) = open(&config(&dir));
    let gate = Gate::default();
    gate.watch(&queue);
    for _ in 0..SAMPLES {
        enqueue(&queue, b"sample", "source").await.unwrap();
    }
    for _ in 0..SAMPLES {
        complete(&queue, claim(&queue, 0), b"found");
    }
    let asked = gate.asked();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(gate.asked() - asked <= 10, "{}", gate.asked() - asked);
    gate.open();
    queue.close().await.unwrap();
    let (_queue, recovery) = open(&config(&dir));
    assert_eq!(recovery.results, SAMPLES as u64);
}

/// Somebody whose answer does not come, until the sender is dropped.
fn watch_without_an_answer(queue: &Queue) -> mpsc::Sender<()> {
    let (answer, answered) = mpsc::channel();
    let asked = queue.before_results(move || answered.recv().is_ok());
    asked.unwrap();
    answer
}

/// A log on a disk that hangs, for instance.
#[tokio::test(flavor = "multi_thread")]
async fn samples_are_acknowledged_while_no_answer_comes() {
    let dir = TempDir::new().unwrap();
    let (queue, _) = open(&config(&dir));
    let answer = watch_without_an_answer(&queue);
    let first = enqueue(&queue, b"first", "source").await.unwrap();
    complete(&queue, claim(&queue, 0), b"found");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begun = Instant::now();
    for _ in 0..20 {
        let taken = enqueue(&queue, b"sample", "source");
        let taken = tokio::time::timeout(Duration::from_secs(10), taken).await;
        taken.expect("acknowledged").unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(10));
    let found = Some(SampleState::Complete(b"found".to_vec()));
    assert_eq!(status(&queue, first), found);
    let counts = stats(&queue);
    assert_eq!(
        (counts.accepted, counts.scanned, counts.waiting),
        (21, 1, 20)
    );

    // Nor does the end wait for it for long.
    let begun = Instant::now();
    assert!(queue.close().await.is_err());
    assert!(begun.elapsed() < Duration::from_secs(15), "{begun:?}");
    drop(answer);
    let deadline = Instant::now() + Duration::from_secs(10);
    let (queue, recovery) = loop {
        match Queue::open(config(&dir)) {
            Ok(opened) => break opened,
            // Whoever waits for the answer holds the directory.
            Err(error) => assert!(Instant::now() < deadline, "{error:?}"),
        }
    };
    assert_eq!((recovery.waiting, recovery.results), (21, 0));
    assert_eq!(recovery.counter_difference, 0);
    assert_eq!(status(&queue, first), Some(SampleState::Waiting));
}

/// Its failure can be read before it is on the disk; a retry would wait for
/// whoever holds it back, with no end.
#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_a_failure_that_is_held_back_ends_in_time() {
    let dir = TempDir::new().unwrap();
    let (queue, _) = open(&config(&dir));
    let gate = Gate::default();
    gate.watch(&queue);
    let id = enqueue(&queue, b"sample", "source").await.unwrap();
    fail(&queue, claim(&queue, 0), "broken");
    let begun = Instant::now();
    let refused = queue.retry(id).unwrap_err();
    assert!(
        matches!(refused, RetryError::Unsettled { .. }),
        "{refused:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(15));
    let broken = Some(SampleState::Failed("broken".to_owned()));
    assert_eq!(status(&queue, id), broken);
    assert_eq!(queue.failed(), [id]);

    gate.open();
    queue.retry(id).unwrap();
    assert_eq!(status(&queue, id), Some(SampleState::Waiting));
    let counts = stats(&queue);
    assert_eq!((counts.accepted, counts.failed, counts.waiting), (1, 0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sample_is_not_moved_before_its_verdict_is_stored() {
    let dir = TempDir::new().unwrap();
    let config = config(&dir);
    let (queue, _) = open(&config);
    let gate = Gate::default();
    gate.watch(&queue);
    // The only one left in the oldest of several segments, once the others are done.
    gate.open();
    let first = enqueue(&queue, &bytes(1, 900), "a").await.unwrap();
    let held = claim(&queue, 0);
    for n in 2..40 {
        enqueue(&queue, &bytes(n, 900), "a").await.unwrap();
        complete(&queue, claim(&queue, 1), b"");
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    while queue.stats().spool_bytes > 11_000 {
        assert!(Instant::now() < deadline, "{:?}", queue.stats());
        std::thread::sleep(Duration::from_millis(20));
    }
    gate.open.store(false, Ordering::SeqCst);
    fail(&queue, held, "broken");
    // Segments are compacted now and then, after something was committed.
    for n in 0..15 {
        enqueue(&queue, &bytes(n, 90), "b").await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    gate.open();
    let asked = gate.asked();
    gate.wait_until_asked(asked + 1);
    queue.close().await.unwrap();
    let (queue, recovery) = open(&config);
    assert_eq!(recovery.damage, []);
    assert_eq!((recovery.failed, recovery.counter_difference), (1, 0));
    queue.retry(first).unwrap();
    let mut found = false;
    while let Some(taken) = (stats(&queue).waiting > 0).then(|| claim(&queue, 0)) {
        if taken.id() == first {
            assert_eq!(body_of(&taken), bytes(1, 900));
            found = true;
        }
        complete(&queue, taken, b"");
    }
    assert!(found);
}
