//! Outlook messages ([MS-OXMSG]): bodies and attachments.

use std::borrow::Cow;

use squall_types::IncompleteReason;

use super::compound::Compound;
use super::directory::Kind;
use super::presentation::Effort;
use super::{note_damage, streams_below};
use crate::unpack::decode::Rtf;
use crate::unpack::fields::{ansi_text, utf16_text};
use crate::unpack::{Members, Trouble};

/// How deep messages may be in each other in one file.
const DEPTH_MAX: u32 = 20;

const TEXT_BODY: &str = "1000";
const HTML_BODY: &str = "1013";
const RTF_BODY: &str = "1009";
const TRANSPORT_HEADERS: &str = "007D";
const ATTACHMENT_DATA: &str = "3701";
/// The long name, the short one, and what is shown, in this order.
const ATTACHMENT_NAMES: [&str; 3] = ["3707", "3704", "3001"];

/// Tells whether a storage is a message.
pub(super) fn is_message(compound: &Compound<'_>, storage: usize) -> bool {
    compound.child(storage, "__properties_version1.0").is_some()
}

/// Passes on the bodies and attachments of the message.
pub(super) fn unpack(
    compound: &Compound<'_>,
    effort: &mut Effort,
    members: &mut Members<'_, '_>,
) -> Result<(), Trouble> {
    Message {
        compound,
        storage: super::ROOT,
        prefix: String::new(),
        depth: 0,
    }
    .unpack(effort, members)
}

/// A message: the file itself, or one attached to another.
struct Message<'a> {
    compound: &'a Compound<'a>,
    storage: usize,
    /// What its members' names begin with.
    prefix: String,
    depth: u32,
}

impl Message<'_> {
    fn unpack(&self, effort: &mut Effort, members: &mut Members<'_, '_>) -> Result<(), Trouble> {
        if self.depth > DEPTH_MAX {
            members.record(
                &self.prefix,
                IncompleteReason::Limit,
                format!("messages more than {DEPTH_MAX} deep"),
            );
            return Ok(());
        }
        self.bodies(members)?;
        for (index, entry) in self.compound.children(self.storage) {
            members.budget.check_time()?;
            if entry.kind == Kind::Storage && entry.name.starts_with("__attach_version1.0_") {
                self.attachment(index, effort, members)?;
            }
        }
        Ok(())
    }

    fn bodies(&self, members: &mut Members<'_, '_>) -> Result<(), Trouble> {
        for (property, name) in [
            (TRANSPORT_HEADERS, "headers.txt"),
            (TEXT_BODY, "body.txt"),
            (HTML_BODY, "body.html"),
        ] {
            if let Some(text) = self.text(self.storage, property) {
                members.take(&self.name(name), text.as_slice())?;
            }
        }
        let rtf = self.property(self.storage, RTF_BODY, "0102");
        let Some(rtf) = rtf.map(|index| self.compound.stream(index)) else {
            return Ok(());
        };
        let name = self.name("body.rtf");
        note_damage(&rtf, &name, members);
        match Rtf::new(&rtf.content) {
            Some(text) => members.take(&name, text),
            None => {
                let what = "the compressed RTF body is damaged".to_owned();
                members.record(&name, IncompleteReason::Corrupt, what);
                members.take(&name, rtf.content.as_ref())
            }
        }
    }

    fn attachment(
        &self,
        storage: usize,
        effort: &mut Effort,
        members: &mut Members<'_, '_>,
    ) -> Result<(), Trouble> {
        let name = ATTACHMENT_NAMES
            .iter()
            .find_map(|property| self.text(storage, property))
            .map_or_else(
                || "attachment".to_owned(),
                |name| String::from_utf8_lossy(&name).into_owned(),
            );
        let name = self.name(&name);
        if let Some(index) = self.property(storage, ATTACHMENT_DATA, "0102") {
            let data = self.compound.stream(index);
            note_damage(&data, &name, members);
            members.take(&name, data.content.as_ref())?;
        }
        let Some(embedded) = self.property(storage, ATTACHMENT_DATA, "000D") else {
            return Ok(());
        };
        if is_message(self.compound, embedded) {
            let message = Message {
                compound: self.compound,
                storage: embedded,
                prefix: format!("{name}|"),
                depth: self.depth + 1,
            };
            return message.unpack(effort, members);
        }
        streams_below(self.compound, embedded, &name, effort, members)
    }

    /// A text property as UTF-8, or in whatever form it is.
    fn text(&self, storage: usize, property: &str) -> Option<Vec<u8>> {
        for kind in ["001F", "001E", "0102"] {
            let Some(index) = self.property(storage, property, kind) else {
                continue;
            };
            let bytes = self.compound.stream(index).content;
            let text = match kind {
                "001F" => Cow::Owned(utf16_text(&bytes).into_bytes()),
                "001E" => Cow::Owned(ansi_text(&bytes).into_bytes()),
                _ => bytes,
            };
            if !text.is_empty() {
                return Some(text.into_owned());
            }
        }
        None
    }

    fn property(&self, storage: usize, id: &str, kind: &str) -> Option<usize> {
        self.compound
            .child(storage, &format!("__substg1.0_{id}{kind}"))
    }

    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}
