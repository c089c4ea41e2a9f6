//! Mail: the bodies and attachments of messages (RFC 5322, MIME), and the
//! messages of a mailbox.
//!
//! Written by hand because a scanner must read what mail programs read, not
//! what the standard allows: a last boundary that is missing, base64 with dirt
//! in it, a message cut off in its attachment. Each part is a slice of the
//! message; only decoding one makes a copy, which is never larger than it.

mod gaps;
mod header;
mod mailbox;
mod multipart;
mod parameter;
mod word;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use squall_types::IncompleteReason;

use self::header::Headers;
use self::parameter::Structured;
use super::blobs::narrow;
use super::{Members, Trouble, decode};
use crate::file_type;

/// How deep parts may be in each other; mail programs give up long before.
const PART_DEPTH_MAX: u32 = 50;

/// How many parts one multipart may have, and messages a mailbox: so many that
/// the budget of members ends first.
const PARTS_MAX: usize = 200_000;

/// Opens a message or a mailbox.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let text = narrow(content);
    let content = match &text {
        Cow::Borrowed(content) => content,
        // Saved by an editor, in UTF-16. The mark before it is no letter.
        Cow::Owned(text) => text.strip_prefix(b"?").unwrap_or(text),
    };
    let messages = mailbox::messages(content, PARTS_MAX);
    if let [only] = messages.as_slice() {
        return Walk::new(members).message(only, "", 0);
    }
    if messages.len() >= PARTS_MAX {
        members.record(
            "messages",
            IncompleteReason::Limit,
            format!("more than {PARTS_MAX} messages"),
        );
    }
    for (index, message) in messages.iter().enumerate() {
        let name = format!("message-{}.eml", index + 1);
        Walk::new(members).nested(message, name, 0)?;
    }
    Ok(())
}

/// Goes through the parts of one message.
struct Walk<'a, 'members, 'limits> {
    members: &'a mut Members<'members, 'limits>,
    /// Attachments without a name are numbered.
    nameless: u32,
}

/// A part: its header fields, and its body as it was sent.
struct Part<'a> {
    content_type: Structured,
    disposition: Structured,
    encoding: String,
    body: &'a [u8],
}

impl<'a> Part<'a> {
    fn of(bytes: &'a [u8], type_if_none: &str) -> Self {
        let (headers, body) = Headers::split(bytes);
        let content_type = headers
            .field("content-type")
            .unwrap_or_else(|| type_if_none.to_owned());
        Self {
            content_type: Structured::of(&content_type),
            disposition: Structured::of(&headers.field("content-disposition").unwrap_or_default()),
            encoding: encoding_name(
                &headers
                    .field("content-transfer-encoding")
                    .unwrap_or_default(),
            ),
            body,
        }
    }

    /// The name the sender gave the part.
    fn file_name(&self) -> Option<String> {
        self.disposition
            .parameter("filename")
            .or_else(|| self.content_type.parameter("name"))
            .filter(|name| !name.trim().is_empty())
    }

    /// The body as the receiver sees it.
    fn decoded(&self) -> Cow<'a, [u8]> {
        match self.encoding.as_str() {
            "base64" => Cow::Owned(decode::base64(self.body)),
            "quoted-printable" => Cow::Owned(decode::quoted_printable(self.body)),
            "x-uuencode" | "uuencode" | "x-uue" => {
                let mut blocks = decode::uu_blocks(self.body);
                if blocks.is_empty() {
                    Cow::Borrowed(self.body)
                } else {
                    Cow::Owned(blocks.swap_remove(0).content)
                }
            }
            _ => Cow::Borrowed(self.body),
        }
    }
}

/// The word that names a transfer encoding. Comments around it, and what else
/// is behind it, are no part of it to mail programs.
fn encoding_name(field: &str) -> String {
    let mut rest = field.trim_start();
    while let Some(comment) = rest.strip_prefix('(') {
        rest = comment.split_once(')').map_or("", |(_, rest)| rest);
        rest = rest.trim_start();
    }
    let is_end = |character: char| character.is_whitespace() || ";,(".contains(character);
    let word = rest.split(is_end).next().unwrap_or_default();
    word.trim_matches('"').to_ascii_lowercase()
}

impl<'a, 'members, 'limits> Walk<'a, 'members, 'limits> {
    fn new(members: &'a mut Members<'members, 'limits>) -> Self {
        Self {
            members,
            nameless: 0,
        }
    }

    /// Goes through a message; its members' names begin with `prefix`.
    fn message(&mut self, bytes: &[u8], prefix: &str, depth: u32) -> Result<(), Trouble> {
        let leading = bytes
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        self.part(&bytes[leading..], "text/plain", prefix, depth)
    }

    /// Passes on a message inside another. The scanner opens it as it opens
    /// any member, if it recognises it as mail; what only its place shows to be
    /// a message is opened here as well.
    fn nested(&mut self, bytes: &[u8], name: String, depth: u32) -> Result<(), Trouble> {
        let is_recognised = file_type::detect(bytes).kind() == file_type::Kind::Mail;
        self.members.take(&name, bytes)?;
        if is_recognised {
            return Ok(());
        }
        self.message(bytes, &format!("{name}|"), depth + 1)
    }

    fn part(
        &mut self,
        bytes: &[u8],
        type_if_none: &str,
        prefix: &str,
        depth: u32,
    ) -> Result<(), Trouble> {
        self.members.budget.check_time()?;
        let part = Part::of(bytes, type_if_none);
        if depth > PART_DEPTH_MAX {
            self.members.record(
                &format!("{prefix}part"),
                IncompleteReason::Limit,
                format!("message parts more than {PART_DEPTH_MAX} deep"),
            );
            return self.members.take(&format!("{prefix}part"), part.body);
        }
        match part.content_type.value.as_str() {
            kind if kind.starts_with("multipart/") => self.multipart(&part, prefix, depth),
            "message/rfc822" | "message/global" | "message/news" => {
                let name = part.file_name().unwrap_or_else(|| "message.eml".to_owned());
                let name = format!("{prefix}{name}");
                if let Some(gap) = gaps::encoding(&part) {
                    self.members.record_trouble(&name, gap);
                }
                self.nested(&part.decoded(), name, depth)
            }
            _ => self.leaf(&part, prefix),
        }
    }

    fn multipart(&mut self, part: &Part<'_>, prefix: &str, depth: u32) -> Result<(), Trouble> {
        let kind = part.content_type.value.as_str();
        if kind == "multipart/encrypted" {
            self.members.record(
                &format!("{prefix}{kind}"),
                IncompleteReason::Encrypted,
                "an encrypted message".to_owned(),
            );
        }
        // Nobody may encode a multipart, and some mail programs decode it.
        let body = part.decoded();
        let boundary = part.content_type.parameter("boundary").unwrap_or_default();
        let mut split = multipart::split(&body, boundary.as_bytes(), PARTS_MAX);
        if let (true, Some(boundary)) = (split.parts.is_empty(), multipart::guess(&body)) {
            split = multipart::split(&body, boundary, PARTS_MAX);
        }
        let multipart::Parts { parts, is_closed } = split;
        if parts.is_empty() {
            return self.text(part, &body, &format!("{prefix}body.txt"));
        }
        let type_if_none = if kind == "multipart/digest" {
            "message/rfc822"
        } else {
            "text/plain"
        };
        if parts.len() >= PARTS_MAX {
            self.members.record(
                &format!("{prefix}{kind}"),
                IncompleteReason::Limit,
                format!("more than {PARTS_MAX} parts"),
            );
        } else if !is_closed && depth == 0 {
            // Deeper down it ends where the part does that it is in.
            self.members.record(
                &format!("{prefix}{kind}"),
                IncompleteReason::Truncated,
                "the message ends before its last part does".to_owned(),
            );
        }
        for bytes in parts {
            self.part(bytes, type_if_none, prefix, depth + 1)?;
        }
        Ok(())
    }

    /// Passes on a part that has no parts.
    fn leaf(&mut self, part: &Part<'_>, prefix: &str) -> Result<(), Trouble> {
        let kind = part.content_type.value.as_str();
        let body = part.decoded();
        let name = match (part.file_name(), kind) {
            (Some(name), _) => format!("{prefix}{name}"),
            (None, "text/plain" | "text" | "") => {
                return self.body(part, &body, prefix, "body.txt");
            }
            (None, "text/html") => return self.body(part, &body, prefix, "body.html"),
            (None, _) => {
                self.nameless += 1;
                format!("{prefix}attachment-{}", self.nameless)
            }
        };
        self.content(part, &body, &name)
    }

    /// Passes on what the receiver reads first.
    fn body(
        &mut self,
        part: &Part<'_>,
        body: &[u8],
        prefix: &str,
        name: &str,
    ) -> Result<(), Trouble> {
        let charset = part.content_type.parameter("charset").unwrap_or_default();
        let text = word::readable(body, &charset);
        self.text(part, &text, &format!("{prefix}{name}"))
    }

    /// Passes on text, in which the scanner looks for encoded files as in any
    /// other.
    fn text(&mut self, part: &Part<'_>, text: &[u8], name: &str) -> Result<(), Trouble> {
        if text.trim_ascii().is_empty() {
            return Ok(());
        }
        self.content(part, text, name)
    }

    /// Passes on what a part has, and records what of it cannot be looked at.
    fn content(&mut self, part: &Part<'_>, content: &[u8], name: &str) -> Result<(), Trouble> {
        for gap in gaps::of_part(part, content) {
            self.members.record_trouble(name, gap);
        }
        self.members.take(name, content)
    }
}
