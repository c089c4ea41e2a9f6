//! One record of a directory.

use std::io::Read;

use super::SECTOR_LEN;
use super::rock_ridge::{Continuation, SystemUse};
use crate::unpack::decompress::Exact;
use crate::unpack::fields::u32_at;

/// Where the names come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// The short names of the standard.
    Plain,
    /// Those, or the ones that Rock Ridge puts behind them.
    RockRidge,
    /// UTF-16, big-endian.
    Joliet,
}

/// A file or directory.
#[derive(Clone, Debug)]
pub(super) struct Record<'a> {
    pub(super) name: String,
    /// The name of the standard, as it is in the record.
    pub(super) short: &'a [u8],
    /// Where Rock Ridge goes on.
    pub(super) continuation: Option<Continuation>,
    /// The sector it begins in.
    pub(super) extent: u32,
    pub(super) len: u32,
    pub(super) is_directory: bool,
    /// A symbolic link, which has no content.
    pub(super) is_link: bool,
    pub(super) is_self_or_parent: bool,
    /// The next record has another part of it.
    pub(super) goes_on: bool,
    /// The sectors that its parts begin in, and their lengths.
    pub(super) parts: Vec<(u32, u32)>,
}

impl<'a> Record<'a> {
    /// Reads a record, and tells how long it is.
    pub(super) fn read(bytes: &'a [u8], names: Names) -> Option<(Self, usize)> {
        const HEADER_LEN: usize = 33;
        const FLAG_DIRECTORY: u8 = 1 << 1;
        const FLAG_GOES_ON: u8 = 1 << 7;
        let len = usize::from(*bytes.first()?);
        let record = bytes.get(..len)?;
        let attribute_sectors = u32::from(*record.get(1)?);
        let extent = u32_at(record, 2)?.checked_add(attribute_sectors)?;
        let data_len = u32_at(record, 10)?;
        let flags = *record.get(25)?;
        let name_len = usize::from(*record.get(32)?);
        let short = record.get(HEADER_LEN..HEADER_LEN + name_len)?;
        let system_use_at = (HEADER_LEN + name_len).next_multiple_of(2);
        let system_use = record.get(system_use_at..).unwrap_or_default();
        let system_use = match names {
            Names::Joliet => SystemUse::default(),
            Names::Plain | Names::RockRidge => SystemUse::read(system_use),
        };
        let (name, is_link) = match names {
            Names::Joliet => (joliet_name(short), false),
            Names::Plain => (plain_name(short), false),
            Names::RockRidge => {
                let name = system_use.name.unwrap_or_else(|| plain_name(short));
                (name, system_use.is_link)
            }
        };
        let record = Self {
            name,
            short,
            continuation: system_use.continuation,
            extent,
            len: data_len,
            is_directory: flags & FLAG_DIRECTORY != 0,
            is_link: is_link && data_len == 0,
            is_self_or_parent: matches!(short, [0] | [1]),
            goes_on: flags & FLAG_GOES_ON != 0,
            parts: vec![(extent, data_len)],
        };
        Some((record, len))
    }

    /// Adds the next part.
    pub(super) fn append(&mut self, next: Self) {
        self.goes_on = next.goes_on;
        self.parts.extend(next.parts);
    }

    /// The content of what has one part; `None` if it is cut off.
    pub(super) fn content<'i>(&self, image: &'i [u8]) -> Option<&'i [u8]> {
        self.rest(image).get(..usize::try_from(self.len).ok()?)
    }

    /// What is behind its beginning.
    pub(super) fn rest<'i>(&self, image: &'i [u8]) -> &'i [u8] {
        from_sector(image, self.extent)
    }

    /// Reads all parts.
    pub(super) fn reader<'i>(&self, image: &'i [u8]) -> impl Read + 'i {
        let mut reader: Box<dyn Read + 'i> = Box::new(std::io::empty());
        for (extent, len) in &self.parts {
            let part = Exact::new(from_sector(image, *extent), u64::from(*len));
            reader = Box::new(reader.chain(part));
        }
        reader
    }
}

fn from_sector(image: &[u8], sector: u32) -> &[u8] {
    usize::try_from(sector)
        .ok()
        .and_then(|sector| sector.checked_mul(SECTOR_LEN))
        .and_then(|at| image.get(at..))
        .unwrap_or_default()
}

fn plain_name(short: &[u8]) -> String {
    without_version(&String::from_utf8_lossy(short))
}

fn joliet_name(short: &[u8]) -> String {
    let (pairs, _) = short.as_chunks::<2>();
    let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
    let name: String = char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    without_version(&name)
}

/// Takes off the version and the point of a name without extension.
fn without_version(name: &str) -> String {
    let name = name.strip_suffix(";1").unwrap_or(name);
    name.strip_suffix('.').unwrap_or(name).to_owned()
}
