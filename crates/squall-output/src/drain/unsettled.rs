//! What a receiver that acknowledges nothing was sent, until it counts as
//! arrived.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::spool::Place;

/// What was sent and is not known to have arrived.
#[derive(Default)]
pub(super) struct Unsettled(VecDeque<Sent>);

/// What was sent within a second: one place for it is enough, and bounds them.
struct Sent {
    begun: Instant,
    ended: Instant,
    end: Place,
}

impl Unsettled {
    pub(super) fn push(&mut self, end: Place) {
        let now = Instant::now();
        match self.0.back_mut() {
            Some(last) if now - last.begun < Duration::from_secs(1) => {
                (last.ended, last.end) = (now, end);
            }
            _ => self.0.push_back(Sent {
                begun: now,
                ended: now,
                end,
            }),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns when the next of it is settled.
    pub(super) fn next(&self, settle_time: Duration) -> Option<Instant> {
        self.0.front().map(|sent| sent.ended + settle_time)
    }

    /// Removes what is settled by now; returns the place behind it.
    pub(super) fn settled(&mut self, settle_time: Duration) -> Option<Place> {
        let mut settled = None;
        while let Some(sent) = self.0.front()
            && sent.ended.elapsed() >= settle_time
        {
            settled = Some(sent.end);
            self.0.pop_front();
        }
        settled
    }
}
