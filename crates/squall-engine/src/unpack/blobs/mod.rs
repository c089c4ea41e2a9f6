//! Files and scripts hidden in text as base64, hexadecimal digits, lists of
//! byte values or uuencoded blocks: one layer, the next is found in the member.
//!
//! A text has many long words that decode to something; only what is recognised
//! as a program, a script, a document or an archive becomes a member. The text
//! is gone through once for each way of writing, in time linear to its length.

mod base64;
mod joints;
mod lists;
mod narrow;
mod pairs;
mod recognise;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::io::Read;

use flate2::read::{DeflateDecoder, ZlibDecoder};
use squall_types::IncompleteReason;

pub(super) use self::narrow::narrow;
use self::recognise::Blob;
use super::{Members, Trouble, decode};

/// Members found in one text; the rest is recorded.
const BLOBS_MAX: usize = 500;

/// An encoded run of a text, decoded.
struct Decoded {
    /// Where it begins, in bytes.
    offset: usize,
    content: Vec<u8>,
}

/// Looks for encoded files in a text.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let text = narrow(content);
    let unit_bytes = if matches!(text, Cow::Owned(_)) { 2 } else { 1 };
    let mut search = Search {
        text: &text,
        unit_bytes,
        found: 0,
        members,
    };
    search.base64()?;
    search.numbers("hex", pairs::Pairs::new(&text))?;
    search.numbers("bytes", lists::Lists::new(&text))?;
    search.uuencoded()
}

/// The search through one text.
struct Search<'a, 'b, 'members, 'limits> {
    text: &'a [u8],
    unit_bytes: usize,
    found: usize,
    members: &'b mut Members<'members, 'limits>,
}

impl Search<'_, '_, '_, '_> {
    fn base64(&mut self) -> Result<(), Trouble> {
        let mut runs = base64::Runs::new(self.text);
        while let Some(run) = runs.next() {
            self.members.budget.check_time()?;
            let is_url = run.is_url;
            let decoded = Decoded {
                offset: run.offset,
                content: decode::base64(run.digits),
            };
            let found_before = self.found;
            if is_behind_decompression(self.text, decoded.offset) {
                self.inflated(&decoded)?;
            }
            self.pass_on("base64", &decoded)?;
            if self.is_full() {
                break;
            }
            if is_url && self.found == found_before {
                runs.again(decoded.offset);
            }
        }
        Ok(())
    }

    fn numbers(
        &mut self,
        kind: &str,
        decoded: impl Iterator<Item = Decoded>,
    ) -> Result<(), Trouble> {
        for blob in decoded {
            self.members.budget.check_time()?;
            self.pass_on(kind, &blob)?;
            if self.is_full() {
                break;
            }
        }
        Ok(())
    }

    fn uuencoded(&mut self) -> Result<(), Trouble> {
        for block in decode::uu_blocks(self.text) {
            self.members.take(&block.name, block.content.as_slice())?;
        }
        Ok(())
    }

    /// Passes a blob on, if it is something.
    fn pass_on(&mut self, kind: &str, blob: &Decoded) -> Result<(), Trouble> {
        match recognise::recognise(&blob.content) {
            None => return Ok(()),
            Some(Blob::File) => {
                let name = self.name(kind, blob.offset);
                self.members.take(&name, blob.content.as_slice())?;
            }
            Some(Blob::Command(text)) => {
                self.members.take("encoded-command.ps1", text.as_bytes())?;
            }
        }
        self.count();
        Ok(())
    }

    /// Passes on a blob that the text decompresses before it runs it.
    fn inflated(&mut self, blob: &Decoded) -> Result<(), Trouble> {
        const ZLIB: u8 = 0x78;
        let content = blob.content.as_slice();
        let name = format!("{}-inflated", self.name("base64", blob.offset));
        if content.first() == Some(&ZLIB) && is_something(ZlibDecoder::new(content)) {
            self.members.take(&name, ZlibDecoder::new(content))?;
        } else if is_something(DeflateDecoder::new(content)) {
            self.members.take(&name, DeflateDecoder::new(content))?;
        } else {
            return Ok(());
        }
        self.count();
        Ok(())
    }

    fn name(&self, kind: &str, offset: usize) -> String {
        format!("{kind}-{}", offset * self.unit_bytes)
    }

    fn is_full(&self) -> bool {
        self.found >= BLOBS_MAX
    }

    fn count(&mut self) {
        self.found += 1;
        if self.found == BLOBS_MAX {
            self.members.record(
                "blobs",
                IncompleteReason::Limit,
                format!("more than {BLOBS_MAX} encoded files"),
            );
        }
    }
}

/// Whether decompressing gives text or a file, and not the noise that random
/// bytes give.
fn is_something(reader: impl Read) -> bool {
    const PROBE_BYTES: u64 = 256;
    let mut probe = Vec::new();
    // An error behind the first bytes is no reason against it.
    reader.take(PROBE_BYTES).read_to_end(&mut probe).ok();
    recognise::is_promising(&probe)
}

/// Whether the code just before a run decompresses what it decodes.
fn is_behind_decompression(text: &[u8], offset: usize) -> bool {
    const WINDOW_BYTES: usize = 256;
    const CALLS: [&[u8]; 4] = [b"inflate", b"deflatestream", b"uncompress", b"decompress"];
    let before = &text[offset.saturating_sub(WINDOW_BYTES)..offset];
    let before = before.to_ascii_lowercase();
    CALLS
        .iter()
        .any(|call| memchr::memmem::find(&before, call).is_some())
}
