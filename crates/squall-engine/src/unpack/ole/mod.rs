//! Compound files: old Office documents, installers, messages, macro projects.
//!
//! Members are what a program reads as something of its own: macro sources,
//! embedded files and objects, also those inside the stream of a presentation,
//! the streams of installers. The streams that are the document itself are
//! members only if they lie in pieces in the file; else the scan of the file has
//! seen them.

mod compound;
mod decompress;
mod directory;
mod encryption;
mod msg;
mod office_crypt;
pub(in crate::unpack) mod package;
mod presentation;
mod vba;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use squall_types::IncompleteReason;

use self::compound::{Compound, Stream};
use self::directory::Kind;
use self::presentation::Effort;
use super::{Members, Trouble};

const ROOT: usize = 0;

/// Opens a compound file.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let Some(compound) = Compound::open(content) else {
        return Err(Trouble::corrupt(
            "the header of the compound file is damaged",
        ));
    };
    if compound.entries().first().map(|root| root.kind) != Some(Kind::Root) {
        return Err(Trouble::corrupt(
            "the directory of the compound file is damaged",
        ));
    }
    if compound.entries().len() == directory::ENTRIES_MAX {
        members.record(
            "directory",
            IncompleteReason::Limit,
            format!("more than {} entries", directory::ENTRIES_MAX),
        );
    }
    if let Some(stream) = encryption::encrypted_stream(&compound) {
        if let Some(document) = office_crypt::decrypted(&compound, members)? {
            return members.take("decrypted", document.as_slice());
        }
        members.record(
            &stream,
            IncompleteReason::Encrypted,
            "an encrypted document".to_owned(),
        );
    }
    let mut effort = Effort::new(content.len());
    if msg::is_message(&compound, ROOT) {
        return msg::unpack(&compound, &mut effort, members);
    }
    streams_below(&compound, ROOT, "", &mut effort, members)
}

/// Passes on the streams in a storage and in those below it.
fn streams_below(
    compound: &Compound<'_>,
    storage: usize,
    prefix: &str,
    effort: &mut Effort,
    members: &mut Members<'_, '_>,
) -> Result<(), Trouble> {
    // Each entry has one parent, and the walk that gave it one began at the
    // root, so this ends. The depth of paths is bounded by the limit of names.
    let mut open = vec![(storage, prefix.to_owned())];
    while let Some((storage, path)) = open.pop() {
        members.budget.check_time()?;
        let is_project = vba::is_project(compound, storage);
        if is_project {
            vba::unpack(compound, storage, members)?;
        }
        for (index, entry) in compound.children(storage) {
            members.budget.check_time()?;
            match entry.kind {
                Kind::Storage => open.push((index, path_in(&path, &entry.name))),
                Kind::Stream => stream(compound, index, is_project, &path, effort, members)?,
                Kind::Root | Kind::Unused => {}
            }
        }
    }
    Ok(())
}

/// Passes on a stream, if it is one to look at by itself.
fn stream(
    compound: &Compound<'_>,
    index: usize,
    is_in_project: bool,
    path: &str,
    effort: &mut Effort,
    members: &mut Members<'_, '_>,
) -> Result<(), Trouble> {
    let entry = &compound.entries()[index];
    let name = &entry.name;
    let stream = compound.stream(index);
    let full_name = path_in(path, name);
    if name.ends_with("Ole10Native") {
        return native(&stream, path, members);
    }
    let is_document = is_in_project || is_part_of_document(name);
    let is_seen = is_document && matches!(stream.content, Cow::Borrowed(_));
    let is_presentation = presentation::is_presentation(name);
    if !is_seen || is_presentation {
        note_damage(&stream, &full_name, members);
    }
    if !is_seen && !stream.content.is_empty() {
        members.take(&full_name, stream.content.as_ref())?;
    }
    if is_presentation && effort.is_new(entry) {
        presentation::unpack(&stream.content, &full_name, effort, members)?;
    }
    Ok(())
}

/// Passes on an embedded file.
fn native(stream: &Stream<'_>, path: &str, members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let Some(package) = package::native(&stream.content) else {
        note_damage(stream, &path_in(path, "Ole10Native"), members);
        return Ok(());
    };
    let name = if package.name.is_empty() {
        "Ole10Native"
    } else {
        &package.name
    };
    let name = path_in(path, name);
    if !package.is_whole {
        members.record(
            &name,
            IncompleteReason::Corrupt,
            "the embedded file is cut off".to_owned(),
        );
    }
    members.take(&name, package.content)
}

/// Records a stream of which not all bytes could be found.
fn note_damage(stream: &Stream<'_>, name: &str, members: &mut Members<'_, '_>) {
    if !stream.is_whole {
        members.record(
            name,
            IncompleteReason::Corrupt,
            "the stream is cut off".to_owned(),
        );
    }
}

/// The streams that are the document itself or facts about it.
fn is_part_of_document(name: &str) -> bool {
    const NAMES: [&str; 20] = [
        "WordDocument",
        "0Table",
        "1Table",
        "Data",
        "Workbook",
        "Book",
        "PowerPoint Document",
        "Current User",
        "Pictures",
        "CompObj",
        "SummaryInformation",
        "DocumentSummaryInformation",
        "ObjInfo",
        "Ole",
        "LinkInfo",
        "PRINT",
        "EPRINT",
        "OCXNAME",
        "PROJECT",
        "PROJECTwm",
    ];
    let name = name.trim_start_matches(|character: char| character.is_control());
    NAMES.contains(&name)
}

/// A path in the compound file; control characters, which many names begin
/// with, are left out.
fn path_in(path: &str, name: &str) -> String {
    const PATH_MAX_BYTES: usize = 1024;
    let name = name.chars().filter(|character| !character.is_control());
    let mut full = String::new();
    // Storages in storages could make a path as long as the file.
    if !path.is_empty() && path.len() < PATH_MAX_BYTES {
        full.push_str(path);
        full.push('/');
    }
    full.extend(name);
    full
}
