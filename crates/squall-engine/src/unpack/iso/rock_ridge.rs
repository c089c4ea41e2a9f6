//! What Rock Ridge puts behind the name in a record.

use std::ops::Range;

use super::SECTOR_LEN;
use crate::unpack::fields::{len32_at, u32_at};

/// The least that an entry has: its kind, its length and its version.
const ENTRY_LEN_MIN: usize = 4;

#[derive(Default)]
pub(super) struct SystemUse {
    pub(super) name: Option<String>,
    pub(super) is_link: bool,
    pub(super) continuation: Option<Continuation>,
}

impl SystemUse {
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut name = Vec::new();
        let mut is_link = false;
        let mut continuation = None;
        for entry in entries(bytes) {
            match entry {
                [b'N', b'M', ..] => name.extend(entry.get(5..).unwrap_or_default()),
                [b'S', b'L', ..] => is_link = true,
                [b'C', b'E', ..] => continuation = Continuation::read(entry),
                _ => {}
            }
        }
        let name = (!name.is_empty()).then(|| String::from_utf8_lossy(&name).into_owned());
        Self {
            name,
            is_link,
            continuation,
        }
    }
}

/// Where that goes on which has no room in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Continuation {
    sector: u32,
    offset: usize,
    len: usize,
}

impl Continuation {
    fn read(entry: &[u8]) -> Option<Self> {
        Some(Self {
            sector: u32_at(entry, 4)?,
            offset: len32_at(entry, 12)?,
            len: len32_at(entry, 20)?,
        })
    }

    /// Where it is in an image. The length is only what it says of itself.
    pub(super) fn range(&self) -> Range<usize> {
        let start = (self.sector as usize)
            .saturating_mul(SECTOR_LEN)
            .saturating_add(self.offset);
        start..start.saturating_add(self.len)
    }
}

/// How many bytes at the beginning are entries of Rock Ridge, and where they go
/// on. What is no entry could be anything.
pub(super) fn continued(bytes: &[u8]) -> (usize, Option<Continuation>) {
    let mut len = 0;
    let mut next = None;
    for entry in entries(bytes).take_while(|entry| is_known(entry)) {
        len += entry.len();
        if entry.starts_with(b"CE") {
            next = Continuation::read(entry);
        }
    }
    (len, next)
}

/// Whether it is an entry of the standards. Padding is none, as its content
/// means nothing.
fn is_known(entry: &[u8]) -> bool {
    const VERSION: u8 = 1;
    let is_known_kind = matches!(
        entry.get(..2),
        Some(
            b"CE" | b"ER" | b"ES" | b"SP" | b"ST" // of the protocol
            | b"CL" | b"NM" | b"PL" | b"PN" | b"PX" | b"RE" | b"RR" | b"SF" | b"SL" | b"TF"
            | b"AA" | b"AL" | b"ZF" // of Apple, for attributes and for compressed files
        )
    );
    is_known_kind && entry.get(3) == Some(&VERSION)
}

/// The entries, up to one that is cut off.
fn entries(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let len = usize::from(*rest.get(2)?).max(ENTRY_LEN_MIN);
        let (entry, behind) = rest.split_at_checked(len)?;
        rest = behind;
        Some(entry)
    })
}
