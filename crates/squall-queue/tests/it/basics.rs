//! A sample's way through the queue, with orderly restarts.

use squall_queue::SampleState;

use crate::support::*;

#[tokio::test]
async fn a_sample_goes_through_and_its_result_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir);
    let (queue, recovery) = open(&config);
    assert_eq!(recovery.damaged, 0);
    for len in [0, 1, 999, 1000, 1001, 300_000] {
        let sample = bytes(len as u64, len);
        let id = enqueue(&queue, &sample, "host").await.unwrap();
        assert_eq!(status(&queue, id), Some(SampleState::Waiting));
        let claim = claim(&queue, 0);
        assert_eq!(claim.id(), id);
        assert_eq!(status(&queue, id), Some(SampleState::Scanning));
        assert_eq!(claim.body_len(), len as u64);
        assert_eq!(claim.attempts(), 0);
        assert_eq!(
            claim.submission(),
            format!("submission of {len}").as_bytes()
        );
        assert!(body_of(&claim) == sample);
        let result = bytes(7, len);
        complete(&queue, claim, &result);
        assert!(status(&queue, id) == Some(SampleState::Complete(result)));
    }
    let before = stats(&queue);
    assert_eq!((before.accepted, before.scanned), (6, 6));
    queue.close().await.unwrap();

    let (queue, recovery) = open(&config);
    assert!(recovery.clean);
    assert_eq!(recovery.results, 6);
    assert_eq!(recovery.counter_difference, 0);
    assert_eq!(recovery.damaged, 0);
    let after = stats(&queue);
    assert_eq!((after.accepted, after.scanned), (6, 6));
    assert_eq!(after.scan_time_total_us, before.scan_time_total_us);
    for (at, len) in [0, 1, 999, 1000, 1001, 300_000].into_iter().enumerate() {
        let id = squall_types::SampleId::new(at as u64 + 1).unwrap();
        assert!(status(&queue, id) == Some(SampleState::Complete(bytes(7, len))));
    }
    let next = enqueue(&queue, b"next", "host").await.unwrap();
    assert_eq!(next.value(), 7);
}
