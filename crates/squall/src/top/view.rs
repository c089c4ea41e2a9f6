//! What is known of the service: what it said last, and how fast it goes.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::ask::State;

/// Over how long rates are taken: long enough to be steady, short enough to
/// follow.
const RATE_WINDOW: Duration = Duration::from_secs(5);

/// What is known of the service.
pub(super) struct View {
    pub(super) url: String,
    /// What it said last; nothing before it said anything.
    pub(super) state: Option<State>,
    counts: VecDeque<(Instant, Counts)>,
}

/// Counts that only grow, unless the service was started anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    accepted: u64,
    scanned: u64,
    denied: u64,
}

/// How fast counts grow, per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rates {
    pub(super) accepted: f64,
    pub(super) scanned: f64,
    pub(super) denied: f64,
}

impl View {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            state: None,
            counts: VecDeque::new(),
        }
    }

    /// Takes note of what the service said.
    pub(super) fn update(&mut self, state: State) {
        match &state.overview {
            Ok(overview) => {
                let samples = &overview.samples;
                let counts = Counts {
                    accepted: samples.accepted,
                    scanned: samples.scanned,
                    denied: samples.denied,
                };
                self.note(state.at, counts);
            }
            Err(_) => self.counts.clear(),
        }
        self.state = Some(state);
    }

    fn note(&mut self, at: Instant, counts: Counts) {
        self.counts.push_back((at, counts));
        while self.counts.len() > 2 && at.duration_since(self.counts[1].0) >= RATE_WINDOW {
            self.counts.pop_front();
        }
    }

    /// Returns how fast it went in the last seconds; `None` before that can be
    /// told.
    pub(super) fn rates(&self) -> Option<Rates> {
        let (first, before) = self.counts.front()?;
        let (last, now) = self.counts.back()?;
        let seconds = last.duration_since(*first).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a few digits are shown")]
        let rate = |before: u64, now: u64| now.saturating_sub(before) as f64 / seconds;
        (seconds > 0.0).then(|| Rates {
            accepted: rate(before.accepted, now.accepted),
            scanned: rate(before.scanned, now.scanned),
            denied: rate(before.denied, now.denied),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_last_seconds() {
        let start = Instant::now();
        let mut view = View::new("http://x");
        assert_eq!(view.rates(), None);
        for second in 0..20 {
            // A hundred a second, then none.
            let scanned = second.min(10) * 100;
            let counts = Counts {
                scanned,
                ..Counts::default()
            };
            view.note(start + Duration::from_secs(second), counts);
            match second {
                0 => assert_eq!(view.rates(), None),
                1..=10 => assert_eq!(view.rates().map(|r| r.scanned), Some(100.0)),
                16.. => assert_eq!(view.rates().map(|r| r.scanned), Some(0.0)),
                _ => {}
            }
        }
        assert!(view.counts.len() < 10);
    }
}
