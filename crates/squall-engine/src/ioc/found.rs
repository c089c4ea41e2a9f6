//! What was found where: hits by indicator, and the strings made of them.

use std::collections::HashMap;
use std::ops::Range;

use squall_types::{MatchField, MatchedString};

use crate::digest::hex;
use crate::matching;

/// The most strings kept of one indicator, so that one that is everywhere does
/// not push the others out; as for the patterns of YARA rules.
pub(super) const STRINGS_PER_MATCH_MAX: usize = 8;

/// The most matches of one kind of indicator on one file; the highest scores
/// are kept. A copy of an IOC list would otherwise report all of it.
pub(super) const MATCHES_MAX: usize = 100;

/// Makes a string of a digest: its hexadecimal digits.
pub(super) fn digest(field: MatchField, digest: &[u8]) -> MatchedString {
    let digits = hex(digest).into_bytes();
    MatchedString {
        identifier: String::new(),
        field,
        offset: 0,
        length: digits.len() as u64,
        data: digits,
        before: Vec::new(),
        after: Vec::new(),
    }
}

/// Where indicators were found in the content, by their number.
#[derive(Default)]
pub(super) struct Hits {
    ranges: HashMap<usize, Vec<Range<usize>>>,
}

impl Hits {
    /// Notes that an indicator was found.
    pub(super) fn add(&mut self, indicator: usize, range: Range<usize>) {
        let ranges = self.ranges.entry(indicator).or_default();
        // Two ways of looking may come to one place.
        if ranges.len() < STRINGS_PER_MATCH_MAX && !ranges.contains(&range) {
            ranges.push(range);
        }
    }

    /// Returns the indicators of the highest scores, with where they were
    /// found; equal ones in the order of their numbers.
    pub(super) fn into_best(self, score: impl Fn(usize) -> i32) -> Vec<(usize, Vec<Range<usize>>)> {
        let mut best: Vec<_> = self.ranges.into_iter().collect();
        best.sort_by_key(|&(indicator, _)| (-score(indicator), indicator));
        best.truncate(MATCHES_MAX);
        for (_, ranges) in &mut best {
            ranges.sort_by_key(|range| range.start);
        }
        best
    }
}

/// Makes the strings of a match of where it was found in the content.
pub(super) fn strings(ranges: Vec<Range<usize>>, content: &[u8]) -> Vec<MatchedString> {
    ranges
        .into_iter()
        .map(|range| matching::string("", MatchField::Content, range, content))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_are_bounded_and_the_best_come_first() {
        let mut hits = Hits::default();
        for at in (0..100).rev() {
            hits.add(7, at..at + 1);
        }
        for indicator in 1000..1200 {
            hits.add(indicator, 0..1);
            hits.add(indicator, 0..1);
        }
        let best = hits.into_best(|i| if i == 7 { 90 } else { 50 });
        assert_eq!(best.len(), MATCHES_MAX);
        assert_eq!(best[0].0, 7);
        assert_eq!(best[0].1.len(), STRINGS_PER_MATCH_MAX);
        assert_eq!(best[0].1[0], 92..93);
        assert_eq!((best[1].0, best[1].1.len()), (1000, 1));
    }
}
