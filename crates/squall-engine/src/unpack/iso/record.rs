//! One record of a directory.

use std::io::Read;

use super::SECTOR_LEN;
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
pub(super) struct Record {
    pub(super) name: String,
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

impl Record {
    /// Reads a record, and tells how long it is.
    pub(super) fn read(bytes: &[u8], names: Names) -> Option<(Self, usize)> {
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
        let (name, is_link) = match names {
            Names::Joliet => (joliet_name(short), false),
            Names::Plain => (plain_name(short), false),
            Names::RockRidge => {
                let (name, is_link) = rock_ridge(system_use);
                (name.unwrap_or_else(|| plain_name(short)), is_link)
            }
        };
        let record = Self {
            name,
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
    pub(super) fn content<'a>(&self, image: &'a [u8]) -> Option<&'a [u8]> {
        self.rest(image).get(..usize::try_from(self.len).ok()?)
    }

    /// What is behind its beginning.
    pub(super) fn rest<'a>(&self, image: &'a [u8]) -> &'a [u8] {
        from_sector(image, self.extent)
    }

    /// Reads all parts.
    pub(super) fn reader<'a>(&self, image: &'a [u8]) -> impl Read + 'a {
        let mut reader: Box<dyn Read + 'a> = Box::new(std::io::empty());
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

/// The name and whether it is a link, as Rock Ridge has them.
fn rock_ridge(system_use: &[u8]) -> (Option<String>, bool) {
    const ENTRY_LEN_MIN: usize = 4;
    let mut name = Vec::new();
    let mut is_link = false;
    let mut rest = system_use;
    while let [kind @ .., len, _version] = rest
        .first_chunk::<ENTRY_LEN_MIN>()
        .map_or(&[][..], |head| head)
    {
        let Some((entry, behind)) = rest.split_at_checked(usize::from(*len).max(ENTRY_LEN_MIN))
        else {
            break;
        };
        match kind {
            b"NM" => name.extend(entry.get(5..).unwrap_or_default()),
            b"SL" => is_link = true,
            _ => {}
        }
        rest = behind;
    }
    let name = (!name.is_empty()).then(|| String::from_utf8_lossy(&name).into_owned());
    (name, is_link)
}
