//! What was found in a file: strings, with offsets and context.

mod piece;

use squall_types::{MatchField, MatchedString};
use yara_x::Rule;

pub(crate) use piece::string;

/// The most strings kept of one pattern, so that a pattern that matches
/// everywhere does not push the others out.
const PER_PATTERN_MAX: usize = 8;

/// The most strings kept of one rule.
const PER_RULE_MAX: usize = 40;

/// Collects the strings of a rule that matched `content`, by offset.
pub(crate) fn strings(rule: &Rule<'_, '_>, content: &[u8]) -> Vec<MatchedString> {
    let mut strings: Vec<MatchedString> = rule
        .patterns()
        .flat_map(|pattern| {
            pattern
                .matches()
                .take(PER_PATTERN_MAX)
                .map(|found| {
                    string(
                        pattern.identifier(),
                        MatchField::Content,
                        found.range(),
                        content,
                    )
                })
                .collect::<Vec<_>>()
        })
        .collect();
    strings.sort_by_key(|string| string.offset);
    strings.truncate(PER_RULE_MAX);
    strings
}
