//! What was found in a file: strings, with offsets and context.

use std::ops::Range;

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
const CONTEXT_BYTES: usize = 48;

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

/// Makes a string of a piece of `whole`, the content or another field of the
/// file, with the bytes around it. A piece outside of it is cut.
pub(crate) fn string(
    identifier: &str,
    field: MatchField,
    range: Range<usize>,
    whole: &[u8],
) -> MatchedString {
    let start = range.start.min(whole.len());
    let end = range.end.clamp(start, whole.len());
    let shown = end.min(start + DATA_MAX_BYTES);
    MatchedString {
        identifier: identifier.to_owned(),
        field,
        offset: start as u64,
        data: whole[start..shown].to_vec(),
        length: (end - start) as u64,
        before: whole[start.saturating_sub(CONTEXT_BYTES)..start].to_vec(),
        // Behind all of it, not behind what is shown: reports put it there.
        after: whole[end..whole.len().min(end + CONTEXT_BYTES)].to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_has_bounded_data_and_context() {
        let whole: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let found = string("$a", MatchField::Content, 100..500, &whole);
        assert_eq!(found.offset, 100);
        assert_eq!(found.length, 400);
        assert_eq!(found.data, whole[100..356]);
        assert_eq!(found.before, whole[52..100]);
        assert_eq!(found.after, whole[500..548]);
        let outside = string("$a", MatchField::Content, 2000..3000, &whole);
        assert!(outside.data.is_empty());
    }
}
