//! The source of VBA macros ([MS-OVBA] 2.3.4 and 2.4.1).

use std::io;

use squall_types::IncompleteReason;

use super::compound::Compound;
use super::decompress::Decompress;
use super::directory::Kind;
use crate::unpack::fields::{Fields, ansi_text, u32_at, utf16_text};
use crate::unpack::{Members, Trouble};

/// Modules a project may have; the rest is recorded.
const MODULES_MAX: usize = 2000;
/// The decompressed list of modules is read as far as this.
const LIST_MAX_BYTES: u64 = 16 * 1024 * 1024;

/// A module, as the project's list has it.
#[derive(Debug, Default, PartialEq)]
struct Module {
    name: String,
    stream: String,
    offset: usize,
    is_class: bool,
}

/// Tells whether a storage holds a VBA project's modules.
pub(super) fn is_project(compound: &Compound<'_>, storage: usize) -> bool {
    let is_named = compound
        .entries()
        .get(storage)
        .is_some_and(|entry| entry.name.eq_ignore_ascii_case("VBA"));
    is_named || compound.child(storage, "_VBA_PROJECT").is_some()
}

/// Passes on the source of each module in a storage.
pub(super) fn unpack(
    compound: &Compound<'_>,
    storage: usize,
    members: &mut Members<'_, '_>,
) -> Result<(), Trouble> {
    let modules = listed(compound, storage, members)?;
    for (index, entry) in compound.children(storage) {
        members.budget.check_time()?;
        let is_other = entry.kind != Kind::Stream
            || entry.name.eq_ignore_ascii_case("dir")
            || entry.name.eq_ignore_ascii_case("_VBA_PROJECT")
            || entry.name.starts_with("__SRP_");
        if is_other {
            continue;
        }
        let stream = compound.stream(index).content;
        let module = modules
            .iter()
            .find(|module| module.stream.eq_ignore_ascii_case(&entry.name));
        let offset = module
            .map(|module| module.offset)
            .filter(|offset| stream.get(*offset) == Some(&Decompress::SIGNATURE))
            .or_else(|| source_offset(&stream));
        let (name, extension) = match module {
            Some(module) if module.is_class => (module.name.as_str(), "cls"),
            Some(module) => (module.name.as_str(), "bas"),
            None => (entry.name.as_str(), "bas"),
        };
        let name = format!("VBA/{name}.{extension}");
        let source = offset.and_then(|offset| stream.get(offset..));
        if let Some(source) = source {
            members.take(&name, Decompress::new(source))?;
        } else if module.is_some() {
            members.record(
                &name,
                IncompleteReason::Corrupt,
                "no source in the stream of a VBA module".to_owned(),
            );
            members.take(&name, stream.as_ref())?;
        }
    }
    Ok(())
}

/// Reads the list of modules and passes it on: it names the libraries the
/// project refers to.
fn listed(
    compound: &Compound<'_>,
    storage: usize,
    members: &mut Members<'_, '_>,
) -> Result<Vec<Module>, Trouble> {
    let Some(index) = compound.child(storage, "dir") else {
        return Ok(Vec::new());
    };
    let stream = compound.stream(index).content;
    let mut list = Vec::new();
    let mut bounded = io::Read::take(Decompress::new(&stream), LIST_MAX_BYTES);
    // What there is before the damage; taking the member records it.
    io::Read::read_to_end(&mut bounded, &mut list).ok();
    members.take("VBA/dir", Decompress::new(&stream))?;
    let modules = modules(&list);
    if modules.len() == MODULES_MAX {
        members.record(
            "VBA/dir",
            IncompleteReason::Limit,
            format!("more than {MODULES_MAX} VBA modules"),
        );
    }
    Ok(modules)
}

/// Reads the records of the list; stops where they end or make no sense.
fn modules(list: &[u8]) -> Vec<Module> {
    const VERSION: u16 = 0x09;
    const NAME: u16 = 0x19;
    const NAME_UNICODE: u16 = 0x47;
    const STREAM_NAME: u16 = 0x1a;
    const STREAM_NAME_UNICODE: u16 = 0x32;
    const OFFSET: u16 = 0x31;
    const CLASS: u16 = 0x22;
    const END_OF_MODULE: u16 = 0x2b;
    let mut modules = Vec::new();
    let mut module = Module::default();
    let mut fields = Fields::new(list);
    while modules.len() < MODULES_MAX {
        let Some((id, len)) = fields.u16().zip(fields.len32()) else {
            break;
        };
        // The length of this record is two less than what follows.
        let len = if id == VERSION { 6 } else { len };
        let Some(data) = fields.take(len) else {
            break;
        };
        match id {
            NAME => module.name = ansi_text(data),
            NAME_UNICODE => module.name = utf16_text(data),
            STREAM_NAME => module.stream = ansi_text(data),
            STREAM_NAME_UNICODE => module.stream = utf16_text(data),
            OFFSET => {
                let offset = u32_at(data, 0).and_then(|offset| usize::try_from(offset).ok());
                module.offset = offset.unwrap_or(usize::MAX);
            }
            CLASS => module.is_class = true,
            END_OF_MODULE => modules.push(std::mem::take(&mut module)),
            _ => {}
        }
    }
    modules
}

/// Where the source begins in the stream of a module the list does not tell
/// about: every source begins with an attribute.
fn source_offset(stream: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(stream, b"\0Attribut")
        .filter_map(|at| at.checked_sub(3))
        .find(|start| stream.get(*start) == Some(&Decompress::SIGNATURE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_modules_is_read() {
        let mut list = Vec::new();
        let mut record = |id: u16, len: u32, data: &[u8]| {
            list.extend(id.to_le_bytes());
            list.extend(len.to_le_bytes());
            list.extend(data);
        };
        record(0x09, 4, b"123456");
        record(0x19, 1, b"M");
        record(0x47, 4, b"M\0\xe4\0");
        record(0x1a, 1, b"S");
        record(0x31, 4, &7_u32.to_le_bytes());
        record(0x22, 0, b"");
        record(0x2b, 0, b"");
        record(0x19, 1, b"N");
        record(0x2b, 0, b"");
        record(0x19, u32::MAX, b"N");
        let found = modules(&list);
        assert_eq!(found.len(), 2);
        let first = Module {
            name: "Mä".to_owned(),
            stream: "S".to_owned(),
            offset: 7,
            is_class: true,
        };
        assert_eq!(found[0], first);
    }

    #[test]
    fn source_is_found_without_the_list() {
        assert_eq!(source_offset(b"pcode\x01\x10\xb0\0Attribute"), Some(5));
        assert_eq!(source_offset(b"\0Attribut pcode"), None);
    }
}
