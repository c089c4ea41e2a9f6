//! What a shortcut points at.

use crate::unpack::fields::{Fields, ansi_text, len32_at, u16_at, utf16_text};

/// Items of a list looked at; each is a folder on the way to the target.
const ITEMS_MAX: usize = 200;

/// The target by the structure with its volume and path.
pub(super) fn of_link_info(info: &[u8]) -> String {
    const UNICODE_HEADER_BYTES: usize = 0x24;
    let ansi_at = |offset| {
        let start = len32_at(info, offset).filter(|start| *start != 0)?;
        Some(ansi_text(info.get(start..)?))
    };
    let unicode_at = |offset| {
        let start = len32_at(info, offset).filter(|start| *start != 0)?;
        Some(utf16_text(info.get(start..)?))
    };
    let has_unicode = len32_at(info, 4).is_some_and(|len| len >= UNICODE_HEADER_BYTES);
    let unicode = |offset| unicode_at(offset).filter(|_| has_unicode);
    let base = unicode(28)
        .or_else(|| ansi_at(16))
        .or_else(|| network_share(info))
        .unwrap_or_default();
    let rest = unicode(32).or_else(|| ansi_at(24)).unwrap_or_default();
    if base.is_empty() || rest.is_empty() || base.ends_with('\\') {
        format!("{base}{rest}")
    } else {
        format!("{base}\\{rest}")
    }
}

/// The share, if the target is on one.
fn network_share(info: &[u8]) -> Option<String> {
    let start = len32_at(info, 20).filter(|start| *start != 0)?;
    let link = info.get(start..)?;
    let name = len32_at(link, 8)?;
    Some(ansi_text(link.get(name..)?))
}

/// The target by the list of shell items: the names of the folders on the way
/// and of the target.
pub(super) fn of_id_list(list: &[u8]) -> String {
    let mut names = Vec::new();
    let mut fields = Fields::new(list);
    for _ in 0..ITEMS_MAX {
        let Some(len) = fields.u16().map(usize::from).filter(|len| *len > 2) else {
            break;
        };
        let item = fields.take_up_to(len - 2);
        names.extend(item_name(item).filter(|name| !name.is_empty()));
    }
    names.join("\\")
}

/// The name in an item; those of folders without one in the file system are
/// left out.
fn item_name(item: &[u8]) -> Option<String> {
    const VOLUME: u8 = 0x20;
    const FILE: u8 = 0x30;
    const NETWORK: u8 = 0x40;
    const URI: u8 = 0x61;
    const UNICODE: u8 = 0x04;
    let kind = *item.first()?;
    if kind == URI {
        let is_unicode = item.get(1)? & 0x80 != 0;
        let text = item.get(6..)?;
        return Some(if is_unicode {
            utf16_text(text)
        } else {
            ansi_text(text)
        });
    }
    match kind & 0x70 {
        VOLUME => Some(ansi_text(item.get(1..)?).trim_end_matches('\\').to_owned()),
        FILE => long_name(item).or_else(|| {
            let name = item.get(12..)?;
            Some(if kind & UNICODE != 0 {
                utf16_text(name)
            } else {
                ansi_text(name)
            })
        }),
        NETWORK => Some(ansi_text(item.get(3..)?)),
        _ => None,
    }
}

/// The long name in the extension of a file's item, whose place is in the
/// item's last field.
fn long_name(item: &[u8]) -> Option<String> {
    const EXTENSION_MARK: u16 = 0x0004;
    const EXTENSION_MARK_HIGH: u16 = 0xbeef;
    // The item's length field, which counts in that place, was read before.
    let place = usize::from(u16_at(item, item.len().checked_sub(2)?)?);
    let block = item.get(place.checked_sub(2)?..item.len() - 2)?;
    let version = u16_at(block, 2)?;
    if u16_at(block, 4)? != EXTENSION_MARK || u16_at(block, 6)? != EXTENSION_MARK_HIGH {
        return None;
    }
    let name_at = match version {
        9.. => 46,
        8 => 42,
        7 => 38,
        3.. => 20,
        _ => return None,
    };
    Some(utf16_text(block.get(name_at..)?)).filter(|name| !name.is_empty())
}
