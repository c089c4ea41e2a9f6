//! Closing a queue in order.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crate::{StorageError, shared::Shared};

/// Ends the committer; the last handle does it when nobody did before.
pub(crate) struct Closer {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Asks whether verdicts may be committed.
    gate: Mutex<Option<JoinHandle<()>>>,
}

impl Closer {
    pub(crate) fn new(shared: Arc<Shared>, threads: Vec<JoinHandle<()>>) -> Self {
        Self {
            shared,
            threads: Mutex::new(threads),
            gate: Mutex::default(),
        }
    }

    /// Takes the thread that asks whether verdicts may be committed.
    pub(crate) fn add_gate(&self, thread: JoinHandle<()>) {
        *self.gate.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
    }

    /// Waits for the end of the thread that asks, unless an answer takes too
    /// long: it may never come.
    fn join_gate(&self, gate: JoinHandle<()>) {
        const ANSWER_WAIT_MAX: Duration = Duration::from_secs(1);
        let begun = Instant::now();
        while self.shared.lock().held.is_asking() {
            if begun.elapsed() >= ANSWER_WAIT_MAX {
                tracing::warn!("left behind: whoever is asked about results does not answer");
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        join(gate);
    }

    /// Ends waiting checks, lets the committer store everything, and waits for
    /// it.
    pub(crate) fn close(&self) -> Result<(), StorageError> {
        let jobs = {
            let mut state = self.shared.lock();
            state.closing = true;
            state.stopped = true;
            state.clear_lane()
        };
        drop(jobs);
        self.shared.work.notify_all();
        self.shared.immediate_work.notify_all();
        self.shared.commit.notify_all();
        self.shared.gate.notify_all();
        let threads = {
            let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *threads)
        };
        for thread in threads {
            join(thread);
        }
        let gate = {
            let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
            gate.take()
        };
        if let Some(gate) = gate {
            self.join_gate(gate);
        }
        self.shared.lock().down.clone().map_or(Ok(()), Err)
    }
}

fn join(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("a thread of the queue panicked");
    }
}

impl Drop for Closer {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(?error, "the queue could not be closed in order");
        }
    }
}
