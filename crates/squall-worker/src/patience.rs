//! How often a sample is handed back before it is given up.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use squall_types::SampleId;

/// Counts, for each sample, how often it was handed back because something was
/// lacking that may be there again soon. Forgotten at a restart, which may well
/// have changed that.
#[derive(Default)]
pub(crate) struct Patience(Mutex<HashMap<SampleId, u32>>);

impl Patience {
    /// How often a sample is handed back; with the pause after each, some ten
    /// seconds.
    const TIMES_MAX: u32 = 10;
    /// Samples counted at a time. With more than these in trouble at once it is
    /// not the samples, and the counts may begin anew.
    const SAMPLES_MAX: usize = 4096;

    /// Notes that a sample is about to be handed back. Returns false when that
    /// happened often enough; it is forgotten then.
    pub(crate) fn may_try_again(&self, id: SampleId) -> bool {
        let mut counts = self.lock();
        if counts.len() >= Self::SAMPLES_MAX && !counts.contains_key(&id) {
            counts.clear();
        }
        let count = counts.entry(id).or_default();
        *count += 1;
        let may = *count <= Self::TIMES_MAX;
        if !may {
            counts.remove(&id);
        }
        may
    }

    /// Forgets a sample that has its verdict.
    pub(crate) fn forget(&self, id: SampleId) {
        let mut counts = self.lock();
        // Mostly there is none, and no room for one either.
        if !counts.is_empty() {
            counts.remove(&id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SampleId, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_given_up_after_some_times_and_not_before() {
        let patience = Patience::default();
        let [one, other] = [1, 2].map(|id| SampleId::new(id).expect("an id"));
        for _ in 0..Patience::TIMES_MAX {
            assert!(patience.may_try_again(one));
        }
        assert!(patience.may_try_again(other));
        assert!(!patience.may_try_again(one));
        patience.forget(other);
        assert!(patience.lock().is_empty());
    }

    #[test]
    fn the_table_is_bounded() {
        let patience = Patience::default();
        for id in 1..=10_000 {
            patience.may_try_again(SampleId::new(id).expect("an id"));
        }
        assert!(patience.lock().len() <= Patience::SAMPLES_MAX);
    }
}
