//! Scanning the first part of a file whose scan took too long: the engine tells
//! nothing of a scan that it broke off.
//!
//! What a rule says of a part it need not say of the whole, so each match is
//! marked. First the rest of the file is there as zeros, so that conditions on
//! the file's size are asked of its real size; where that takes too long as
//! well, as loops over all of a file do, a smaller part is scanned alone.

use std::borrow::Cow;
use std::time::Duration;

use squall_types::Match;
use yara_x::{Rule, Scanner};

use crate::set::SignatureSet;

/// What is scanned, one after the other, until something ends in time.
const PARTS: [Part; 2] = [
    Part {
        share: 4,
        keeps_size: true,
    },
    Part {
        share: 64,
        keeps_size: false,
    },
];

/// The share of the time limit that the scan of each part may take beyond it.
const TIME_SHARE: u32 = 4;

/// The first of so many equal parts of a file.
struct Part {
    share: usize,
    /// Whether zeros stand for the rest.
    keeps_size: bool,
}

/// Asks the rules about the first part of a file that took longer than
/// `time_max`. Returns what matched and the length of the part in bytes, or
/// `None` if that took too long as well.
pub(super) fn scan(
    set: &SignatureSet,
    scanner: &mut Scanner<'_>,
    content: &[u8],
    time_max: Duration,
) -> Option<(Vec<Match>, usize)> {
    // The engine takes no time limit of nothing.
    scanner.set_timeout((time_max / TIME_SHARE).max(Duration::from_secs(1)));
    for part in PARTS {
        let len = content.len() / part.share;
        if len == 0 {
            break;
        }
        let scanned = part.of(content);
        if let Ok(results) = scanner.scan(&scanned) {
            let mut matches =
                super::rule_matches(set, &results, &scanned, |rule| is_within(rule, len));
            for found in &mut matches {
                found.false_positives.push(note(len, content.len()));
            }
            return Some((matches, len));
        }
    }
    None
}

impl Part {
    fn of<'c>(&self, content: &'c [u8]) -> Cow<'c, [u8]> {
        let part = &content[..content.len() / self.share];
        if !self.keeps_size {
            return Cow::Borrowed(part);
        }
        // Memory that is only read as zeros takes no room.
        let mut whole = vec![0; content.len()];
        whole[..part.len()].copy_from_slice(part);
        Cow::Owned(whole)
    }
}

/// Tells whether no string of a rule is in the zeros.
fn is_within(rule: &Rule<'_, '_>, len: usize) -> bool {
    rule.patterns()
        .flat_map(|pattern| pattern.matches())
        .all(|found| found.range().end <= len)
}

fn note(len: usize, whole: usize) -> String {
    format!(
        "the rule saw only the first {len} of {whole} bytes, where a condition on what is absent \
         or on the end of the file can hold by mistake"
    )
}
