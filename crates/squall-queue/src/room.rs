//! Whether there is room, asked before a sample has arrived.

use crate::{EnqueueError, Limits, Queue, fs};

impl Queue {
    /// Returns the bounds the queue was opened with.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.shared.config.limits
    }

    /// Returns the bytes free on the disk of the queue, `None` when the disk
    /// does not tell.
    #[must_use]
    pub fn free_bytes(&self) -> Option<u64> {
        fs::free_bytes(&self.shared.layout.dir).ok()
    }

    /// Returns the size in bytes of that disk, `None` when it does not tell.
    #[must_use]
    pub fn disk_bytes(&self) -> Option<u64> {
        fs::disk_bytes(&self.shared.layout.dir).ok()
    }

    /// Tells whether [`enqueue`](Self::enqueue) would take a sample of which
    /// `len` bytes are still to come. Takes no room: the answer may be another
    /// when the sample has arrived.
    ///
    /// # Errors
    ///
    /// Fails like [`enqueue`](Self::enqueue).
    pub fn has_room(&self, len: u64) -> Result<(), EnqueueError> {
        let free_bytes = self.shared.free_bytes()?;
        let state = self.shared.lock();
        self.shared.examine(&state, free_bytes, len, len)
    }

    /// Tells whether a [`check`](Self::check) of `len` bytes would have a
    /// place in the immediate lane and, if its bytes do not fit into memory,
    /// on the disk. Takes no room.
    ///
    /// # Errors
    ///
    /// Fails when it would not.
    pub fn has_room_for_check(&self, len: u64) -> Result<(), EnqueueError> {
        let limits = &self.shared.config.limits;
        let waiting = self.shared.lock().lane.len();
        if waiting >= limits.immediate_max {
            return Err(EnqueueError::Full {
                used: waiting as u64,
                max: limits.immediate_max as u64,
                unit: crate::FullUnit::Checks,
            });
        }
        if len <= self.shared.config.inline_len_max {
            return Ok(());
        }
        let free_bytes = self.shared.free_bytes()?;
        if free_bytes < limits.free_bytes_min.saturating_add(len) {
            return Err(EnqueueError::NoSpace {
                free_bytes,
                free_bytes_min: limits.free_bytes_min,
            });
        }
        Ok(())
    }
}
