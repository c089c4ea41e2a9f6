//! Turns counts per minute into the histories that clients ask for.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use squall_api::History;

/// Longest history, in minutes: one year.
pub(crate) const MINUTES_MAX: i64 = 366 * 24 * 60;

/// What a client asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// Minutes in one value, at least 1.
    pub(crate) aggregate: i64,
    /// Last minutes wanted; `None` for all.
    pub(crate) limit: Option<i64>,
}

/// How the values of several minutes become one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Combine {
    /// They are added up: events.
    Sum,
    /// The highest is shown: a length.
    Highest,
}

/// Counts per minute, and when counting began and ended.
pub(crate) struct Minutes {
    /// Minutes since 1970 with their counts, in time order; others are 0.
    pub(crate) counts: Vec<(i64, u64)>,
    /// The minute the service was started.
    pub(crate) started: i64,
    /// This minute.
    pub(crate) now: i64,
}

impl Minutes {
    /// Returns one value for every `span.aggregate` minutes up to now. A key is
    /// the end of its period, so that it says "up to here".
    pub(crate) fn history(&self, span: Span, combine: Combine, zone: &TimeZone) -> History {
        let first = self
            .counts
            .first()
            .map_or(self.started, |&(minute, _)| minute);
        let wanted = span.limit.unwrap_or(MINUTES_MAX).clamp(0, MINUTES_MAX);
        let begin = first.min(self.started).max(self.now - wanted + 1);
        if begin > self.now {
            return History::new();
        }
        let aggregate = span.aggregate.clamp(1, MINUTES_MAX);
        let mut values = vec![0; usize_of((self.now - begin) / aggregate + 1)];
        for &(minute, count) in &self.counts {
            if (begin..=self.now).contains(&minute) {
                let value = &mut values[usize_of((self.now - minute) / aggregate)];
                *value = combine.apply(*value, count);
            }
        }
        let mut history = History::new();
        for (periods_ago, value) in (0..).zip(values) {
            let key = key(self.now - periods_ago * aggregate + 1, zone);
            // An hour that the clocks repeat has each key twice.
            let entry = history.entry(key).or_default();
            *entry = combine.apply(*entry, value);
        }
        history
    }
}

impl Combine {
    fn apply(self, a: u64, b: u64) -> u64 {
        match self {
            Self::Sum => a.saturating_add(b),
            Self::Highest => a.max(b),
        }
    }
}

fn key(minute: i64, zone: &TimeZone) -> String {
    let time = Timestamp::from_second(minute.saturating_mul(60)).unwrap_or_default();
    let time = time.to_zoned_datetime(zone.clone());
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

/// The callers' differences are never negative and at most [`MINUTES_MAX`].
fn usize_of(minutes: i64) -> usize {
    usize::try_from(minutes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-24 08:00 UTC.
    const NOW: i64 = 1_795_507_200 / 60;

    fn history(counts: &[(i64, u64)], aggregate: i64, limit: Option<i64>) -> Vec<(String, u64)> {
        let minutes = Minutes {
            counts: counts.iter().map(|&(m, n)| (NOW + m, n)).collect(),
            started: NOW - 2,
            now: NOW,
        };
        let span = Span { aggregate, limit };
        let history = minutes.history(span, Combine::Sum, &TimeZone::UTC);
        history.into_iter().collect()
    }

    fn expected(values: &[(&str, u64)]) -> Vec<(String, u64)> {
        let full = |&(time, n): &(&str, u64)| (format!("2026-11-24 {time}"), n);
        values.iter().map(full).collect()
    }

    #[test]
    fn minutes_without_events_are_there() {
        assert_eq!(
            history(&[(-3, 7), (-1, 2)], 1, None),
            expected(&[("07:58", 7), ("07:59", 0), ("08:00", 2), ("08:01", 0)])
        );
        assert_eq!(
            history(&[], 1, None),
            expected(&[("07:59", 0), ("08:00", 0), ("08:01", 0)])
        );
    }

    #[test]
    fn values_are_aggregated_back_from_now() {
        assert_eq!(
            history(&[(-4, 1), (-3, 7), (-1, 2), (0, 5)], 2, None),
            expected(&[("07:57", 1), ("07:59", 7), ("08:01", 7)])
        );
        assert_eq!(
            history(&[(-4, 1), (0, 5)], i64::MAX, None),
            expected(&[("08:01", 6)])
        );
    }

    #[test]
    fn the_limit_cuts_the_past() {
        let counts = [(-4, 1), (-1, 2), (0, 5)];
        assert_eq!(
            history(&counts, 1, Some(2)),
            expected(&[("08:00", 2), ("08:01", 5)])
        );
        assert_eq!(history(&counts, 1, Some(0)), vec![]);
        assert_eq!(history(&counts, 1, Some(i64::MAX)).len(), 5);
    }

    #[test]
    fn the_output_is_bounded_and_the_future_is_not_shown() {
        assert_eq!(
            history(&[(-MINUTES_MAX * 3, 1), (9, 9)], 1, None).len(),
            usize_of(MINUTES_MAX)
        );
    }

    #[test]
    fn the_highest_length_is_shown() {
        let minutes = Minutes {
            counts: vec![(NOW - 1, 9), (NOW, 5)],
            started: NOW,
            now: NOW,
        };
        let span = Span {
            aggregate: 2,
            limit: None,
        };
        let history = minutes.history(span, Combine::Highest, &TimeZone::UTC);
        assert_eq!(history.into_values().collect::<Vec<_>>(), vec![9]);
    }
}
