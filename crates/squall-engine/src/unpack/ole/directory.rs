//! The directory of a compound file.

use crate::unpack::fields::{u16_at, u32_at, u64_at};

/// Entries read; installers have some thousands.
pub(super) const ENTRIES_MAX: usize = 100_000;

const ENTRY_BYTES: usize = 128;
const NO_ENTRY: u32 = u32::MAX;
const ROOT: usize = 0;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Root,
    Storage,
    Stream,
    Unused,
}

/// A storage or a stream.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The storage it is in; `None` for the root, and for what no storage
    /// lists.
    pub(super) parent: Option<usize>,
    /// What a storage holds.
    pub(super) children: Vec<usize>,
    /// The first sector of a stream.
    pub(super) start: u32,
    /// Bytes of a stream, as the directory says.
    pub(super) size: u64,
    left: u32,
    right: u32,
    child: u32,
}

/// Reads all entries and puts each into its storage.
pub(super) fn read(directory: &[u8], has_large_sizes: bool) -> Vec<Entry> {
    let mut entries: Vec<Entry> = directory
        .chunks_exact(ENTRY_BYTES)
        .take(ENTRIES_MAX)
        .map_while(|bytes| entry(bytes, has_large_sizes))
        .collect();
    place(&mut entries);
    // A stream that no storage lists is seen by no other program, unless its
    // directory is damaged; then it is found in the root.
    for (index, entry) in entries.iter_mut().enumerate() {
        if index != ROOT && entry.parent.is_none() && entry.kind != Kind::Unused {
            entry.parent = Some(ROOT);
        }
    }
    for index in 0..entries.len() {
        if let Some(parent) = entries[index].parent {
            entries[parent].children.push(index);
        }
    }
    entries
}

fn entry(bytes: &[u8], has_large_sizes: bool) -> Option<Entry> {
    let kind = match bytes.get(66)? {
        1 => Kind::Storage,
        2 => Kind::Stream,
        5 => Kind::Root,
        _ => Kind::Unused,
    };
    let size = if has_large_sizes {
        u64_at(bytes, 120)?
    } else {
        u64::from(u32_at(bytes, 120)?)
    };
    Some(Entry {
        name: name(bytes)?,
        kind,
        parent: None,
        children: Vec::new(),
        start: u32_at(bytes, 116)?,
        size,
        left: u32_at(bytes, 68)?,
        right: u32_at(bytes, 72)?,
        child: u32_at(bytes, 76)?,
    })
}

/// An entry's name; those in installers are decoded.
fn name(bytes: &[u8]) -> Option<String> {
    let len = usize::from(u16_at(bytes, 64)?).min(64);
    let units: Vec<u16> = (0..len / 2)
        .filter_map(|index| u16_at(bytes, 2 * index))
        .take_while(|unit| *unit != 0)
        .collect();
    let mut name = String::new();
    for character in char::decode_utf16(units) {
        push_decoded(character.unwrap_or(char::REPLACEMENT_CHARACTER), &mut name);
    }
    Some(name)
}

/// Installers pack two characters of a name into one outside the usual range.
fn push_decoded(character: char, name: &mut String) {
    const PACKED: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._";
    let digit = |value: u32| char::from(PACKED[(value & 0x3f) as usize]);
    match u32::from(character) {
        packed @ 0x3800..0x4800 => {
            name.push(digit(packed - 0x3800));
            name.push(digit((packed - 0x3800) >> 6));
        }
        packed @ 0x4800..0x4840 => name.push(digit(packed - 0x4800)),
        // Marks the tables of the installer's database.
        0x4840 => name.push('!'),
        _ => name.push(character),
    }
}

/// Walks the trees of siblings. Each entry is placed once, so rings end.
fn place(entries: &mut [Entry]) {
    let Some(root) = entries.first() else {
        return;
    };
    let mut open = vec![(root.child, ROOT)];
    while let Some((number, parent)) = open.pop() {
        if number == NO_ENTRY {
            continue;
        }
        let Ok(index) = usize::try_from(number) else {
            continue;
        };
        let Some(entry) = entries.get_mut(index) else {
            continue;
        };
        if index == ROOT || entry.parent.is_some() || entry.kind == Kind::Unused {
            continue;
        }
        entry.parent = Some(parent);
        open.push((entry.left, parent));
        open.push((entry.right, parent));
        if entry.kind == Kind::Storage {
            open.push((entry.child, index));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_installers_are_decoded() {
        let mut name = String::new();
        for packed in [0x4840, 0x3800 + (10 | (11 << 6)), 0x4800 + 62] {
            push_decoded(char::from_u32(packed).unwrap(), &mut name);
        }
        assert_eq!(name, "!AB.");
    }

    #[test]
    fn a_ring_of_entries_ends() {
        let mut bytes = vec![0; 3 * ENTRY_BYTES];
        for (index, kind) in [5, 1, 1].into_iter().enumerate() {
            let entry = &mut bytes[index * ENTRY_BYTES..][..ENTRY_BYTES];
            entry[66] = kind;
            entry[68..72].fill(0xff);
            entry[72..76].copy_from_slice(&2_u32.to_le_bytes());
            entry[76..80].copy_from_slice(&1_u32.to_le_bytes());
        }
        let parents: Vec<_> = read(&bytes, false)
            .iter()
            .map(|entry| entry.parent)
            .collect();
        assert_eq!(parents, [None, Some(0), Some(0)]);
    }
}
