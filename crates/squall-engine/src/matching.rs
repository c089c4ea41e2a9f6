//! What a rule found in the content: its strings, with offsets and context.

use squall_types::{MatchField, MatchedString};
use yara_x::Rule;

/// The most strings kept of one pattern, so that a pattern that matches
/// everywhere does not push the others out.
const PER_PATTERN_MAX: usize = 8;

/// The most strings kept of one rule.
const PER_RULE_MAX: usize = 40;

/// The most bytes kept of one string.
const DATA_MAX_BYTES: usize = 256;

/// Bytes kept on either side of a string.
pub(crate) const CONTEXT_BYTES: usize = 48;

/// Collects the strings of a rule that matched `content`, by offset.
pub(crate) fn strings(rule: &Rule<'_, '_>, content: &[u8]) -> Vec<MatchedString> {
    let mut strings: Vec<MatchedString> = rule
        .patterns()
        .flat_map(|pattern| {
            pattern
                .matches()
                .take(PER_PATTERN_MAX)
                .map(|found| string(pattern.identifier(), found.range(), content))
                .collect::<Vec<_>>()
        })
        .collect();
    strings.sort_by_key(|string| string.offset);
    strings.truncate(PER_RULE_MAX);
    strings
}

fn string(identifier: &str, range: std::ops::Range<usize>, content: &[u8]) -> MatchedString {
    let start = range.start.min(content.len());
    let end = range.end.clamp(start, content.len());
    let cut = end.min(start + DATA_MAX_BYTES);
    let context_end = content.len().min(end + CONTEXT_BYTES);
    MatchedString {
        identifier: identifier.to_owned(),
        field: MatchField::Content,
        offset: start as u64,
        data: content[start..cut].to_vec(),
        length: (end - start) as u64,
        before: content[start.saturating_sub(CONTEXT_BYTES)..start].to_vec(),
        after: content[end..context_end].to_vec(),
    }
}
