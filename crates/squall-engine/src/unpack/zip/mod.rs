//! Zip archives and what is built on them: packages, Office documents, apps.
//!
//! Written here because what a scanner needs is what a library for programs
//! avoids: every member counts, also a second one of the same name, one that
//! only its local header tells of, one in an archive that another was appended
//! to, and one whose directory is damaged.

mod decode;
mod decrypt;
mod directory;
mod entry;

#[cfg(test)]
mod tests;

use std::io::BufRead;

use self::decrypt::Protection;
pub(super) use self::directory::{at_end, near_end};
use self::entry::Entry;
use super::budget::{ReadOutcome, Stopped};
use super::{Members, Trouble};

/// Passes on every file of a zip archive, trying the known passwords on the
/// encrypted ones.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let listing = directory::read(content, &|| members.check_time())?;
    let mut known = None;
    for entry in &listing.entries {
        members.check_time()?;
        if entry.is_directory() {
            continue;
        }
        take(content, entry, &mut known, members)?;
    }
    listing.damage.map_or(Ok(()), Err)
}

/// Passes on one member. `known` is the password that opened the one before.
fn take(
    content: &[u8],
    entry: &Entry,
    known: &mut Option<String>,
    members: &mut Members<'_, '_>,
) -> Result<(), Trouble> {
    let packed = match entry.packed(content) {
        Ok(packed) => packed,
        Err(trouble) => {
            members.record_trouble(&entry.name, trouble);
            return Ok(());
        }
    };
    if entry.is_encrypted {
        return take_encrypted(packed, entry, known, members);
    }
    match decode::reader(entry.method, packed, entry, entry.crc) {
        Ok(reader) => members.take(&entry.name, reader),
        Err(error) => {
            members.record_trouble(&entry.name, error.into());
            Ok(())
        }
    }
}

fn take_encrypted(
    packed: &[u8],
    entry: &Entry,
    known: &mut Option<String>,
    members: &mut Members<'_, '_>,
) -> Result<(), Trouble> {
    let protection = match Protection::of(packed, entry) {
        Ok(protection) => protection,
        Err(trouble) => {
            members.record_trouble(&entry.name, trouble);
            return Ok(());
        }
    };
    let method = protection.method(entry);
    let crc = protection.crc(entry);
    let passwords: Vec<String> = known.iter().chain(members.passwords()).cloned().collect();
    for password in passwords {
        members.check_time()?;
        let Some(plain) = protection.open(&password) else {
            continue;
        };
        let outcome = read_aside(method, plain, entry, crc, members);
        let is_damaged = matches!(outcome.stopped, Some(Stopped::Damaged(_)));
        if is_damaged && !protection.is_proof() {
            continue;
        }
        *known = Some(password);
        return members.pass_on(&entry.name, outcome);
    }
    // Some apps are marked as encrypted without being it, to keep tools out.
    if entry.crc.is_some() {
        let outcome = read_aside(entry.method, packed, entry, entry.crc, members);
        if outcome.stopped.is_none() {
            return members.pass_on(&entry.name, outcome);
        }
    }
    members.record_trouble(&entry.name, Trouble::encrypted());
    Ok(())
}

fn read_aside(
    method: u16,
    plain: impl BufRead,
    entry: &Entry,
    crc: Option<u32>,
    members: &mut Members<'_, '_>,
) -> ReadOutcome {
    match decode::reader(method, plain, entry, crc) {
        Ok(reader) => members.read_aside(reader),
        Err(error) => ReadOutcome {
            content: Vec::new(),
            stopped: Some(Stopped::Damaged(error)),
        },
    }
}
