//! Who is next.

use std::{fs, path::Path, thread, time::Duration};

use squall_queue::{Lanes, SampleState};

use crate::support::*;

#[tokio::test]
async fn sources_take_turns_and_keep_their_order_across_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir);
    let (queue, _) = open(&config);
    for n in 0..6 {
        enqueue(&queue, format!("busy {n}").as_bytes(), "busy")
            .await
            .unwrap();
    }
    enqueue(&queue, b"quiet 0", "quiet").await.unwrap();
    enqueue(&queue, b"quiet 1", "quiet").await.unwrap();
    queue.close().await.unwrap();

    let (queue, recovery) = open(&config);
    assert_eq!(recovery.waiting, 8);
    let order: Vec<String> = (0..8)
        .map(|_| {
            let claim = claim(&queue, 0);
            let body = String::from_utf8(body_of(&claim)).unwrap();
            complete(&queue, claim, b"");
            body
        })
        .collect();
    assert_eq!(
        order,
        [
            "busy 0", "quiet 0", "busy 1", "quiet 1", "busy 2", "busy 3", "busy 4", "busy 5"
        ]
    );
}

#[tokio::test]
async fn a_sample_handed_back_is_the_next_and_counts_no_attempt() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir);
    let (queue, _) = open(&config);
    let first = enqueue(&queue, b"first", "a").await.unwrap();
    enqueue(&queue, b"second", "a").await.unwrap();
    let taken = claim(&queue, 0);
    assert_eq!(taken.id(), first);
    queue.hand_back(taken);
    assert_eq!(status(&queue, first), Some(SampleState::Waiting));
    assert_eq!(stats(&queue).waiting, 2);
    queue.close().await.unwrap();
    let (queue, recovery) = open(&config);
    assert_eq!(recovery.crashed, []);
    let taken = claim(&queue, 0);
    assert_eq!((taken.id(), taken.attempts()), (first, 0));
}

#[tokio::test]
async fn a_dropped_claim_counts_and_the_second_time_the_sample_fails() {
    let dir = tempfile::tempdir().unwrap();
    let (queue, _) = open(&config(&dir));
    let id = enqueue(&queue, b"poison", "a").await.unwrap();
    drop(claim(&queue, 0));
    let second = claim(&queue, 0);
    assert_eq!((second.id(), second.attempts()), (id, 1));
    drop(second);
    let Some(SampleState::Failed(reason)) = status(&queue, id) else {
        panic!("the sample has not failed");
    };
    assert!(reason.contains("without a verdict"), "{reason}");
    assert_eq!(stats(&queue).failed, 1);
    assert_eq!(queue.failed(), [id]);
}

#[tokio::test]
async fn stopping_claims_wakes_waiting_workers() {
    let dir = tempfile::tempdir().unwrap();
    let (queue, _) = open(&config(&dir));
    let workers: Vec<_> = [Lanes::All, Lanes::ImmediateOnly]
        .into_iter()
        .enumerate()
        .map(|(slot, lanes)| {
            let queue = queue.clone();
            thread::spawn(move || queue.claim(lanes, slot).is_none())
        })
        .collect();
    thread::sleep(Duration::from_millis(20));
    queue.stop_claims();
    for worker in workers {
        assert!(worker.join().unwrap());
    }
    assert!(queue.claim(Lanes::All, 0).is_none());
    enqueue(&queue, b"late", "a").await.unwrap();
    assert_eq!(stats(&queue).waiting, 1);
}

#[tokio::test]
async fn a_waiting_worker_gets_a_sample_that_arrives() {
    let dir = tempfile::tempdir().unwrap();
    let (queue, _) = open(&config(&dir));
    let worker = {
        let queue = queue.clone();
        thread::spawn(move || body_of(&claim(&queue, 0)))
    };
    enqueue(&queue, b"arrived", "a").await.unwrap();
    assert_eq!(worker.join().unwrap(), b"arrived");
}

/// Copies a directory as it is, as the next process would find it.
fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[tokio::test]
async fn a_scan_that_outlasts_the_orderly_end_is_not_blamed_on_its_sample() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(&dir);
    let (queue, _) = open(&config);
    let id = enqueue(&queue, b"slow", "a").await.unwrap();
    let mut running = vec![(queue.clone(), claim(&queue, 0))];
    let mut queue = queue;
    for turn in 0..3 {
        queue.close_blocking().unwrap();
        // The worker still has its claim, as it has when the process ends.
        let next = dir.path().join(format!("start {turn}"));
        copy_dir(&config.dir, &next);
        config.dir = next;
        let (opened, recovery) = open(&config);
        assert!(recovery.clean);
        assert_eq!((recovery.crashed, recovery.failed), (vec![], 0));
        let again = claim(&opened, 0);
        assert_eq!((again.id(), again.attempts()), (id, 0));
        running.push((opened.clone(), again));
        queue = opened;
    }
}

/// Else it would hold a worker after every start, for good.
#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_does_not_end_is_blamed_and_the_second_time_fails_its_sample() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(&dir);
    let (mut queue, _) = open(&config);
    let id = enqueue(&queue, b"endless", "a").await.unwrap();
    let other = enqueue(&queue, b"other", "a").await.unwrap();
    let mut hanging = Vec::new();
    for turn in 0..2 {
        let hangs = loop {
            let claim = claim(&queue, 0);
            if claim.id() == id {
                break claim;
            }
            complete(&queue, claim, b"");
        };
        assert_eq!(hangs.attempts(), turn);
        queue.blame(id).unwrap();
        queue.close_blocking().unwrap();
        // The worker still has its claim, as it has when the process ends.
        let next = dir.path().join(format!("start {turn}"));
        copy_dir(&config.dir, &next);
        config.dir = next;
        let (opened, recovery) = open(&config);
        assert_eq!((recovery.counter_difference, recovery.damaged), (0, 0));
        hanging.push((std::mem::replace(&mut queue, opened), hangs));
    }
    assert_eq!(queue.failed(), [id]);
    let failed = queue.failed_samples(None, 1);
    assert!(failed[0].reason.contains("without a verdict"), "{failed:?}");
    assert_eq!(failed[0].attempts, 2);
    assert!(
        matches!(status(&queue, other), Some(SampleState::Complete(_)))
            || claim(&queue, 0).id() == other
    );
    // Nothing is waiting that nobody asked about.
    queue.blame(id).unwrap();
    assert_eq!(queue.failed(), [id]);
}
