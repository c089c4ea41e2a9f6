//! Finds the name that was probably meant.

use super::original;
use super::table::settings;

/// Returns the known key that is spelled most like `key`. Our own settings
/// come first, then the original scanner's.
pub(crate) fn nearest_key(key: &str) -> &'static str {
    let ours = settings().flat_map(|setting| setting.spellings());
    let known = ours.chain(original::keys());
    let mut best = ("server-host", 0.0);
    for candidate in known {
        let likeness = strsim::normalized_damerau_levenshtein(key, candidate);
        if likeness > best.1 {
            best = (candidate, likeness);
        }
    }
    best.0
}

/// How many letters may be wrong for a name to be a misspelling of another.
const MISTAKES_MAX: usize = 2;

/// Tells whether one name is most likely a misspelling of another.
pub(crate) fn is_misspelling(name: &str, known: &str) -> bool {
    name.len().abs_diff(known.len()) <= MISTAKES_MAX
        && strsim::damerau_levenshtein(name, known) <= MISTAKES_MAX
}
