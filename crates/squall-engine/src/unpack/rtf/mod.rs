//! RTF: the objects embedded in it.
//!
//! Their bytes are hexadecimal digits behind `\objdata`, in which senders hide
//! control words, groups and line breaks that a word processor passes over.

mod objects;

#[cfg(test)]
mod tests;

use squall_types::IncompleteReason;

use super::ole::package::{self, Object};
use super::{Members, Trouble};

/// Objects looked at; the rest is recorded.
const OBJECTS_MAX: usize = 1000;

/// Opens an RTF document.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    for (index, data) in objects::Objects::new(content).enumerate() {
        if index == OBJECTS_MAX {
            members.record(
                "objects",
                IncompleteReason::Limit,
                format!("more than {OBJECTS_MAX} embedded objects"),
            );
            break;
        }
        members.budget.check_time()?;
        pass_on(index + 1, &data, members)?;
    }
    Ok(())
}

fn pass_on(number: usize, data: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    if data.is_empty() {
        return Ok(());
    }
    let Some(object) = package::object(data) else {
        // Word finds its way through headers that are damaged on purpose, so
        // what can be recognised inside is looked at by itself.
        members.take(&format!("object-{number}"), data)?;
        return match objects::embedded_start(data) {
            Some(start) => members.take(&format!("object-{number}|content"), &data[start..]),
            None => Ok(()),
        };
    };
    let name = object_name(number, &object);
    if !object.is_whole {
        members.record(
            &name,
            IncompleteReason::Corrupt,
            "the embedded object is cut off".to_owned(),
        );
    }
    match package::packaged(object.content) {
        Some(package) => {
            if !package.is_whole {
                members.record(
                    &package.name,
                    IncompleteReason::Corrupt,
                    "the embedded file is cut off".to_owned(),
                );
            }
            members.take(&package.name, package.content)
        }
        None => members.take(&name, object.content),
    }
}

fn object_name(number: usize, object: &Object<'_>) -> String {
    if object.class.is_empty() {
        format!("object-{number}")
    } else {
        format!("object-{number}-{}", object.class)
    }
}
