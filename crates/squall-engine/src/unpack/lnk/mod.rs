//! Windows shortcuts ([MS-SHLLINK]): what they start, as text, and what hides
//! behind them.
//!
//! The strings are UTF-16 in the file, split over several structures and padded
//! with hundreds of spaces; as one text a rule can find them.

mod target;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use super::fields::{Fields, ansi_text, len32_at, u32_at, utf16_text};
use super::{Members, Trouble};

const HEADER_BYTES: usize = 0x4c;
/// Blocks of extra data looked at; there are twelve kinds.
const BLOCKS_MAX: usize = 100;

const HAS_ID_LIST: u32 = 1;
const HAS_LINK_INFO: u32 = 1 << 1;
const IS_UNICODE: u32 = 1 << 7;

/// The strings, each there if its flag is set, in this order.
const STRINGS: [(u32, &str); 5] = [
    (1 << 2, "description"),
    (1 << 3, "relative path"),
    (1 << 4, "working directory"),
    (1 << 5, "arguments"),
    (1 << 6, "icon"),
];

/// Opens a shortcut.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let mut shortcut = Shortcut {
        fields: Fields::new(content),
        text: String::new(),
    };
    let read = shortcut.read();
    let overlay = shortcut.fields.rest();
    if !shortcut.text.is_empty() {
        members.take("shortcut.txt", shortcut.text.as_bytes())?;
    }
    if read.is_none() {
        return Err(Trouble::corrupt("the shortcut is cut off or damaged"));
    }
    if overlay.iter().any(|byte| *byte != 0) {
        members.take("overlay", overlay)?;
    }
    Ok(())
}

/// A shortcut while it is read.
struct Shortcut<'a> {
    fields: Fields<'a>,
    /// A line for each thing it says.
    text: String,
}

impl Shortcut<'_> {
    /// Reads all of it. `None` if it ends too early; the text then has what came
    /// before.
    fn read(&mut self) -> Option<()> {
        let header = self.fields.take(HEADER_BYTES)?;
        let flags = u32_at(header, 20)?;
        if flags & HAS_ID_LIST != 0 {
            let len = usize::from(self.fields.u16()?);
            let list = self.fields.take_up_to(len);
            self.line("item", &target::of_id_list(list));
            (list.len() == len).then_some(())?;
        }
        if flags & HAS_LINK_INFO != 0 {
            let len = len32_at(self.fields.rest(), 0)?;
            let info = self.fields.take_up_to(len.max(4));
            self.line("target", &target::of_link_info(info));
            (info.len() >= len).then_some(())?;
        }
        self.strings(flags)?;
        self.blocks()
    }

    fn strings(&mut self, flags: u32) -> Option<()> {
        let is_unicode = flags & IS_UNICODE != 0;
        for (flag, name) in STRINGS {
            if flags & flag == 0 {
                continue;
            }
            let count = usize::from(self.fields.u16()?);
            let len = if is_unicode { 2 * count } else { count };
            let bytes = self.fields.take_up_to(len);
            let value = if is_unicode {
                utf16_text(bytes)
            } else {
                ansi_text(bytes)
            };
            self.line(name, &value);
            (bytes.len() == len).then_some(())?;
        }
        Some(())
    }

    /// Reads the extra data: blocks up to one that is shorter than its length
    /// field. Some writers leave out that last one.
    fn blocks(&mut self) -> Option<()> {
        const LEN_MIN: usize = 8;
        for _ in 0..BLOCKS_MAX {
            if self.fields.rest().is_empty() {
                return Some(());
            }
            let len = len32_at(self.fields.rest(), 0)?;
            if len < LEN_MIN {
                self.fields.take(4)?;
                return Some(());
            }
            let block = self.fields.take_up_to(len);
            self.block(block);
            (block.len() == len).then_some(())?;
        }
        None
    }

    fn block(&mut self, block: &[u8]) {
        const ENVIRONMENT: u32 = 0xa000_0001;
        const DARWIN: u32 = 0xa000_0006;
        const ICON: u32 = 0xa000_0007;
        const SHIM: u32 = 0xa000_0008;
        const TRACKER: u32 = 0xa000_0003;
        const ANSI_BYTES: usize = 260;
        let Some((kind, data)) = u32_at(block, 4).zip(block.get(8..)) else {
            return;
        };
        let both = |data: &[u8]| {
            let (ansi, unicode) = data.split_at(ANSI_BYTES.min(data.len()));
            let unicode = utf16_text(unicode);
            if unicode.is_empty() {
                ansi_text(ansi)
            } else {
                unicode
            }
        };
        match kind {
            ENVIRONMENT => self.line("environment target", &both(data)),
            DARWIN => self.line("installer target", &both(data)),
            ICON => self.line("environment icon", &both(data)),
            SHIM => self.line("shim layer", &utf16_text(data)),
            TRACKER => {
                let machine = data.get(8..24).unwrap_or_default();
                self.line("machine", &ansi_text(machine));
            }
            _ => {}
        }
    }

    /// Adds a line, unless it would say nothing. A line break inside a value
    /// does not begin a line of its own.
    fn line(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        let value = value.replace(['\r', '\n'], " ");
        // Writing to a string cannot fail.
        writeln!(self.text, "{name}: {value}").ok();
    }
}
