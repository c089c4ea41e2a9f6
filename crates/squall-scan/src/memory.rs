//! A bound on the bytes of files in memory, all threads together.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes that may be taken and are given back.
pub(crate) struct Memory {
    all: u64,
    left: Mutex<u64>,
    changed: Condvar,
}

/// Bytes that were taken; given back when dropped.
pub(crate) struct Taken<'a> {
    memory: &'a Memory,
    bytes: u64,
}

impl Memory {
    pub(crate) fn new(bytes: u64) -> Self {
        Self {
            all: bytes,
            left: Mutex::new(bytes),
            changed: Condvar::new(),
        }
    }

    /// Waits until that many bytes are left, and takes them. Whoever holds some
    /// must not ask for more: two that do would wait for each other.
    ///
    /// More than there are altogether counts as all of them.
    pub(crate) fn take(&self, bytes: u64) -> Taken<'_> {
        let bytes = bytes.min(self.all);
        let mut left = self
            .changed
            .wait_while(self.lock(), |left| *left < bytes)
            .unwrap_or_else(PoisonError::into_inner);
        *left -= bytes;
        Taken {
            memory: self,
            bytes,
        }
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        // Nothing panics while holding it.
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.memory.lock() += self.bytes;
        self.memory.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn never_more_is_taken_than_there_is() {
        let memory = Memory::new(100);
        let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let (memory, now, most) = (&memory, &now, &most);
                scope.spawn(move || {
                    for round in 0..500 {
                        let bytes = 1 + (thread * 31 + round * 7) % 120;
                        let taken = memory.take(bytes);
                        let held = bytes.min(100);
                        most.fetch_max(
                            now.fetch_add(held, Ordering::SeqCst) + held,
                            Ordering::SeqCst,
                        );
                        now.fetch_sub(held, Ordering::SeqCst);
                        drop(taken);
                    }
                });
            }
        });
        let most = most.into_inner();
        assert!((1..=100).contains(&most), "{most}");
        assert_eq!(*memory.lock(), 100);
    }
}
