//! Whether the queue works, found out without a sample: by a write to its disk,
//! and by asking a worker.

use std::{fmt, io::Write as _};

use tokio::sync::oneshot;

use crate::{Durability, Queue, StorageError, fs};

/// What is written to see whether that can be done.
const WRITTEN: &[u8] = b"Squall writes this now and then to see whether it can.\n";

/// A question to a worker: whether it can scan. It is no sample: it has no id,
/// is in no counter and no history, and nothing of it reaches the disk.
pub struct Probe {
    answer: oneshot::Sender<Result<(), String>>,
}

impl Probe {
    /// Answers it. What is merely dropped counts as not answered.
    pub fn answer(self, result: Result<(), String>) {
        // Whoever asked may have given up.
        let _ = self.answer.send(result);
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

/// Why a [`Queue::probe`] came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// The worker says no.
    #[error("{0}")]
    Failed(String),
    /// The worker that took it ended without an answer, another probe took its
    /// place, or there are no more claims.
    #[error("no worker answered")]
    Unanswered,
}

impl Queue {
    /// Has the next worker that takes both lanes answer a [`Probe`], before any
    /// sample, and waits for that as long as it takes. There is one at a time:
    /// a second takes the place of the first.
    ///
    /// # Errors
    ///
    /// Fails if the worker says so, or if it does not answer.
    pub async fn probe(&self) -> Result<(), ProbeError> {
        let (answer, answered) = oneshot::channel();
        {
            let mut state = self.shared.lock();
            if state.stopped {
                return Err(ProbeError::Unanswered);
            }
            state.probe = Some(Probe { answer });
        }
        self.shared.work.notify_one();
        match answered.await {
            Ok(result) => result.map_err(ProbeError::Failed),
            Err(_) => Err(ProbeError::Unanswered),
        }
    }

    /// Writes a few bytes to the disk of the queue, as durably as samples are
    /// written. Blocks the thread, for as long as the disk likes.
    ///
    /// # Errors
    ///
    /// Fails when the disk refuses.
    pub fn test_write(&self) -> Result<(), StorageError> {
        let path = &self.shared.layout.write_test;
        let mut file = fs::open_or_create(path)?;
        let written = file.set_len(0).and_then(|()| file.write_all(WRITTEN));
        written.map_err(fs::failed("write file", path))?;
        match self.shared.config.durability {
            Durability::Fsync => fs::sync_data(&file).map_err(fs::failed("sync file", path)),
            Durability::Buffered => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Body, Claimed, Lanes, QueueConfig};

    fn open(dir: &tempfile::TempDir) -> Queue {
        Queue::open(QueueConfig::new(dir.path())).unwrap().0
    }

    fn take(queue: &Queue, lanes: Lanes) -> Claimed {
        queue.claim_unless(lanes, 0, || true)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_probe_goes_before_samples_and_leaves_no_trace() {
        let dir = tempfile::tempdir().unwrap();
        let queue = open(&dir);
        let body = Body::from_bytes(b"bytes".to_vec());
        queue.enqueue(body, Vec::new(), "source").await.unwrap();
        let before = queue.stats();
        let asked = tokio::spawn({
            let queue = queue.clone();
            async move { queue.probe().await }
        });
        let probe = loop {
            // A worker for checks only is not what is asked.
            assert!(matches!(take(&queue, Lanes::ImmediateOnly), Claimed::Left));
            match take(&queue, Lanes::All) {
                Claimed::Probe(probe) => break probe,
                // It was not there yet.
                Claimed::Sample(claim) => queue.hand_back(claim),
                other => panic!("{other:?}"),
            }
        };
        probe.answer(Err("cannot".to_owned()));
        let answer = asked.await.unwrap();
        assert_eq!(answer, Err(ProbeError::Failed("cannot".to_owned())));
        let after = queue.stats();
        assert_eq!(
            (after.accepted, after.waiting, after.scanning, after.scanned),
            (before.accepted, before.waiting, 0, 0)
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nobody_waits_for_workers_that_are_gone() {
        let dir = tempfile::tempdir().unwrap();
        let queue = open(&dir);
        let none = tokio::time::timeout(Duration::from_millis(50), queue.probe()).await;
        assert!(none.is_err(), "{none:?}");
        let waiting = tokio::spawn({
            let queue = queue.clone();
            async move { queue.probe().await }
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        queue.stop_claims();
        assert_eq!(waiting.await.unwrap(), Err(ProbeError::Unanswered));
        assert_eq!(queue.probe().await, Err(ProbeError::Unanswered));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_write_says_whether_the_disk_takes_it() {
        let dir = tempfile::tempdir().unwrap();
        let queue = open(&dir);
        queue.test_write().unwrap();
        queue.test_write().unwrap();
        let path = dir.path().join("write-test");
        assert_eq!(std::fs::read(&path).unwrap(), WRITTEN);
        std::fs::remove_file(&path).unwrap();
        // Where a directory is, no file can be written.
        std::fs::create_dir(&path).unwrap();
        assert!(queue.test_write().is_err());
    }
}
