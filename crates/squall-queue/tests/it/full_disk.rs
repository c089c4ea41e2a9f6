//! A disk that fills up. It needs a small file system of its own, whose mount
//! point the variable names:
//!
//! ```text
//! mount -t tmpfs -o size=64m tmpfs /mnt/small
//! SQUALL_QUEUE_SMALL_DISK=/mnt/small cargo test -p squall-queue --test it full_disk -- --ignored
//! ```

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use squall_queue::{Durability, EnqueueError, Queue, QueueConfig, SampleState};
use squall_types::SampleId;

use crate::support::*;

fn small_disk(name: &str) -> (PathBuf, QueueConfig) {
    let mount = std::env::var_os("SQUALL_QUEUE_SMALL_DISK").expect("the variable is set");
    let mount = PathBuf::from(mount);
    let dir = mount.join(name);
    let _ = fs::remove_dir_all(&dir);
    let mut config = QueueConfig::new(&dir);
    config.durability = Durability::Fsync;
    config.inline_len_max = 20_000;
    config.segment_len_max = 1 << 20;
    config.limits.free_bytes_min = 0;
    (mount, config)
}

/// Fills what is left of the disk.
fn fill(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    for len in [1 << 20, 4096, 1] {
        while file.write_all(&vec![0; len]).is_ok() {}
    }
}

async fn until_taken(queue: &Queue, sample: &[u8]) -> SampleId {
    let started = Instant::now();
    loop {
        match enqueue(queue, sample, "a").await {
            Ok(id) => return id,
            Err(error) => {
                assert!(started.elapsed() < Duration::from_secs(20), "{error:?}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

#[tokio::test]
#[ignore = "needs SQUALL_QUEUE_SMALL_DISK"]
async fn a_full_disk_refuses_samples_and_loses_none() {
    let (mount, config) = small_disk("full");
    let filler = mount.join("filler");
    let (queue, _) = open(&config);
    let mut taken = Vec::new();
    for n in 0..50 {
        let sample = bytes(n, 10_000);
        taken.push((enqueue(&queue, &sample, "a").await.unwrap(), sample));
    }
    for round in 0..5 {
        fill(&filler);
        for n in 0..30 {
            let sample = bytes(round * 100 + n, [300, 10_000, 60_000][n as usize % 3]);
            let mut writer = queue.body();
            let written = writer.write(&sample).await;
            let Ok(body) = writer.finish().await else {
                continue;
            };
            assert!(written.is_ok());
            match queue.enqueue(body, b"meta".to_vec(), "b").await {
                Ok(id) => taken.push((id, sample)),
                Err(EnqueueError::NoSpace { .. } | EnqueueError::Io(_)) => {}
                Err(other) => panic!("{other:?}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if queue.stats().storage_ok {
            complete(&queue, claim(&queue, 0), b"scanned on a full disk");
        }
        tokio::time::sleep(Duration::from_millis(1500)).await;
        fs::remove_file(&filler).unwrap();
        let sample = bytes(round, 500);
        taken.push((until_taken(&queue, &sample).await, sample));
    }
    println!("{} samples taken, {:?}", taken.len(), queue.stats());
    drop(queue);
    let (queue, recovery) = open(&config);
    assert_eq!(recovery.damage, []);
    assert_eq!(recovery.counter_difference, 0);
    while stats(&queue).waiting > 0 {
        let claim = claim(&queue, 0);
        let body = body_of(&claim);
        complete(&queue, claim, &body);
    }
    for (id, sample) in taken {
        let Some(SampleState::Complete(result)) = status(&queue, id) else {
            panic!("sample {id} is {:?}", status(&queue, id));
        };
        assert!(result == sample || result == b"scanned on a full disk");
    }
}
