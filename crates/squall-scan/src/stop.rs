//! How a scan is asked to end.

use std::sync::atomic::{AtomicU8, Ordering};

/// Asks a running scan to end; shared with whoever listens to signals.
#[derive(Debug, Default)]
pub struct Stop(AtomicU8);

impl Stop {
    /// Asks once more. The first time, files that are being scanned are
    /// finished; the second time they are not waited for. Either way the
    /// outputs get what was found.
    pub fn request(&self) {
        // Beyond two nothing changes.
        let _ = self
            .0
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |asked| {
                (asked < 2).then_some(asked + 1)
            });
    }

    /// Tells whether no further file is to be begun.
    pub(crate) fn requested(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// Tells whether nothing is to be waited for.
    pub(crate) fn urgent(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_request_is_urgent() {
        let stop = Stop::default();
        assert!(!stop.requested());
        stop.request();
        assert!(stop.requested() && !stop.urgent());
        stop.request();
        stop.request();
        assert!(stop.requested() && stop.urgent());
    }
}
