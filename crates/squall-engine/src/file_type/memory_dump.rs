//! Minidumps, and whether the dumped process is the one that keeps the
//! credentials.
//!
//! A dump of `lsass.exe` is what credential thieves carry away, so rule sets
//! treat it as a type of its own. The dump's module list says which process it
//! is. Dumpers that damage the list on purpose still leave the names near the
//! start, hence the fall back to a search of the head.

use super::{FileType, bytes, catalogue as types};

const MODULE_LIST: u32 = 4;
const STREAMS_MAX: usize = 64;
const MODULES_MAX: usize = 1024;
const MODULE_BYTES: usize = 108;
const MODULE_NAME_OFFSET: usize = 20;
const TARGET: &[u8] = b"l\0s\0a\0s\0s\0.\0e\0x\0e\0";

/// `LSASS Dump File` for a dump that lists `lsass.exe` among its modules, else
/// `MDMP`.
pub(super) fn minidump(content: &[u8]) -> Option<FileType> {
    if !bytes::looks_binary(content) {
        return None;
    }
    let is_lsass = match module_list(content) {
        Some(modules) => modules.has_target(),
        None => {
            let head = bytes::head(content, super::HEAD_MAX_BYTES);
            bytes::contains_ignore_case(head, TARGET)
        }
    };
    Some(if is_lsass {
        types::LSASS_DUMP
    } else {
        types::MDMP
    })
}

struct ModuleList<'a> {
    content: &'a [u8],
    first: usize,
    count: usize,
}

/// The module list, if the directory leads to one with at least one name.
fn module_list(content: &[u8]) -> Option<ModuleList<'_>> {
    let streams = bytes::offset_le(content, 8)?.min(STREAMS_MAX);
    let directory = bytes::offset_le(content, 12)?;
    let list = (0..streams).find_map(|index| {
        let entry = directory.checked_add(index * 12)?;
        let is_list = bytes::u32_le(content, entry)? == MODULE_LIST;
        is_list.then(|| bytes::offset_le(content, entry + 8))?
    })?;
    let modules = ModuleList {
        content,
        first: list.checked_add(4)?,
        count: bytes::offset_le(content, list)?.min(MODULES_MAX),
    };
    modules.name(0).is_some().then_some(modules)
}

impl ModuleList<'_> {
    fn has_target(&self) -> bool {
        (0..self.count).any(|index| {
            self.name(index).is_some_and(|name| {
                let file_name = name
                    .len()
                    .checked_sub(TARGET.len())
                    .and_then(|start| name.get(start..));
                file_name.is_some_and(|file_name| file_name.eq_ignore_ascii_case(TARGET))
            })
        })
    }

    /// The path of a module, UTF-16 as it stands.
    fn name(&self, index: usize) -> Option<&[u8]> {
        if index >= self.count {
            return None;
        }
        let module = self.first.checked_add(index * MODULE_BYTES)?;
        let name = bytes::offset_le(self.content, module.checked_add(MODULE_NAME_OFFSET)?)?;
        let len = bytes::offset_le(self.content, name)?;
        bytes::slice(self.content, name.checked_add(4)?, len)
    }
}
