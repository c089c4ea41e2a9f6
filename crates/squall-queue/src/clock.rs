//! The wall clock, in the units the queue stores.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Microseconds since 1970-01-01 UTC.
pub(crate) fn now_us() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Minutes since 1970-01-01 UTC.
pub(crate) fn now_minute() -> i64 {
    now_us() / 60_000_000
}

/// Time since `then_us`; none when the clock was set back meanwhile.
pub(crate) fn since(then_us: i64) -> Duration {
    Duration::from_micros(u64::try_from(now_us().saturating_sub(then_us)).unwrap_or(0))
}

/// A duration in microseconds.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
