//! How many findings there were, by level and by rule.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Finding, Level, Outcome};

/// Rules that are shown one by one.
const SHOWN_MAX: usize = 100;
/// Rules that are counted, so that those with most findings are shown.
const COUNTED_MAX: usize = 10_000;
/// How many times as many findings a rule needs to take the place of one that
/// is shown: places are not to change all the time.
const OVERTAKES_BY: u64 = 2;

/// Counts of findings since the start; shared by those who scan and those who
/// show it. However many rules there are, what is shown is bounded, and no count
/// ever falls.
#[derive(Debug, Default)]
pub struct FindingCounts {
    levels: [AtomicU64; 3],
    rules: Mutex<Rules>,
}

#[derive(Debug, Default)]
struct Rules {
    /// All findings of each rule, shown or not.
    counted: HashMap<Box<str>, u64>,
    /// Findings since the rule is shown.
    shown: HashMap<Box<str>, u64>,
    /// Findings of rules that were not shown at that time.
    other: u64,
}

/// How many findings rules had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleCounts {
    /// By the name of the rule, or the kind of a signature without one. A rule
    /// that had few findings when it was first seen counts from later on.
    pub rules: Vec<(String, u64)>,
    /// All others.
    pub other: u64,
}

impl FindingCounts {
    /// Counts the findings of a sample.
    pub fn count(&self, outcome: &Outcome) {
        for finding in &outcome.findings {
            self.levels[finding.level as usize].fetch_add(1, Ordering::Relaxed);
        }
        if !outcome.findings.is_empty() {
            let mut rules = self.lock();
            let names = outcome.findings.iter().flat_map(names_of);
            names.for_each(|name| rules.count(name));
        }
    }

    /// Returns how many findings of a level there were.
    #[must_use]
    pub fn of_level(&self, level: Level) -> u64 {
        self.levels[level as usize].load(Ordering::Relaxed)
    }

    /// Returns how many findings rules had, in the order of their names.
    #[must_use]
    pub fn by_rule(&self) -> RuleCounts {
        let rules = self.lock();
        let shown = rules.shown.iter();
        let mut shown: Vec<_> = shown.map(|(name, n)| (name.to_string(), *n)).collect();
        shown.sort();
        RuleCounts {
            rules: shown,
            other: rules.other,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Rules> {
        // Nothing panics while it is held.
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rules {
    fn count(&mut self, name: &str) {
        if !self.counted.contains_key(name) && self.counted.len() < COUNTED_MAX {
            self.counted.insert(name.into(), 0);
        }
        let total = self.counted.get_mut(name).map_or(0, |total| {
            *total += 1;
            *total
        });
        if let Some(shown) = self.shown.get_mut(name) {
            *shown += 1;
        } else if total > 0 && self.has_place_for(total) {
            self.shown.insert(name.into(), 1);
        } else {
            self.other += 1;
        }
    }

    /// Makes room for a rule with so many findings, if there is none and it has
    /// many more than one that is shown.
    fn has_place_for(&mut self, total: u64) -> bool {
        if self.shown.len() < SHOWN_MAX {
            return true;
        }
        let total_of = |name: &str| self.counted.get(name).copied().unwrap_or_default();
        let least = self.shown.keys().min_by_key(|name| total_of(name));
        let Some(least) = least.filter(|name| total >= total_of(name) * OVERTAKES_BY) else {
            return false;
        };
        let least = least.clone();
        self.shown.remove(&least);
        true
    }
}

/// What a finding's signatures are counted under.
fn names_of(finding: &Finding) -> impl Iterator<Item = &str> {
    finding.matches.iter().map(|found| {
        if found.rule_name.is_empty() {
            found.kind.name()
        } else {
            found.rule_name.as_str()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FileFacts, Match, Score, SignatureKind, SignatureOrigin};

    fn found(rule: &str) -> Outcome {
        let found = Match {
            kind: SignatureKind::HashIoc,
            origin: SignatureOrigin::Internal,
            rule_name: rule.to_owned(),
            description: String::new(),
            author: None,
            references: Vec::new(),
            date: None,
            id: None,
            false_positives: Vec::new(),
            tags: Vec::new(),
            subscore: 80,
            strings: Vec::new(),
        };
        Outcome {
            findings: vec![Finding {
                level: Level::Warning,
                score: Score::new(80),
                file: FileFacts::default(),
                parent: None,
                matches: vec![found],
            }],
            ..Outcome::default()
        }
    }

    fn shown(counts: &FindingCounts, rule: &str) -> Option<u64> {
        let rules = counts.by_rule().rules;
        rules.iter().find(|(name, _)| name == rule).map(|(_, n)| *n)
    }

    #[test]
    fn levels_and_rules_are_counted_and_a_signature_without_a_name_by_its_kind() {
        let counts = FindingCounts::default();
        for rule in ["A", "A", ""] {
            counts.count(&found(rule));
        }
        counts.count(&Outcome::default());
        assert_eq!(counts.of_level(Level::Warning), 3);
        assert_eq!(counts.of_level(Level::Alert), 0);
        let rules = vec![("A".to_owned(), 2), ("Hash IOC".to_owned(), 1)];
        assert_eq!(counts.by_rule(), RuleCounts { rules, other: 0 });
    }

    #[test]
    fn rules_beyond_the_bound_are_one_until_they_overtake() {
        let counts = FindingCounts::default();
        for number in 0..SHOWN_MAX + 1 {
            for _ in 0..3 {
                counts.count(&found(&format!("rule {number:03}")));
            }
        }
        let late = format!("rule {SHOWN_MAX:03}");
        let before = counts.by_rule();
        assert_eq!((before.rules.len(), before.other), (SHOWN_MAX, 3));
        assert_eq!(shown(&counts, &late), None);
        for _ in 0..3 {
            counts.count(&found(&late));
        }
        let after = counts.by_rule();
        // The sixth is twice the three of the others; what came before stays
        // where it was counted.
        assert_eq!((after.rules.len(), after.other), (SHOWN_MAX, 5));
        assert_eq!(shown(&counts, &late), Some(1));
    }

    #[test]
    fn no_number_of_rules_takes_more_than_its_share_of_memory() {
        let counts = FindingCounts::default();
        for number in 0..COUNTED_MAX + 50 {
            counts.count(&found(&format!("rule {number}")));
        }
        assert_eq!(counts.lock().counted.len(), COUNTED_MAX);
        let by_rule = counts.by_rule();
        assert_eq!(by_rule.rules.len(), SHOWN_MAX);
        assert_eq!(by_rule.other as usize, COUNTED_MAX + 50 - SHOWN_MAX);
    }
}
