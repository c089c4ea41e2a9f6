//! Counts per minute, for the histories the service shows.

use std::collections::{BTreeMap, BTreeSet};

/// Which history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum History {
    /// The most samples that waited in the durable lane within the minute.
    Queue,
    /// Samples that got their verdict within the minute.
    Samples,
    /// Requests that were denied within the minute.
    Denied,
}

impl History {
    pub(crate) const ALL: [Self; 3] = [Self::Queue, Self::Samples, Self::Denied];

    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Queue => 0,
            Self::Samples => 1,
            Self::Denied => 2,
        }
    }
}

/// Minutes that are kept: a year's. By count and not by age, so that a clock
/// that jumps does not wipe the history.
const MINUTES_MAX: usize = 366 * 24 * 60;

/// One history.
#[derive(Debug, Default)]
struct Minutes {
    values: BTreeMap<i64, u64>,
    /// Minutes that the disk does not know yet.
    dirty: BTreeSet<i64>,
    /// Minutes that the disk must forget.
    dropped: Vec<i64>,
}

/// A value of a history as the disk has to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HistoryChange {
    pub(crate) history: History,
    pub(crate) minute: i64,
    /// `None` when the minute is to be forgotten.
    pub(crate) value: Option<u64>,
}

/// All histories.
#[derive(Debug, Default)]
pub(crate) struct Histories([Minutes; 3]);

impl Histories {
    /// Takes in a value read from the disk.
    pub(crate) fn load(&mut self, history: History, minute: i64, value: u64) {
        self.minutes(history).values.insert(minute, value);
    }

    pub(crate) fn add(&mut self, history: History, minute: i64, n: u64) {
        if n > 0 {
            self.update(history, minute, |value| value.saturating_add(n));
        }
    }

    pub(crate) fn raise(&mut self, history: History, minute: i64, n: u64) {
        let known = self.minutes(history).values.get(&minute).copied();
        if n > known.unwrap_or(0) {
            self.update(history, minute, |value| value.max(n));
        }
    }

    pub(crate) fn values(&self, history: History) -> Vec<(i64, u64)> {
        let minutes = &self.0[usize::from(history.code())];
        minutes.values.iter().map(|(&at, &n)| (at, n)).collect()
    }

    /// Tells whether there is anything the disk does not know yet.
    pub(crate) fn is_dirty(&self) -> bool {
        self.0
            .iter()
            .any(|minutes| !minutes.dirty.is_empty() || !minutes.dropped.is_empty())
    }

    /// Takes out what the disk does not know yet.
    pub(crate) fn take_changes(&mut self) -> Vec<HistoryChange> {
        let mut changes = Vec::new();
        for history in History::ALL {
            let minutes = self.minutes(history);
            let change = |minute, value| HistoryChange {
                history,
                minute,
                value,
            };
            changes.extend(minutes.dropped.drain(..).map(|minute| change(minute, None)));
            for minute in std::mem::take(&mut minutes.dirty) {
                changes.push(change(minute, minutes.values.get(&minute).copied()));
            }
        }
        changes
    }

    /// Marks changes that could not be stored.
    pub(crate) fn put_back(&mut self, changes: &[HistoryChange]) {
        for change in changes {
            let minutes = self.minutes(change.history);
            match change.value {
                Some(_) => {
                    minutes.dirty.insert(change.minute);
                }
                None => minutes.dropped.push(change.minute),
            }
        }
    }

    fn update(&mut self, history: History, minute: i64, change: impl FnOnce(u64) -> u64) {
        let minutes = self.minutes(history);
        let value = minutes.values.entry(minute).or_default();
        *value = change(*value);
        minutes.dirty.insert(minute);
        if minutes.values.len() > MINUTES_MAX
            && let Some((oldest, _)) = minutes.values.pop_first()
        {
            minutes.dirty.remove(&oldest);
            minutes.dropped.push(oldest);
        }
    }

    fn minutes(&mut self, history: History) -> &mut Minutes {
        &mut self.0[usize::from(history.code())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_add_up_or_keep_the_highest() {
        let mut histories = Histories::default();
        histories.add(History::Denied, 5, 2);
        histories.add(History::Denied, 5, 3);
        histories.raise(History::Queue, 5, 7);
        histories.raise(History::Queue, 5, 4);
        assert_eq!(histories.values(History::Denied), [(5, 5)]);
        assert_eq!(histories.values(History::Queue), [(5, 7)]);
        assert_eq!(histories.values(History::Samples), []);
    }

    #[test]
    fn changes_are_taken_once_and_can_be_put_back() {
        let mut histories = Histories::default();
        histories.add(History::Samples, 1, 1);
        let changes = histories.take_changes();
        assert_eq!(changes.len(), 1);
        assert_eq!(histories.take_changes(), []);
        histories.put_back(&changes);
        assert_eq!(histories.take_changes(), changes);
    }

    #[test]
    fn the_oldest_minutes_go_beyond_a_year() {
        let mut histories = Histories::default();
        let minutes = i64::try_from(MINUTES_MAX).unwrap();
        for minute in 0..=minutes {
            histories.load(History::Samples, minute, 1);
        }
        histories.add(History::Samples, minutes + 1, 1);
        let forgotten: Vec<_> = histories
            .take_changes()
            .into_iter()
            .filter(|change| change.value.is_none())
            .map(|change| change.minute)
            .collect();
        assert_eq!(forgotten, [0]);
    }
}
