//! TNEF ([MS-OXTNEF]): the `winmail.dat` that Outlook sends, with the
//! attachments and bodies of a message.

mod properties;

#[cfg(test)]
mod tests;

use squall_types::IncompleteReason;

use self::properties::Properties;
use super::decode::Rtf;
use super::fields::{Fields, ansi_text};
use super::{Members, Trouble};

const SIGNATURE: u32 = 0x223e_9f78;

/// Opens a TNEF stream.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let mut fields = Fields::new(content);
    if fields.u32() != Some(SIGNATURE) || fields.u16().is_none() {
        return Err(Trouble::corrupt("the header of the TNEF stream is damaged"));
    }
    let mut attachment = Attachment::default();
    let mut ended = Ok(());
    while !fields.rest().is_empty() {
        members.budget.check_time()?;
        let Some(attribute) = Attribute::read(&mut fields) else {
            ended = Err(Trouble::corrupt("the TNEF stream is cut off or damaged"));
            break;
        };
        attachment = pass_on(&attribute, attachment, members)?;
        if !attribute.is_whole {
            ended = Err(Trouble::corrupt("the TNEF stream is cut off"));
            break;
        }
    }
    attachment.pass_on(members)?;
    ended
}

/// One attribute of the message or of an attachment.
struct Attribute<'a> {
    id: u32,
    data: &'a [u8],
    is_whole: bool,
}

impl<'a> Attribute<'a> {
    /// `None` if what follows is no attribute.
    fn read(fields: &mut Fields<'a>) -> Option<Self> {
        const MESSAGE: u8 = 1;
        const ATTACHMENT: u8 = 2;
        let level = *fields.take(1)?.first()?;
        if level != MESSAGE && level != ATTACHMENT {
            return None;
        }
        let id = fields.u32()?;
        let len = fields.len32()?;
        let data = fields.take_up_to(len);
        // A checksum, which readers do not compare.
        let checksum = fields.take(2);
        Some(Self {
            id,
            data,
            is_whole: data.len() == len && checksum.is_some(),
        })
    }
}

/// An attachment, as far as its attributes were read.
#[derive(Default)]
struct Attachment<'a> {
    title: String,
    data: &'a [u8],
    properties: Properties<'a>,
}

impl Attachment<'_> {
    fn pass_on(&self, members: &mut Members<'_, '_>) -> Result<(), Trouble> {
        let data = if self.data.is_empty() {
            self.properties.attachment_data().unwrap_or_default()
        } else {
            self.data
        };
        if data.is_empty() {
            return Ok(());
        }
        let name = self
            .properties
            .attachment_name()
            .unwrap_or_else(|| self.title.clone());
        let name = if name.is_empty() { "attachment" } else { &name };
        members.take(name, data)
    }
}

/// Takes an attribute in; the attachment it belongs to is returned.
fn pass_on<'a>(
    attribute: &Attribute<'a>,
    attachment: Attachment<'a>,
    members: &mut Members<'_, '_>,
) -> Result<Attachment<'a>, Trouble> {
    const ATTACHMENT_BEGINS: u32 = 0x0006_9002;
    const ATTACHMENT_TITLE: u32 = 0x0001_8010;
    const ATTACHMENT_DATA: u32 = 0x0006_800f;
    const ATTACHMENT_PROPERTIES: u32 = 0x0006_9005;
    const BODY: u32 = 0x0002_800c;
    const MESSAGE_PROPERTIES: u32 = 0x0006_9003;
    let mut attachment = attachment;
    match attribute.id {
        ATTACHMENT_BEGINS => {
            attachment.pass_on(members)?;
            attachment = Attachment::default();
        }
        ATTACHMENT_TITLE => attachment.title = ansi_text(attribute.data),
        ATTACHMENT_DATA => attachment.data = attribute.data,
        ATTACHMENT_PROPERTIES => attachment.properties = Properties::read(attribute.data),
        BODY => members.take("body.txt", attribute.data)?,
        MESSAGE_PROPERTIES => bodies(&Properties::read(attribute.data), members)?,
        _ => {}
    }
    Ok(attachment)
}

/// Passes on the bodies that are properties of the message.
fn bodies(properties: &Properties<'_>, members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    if let Some(text) = properties.text_body() {
        members.take("body.txt", text.as_bytes())?;
    }
    if let Some(html) = properties.html_body() {
        members.take("body.html", html)?;
    }
    let Some(compressed) = properties.rtf_body() else {
        return Ok(());
    };
    match Rtf::new(compressed) {
        Some(text) => members.take("body.rtf", text),
        None => {
            let what = "the compressed RTF body is damaged".to_owned();
            members.record("body.rtf", IncompleteReason::Corrupt, what);
            Ok(())
        }
    }
}
