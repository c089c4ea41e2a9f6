//! Closing a queue in order.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
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
        // Whoever is being asked may never answer.
        if let Some(gate) = gate.filter(|_| !self.shared.lock().held.is_asking()) {
            join(gate);
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
