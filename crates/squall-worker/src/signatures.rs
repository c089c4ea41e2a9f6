//! The signature set in force, and its replacement while workers scan.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use squall_engine::SignatureSet;

/// Holds the signature set in force. Workers wait here until there is one.
///
/// A worker that has a set compares a number to see whether it was replaced;
/// the lock is for those that fetch or replace one.
#[derive(Default)]
pub struct Signatures {
    state: Mutex<State>,
    changed: Condvar,
    /// Counts the sets put in force.
    generation: AtomicU64,
}

#[derive(Default)]
struct State {
    set: Option<Arc<SignatureSet>>,
    closed: bool,
}

/// A set as a worker holds it.
pub(crate) struct Held {
    pub(crate) set: Arc<SignatureSet>,
    generation: u64,
}

impl Held {
    /// Counts up from set to set.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }
}

impl Signatures {
    /// Puts a set in force. A worker uses it from its next sample on; one that
    /// waits for a sample lets go of the set before within a second or two.
    pub fn install(&self, set: Arc<SignatureSet>) {
        let replaced = {
            let mut state = self.lock();
            // With the lock held, so that nobody has the new set under the old
            // number.
            self.generation.fetch_add(1, Ordering::Release);
            state.set.replace(set)
        };
        self.changed.notify_all();
        // Freed without the lock, if this was the last holder.
        drop(replaced);
    }

    /// Returns the set in force.
    #[must_use]
    pub fn current(&self) -> Option<Arc<SignatureSet>> {
        self.lock().set.clone()
    }

    /// Waits for the first set; `None` once closed.
    pub(crate) fn wait(&self) -> Option<Held> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(set) = &state.set {
                return Some(Held {
                    set: Arc::clone(set),
                    generation: self.generation.load(Ordering::Acquire),
                });
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Tells whether `held` is the set in force.
    pub(crate) fn is_current(&self, held: &Held) -> bool {
        self.generation.load(Ordering::Acquire) == held.generation
    }

    /// Ends the wait of workers that never got a set.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while holding it; the state is valid either way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
