//! Scores and levels, as the contract's section 4 defines them.

use serde::{Deserialize, Serialize};

/// A finding's total score, 0 to 100.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Score(u8);

impl Score {
    /// Makes a score, clamping what is above 100.
    #[must_use]
    pub const fn new(value: u8) -> Self {
        Self(if value > 100 { 100 } else { value })
    }

    /// Returns the score as a number from 0 to 100.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }
}

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    /// Noteworthy; also used for a file that could not be scanned completely.
    Notice,
    /// Possibly dangerous.
    Warning,
    /// Malware.
    Alert,
}

impl Level {
    /// Returns the level's name as every output shows it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notice => "Notice",
            Self::Warning => "Warning",
            Self::Alert => "Alert",
        }
    }
}

/// The lowest score of each level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Lowest score that is reported at all; default 40.
    pub notice: u8,
    /// Lowest score of a Warning; default 60.
    pub warning: u8,
    /// Lowest score of an Alert; default 81.
    pub alert: u8,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            notice: 40,
            warning: 60,
            alert: 81,
        }
    }
}

/// The sub-score that at least one match must exceed for an Alert, so that
/// many weak hints never add up to one.
pub const ALERT_SUBSCORE_FLOOR: i32 = 75;

impl Thresholds {
    /// Returns the level of a finding, or `None` if it is not reported.
    ///
    /// `subscores` are the sub-scores the total was made of.
    #[must_use]
    pub fn level(&self, total: Score, subscores: &[i32]) -> Option<Level> {
        let total = total.value();
        if total >= self.alert && subscores.iter().any(|&s| s > ALERT_SUBSCORE_FLOOR) {
            Some(Level::Alert)
        } else if total >= self.warning || total >= self.alert {
            Some(Level::Warning)
        } else if total >= self.notice {
            Some(Level::Notice)
        } else {
            None
        }
    }
}

/// Combines sub-scores into a total.
///
/// Positive sub-scores are sorted in descending order and combined as
/// `100 · (1 − Π(1 − sᵢ/100/2ⁱ))`, i from 0; negative ones are then added, and
/// the result is rounded and clamped to 0..100. The source of the formula is
/// the contract, section 4.
#[must_use]
pub fn total_score(subscores: &[i32]) -> Score {
    let mut positive: Vec<f64> = subscores
        .iter()
        .filter(|&&s| s > 0)
        .map(|&s| f64::from(s.min(100)))
        .collect();
    positive.sort_by(|a, b| b.total_cmp(a));
    let mut weight = 1.0;
    let mut remaining = 1.0;
    for subscore in positive {
        remaining *= 1.0 - subscore / 100.0 * weight;
        weight /= 2.0;
    }
    let negative: f64 = subscores
        .iter()
        .filter(|&&s| s < 0)
        .map(|&s| f64::from(s))
        .sum();
    let total = (100.0 * (1.0 - remaining) + negative).clamp(0.0, 100.0);
    // The clamp above makes the value fit.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Score::new(total.round() as u8)
}

/// Returns what each sub-score adds to the total, in their order: the shares of
/// positive ones sum up to the total before the negative ones are added, which
/// are their own shares.
///
/// Of equal sub-scores the first one counts as the stronger.
#[must_use]
pub fn score_shares(subscores: &[i32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..subscores.len())
        .filter(|&at| subscores[at] > 0)
        .collect();
    order.sort_by_key(|&at| std::cmp::Reverse(subscores[at]));
    let mut shares: Vec<f64> = subscores.iter().map(|&s| f64::from(s.min(0))).collect();
    let mut weight = 1.0;
    let mut remaining = 1.0;
    for at in order {
        let after = remaining * (1.0 - f64::from(subscores[at].min(100)) / 100.0 * weight);
        shares[at] = 100.0 * (remaining - after);
        remaining = after;
        weight /= 2.0;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_example_gives_84() {
        assert_eq!(total_score(&[70, 70, 50, 40, 40]).value(), 84);
    }

    #[test]
    fn order_does_not_matter() {
        assert_eq!(
            total_score(&[40, 70, 40, 50, 70]),
            total_score(&[70, 70, 50, 40, 40])
        );
    }

    #[test]
    fn one_match_is_its_own_score() {
        for score in 0..=100 {
            assert_eq!(i32::from(total_score(&[score]).value()), score);
        }
    }

    #[test]
    fn negative_scores_are_added_and_clamped() {
        assert_eq!(total_score(&[80, -30]).value(), 50);
        assert_eq!(total_score(&[20, -30]).value(), 0);
        assert_eq!(total_score(&[-5]).value(), 0);
        assert_eq!(total_score(&[]).value(), 0);
    }

    #[test]
    fn the_shares_sum_up_to_the_total() {
        for subscores in [
            &[70, 70, 50, 40, 40][..],
            &[40, 85],
            &[80, -30],
            &[100, 100],
            &[],
        ] {
            let shares = score_shares(subscores);
            assert_eq!(shares.len(), subscores.len());
            let sum: f64 = shares.iter().sum();
            let total = f64::from(total_score(subscores).value());
            assert!((sum - total).abs() <= 0.5, "{subscores:?}: {sum} {total}");
        }
        let shares = score_shares(&[40, 80, -5]);
        assert!((shares[1] - 80.0).abs() < 1e-9, "{shares:?}");
        // Half of 40 per cent of what is left.
        assert!((shares[0] - 4.0).abs() < 1e-9, "{shares:?}");
        assert!((shares[2] + 5.0).abs() < 1e-9, "{shares:?}");
    }

    #[test]
    fn absurd_scores_are_clamped() {
        assert_eq!(total_score(&[i32::MAX]).value(), 100);
        assert_eq!(total_score(&[i32::MAX, i32::MIN]).value(), 0);
    }

    #[test]
    fn an_alert_needs_one_strong_match() {
        let thresholds = Thresholds::default();
        let weak = [70, 70, 50, 40, 40];
        assert_eq!(
            thresholds.level(total_score(&weak), &weak),
            Some(Level::Warning)
        );
        let strong = [76, 70, 50];
        assert_eq!(
            thresholds.level(total_score(&strong), &strong),
            Some(Level::Alert)
        );
        assert_eq!(
            thresholds.level(Score::new(80), &[80]),
            Some(Level::Warning)
        );
        assert_eq!(thresholds.level(Score::new(59), &[59]), Some(Level::Notice));
        assert_eq!(thresholds.level(Score::new(39), &[39]), None);
    }
}
