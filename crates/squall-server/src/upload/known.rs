//! The other digests of contents that were hashed before.
//!
//! MD5 alone takes most of the time of an upload, and the hosts of a fleet send
//! the same files. A content that came before is known by its SHA-256, which is
//! computed first; its MD5 and SHA-1 are looked up then. Nothing but what was
//! computed here gets in, so a look-up cannot be wrong.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::lock;

/// Contents in one generation; fills a table of 65,536 places of 69 bytes, so
/// both generations have 9 MB.
const GENERATION_LEN: usize = 57_344;

/// The digests beside SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Others {
    pub(crate) md5: [u8; 16],
    pub(crate) sha1: [u8; 20],
}

/// Contents that came lately, by their SHA-256.
#[derive(Debug, Default)]
pub(crate) struct KnownDigests(Mutex<Generations>);

/// When the young generation is full the old one is dropped, and what was not
/// asked for since goes with it.
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<[u8; 32], Others>,
    old: HashMap<[u8; 32], Others>,
}

impl KnownDigests {
    /// Returns the other digests of a content, if it came lately.
    pub(crate) fn get(&self, sha256: &[u8; 32]) -> Option<Others> {
        let mut generations = lock(&self.0);
        if let Some(found) = generations.young.get(sha256) {
            return Some(*found);
        }
        let found = generations.old.get(sha256).copied()?;
        generations.insert(*sha256, found);
        Some(found)
    }

    /// Remembers the other digests of a content.
    pub(crate) fn insert(&self, sha256: [u8; 32], others: Others) {
        lock(&self.0).insert(sha256, others);
    }
}

impl Generations {
    fn insert(&mut self, sha256: [u8; 32], others: Others) {
        if self.young.len() >= GENERATION_LEN {
            std::mem::swap(&mut self.young, &mut self.old);
            // Keeps its memory for the next generation.
            self.young.clear();
        }
        self.young.insert(sha256, others);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sha256(number: usize) -> [u8; 32] {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&number.to_be_bytes());
        digest
    }

    fn others(number: usize) -> Others {
        let mut others = Others {
            md5: [0; 16],
            sha1: [0; 20],
        };
        others.md5[..8].copy_from_slice(&number.to_be_bytes());
        others.sha1[..8].copy_from_slice(&number.to_le_bytes());
        others
    }

    #[test]
    fn what_came_lately_is_known_and_the_number_is_bounded() {
        let known = KnownDigests::default();
        for number in 0..3 * GENERATION_LEN {
            known.insert(sha256(number), others(number));
            // Asked for again and again, it stays.
            assert_eq!(known.get(&sha256(0)), Some(others(0)));
        }
        let last = 3 * GENERATION_LEN - 1;
        assert_eq!(known.get(&sha256(last)), Some(others(last)));
        assert_eq!(known.get(&sha256(1)), None);
        let generations = lock(&known.0);
        assert!(generations.young.len() + generations.old.len() <= 2 * GENERATION_LEN);
    }
}
