//! How many samples an hour are taken, overall and from one source.
//!
//! A token bucket: it holds an hour's samples when full and refills evenly, so
//! a sender that was silent may send an hour's worth at once and then goes on
//! at the rate. It is kept as one number, the time at which the bucket will be
//! full again (the generic cell rate algorithm). Buckets are not stored: a
//! restart fills them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::bound::Bound;

const HOUR_NS: u64 = 3_600_000_000_000;
/// Most sources with a bucket of their own. A source that is forgotten begins
/// with a full one; the names are the senders' word anyway.
const SOURCES_MAX: usize = 16_384;

/// What may be taken in an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuotaConfig {
    /// Samples of all sources together; `None` for no limit.
    pub samples_per_hour: Option<u64>,
    /// Samples of one source; `None` for no limit.
    pub samples_per_hour_per_source: Option<u64>,
}

/// The quotas, and what is left of them.
#[derive(Debug)]
pub(crate) struct Quota {
    rate: Option<Rate>,
    source_rate: Option<Rate>,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    overall: Bucket,
    sources: HashMap<String, Bucket>,
}

/// Leave to take one sample. Given back when dropped, unless
/// [spent](Token::spend).
#[derive(Debug)]
pub(crate) struct Token {
    quota: Arc<Quota>,
    source: String,
    spent: bool,
}

/// The quota is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted {
    /// Which.
    pub(crate) bound: Bound,
    /// When the next sample may come.
    pub(crate) retry_after: Duration,
}

impl Quota {
    pub(crate) fn new(config: QuotaConfig) -> Arc<Self> {
        Arc::new(Self {
            rate: config.samples_per_hour.and_then(Rate::new),
            source_rate: config.samples_per_hour_per_source.and_then(Rate::new),
            started: Instant::now(),
            state: Mutex::default(),
        })
    }

    /// Takes leave for one sample of `source`.
    pub(crate) fn take(self: &Arc<Self>, source: &str) -> Result<Token, Exhausted> {
        self.take_at(source, self.started.elapsed())
    }

    fn take_at(self: &Arc<Self>, source: &str, since_start: Duration) -> Result<Token, Exhausted> {
        let now = nanos(since_start);
        let mut state = crate::lock(&self.state);
        if let Some(rate) = self.rate {
            let taken = state.overall.take(rate, now);
            taken.map_err(|wait| Exhausted::new(Bound::Quota, wait))?;
        }
        if let Some(rate) = self.source_rate {
            let taken = state.source(source, now).take(rate, now);
            taken.map_err(|wait| {
                if let Some(rate) = self.rate {
                    state.overall.give_back(rate);
                }
                Exhausted::new(Bound::SourceQuota, wait)
            })?;
        }
        Ok(Token {
            quota: Arc::clone(self),
            source: source.to_owned(),
            spent: false,
        })
    }

    fn give_back(&self, source: &str) {
        let mut state = crate::lock(&self.state);
        if let Some(rate) = self.rate {
            state.overall.give_back(rate);
        }
        if let Some(rate) = self.source_rate
            && let Some(bucket) = state.sources.get_mut(source)
        {
            bucket.give_back(rate);
        }
    }
}

impl State {
    /// Returns the bucket of `source`.
    fn source(&mut self, source: &str, now: u64) -> &mut Bucket {
        if self.sources.len() >= SOURCES_MAX && !self.sources.contains_key(source) {
            self.forget_sources(now);
        }
        self.sources.entry(source.to_owned()).or_default()
    }

    /// Forgets the buckets that are full, and if that is not half of them,
    /// those that are nearest to it: they lose least.
    fn forget_sources(&mut self, now: u64) {
        self.sources.retain(|_, bucket| bucket.full_at > now);
        if self.sources.len() > SOURCES_MAX / 2 {
            let mut times: Vec<u64> = self.sources.values().map(|b| b.full_at).collect();
            let (_, median, _) = times.select_nth_unstable(SOURCES_MAX / 4);
            let median = *median;
            self.sources.retain(|_, bucket| bucket.full_at > median);
        }
    }
}

impl Exhausted {
    fn new(bound: Bound, wait_ns: u64) -> Self {
        Self {
            bound,
            retry_after: Duration::from_nanos(wait_ns),
        }
    }
}

impl Token {
    /// Uses the token for a sample that was taken.
    pub(crate) fn spend(mut self) {
        self.spent = true;
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        if !self.spent {
            self.quota.give_back(&self.source);
        }
    }
}

/// How fast a bucket refills.
#[derive(Clone, Copy, Debug)]
struct Rate {
    /// Nanoseconds for one sample.
    interval: u64,
    /// Nanoseconds for all the bucket holds but one.
    burst: u64,
}

impl Rate {
    /// Makes the rate of `per_hour` samples; none of 0.
    fn new(per_hour: u64) -> Option<Self> {
        let interval = HOUR_NS.checked_div(per_hour)?.max(1);
        Some(Self {
            interval,
            burst: interval.saturating_mul(per_hour - 1).min(HOUR_NS),
        })
    }
}

/// When the bucket will be full again, in nanoseconds since the start; a time
/// that has passed is as good as now.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    full_at: u64,
}

impl Bucket {
    /// Takes one sample, or tells how long it takes until there is one.
    fn take(&mut self, rate: Rate, now: u64) -> Result<(), u64> {
        let owed = self.full_at.saturating_sub(now);
        if owed > rate.burst {
            return Err(owed - rate.burst);
        }
        self.full_at = self.full_at.max(now).saturating_add(rate.interval);
        Ok(())
    }

    fn give_back(&mut self, rate: Rate) {
        self.full_at = self.full_at.saturating_sub(rate.interval);
    }
}

/// A run of 584 years would be needed for more.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn quota(overall: Option<u64>, source: Option<u64>) -> Arc<Quota> {
        Quota::new(QuotaConfig {
            samples_per_hour: overall,
            samples_per_hour_per_source: source,
        })
    }

    fn spend(quota: &Arc<Quota>, source: &str, at: Duration) -> Result<(), Exhausted> {
        quota.take_at(source, at).map(Token::spend)
    }

    #[test]
    fn an_hours_worth_may_come_at_once_and_then_goes_on_at_the_rate() {
        let quota = quota(Some(60), None);
        for _ in 0..60 {
            spend(&quota, "a", SECOND).unwrap();
        }
        let refused = spend(&quota, "b", SECOND).unwrap_err();
        assert_eq!(refused.bound, Bound::Quota);
        assert_eq!(refused.retry_after, SECOND * 60);
        // What it was told is true, and not a moment too long.
        spend(&quota, "b", SECOND * 60).unwrap_err();
        spend(&quota, "b", SECOND * 61).unwrap();
        spend(&quota, "b", SECOND * 61).unwrap_err();
        // A silent day saves up one hour, not more.
        for _ in 0..60 {
            spend(&quota, "a", SECOND * 90_000).unwrap();
        }
        spend(&quota, "a", SECOND * 90_000).unwrap_err();
    }

    #[test]
    fn sources_have_their_own_and_a_refusal_costs_the_others_nothing() {
        let quota = quota(Some(3), Some(2));
        spend(&quota, "a", SECOND).unwrap();
        spend(&quota, "a", SECOND).unwrap();
        for _ in 0..100 {
            let refused = spend(&quota, "a", SECOND).unwrap_err();
            assert_eq!(refused.bound, Bound::SourceQuota);
            assert_eq!(refused.retry_after, SECOND * 1800);
        }
        spend(&quota, "b", SECOND).unwrap();
        assert_eq!(spend(&quota, "c", SECOND).unwrap_err().bound, Bound::Quota);
    }

    #[test]
    fn what_is_not_spent_is_given_back() {
        let quota = quota(Some(2), Some(1));
        for _ in 0..10 {
            let held = quota.take_at("a", SECOND).unwrap();
            assert!(quota.take_at("a", SECOND).is_err());
            drop(held);
        }
        spend(&quota, "a", SECOND).unwrap();
        spend(&quota, "b", SECOND).unwrap();
        assert!(spend(&quota, "c", SECOND).is_err());
    }

    #[test]
    fn without_a_quota_nothing_is_counted() {
        let quota = quota(None, Some(0));
        for n in 0..100_000 {
            spend(&quota, &n.to_string(), SECOND).unwrap();
        }
        assert!(crate::lock(&quota.state).sources.is_empty());
    }

    #[test]
    fn sources_without_end_take_bounded_memory() {
        let quota = quota(None, Some(2));
        spend(&quota, "loud", SECOND).unwrap();
        spend(&quota, "loud", SECOND).unwrap();
        for n in 0..SOURCES_MAX * 3 {
            spend(&quota, &n.to_string(), SECOND).unwrap();
            assert!(crate::lock(&quota.state).sources.len() <= SOURCES_MAX);
        }
        // The one that owes most is remembered longest.
        assert!(spend(&quota, "loud", SECOND).is_err());
    }

    #[test]
    fn absurd_rates_do_not_overflow() {
        for rate in [1, 2, HOUR_NS, u64::MAX] {
            let quota = quota(Some(rate), Some(rate));
            spend(&quota, "a", Duration::MAX).unwrap();
            spend(&quota, "a", SECOND).ok();
        }
    }
}
