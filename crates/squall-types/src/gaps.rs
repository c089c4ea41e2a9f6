//! How often samples were not looked at completely, and why.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{IncompleteReason, Outcome};

/// Counts of what could not be looked at, by reason; shared by those who scan
/// and those who show it.
#[derive(Debug, Default)]
pub struct GapCounts([AtomicU64; IncompleteReason::ALL.len()]);

impl GapCounts {
    /// Counts every place in a sample that was not looked at.
    pub fn count(&self, outcome: &Outcome) {
        for gap in &outcome.incomplete {
            self.of(gap.reason).fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns how often a reason was given.
    #[must_use]
    pub fn get(&self, reason: IncompleteReason) -> u64 {
        self.of(reason).load(Ordering::Relaxed)
    }

    fn of(&self, reason: IncompleteReason) -> &AtomicU64 {
        // Both are in the order of the declaration.
        &self.0[reason as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Incomplete;

    /// The counters are as many as there are in the list: one that is missing
    /// there would have none.
    #[test]
    fn the_list_of_reasons_is_whole() {
        let last = IncompleteReason::Unreadable;
        assert_eq!(last as usize + 1, IncompleteReason::ALL.len());
        for (index, reason) in IncompleteReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index, "{reason:?}");
        }
        assert_eq!(GapCounts::default().get(last), 0);
    }

    #[test]
    fn each_reason_has_its_own_count() {
        let counts = GapCounts::default();
        for (index, reason) in IncompleteReason::ALL.into_iter().enumerate() {
            let gap = Incomplete {
                path: String::new(),
                reason,
                description: String::new(),
            };
            counts.count(&Outcome {
                incomplete: vec![gap; index],
                ..Outcome::default()
            });
        }
        for (index, reason) in IncompleteReason::ALL.into_iter().enumerate() {
            assert_eq!(counts.get(reason), index as u64, "{reason:?}");
        }
    }
}
