//! A header of a package: an index of entries and what they refer to.

const MAGIC: &[u8] = b"\x8e\xad\xe8";
const INTRODUCTION_LEN: usize = 16;
const ENTRY_LEN: usize = 16;

/// The types of entries that are asked for.
const TYPE_INT16: usize = 3;
const TYPE_INT32: usize = 4;
const TYPE_INT64: usize = 5;
const TYPE_TEXTS: usize = 8;

/// A header.
pub(super) struct Header<'a> {
    index: &'a [u8],
    store: &'a [u8],
}

/// An entry of the index, with what is in the store from its place on.
struct Entry<'a> {
    kind: usize,
    count: usize,
    data: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads the header at the beginning, and tells how long it is.
    pub(super) fn read(content: &'a [u8]) -> Option<(Self, usize)> {
        if !content.starts_with(MAGIC) {
            return None;
        }
        let index_len = number(content, 8)?.checked_mul(ENTRY_LEN)?;
        let store_at = INTRODUCTION_LEN.checked_add(index_len)?;
        let end = store_at.checked_add(number(content, 12)?)?;
        let header = Self {
            index: content.get(INTRODUCTION_LEN..store_at)?,
            store: content.get(store_at..end)?,
        };
        Some((header, end))
    }

    fn entry(&self, tag: u32) -> Option<Entry<'a>> {
        let (entries, _) = self.index.as_chunks::<ENTRY_LEN>();
        let entry = entries
            .iter()
            .find(|entry| entry.starts_with(&tag.to_be_bytes()))?;
        Some(Entry {
            kind: number(entry, 4)?,
            count: number(entry, 12)?,
            data: self.store.get(number(entry, 8)?..)?,
        })
    }

    /// The numbers of an entry, of whatever width.
    pub(super) fn numbers(&self, tag: u32) -> Option<Vec<u64>> {
        let entry = self.entry(tag)?;
        let width = match entry.kind {
            TYPE_INT16 => 2,
            TYPE_INT32 => 4,
            TYPE_INT64 => 8,
            _ => return None,
        };
        let data = entry.data.get(..entry.count.checked_mul(width)?)?;
        let joined = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0, |number, byte| (number << 8) | u64::from(*byte))
        };
        Some(data.chunks_exact(width).map(joined).collect())
    }

    /// The texts of an entry.
    pub(super) fn texts(&self, tag: u32) -> Option<Vec<String>> {
        let entry = self.entry(tag)?;
        if entry.kind != TYPE_TEXTS {
            return None;
        }
        let texts: Vec<String> = entry
            .data
            .split(|byte| *byte == 0)
            .take(entry.count)
            .map(|text| String::from_utf8_lossy(text).into_owned())
            .collect();
        (texts.len() == entry.count).then_some(texts)
    }
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(bytes)).ok()
}
