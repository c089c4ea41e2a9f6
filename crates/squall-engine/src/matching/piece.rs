//! A piece of a file as a matched string, with the bytes around it. Knows
//! nothing of the engine, so that lists of indicators can be fuzzed without it.

use std::ops::Range;

use squall_types::{MatchField, MatchedString};

/// The most bytes kept of one string.
const DATA_MAX_BYTES: usize = 256;

/// Bytes kept on either side of a string.
const CONTEXT_BYTES: usize = 48;

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
