//! Copies of a few samples that were scanned lately, to time rules with: what
//! a rule costs depends on what is sent.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use squall_types::{Digests, Submission};

/// Samples of which there is a copy.
const SAMPLES_MAX: usize = 24;
/// Largest sample that is copied: with all of them, 24 MiB of memory at most.
const SAMPLE_LEN_MAX: usize = 1024 * 1024;
/// Once there are as many as there may be, one is replaced this often, so that
/// copying costs nothing that could be measured.
const INTERVAL: Duration = Duration::from_secs(2);

/// Copies of samples.
#[derive(Debug)]
pub struct Recent {
    begun: Instant,
    /// When the next one is copied, in milliseconds after the beginning.
    due_ms: AtomicU64,
    /// When a sample was last scanned, in the same way.
    scanned_ms: AtomicU64,
    samples: Mutex<VecDeque<RecentSample>>,
}

/// A copy of a sample.
#[derive(Clone, Debug)]
pub struct RecentSample {
    /// Its bytes.
    pub content: Arc<[u8]>,
    /// Its name on the sender.
    pub file_name: String,
    /// Its digests.
    pub digests: Digests,
}

impl Default for Recent {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            due_ms: AtomicU64::new(0),
            scanned_ms: AtomicU64::new(0),
            samples: Mutex::default(),
        }
    }
}

impl Recent {
    /// Returns the samples there are, the oldest first.
    #[must_use]
    pub fn samples(&self) -> Vec<RecentSample> {
        self.lock().iter().cloned().collect()
    }

    /// Returns how long ago a sample was scanned last, or how long none was.
    #[must_use]
    pub fn idle(&self) -> Duration {
        let scanned = Duration::from_millis(self.scanned_ms.load(Ordering::Relaxed));
        self.begun.elapsed().saturating_sub(scanned)
    }

    /// Copies a sample that was just scanned, if it is time for one.
    pub(crate) fn offer(&self, content: &[u8], submission: &Submission) {
        let now = millis(self.begun.elapsed());
        self.scanned_ms.store(now, Ordering::Relaxed);
        if content.is_empty() || content.len() > SAMPLE_LEN_MAX {
            return;
        }
        let due = self.due_ms.load(Ordering::Relaxed);
        let next = now.saturating_add(millis(INTERVAL));
        let is_turn = now >= due
            && self
                .due_ms
                .compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if !is_turn {
            return;
        }
        let copy = RecentSample {
            content: content.into(),
            file_name: submission.file_name.clone(),
            digests: submission.digests,
        };
        let mut samples = self.lock();
        while samples.len() >= SAMPLES_MAX {
            samples.pop_front();
        }
        samples.push_back(copy);
        if samples.len() < SAMPLES_MAX {
            self.due_ms.store(0, Ordering::Relaxed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<RecentSample>> {
        // What it holds is valid at every moment.
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submission(name: &str) -> Submission {
        Submission {
            file_name: name.to_owned(),
            ..Submission::default()
        }
    }

    #[test]
    fn the_first_ones_are_copied_and_then_one_now_and_then() {
        let recent = Recent::default();
        recent.offer(b"", &submission("empty"));
        recent.offer(&vec![0; SAMPLE_LEN_MAX + 1], &submission("large"));
        for number in 0..SAMPLES_MAX + 5 {
            recent.offer(b"content", &submission(&format!("/tmp/{number}")));
        }
        let samples = recent.samples();
        assert_eq!(samples.len(), SAMPLES_MAX);
        assert_eq!(samples[0].file_name, "/tmp/0");
        assert_eq!(&*samples[0].content, b"content");
        // As if the time had come.
        recent.due_ms.store(0, Ordering::Relaxed);
        recent.offer(b"newer", &submission("/tmp/newer"));
        recent.offer(b"too early", &submission("/tmp/early"));
        let samples = recent.samples();
        assert_eq!(samples.len(), SAMPLES_MAX);
        assert_eq!(samples[0].file_name, "/tmp/1");
        assert_eq!(samples[SAMPLES_MAX - 1].file_name, "/tmp/newer");
    }
}
