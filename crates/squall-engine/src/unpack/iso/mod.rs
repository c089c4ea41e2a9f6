//! ISO 9660 images, with the names of Joliet and Rock Ridge.
//!
//! No crate reads all three and takes bytes from a stranger. Each tree of
//! directories is walked, and a file that both have is passed on once.

mod path_table;
mod record;
mod rock_ridge;
mod udf;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use self::path_table::PathTable;
use self::record::{Names, Record};
use self::udf::Coverage;
use super::{Members, Trouble};

const SECTOR_LEN: usize = 2048;
const FIRST_DESCRIPTOR: usize = 16 * SECTOR_LEN;
const IDENTIFIER: &[u8] = b"CD001";

/// The most descriptors and the most levels of directories looked at.
const DESCRIPTORS_MAX: usize = 64;
const DEPTH_MAX: usize = 64;

/// No path is longer.
const PATH_LEN_MAX: usize = 4096;

/// Passes on every file of an image.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let volumes = volumes(content);
    let has_volumes = !volumes.is_empty();
    let mut image = Image {
        content,
        taken: HashSet::new(),
        coverage: Coverage::default(),
        is_damaged: !has_volumes,
    };
    for volume in volumes {
        image.walk(volume, members)?;
    }
    // An image for Windows may be of the other file system, with nothing but a
    // text here that says so; and what is here may be a decoy.
    let is_udf = udf::is_marked(content);
    if is_udf && (!has_volumes || image.coverage.misses_files(content)) {
        return Err(Trouble::unsupported(
            "the image has files in a UDF file system, which is not looked at",
        ));
    }
    if image.is_damaged {
        return Err(Trouble::corrupt("the directories of the image are damaged"));
    }
    Ok(())
}

/// A tree of directories.
struct Volume<'a> {
    root: Record<'a>,
    names: Names,
    tables: Vec<PathTable>,
}

/// Finds the trees, the one with the best names first.
fn volumes(content: &[u8]) -> Vec<Volume<'_>> {
    const PRIMARY: u8 = 1;
    const SUPPLEMENTARY: u8 = 2;
    const ROOT_AT: usize = 156;
    const ESCAPES: std::ops::Range<usize> = 88..91;
    let mut volumes = Vec::new();
    let sectors = content.get(FIRST_DESCRIPTOR..).unwrap_or_default();
    for sector in sectors.chunks(SECTOR_LEN).take(DESCRIPTORS_MAX) {
        if sector.get(1..6) != Some(IDENTIFIER) {
            break;
        }
        let is_joliet = matches!(sector.get(ESCAPES), Some(b"%/@" | b"%/C" | b"%/E"));
        let names = match sector[0] {
            PRIMARY => Names::RockRidge,
            SUPPLEMENTARY if is_joliet => Names::Joliet,
            SUPPLEMENTARY => Names::Plain,
            _ => continue,
        };
        let root = sector
            .get(ROOT_AT..)
            .and_then(|root| Record::read(root, names));
        if let Some((root, _)) = root {
            volumes.push(Volume {
                root,
                names,
                tables: PathTable::of_volume(sector),
            });
        }
    }
    volumes.sort_by_key(|volume| volume.names != Names::Joliet);
    volumes
}

struct Image<'a> {
    content: &'a [u8],
    /// Where the files and the directories begin that were looked at.
    taken: HashSet<(u32, u32)>,
    coverage: Coverage<'a>,
    is_damaged: bool,
}

impl<'a> Image<'a> {
    fn walk(&mut self, volume: Volume<'a>, members: &mut Members<'_, '_>) -> Result<(), Trouble> {
        self.coverage.add_tables(volume.tables);
        let mut directories = vec![(String::new(), 0, volume.root)];
        // The same directory again would be a circle.
        let mut seen = HashSet::new();
        while let Some((path, depth, directory)) = directories.pop() {
            if depth > DEPTH_MAX || !seen.insert(directory.extent) {
                self.is_damaged = true;
                continue;
            }
            for record in self.records(&directory, volume.names, members)? {
                let path = joined(&path, &record.name);
                if record.is_directory {
                    directories.push((path, depth + 1, record));
                } else {
                    self.take(&path, &record, members)?;
                }
            }
        }
        Ok(())
    }

    /// Reads a directory. Files in several parts have one record, with the
    /// parts in it.
    fn records(
        &mut self,
        directory: &Record<'_>,
        names: Names,
        members: &Members<'_, '_>,
    ) -> Result<Vec<Record<'a>>, Trouble> {
        let bytes = match directory.content(self.content) {
            Some(bytes) => bytes,
            None => {
                self.is_damaged = true;
                directory.rest(self.content)
            }
        };
        let mut records: Vec<Record<'a>> = Vec::new();
        for (index, sector) in bytes.chunks(SECTOR_LEN).enumerate() {
            members.check_time()?;
            let is_new = self.coverage.is_new(directory.extent, index);
            let mut rest = sector;
            // A record is in one sector; zeros fill what is left of it.
            while rest.first().is_some_and(|len| *len != 0) {
                let Some((record, len)) = Record::read(rest, names) else {
                    self.is_damaged = true;
                    break;
                };
                rest = &rest[len..];
                if is_new {
                    self.coverage.add_record(&record);
                }
                match records.last_mut() {
                    Some(last) if last.goes_on && last.name == record.name => last.append(record),
                    _ if record.is_self_or_parent => {}
                    _ => records.push(record),
                }
            }
            if is_new {
                let len = sector.len() - rest.len();
                self.coverage.add_records(directory.extent, index, len);
            }
        }
        Ok(records)
    }

    fn take(
        &mut self,
        path: &str,
        record: &Record<'_>,
        members: &mut Members<'_, '_>,
    ) -> Result<(), Trouble> {
        if record.is_link || !self.taken.insert((record.extent, record.len)) && record.len > 0 {
            return Ok(());
        }
        for (sector, len) in &record.parts {
            self.coverage.add_file(*sector, *len);
        }
        members.take(path, record.reader(self.content))
    }
}

fn joined(directory: &str, name: &str) -> String {
    let mut path = if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    };
    while path.len() > PATH_LEN_MAX {
        path.pop();
    }
    path
}
