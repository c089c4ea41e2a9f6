//! A compact sorted table from digests to notes.
//!
//! An entry is the digest and four bytes, nothing else: ten million SHA-256
//! digests take 360 MB. The whole digest is kept. A shortened one would save
//! memory, but the table also holds trusted digests, and there a collision
//! that an attacker can compute would hide malware.

use crate::ioc::notes::NoteId;

/// A digest and the number of its note, big-endian, so that entries compare as
/// their bytes do. Arrays of bytes leave no gaps between entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry<const N: usize> {
    digest: [u8; N],
    note: [u8; 4],
}

/// Digests of one kind.
#[derive(Debug)]
pub(super) struct Table<const N: usize> {
    entries: Vec<Entry<N>>,
}

impl<const N: usize> Default for Table<N> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
        }
    }
}

impl<const N: usize> Table<N> {
    /// Returns how many digests there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the note of a digest, if it is in the table.
    pub(super) fn find(&self, digest: &[u8; N]) -> Option<NoteId> {
        let at = self
            .entries
            .binary_search_by(|entry| entry.digest.cmp(digest))
            .ok()?;
        Some(NoteId(u32::from_be_bytes(self.entries[at].note)))
    }

    /// Returns the memory that the entries take.
    #[cfg(test)]
    pub(super) fn allocated_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry<N>>()
    }
}

/// Collects digests of one kind.
pub(super) struct TableBuilder<const N: usize> {
    // Grows as vectors do. The part that is not used yet is never touched, and
    // moving a large vector moves no bytes with the usual allocators, so that
    // building a table takes little more memory than the table.
    entries: Vec<Entry<N>>,
}

impl<const N: usize> Default for TableBuilder<N> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
        }
    }
}

impl<const N: usize> TableBuilder<N> {
    /// Adds a digest given as `2 * N` hexadecimal digits.
    pub(super) fn push_hex(&mut self, digits: &[u8], note: NoteId) {
        debug_assert_eq!(digits.len(), 2 * N, "digits of a digest");
        let mut digest = [0; N];
        for (byte, pair) in digest.iter_mut().zip(digits.as_chunks::<2>().0) {
            *byte = nibble(pair[0]) << 4 | nibble(pair[1]);
        }
        self.push(digest, note);
    }

    fn push(&mut self, digest: [u8; N], note: NoteId) {
        self.entries.push(Entry {
            digest,
            note: note.0.to_be_bytes(),
        });
    }

    /// Sorts the digests and keeps one entry of each, that of the highest
    /// score; of equal scores the one that was noted first.
    pub(super) fn build(self, score: impl Fn(NoteId) -> i8) -> Table<N> {
        let mut entries = self.entries;
        entries.sort_unstable();
        let score = |entry: &Entry<N>| score(NoteId(u32::from_be_bytes(entry.note)));
        entries.dedup_by(|later, kept| {
            let same = later.digest == kept.digest;
            if same && score(later) > score(kept) {
                kept.note = later.note;
            }
            same
        });
        entries.shrink_to_fit();
        Table { entries }
    }
}

/// The value of every hexadecimal digit, 0 for anything else, which the reader
/// of the list has refused before.
const NIBBLES: [u8; 256] = {
    let mut nibbles = [0; 256];
    let mut value = 0;
    while value < 16 {
        nibbles[b"0123456789abcdef"[value] as usize] = value as u8;
        nibbles[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    nibbles
};

fn nibble(digit: u8) -> u8 {
    NIBBLES[usize::from(digit)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_no_gaps() {
        assert_eq!(size_of::<Entry<32>>(), 36);
        assert_eq!(size_of::<Entry<20>>(), 24);
        assert_eq!(size_of::<Entry<16>>(), 20);
    }

    #[test]
    fn every_digest_is_found_and_no_other() {
        let mut builder = TableBuilder::<16>::default();
        // In no order.
        let digest = |i: u32| u128::from(i.wrapping_mul(2_654_435_761)).to_be_bytes();
        for i in 0..200_000 {
            builder.push(digest(i), NoteId(i));
        }
        let table = builder.build(|_| 0);
        assert_eq!(table.len(), 200_000);
        assert_eq!(table.allocated_bytes(), 200_000 * 20);
        for i in (0..200_000).step_by(97) {
            assert_eq!(table.find(&digest(i)), Some(NoteId(i)));
        }
        for i in (200_000..400_000).step_by(97) {
            assert_eq!(table.find(&digest(i)), None);
        }
    }

    #[test]
    fn duplicates_keep_the_highest_score() {
        let scores = [70, 90, 90, 50];
        let mut builder = TableBuilder::<16>::default();
        for note in [3, 0, 2, 1, 3] {
            builder.push([7; 16], NoteId(note));
        }
        let table = builder.build(|note| scores[note.0 as usize]);
        assert_eq!(table.len(), 1);
        assert_eq!(table.find(&[7; 16]), Some(NoteId(1)));
    }

    #[test]
    fn hexadecimal_digits_are_read_in_either_case() {
        let mut builder = TableBuilder::<16>::default();
        builder.push_hex(b"000102030405060708090a0B0c0D0e0F", NoteId(4));
        let table = builder.build(|_| 0);
        let digest = std::array::from_fn(|i| u8::try_from(i).expect("small"));
        assert_eq!(table.find(&digest), Some(NoteId(4)));
        assert_eq!(Table::<16>::default().find(&digest), None);
    }
}
