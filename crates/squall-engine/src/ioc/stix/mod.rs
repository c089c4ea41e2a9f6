//! STIX v2 bundles: indicators with a pattern on `file:`.
//!
//! Understood are `file:name`, `file:parent_directory_ref.path` (`=`, `!=`,
//! `IN`, `LIKE`, `MATCHES`, each with `NOT`), `file:hashes` with MD5, SHA-1 and
//! SHA-256 (`=`, `!=`, `IN`) and `file:size` (all comparisons), joined by `AND`,
//! `OR` and parentheses, inside of brackets and around them. All of a pattern
//! is asked of one file. Names are compared as written; a name with a
//! separator in it is compared with the whole path.
//!
//! An alternative that a file cannot be asked (an address, a registry key) is
//! left out, and the rest of the pattern is used; the indicator is reported
//! with the reason. What must hold besides something that cannot be asked
//! takes the indicator with it.
//!
//! The score is the indicator's `x_score`, else its `confidence` if that is
//! not 0, else 75. `revoked` indicators are not used. `valid_until` is not
//! looked at: evidence is older than the indicator that finds it.

mod bundle;
mod eval;
mod lexer;
mod name_answers;
mod parser;
mod test;

use std::collections::HashMap;

use squall_types::{Match, MatchField, SignatureOrigin};

use self::bundle::Indicator;
pub(crate) use self::eval::StixFacts;
use self::eval::Trigger;
use self::name_answers::NameTests;
use self::parser::Subject;
use super::found;
use super::lines::FileProblems;
use crate::Severity;

/// The most indicators that are loaded.
const INDICATORS_MAX: usize = 1_000_000;

/// The most reasons told of one indicator.
const REASONS_MAX: usize = 3;

/// STIX IOCs.
#[derive(Debug, Default)]
pub(super) struct Stix {
    indicators: Vec<Indicator>,
    // Most patterns can match only a file with a certain digest or name.
    by_trigger: HashMap<Trigger, Vec<u32>>,
    // The others are asked of every file.
    without_trigger: Vec<u32>,
    name_tests: NameTests,
}

impl Stix {
    /// Returns how many indicators there are.
    pub(super) fn len(&self) -> usize {
        self.indicators.len()
    }

    /// Hands the answers to all that patterns ask of a path to `add`; false if
    /// they ask too much.
    pub(super) fn name_answers(&self, path: &str, add: impl FnMut(&[u8])) -> bool {
        self.name_tests.answers(path, add)
    }

    /// Returns a match for every indicator whose pattern holds for a file.
    pub(super) fn matches(&self, facts: &StixFacts<'_>) -> Vec<Match> {
        let mut numbers = self.without_trigger.clone();
        if !self.by_trigger.is_empty() {
            for trigger in triggers_of(facts) {
                numbers.extend(self.by_trigger.get(&trigger).into_iter().flatten());
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        let mut matches: Vec<Match> = numbers
            .into_iter()
            .map(|number| &self.indicators[number as usize])
            .filter(|indicator| indicator.pattern.holds(facts))
            .map(|indicator| {
                let mut found = indicator.about.clone();
                indicator.pattern.explain(facts, &mut found.strings);
                found
            })
            .collect();
        matches.sort_by_key(|found| -found.subscore);
        matches.truncate(found::MATCHES_MAX);
        matches
    }
}

fn triggers_of(facts: &StixFacts<'_>) -> [Trigger; 5] {
    let digest = |field| Trigger::Digest(facts.digest(field).to_vec());
    let text = |subject| Trigger::Text(facts.text(subject).to_owned());
    [
        digest(MatchField::Md5),
        digest(MatchField::Sha1),
        digest(MatchField::Sha256),
        text(Subject::Name),
        text(Subject::Path),
    ]
}

/// Collects STIX IOCs.
#[derive(Default)]
pub(super) struct StixBuilder {
    stix: Stix,
}

impl StixBuilder {
    /// Reads a bundle.
    pub(super) fn add(
        &mut self,
        content: &[u8],
        origin: SignatureOrigin,
        problems: &mut FileProblems<'_>,
    ) {
        let objects = match bundle::objects(content) {
            Ok(objects) => objects,
            Err(error) => {
                return problems.push(error.line(), None, error.severity(), error.to_string());
            }
        };
        let authors = bundle::authors(&objects);
        let mut count = 0_usize;
        for object in objects.iter().filter(|object| bundle::is_indicator(object)) {
            count += 1;
            let id = bundle::id(object);
            if self.stix.indicators.len() >= INDICATORS_MAX {
                let reason = format!("more than {INDICATORS_MAX} indicators");
                problems.push(None, Some(id), Severity::Skipped, reason);
                break;
            }
            match Indicator::of(object, origin, &authors) {
                Ok((indicator, reasons)) => {
                    warn(&indicator, &reasons, id, problems);
                    self.insert(indicator);
                }
                Err(error) => problems.push(None, Some(id), Severity::Skipped, error.to_string()),
            }
        }
        if count == 0 {
            let reason = "the bundle holds no indicators".to_owned();
            problems.push(None, None, Severity::Warning, reason);
        }
    }

    fn insert(&mut self, indicator: Indicator) {
        let number = u32::try_from(self.stix.indicators.len()).unwrap_or(u32::MAX);
        match indicator.pattern.triggers() {
            Some(triggers) => {
                for trigger in triggers {
                    self.stix
                        .by_trigger
                        .entry(trigger)
                        .or_default()
                        .push(number);
                }
            }
            None => self.stix.without_trigger.push(number),
        }
        self.stix.name_tests.add(&indicator.pattern);
        self.stix.indicators.push(indicator);
    }

    /// Ends the collection.
    pub(super) fn build(self) -> Stix {
        self.stix
    }
}

/// Reports what the author of an indicator that is used should know.
fn warn(indicator: &Indicator, reasons: &[String], id: String, problems: &mut FileProblems<'_>) {
    if !reasons.is_empty() {
        let reason = format!("a part is not used: {}", join(reasons));
        problems.push(None, Some(id.clone()), Severity::Warning, reason);
    }
    if indicator.pattern.only_excludes() {
        let reason = "the pattern only excludes: nearly every file matches it".to_owned();
        problems.push(None, Some(id), Severity::Warning, reason);
    }
}

fn join(reasons: &[String]) -> String {
    let mut text = reasons
        .iter()
        .take(REASONS_MAX)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("; ");
    if let Some(more) = reasons.len().checked_sub(REASONS_MAX)
        && more > 0
    {
        text.push_str(&format!("; {more} more"));
    }
    text
}

#[cfg(test)]
mod tests;
