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
use std::ops::Range;

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
    /// Where it goes on in another literal.
    joints: Vec<Joint>,
}

/// Where a run goes on in another literal, which may as well be another file: one
/// of a list that is added to, or the first one behind a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Joint {
    /// Where the literal begins in the text, in bytes.
    offset: usize,
    /// Where its content begins in that of the run.
    at: usize,
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
        let mut known = None;
        while let Some(run) = runs.next() {
            self.members.budget.check_time()?;
            let (offset, is_url) = (run.offset, run.is_url);
            // Its beginning is that of the run it was read as before.
            if known == Some(offset) {
                continue;
            }
            let content = decode::base64(run.digits);
            let found_before = self.found;
            if is_behind_decompression(self.text, offset) {
                self.inflated(offset, &content)?;
            }
            let digits = run.digits;
            let part = |range: Range<usize>| Cow::Owned(decode::base64(&digits[range]));
            self.pass_on("base64", offset, &content)?;
            let is_known = self.found > found_before;
            self.pass_on_literals("base64", is_known, run.joints, digits.len(), part)?;
            if self.is_full() {
                break;
            }
            if is_url {
                known = is_known.then_some(offset);
                runs.again(offset);
            }
        }
        Ok(())
    }

    fn numbers(
        &mut self,
        kind: &str,
        decoded: impl Iterator<Item = Decoded>,
    ) -> Result<(), Trouble> {
        for run in decoded {
            self.members.budget.check_time()?;
            let found_before = self.found;
            let content = &run.content;
            self.pass_on(kind, run.offset, content)?;
            let is_known = self.found > found_before;
            let part = |range: Range<usize>| Cow::Borrowed(&content[range]);
            self.pass_on_literals(kind, is_known, &run.joints, content.len(), part)?;
            if self.is_full() {
                break;
            }
        }
        Ok(())
    }

    /// Passes on the files that begin in a later literal of a run, each up to the
    /// next. Of a run that is known to be a file only what has the mark of one:
    /// any part of a script is text.
    fn pass_on_literals<'a>(
        &mut self,
        kind: &str,
        is_known: bool,
        joints: &[Joint],
        len: usize,
        part: impl Fn(Range<usize>) -> Cow<'a, [u8]>,
    ) -> Result<(), Trouble> {
        const PROBE_MAX: usize = 512;
        let is_start = |&(joint, next): &(Joint, usize)| {
            let probe = part(joint.at..next.min(joint.at + PROBE_MAX));
            recognise::has_known_start(&probe)
                || (!is_known && recognise::recognise(&probe).is_some())
        };
        let ends = joints.iter().skip(1).map(|next| next.at).chain([len]);
        let literals = joints.iter().copied().zip(ends);
        let starts: Vec<Joint> = literals.filter(is_start).map(|(joint, _)| joint).collect();
        for (number, start) in starts.iter().enumerate() {
            if self.is_full() {
                break;
            }
            self.members.budget.check_time()?;
            let end = starts.get(number + 1).map_or(len, |next| next.at);
            self.pass_on(kind, start.offset, &part(start.at..end))?;
        }
        Ok(())
    }

    fn uuencoded(&mut self) -> Result<(), Trouble> {
        for block in decode::uu_blocks(self.text) {
            self.members.take(&block.name, block.content.as_slice())?;
        }
        Ok(())
    }

    /// Passes on what begins at `offset`, if it is something.
    fn pass_on(&mut self, kind: &str, offset: usize, content: &[u8]) -> Result<(), Trouble> {
        match recognise::recognise(content) {
            None => return Ok(()),
            Some(Blob::File) => {
                let name = self.name(kind, offset);
                self.members.take(&name, content)?;
            }
            Some(Blob::Command(text)) => {
                self.members.take("encoded-command.ps1", text.as_bytes())?;
            }
        }
        self.count();
        Ok(())
    }

    /// Passes on a blob that the text decompresses before it runs it.
    fn inflated(&mut self, offset: usize, content: &[u8]) -> Result<(), Trouble> {
        const ZLIB: u8 = 0x78;
        let name = format!("{}-inflated", self.name("base64", offset));
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
