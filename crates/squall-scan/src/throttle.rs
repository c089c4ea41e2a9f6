//! The share of a processor that a scan thread takes.
//!
//! After each file the thread sleeps as long as makes its processor time the
//! wanted share of the time that went by. Reading from a slow disk is no
//! processor time, so a thread that waits for it sleeps less.

use std::time::{Duration, Instant};

use crate::stop::Stop;

/// Shorter pauses are put off and added to the next one: the system cannot
/// sleep that short.
const PAUSE_MIN: Duration = Duration::from_millis(2);

/// How long a pause may last before the wish to stop is looked for.
const SLICE: Duration = Duration::from_millis(50);

/// Slows one thread down.
pub(crate) struct Throttle {
    percent: u8,
    clock: fn() -> Option<Duration>,
    since: Mark,
}

/// The two clocks at one moment.
#[derive(Clone, Copy)]
struct Mark {
    time: Instant,
    processor: Option<Duration>,
}

impl Throttle {
    /// Begins to measure the thread that calls it. `percent` is the share of
    /// one processor, 1 to 100; 100 never pauses.
    pub(crate) fn new(percent: u8) -> Self {
        Self::with_clock(percent, thread_time)
    }

    fn with_clock(percent: u8, clock: fn() -> Option<Duration>) -> Self {
        Self {
            percent: percent.clamp(1, 100),
            clock,
            since: Mark::now(clock),
        }
    }

    /// Sleeps as long as is due for the work since the last call.
    pub(crate) fn pause(&mut self, stop: &Stop) {
        if self.percent == 100 {
            return;
        }
        let due = self.due();
        if due.is_zero() {
            // The time that was not used is no credit for later.
            self.since = Mark::now(self.clock);
            return;
        }
        if due < PAUSE_MIN {
            return;
        }
        let end = Instant::now() + due;
        while !stop.requested() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(SLICE));
        }
        self.since = Mark::now(self.clock);
    }

    /// Returns how long the thread has to sleep now.
    fn due(&self) -> Duration {
        let elapsed = self.since.time.elapsed();
        let worked = match (self.since.processor, (self.clock)()) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            // Without that clock all time counts as work, which is on the safe
            // side.
            _ => elapsed,
        };
        (worked * 100 / u32::from(self.percent)).saturating_sub(elapsed)
    }
}

impl Mark {
    fn now(clock: fn() -> Option<Duration>) -> Self {
        Self {
            time: Instant::now(),
            processor: clock(),
        }
    }
}

/// Returns the processor time of this thread: the first number of the file, in
/// nanoseconds (Documentation/scheduler/sched-stats in the kernel's sources).
fn thread_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = text.split_ascii_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn a_quarter_of_the_time_is_three_quarters_of_sleep() {
        // Without the processor's clock, so that a busy machine changes nothing.
        let mut throttle = Throttle::with_clock(25, || None);
        let started = Instant::now();
        for _ in 0..4 {
            work(Duration::from_millis(10));
            throttle.pause(&Stop::default());
        }
        assert!(started.elapsed() >= Duration::from_millis(155));
    }

    #[test]
    fn the_full_share_never_sleeps() {
        let mut throttle = Throttle::with_clock(100, || None);
        work(Duration::from_millis(5));
        let started = Instant::now();
        throttle.pause(&Stop::default());
        assert!(started.elapsed() < Duration::from_millis(5));
    }

    #[test]
    fn waiting_is_not_work() {
        let mut throttle = Throttle::with_clock(1, || Some(Duration::from_secs(5)));
        std::thread::sleep(Duration::from_millis(5));
        let started = Instant::now();
        throttle.pause(&Stop::default());
        assert!(started.elapsed() < Duration::from_millis(50));
    }

    #[test]
    fn a_pause_ends_when_the_scan_is_to_end() {
        let mut throttle = Throttle::with_clock(1, || None);
        work(Duration::from_millis(20));
        let stop = Stop::default();
        stop.request();
        let started = Instant::now();
        throttle.pause(&stop);
        assert!(started.elapsed() < Duration::from_millis(500));
    }
}
