//! `kill -9` at random moments: this test program starts itself as the victim.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use squall_queue::{Durability, Lanes, QueueConfig, SampleState};
use squall_types::SampleId;

use crate::support::*;

const VICTIM_DIR: &str = "SQUALL_QUEUE_TEST_VICTIM_DIR";

fn victim_config(dir: &Path) -> QueueConfig {
    let mut config = QueueConfig::new(dir.join("data"));
    config.durability = Durability::Fsync;
    config.inline_len_max = 2000;
    config.segment_len_max = 20_000;
    config.limits.free_bytes_min = 0;
    config
}

/// Not a test of its own: what the victim does until it is killed.
#[test]
#[ignore = "started by the other test of this module"]
fn victim() {
    let Some(dir) = std::env::var_os(VICTIM_DIR) else {
        return;
    };
    let dir = Path::new(&dir);
    let (queue, _) = open(&victim_config(dir));
    for slot in 0..2 {
        let queue = queue.clone();
        thread::spawn(move || {
            while let Some(claim) = queue.claim(Lanes::All, slot) {
                let body = body_of(&claim);
                thread::sleep(Duration::from_micros(200));
                complete(&queue, claim, &body);
            }
        });
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let acked = dir.join("acked");
        let senders: Vec<_> = (0..8_u64)
            .map(|sender| {
                let queue = queue.clone();
                let acked = acked.clone();
                tokio::spawn(async move {
                    let mut log = OpenOptions::new().append(true).open(acked).unwrap();
                    for n in 0.. {
                        let len = if n % 9 == 0 {
                            4000
                        } else {
                            50 + n as usize % 500
                        };
                        let source = sender.to_string();
                        let id = enqueue(&queue, &bytes(n, len), &source).await.unwrap();
                        log.write_all(format!("{id} {n} {len}\n").as_bytes())
                            .unwrap();
                    }
                })
            })
            .collect();
        for sender in senders {
            sender.await.unwrap();
        }
    });
}

/// Not a test of its own: checks what a victim left, for instance on a copy of
/// a disk image that was taken while the victim ran.
#[test]
#[ignore = "checks the directory of a victim"]
fn left_behind() {
    if let Some(dir) = std::env::var_os(VICTIM_DIR) {
        verify(Path::new(&dir));
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let rounds: u64 = std::env::var("SQUALL_QUEUE_KILL_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(6);
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("acked"), b"").unwrap();
    for round in 0..rounds {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::victim", "--ignored"])
            .env(VICTIM_DIR, dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // From "still recovering" to "under full load".
        thread::sleep(Duration::from_millis(20 + (round * 7919) % 900));
        victim.kill().unwrap();
        victim.wait().unwrap();
        if round % 3 == 2 {
            verify(dir.path());
        }
    }
    verify(dir.path());
}

/// Opens what the victim left and checks every acknowledged sample.
fn verify(dir: &Path) {
    let config = victim_config(dir);
    let (queue, recovery) = open(&config);
    assert_eq!(recovery.damage, []);
    assert_eq!(recovery.counter_difference, 0);
    let acked = fs::read_to_string(dir.join("acked")).unwrap();
    let mut samples = BTreeMap::new();
    for line in acked.lines() {
        let numbers: Vec<u64> = line.split(' ').map(|n| n.parse().unwrap()).collect();
        let sample = bytes(numbers[1], numbers[2] as usize);
        let known = samples.insert(SampleId::new(numbers[0]).unwrap(), sample);
        assert!(known.is_none(), "id {} was given twice", numbers[0]);
    }

    while stats(&queue).waiting > 0 {
        let claim = claim(&queue, 0);
        let body = body_of(&claim);
        complete(&queue, claim_checked(&samples, claim, &body), &body);
    }
    for (id, sample) in &samples {
        match status(&queue, *id) {
            Some(SampleState::Complete(result)) => assert!(result == *sample),
            // It was in a worker's hands at two kills.
            Some(SampleState::Failed(reason)) => assert!(reason.contains("died twice")),
            other => panic!("sample {id} is {other:?}"),
        }
    }
    queue.close_blocking().unwrap();
    let files = fs::read_dir(config.dir.join("spool/files"))
        .unwrap()
        .count();
    let failed = queue.failed().len();
    assert!(files <= failed, "{files} files, {failed} failed samples");
}

/// The body must be the one that was acknowledged. A sample whose
/// acknowledgement did not reach the log before the kill is not in it.
fn claim_checked(
    samples: &BTreeMap<SampleId, Vec<u8>>,
    claim: squall_queue::Claim,
    body: &[u8],
) -> squall_queue::Claim {
    if let Some(sample) = samples.get(&claim.id()) {
        assert!(sample == body, "sample {} has other bytes", claim.id());
    }
    claim
}
