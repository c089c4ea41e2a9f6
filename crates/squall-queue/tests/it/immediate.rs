//! The lane of synchronous checks.

use std::{thread, time::Duration};

use squall_queue::{Body, CheckError, Lanes, SampleState, Verdict};

use crate::support::*;

#[tokio::test]
async fn a_check_goes_before_the_queue_and_gets_its_verdict() {
    let dir = tempfile::tempdir().unwrap();
    let (queue, _) = open(&config(&dir));
    let waiting = enqueue(&queue, b"queued", "a").await.unwrap();
    for len in [5, 5000] {
        let sample = bytes(9, len);
        let body = upload(&queue, &sample).await;
        let worker = {
            let queue = queue.clone();
            thread::spawn(move || {
                let claim = queue.claim(Lanes::ImmediateOnly, 1).unwrap();
                assert!(claim.is_immediate() && !claim.cancelled());
                assert_eq!(claim.submission(), b"meta");
                assert_eq!(body_of(&claim), sample);
                let id = claim.id();
                complete(&queue, claim, b"verdict");
                id
            })
        };
        let checked = queue.check(body, b"meta".to_vec()).await.unwrap();
        assert_eq!(checked.verdict, Verdict::Complete(b"verdict".to_vec()));
        assert_eq!(checked.id, worker.join().unwrap());
        assert!(checked.id > waiting);
        assert_eq!(status(&queue, checked.id), None);
    }
    assert_eq!(status(&queue, waiting), Some(SampleState::Waiting));
    let stats = stats(&queue);
    assert_eq!((stats.accepted, stats.scanned), (3, 2));
    assert_eq!(stats.spool_bytes, stats.waiting_bytes + 52);
}

#[tokio::test]
async fn a_check_dropped_before_its_scan_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir);
    let (queue, _) = open(&config);
    let body = upload(&queue, &bytes(1, 5000)).await;
    let check = queue.check(body, Vec::new());
    assert!(
        tokio::time::timeout(Duration::from_millis(20), check)
            .await
            .is_err()
    );
    let after = stats(&queue);
    assert_eq!((after.accepted, after.immediate_waiting), (0, 0));
    assert_eq!(after.spool_bytes, 0);
    let incoming = config.dir.join("spool/incoming");
    assert_eq!(std::fs::read_dir(incoming).unwrap().count(), 0);
}

#[tokio::test]
async fn a_check_dropped_during_its_scan_is_told_to_the_worker() {
    let dir = tempfile::tempdir().unwrap();
    let (queue, _) = open(&config(&dir));
    let check = {
        let queue = queue.clone();
        tokio::spawn(async move { queue.check(Body::from_bytes(vec![1]), Vec::new()).await })
    };
    let taken = {
        let queue = queue.clone();
        tokio::task::spawn_blocking(move || claim(&queue, 0))
            .await
            .unwrap()
    };
    assert_eq!(stats(&queue).immediate_scanning, 1);
    check.abort();
    assert!(check.await.unwrap_err().is_cancelled());
    assert!(taken.cancelled());
    complete(&queue, taken, b"unheard");
    assert_eq!(stats(&queue).scanned, 1);
}

#[tokio::test]
async fn checks_beyond_the_bound_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(&dir);
    config.limits.immediate_max = 2;
    let (queue, _) = open(&config);
    let checks: Vec<_> = (0..2)
        .map(|_| {
            let queue = queue.clone();
            tokio::spawn(async move { queue.check(Body::from_bytes(vec![1]), Vec::new()).await })
        })
        .collect();
    while queue.stats().immediate_waiting < 2 {
        tokio::task::yield_now().await;
    }
    let third = queue.check(Body::from_bytes(vec![1]), Vec::new()).await;
    assert!(
        matches!(third, Err(CheckError::Busy { waiting: 2, max: 2 })),
        "{third:?}"
    );
    queue.close_blocking().unwrap();
    for check in checks {
        assert!(matches!(check.await.unwrap(), Err(CheckError::Closed)));
    }
    assert_eq!(stats(&queue).accepted, 0);
    let late = queue.check(Body::from_bytes(vec![1]), Vec::new()).await;
    assert!(matches!(late, Err(CheckError::Closed)));
}

#[tokio::test]
async fn checks_that_nobody_will_take_end_when_claims_are_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let (queue, _) = open(&config(&dir));
    let check = || {
        let queue = queue.clone();
        tokio::spawn(async move { queue.check(Body::from_bytes(vec![1]), Vec::new()).await })
    };
    let (scanned, handed_back) = (check(), check());
    let claims: Vec<_> = {
        let queue = queue.clone();
        let claims = tokio::task::spawn_blocking(move || [0, 1].map(|slot| claim(&queue, slot)));
        claims.await.unwrap().into_iter().collect()
    };
    let waiting = check();
    while queue.stats().immediate_waiting < 1 {
        tokio::task::yield_now().await;
    }
    queue.stop_claims();
    let ended = waiting.await.unwrap();
    assert!(matches!(ended, Err(CheckError::Closed)), "{ended:?}");
    let mut claims = claims.into_iter();
    let (first, second) = (claims.next().unwrap(), claims.next().unwrap());
    queue.hand_back(second);
    complete(&queue, first, b"x");
    // What was being scanned is answered all the same.
    let outcomes = [scanned.await.unwrap(), handed_back.await.unwrap()];
    let answered = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(answered, 1, "{outcomes:?}");
    assert!(
        outcomes
            .iter()
            .any(|outcome| matches!(outcome, Err(CheckError::Closed)))
    );
    assert_eq!((stats(&queue).accepted, stats(&queue).scanned), (1, 1));
}

#[tokio::test]
async fn a_check_whose_claim_is_dropped_is_lost_and_counts_as_failed() {
    let dir = tempfile::tempdir().unwrap();
    let (queue, _) = open(&config(&dir));
    let worker = {
        let queue = queue.clone();
        thread::spawn(move || {
            let handed_back = claim(&queue, 0);
            queue.hand_back(handed_back);
            drop(claim(&queue, 0));
        })
    };
    let lost = queue.check(Body::from_bytes(vec![1]), Vec::new()).await;
    assert!(matches!(lost, Err(CheckError::Lost)), "{lost:?}");
    worker.join().unwrap();
    assert_eq!(stats(&queue).failed, 1);
}

#[tokio::test]
async fn counts_of_checks_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir);
    let (queue, _) = open(&config);
    let worker = {
        let queue = queue.clone();
        thread::spawn(move || {
            for _ in 0..10 {
                complete(&queue, claim(&queue, 0), b"x");
            }
        })
    };
    let mut last = 0;
    for _ in 0..10 {
        let body = Body::from_bytes(vec![1]);
        last = queue.check(body, Vec::new()).await.unwrap().id.value();
    }
    worker.join().unwrap();
    queue.close().await.unwrap();
    let (queue, recovery) = open(&config);
    assert_eq!(recovery.counter_difference, 0);
    assert_eq!((stats(&queue).accepted, stats(&queue).scanned), (10, 10));
    let next = enqueue(&queue, b"x", "a").await.unwrap();
    assert!(next.value() > last);
}
