//! Damaged data directories: start with what is intact, say what is not.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt,
    path::PathBuf,
};

use squall_queue::{OpenError, Queue, QueueConfig, SampleState};
use squall_types::SampleId;

use crate::support::*;

/// A closed queue with eight waiting samples: four in a segment, four in files.
async fn prepared(config: &QueueConfig) -> Vec<SampleId> {
    let (queue, _) = open(config);
    let mut ids = Vec::new();
    for n in 0..4 {
        ids.push(enqueue(&queue, &bytes(n, 500), "a").await.unwrap());
    }
    for n in 4..8 {
        ids.push(enqueue(&queue, &bytes(n, 5000), "a").await.unwrap());
    }
    queue.close().await.unwrap();
    ids
}

fn only_segment(config: &QueueConfig) -> PathBuf {
    let dir = config.dir.join("spool/segments");
    let mut paths = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let path = paths.next().unwrap();
    assert!(paths.next().is_none());
    path
}

fn file_of(config: &QueueConfig, id: SampleId) -> PathBuf {
    config.dir.join(format!("spool/files/{:016x}", id.value()))
}

fn flip(path: &PathBuf, at: u64) {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 0x40], at).unwrap();
}

/// Scans all that waits; returns which samples were handed out.
fn drain(queue: &Queue) -> Vec<SampleId> {
    let mut scanned = Vec::new();
    while stats(queue).waiting > 0 {
        // The last claim may find that its sample is damaged and wait for
        // another one, so one more is kept for it.
        let claim = claim(queue, 0);
        let mut body = Vec::new();
        match claim.read_body(&mut body) {
            Ok(()) => {
                scanned.push(claim.id());
                complete(queue, claim, b"");
            }
            Err(error) => {
                assert!(body.is_empty());
                fail(queue, claim, &error.to_string());
            }
        }
    }
    scanned
}

fn failed_reason(queue: &Queue, id: SampleId) -> String {
    match status(queue, id) {
        Some(SampleState::Failed(reason)) => reason,
        other => panic!("sample {id} is {other:?}"),
    }
}

#[tokio::test]
async fn a_torn_segment_costs_only_the_samples_in_the_torn_part() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir);
    let ids = prepared(&config).await;
    let segment = only_segment(&config);
    let len = fs::metadata(&segment).unwrap().len();
    let file = OpenOptions::new().write(true).open(&segment).unwrap();
    file.set_len(len - 10).unwrap();
    let (queue, recovery) = open(&config);
    assert_eq!(recovery.damaged, 1);
    assert_eq!(recovery.damage[0].id, Some(ids[3]));
    assert!(recovery.damage[0].description.contains("too early"));
    assert!(failed_reason(&queue, ids[3]).contains("lost"));
    assert_eq!(recovery.waiting, 7);
    assert_eq!(drain(&queue), [&ids[..3], &ids[4..]].concat());
    let lost = queue.retry(ids[3]).unwrap_err();
    assert!(matches!(lost, squall_queue::RetryError::BytesLost { .. }));
    queue.close().await.unwrap();
    let (queue, recovery) = open(&config);
    assert_eq!(recovery.damaged, 0);
    assert_eq!((stats(&queue).scanned, stats(&queue).failed), (7, 1));
}

#[tokio::test]
async fn a_missing_file_and_a_missing_segment_are_reported() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir);
    let ids = prepared(&config).await;
    fs::remove_file(file_of(&config, ids[5])).unwrap();
    fs::remove_file(only_segment(&config)).unwrap();
    let (queue, recovery) = open(&config);
    assert_eq!(recovery.damaged, 5);
    for lost in [0, 1, 2, 3, 5] {
        assert!(failed_reason(&queue, ids[lost]).contains("missing"));
    }
    assert_eq!(drain(&queue), [ids[4], ids[6], ids[7]]);
}

#[tokio::test]
async fn flipped_bytes_are_never_handed_out() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir);
    let ids = prepared(&config).await;
    // Frame: header 52, submission 17, body 500.
    let segment = only_segment(&config);
    let frame = 52 + 17 + 500;
    flip(&segment, 10);
    flip(&segment, frame + 60);
    flip(&segment, 2 * frame + 300);
    flip(&file_of(&config, ids[4]), 4999);
    flip(&file_of(&config, ids[5]), 5001);
    let (queue, recovery) = open(&config);
    assert_eq!(recovery.damaged, 0);
    assert_eq!(drain(&queue), [ids[3], ids[6], ids[7]]);
    for (at, detail) in [
        (0, "header"),
        (1, "submission"),
        (2, "body"),
        (4, "body"),
        (5, "submission"),
    ] {
        let reason = failed_reason(&queue, ids[at]);
        assert!(reason.contains(detail), "{at}: {reason}");
    }
}

#[tokio::test]
async fn what_nothing_refers_to_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir);
    let ids = prepared(&config).await;
    let spool = config.dir.join("spool");
    fs::write(spool.join("incoming/7"), b"half an upload").unwrap();
    fs::write(spool.join("files/00000000000000ff"), b"no record").unwrap();
    fs::write(spool.join("files/stranger"), b"no id").unwrap();
    fs::write(spool.join("segments/000000ff.seg"), b"garbage").unwrap();
    let (queue, recovery) = open(&config);
    assert_eq!(recovery.incoming_removed, 1);
    assert_eq!(recovery.orphans_removed, 3);
    assert_eq!(fs::read_dir(spool.join("incoming")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(spool.join("files")).unwrap().count(), 4);
    assert_eq!(fs::read_dir(spool.join("segments")).unwrap().count(), 1);
    assert_eq!(drain(&queue), ids);
}

#[tokio::test]
async fn without_the_database_waiting_samples_are_taken_over_from_the_spool() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir);
    let ids = prepared(&config).await;
    fs::remove_dir_all(config.dir.join("db")).unwrap();
    let (queue, recovery) = open(&config);
    assert_eq!((recovery.salvaged, recovery.waiting), (8, 8));
    let new = enqueue(&queue, b"new", "b").await.unwrap();
    assert!(ids.iter().all(|id| *id < new));
    let mut scanned = drain(&queue);
    scanned.sort_unstable();
    assert_eq!(scanned, [&ids[..], &[new]].concat());
}

#[tokio::test]
async fn a_second_process_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir);
    let (queue, _) = open(&config);
    let refused = Queue::open(config.clone()).unwrap_err();
    assert!(matches!(refused, OpenError::InUse { .. }));
    assert!(refused.to_string().contains("in use by another process"));
    queue.close_blocking().unwrap();
    drop(queue);
    open(&config);
}

/// Flips a byte of the database in many places. Whatever it makes of that: no
/// panic, and either a plain refusal or a queue whose counts add up and that
/// hands out true bytes only.
#[tokio::test]
async fn a_damaged_database_is_survived_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir);
    let ids = prepared(&config).await;
    let pristine = dir.path().join("pristine");
    copy(&config.dir, &pristine);
    let len = fs::metadata(pristine.join("db/db")).unwrap().len();
    let (mut opened, mut refused) = (0, 0);
    for step in 0..40 {
        fs::remove_dir_all(&config.dir).unwrap();
        copy(&pristine, &config.dir);
        // The beginning is where the records are.
        flip(&config.dir.join("db/db"), (step * 97) % len.min(4000));
        match Queue::open(config.clone()) {
            Ok((queue, _)) => {
                opened += 1;
                let scanned = drain(&queue);
                assert!(scanned.iter().all(|id| ids.contains(id)));
                for id in &ids {
                    assert!(status(&queue, *id).is_some(), "step {step}: {id} is lost");
                }
            }
            Err(error) => {
                refused += 1;
                assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
                assert!(error.to_string().contains("move it away"));
                fs::remove_dir_all(config.dir.join("db")).unwrap();
                let (queue, recovery) = open(&config);
                assert_eq!(recovery.waiting, 8);
                assert_eq!(drain(&queue).len(), 8);
            }
        }
    }
    println!("opened {opened}, refused {refused}");
    assert_eq!(opened + refused, 40);
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
