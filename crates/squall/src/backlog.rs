//! The warning that samples pile up (`queue-warn-size`).

use std::time::Duration;

use squall_queue::Queue;

/// How often the queue is looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// What changed since the queue was looked at before.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    Above,
    Below,
}

/// Remembers which side of the limit the queue was on.
struct Backlog {
    /// Most samples that may wait without a word.
    limit: u64,
    above: bool,
}

impl Backlog {
    /// Takes note of how many samples wait. To say that it is over, the queue
    /// must be a tenth below the limit: one that swings around it is not to
    /// fill the log.
    fn observe(&mut self, waiting: u64) -> Option<Change> {
        if !self.above && waiting > self.limit {
            self.above = true;
            return Some(Change::Above);
        }
        if self.above && waiting <= self.limit - self.limit / 10 {
            self.above = false;
            return Some(Change::Below);
        }
        None
    }
}

/// Warns whenever more than `limit` samples wait, and says when that is over.
/// Never returns.
pub(crate) async fn watch(queue: Queue, limit: u64) {
    let mut backlog = Backlog {
        limit,
        above: false,
    };
    loop {
        let waiting = queue.stats().waiting;
        match backlog.observe(waiting) {
            Some(Change::Above) => tracing::warn!(
                waiting,
                limit,
                "the queue is longer than `queue-warn-size`: samples arrive faster than they are scanned"
            ),
            Some(Change::Below) => {
                tracing::info!(waiting, limit, "the queue is below `queue-warn-size` again");
            }
            None => {}
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_crossing_is_told_once() {
        let mut backlog = Backlog {
            limit: 100,
            above: false,
        };
        for (waiting, change) in [
            (100, None),
            (101, Some(Change::Above)),
            (500, None),
            (95, None),
            (101, None),
            (90, Some(Change::Below)),
            (0, None),
            (101, Some(Change::Above)),
        ] {
            assert_eq!(backlog.observe(waiting), change, "{waiting}");
        }
    }

    #[test]
    fn the_smallest_limit_works() {
        let mut backlog = Backlog {
            limit: 1,
            above: false,
        };
        assert_eq!(backlog.observe(2), Some(Change::Above));
        assert_eq!(backlog.observe(1), Some(Change::Below));
    }
}
