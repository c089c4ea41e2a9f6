//! How an entry lies in a segment and in the file: key, length, value.
//!
//! | bytes | what |
//! | --- | --- |
//! | 24 | the key |
//! | 4 | length of the value, little-endian; the highest bit says that it was asked for |
//! | … | the value |

use crate::{KEY_LEN, Key};

/// Bytes of an entry beside its value.
pub(crate) const HEAD_LEN: usize = KEY_LEN + 4;

/// Set in the length of an entry that was asked for since it was stored.
const ASKED_FOR: u32 = 1 << 31;

/// An entry as it lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) key: &'a Key,
    pub(crate) value: &'a [u8],
    pub(crate) asked_for: bool,
}

impl<'a> Entry<'a> {
    /// Reads the entry at the beginning of `bytes`; `None` if there is no
    /// whole one.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (key, rest) = bytes.split_first_chunk()?;
        let (len, rest) = rest.split_first_chunk()?;
        let len = u32::from_le_bytes(*len);
        let value = rest.get(..(len & !ASKED_FOR) as usize)?;
        Some(Self {
            key,
            value,
            asked_for: len & ASKED_FOR != 0,
        })
    }

    /// Bytes it takes.
    pub(crate) fn len(&self) -> usize {
        HEAD_LEN + self.value.len()
    }
}

/// Appends an entry that nobody asked for yet. `value` must be shorter than
/// 2 GiB, which no segment has room for.
pub(crate) fn append(to: &mut Vec<u8>, key: &Key, value: &[u8]) {
    let len = u32::try_from(value.len()).unwrap_or(u32::MAX) & !ASKED_FOR;
    to.extend_from_slice(key);
    to.extend_from_slice(&len.to_le_bytes());
    to.extend_from_slice(value);
}

/// Marks the entry at the beginning of `bytes` as asked for, or takes the mark
/// away.
pub(crate) fn mark(bytes: &mut [u8], asked_for: bool) {
    // The highest byte of the length.
    if let Some(byte) = bytes.get_mut(HEAD_LEN - 1) {
        *byte = (*byte & 0x7f) | (u8::from(asked_for) << 7);
    }
}

/// Goes through entries that lie one behind the other, each with its offset.
/// Ends before the first that is not whole.
pub(crate) fn each(bytes: &[u8]) -> impl Iterator<Item = (usize, Entry<'_>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let entry = Entry::read(bytes.get(at..)?)?;
        let found = (at, entry);
        at += entry.len();
        Some(found)
    })
}
