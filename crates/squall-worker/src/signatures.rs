//! The signature set in force, and its replacement while workers scan.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use squall_engine::SignatureSet;

/// Holds the signature set in force. Workers wait here until there is one.
#[derive(Default)]
pub struct Signatures {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    set: Option<Arc<SignatureSet>>,
    closed: bool,
}

impl Signatures {
    /// Puts a set in force. A worker uses it from its next sample on.
    pub fn install(&self, set: Arc<SignatureSet>) {
        self.lock().set = Some(set);
        self.changed.notify_all();
    }

    /// Returns the set in force.
    #[must_use]
    pub fn current(&self) -> Option<Arc<SignatureSet>> {
        self.lock().set.clone()
    }

    /// Waits for the first set; `None` once closed.
    pub(crate) fn wait(&self) -> Option<Arc<SignatureSet>> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(set) = &state.set {
                return Some(Arc::clone(set));
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Tells whether `set` is the one in force.
    pub(crate) fn is_current(&self, set: &Arc<SignatureSet>) -> bool {
        self.lock()
            .set
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(current, set))
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
