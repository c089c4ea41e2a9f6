//! What a presentation embeds ([MS-PPT] 2.10.34): macro projects, documents and
//! controls, each a compound file of its own in a record of the stream
//! `PowerPoint Document`, compressed as a rule.
//!
//! PowerPoint finds the records by offsets in other records, so what lies
//! between them need not make sense. That is why they are looked for by what
//! they begin with, and lengths are not relied upon. Following one record after
//! the other as well shows those whose content begins with something else:
//! damaged ones.

use std::collections::HashSet;
use std::io::{self, BufRead, Read};

use memchr::memmem;
use squall_types::IncompleteReason;

use super::compound::SIGNATURE;
use super::directory::Entry;
use crate::unpack::decompress::Inflate;
use crate::unpack::fields::Fields;
use crate::unpack::{Members, Trouble};

/// The kind of record that holds a compound file.
const STORAGE: u16 = 0x1011;

/// Tells whether a stream is that of a presentation.
pub(super) fn is_presentation(stream_name: &str) -> bool {
    stream_name.eq_ignore_ascii_case("PowerPoint Document")
}

/// What may still be done for the presentations in a compound file.
///
/// In a file that makes sense, streams share no sectors and records do not
/// overlap. But a byte may lie in thousands of both, and PowerPoint may open any
/// of them: none hides what lies in it. So all are gone through, up to a
/// multiple of what there is in the file.
pub(super) struct Effort {
    /// The first sector and the length of each stream gone through.
    seen: HashSet<(u32, u64)>,
    /// How many bytes may be searched or inflated.
    left: usize,
}

impl Effort {
    /// For a file of this many bytes. One that makes sense needs each of them
    /// twice: to search it, and to inflate it.
    pub(super) fn new(file_bytes: usize) -> Self {
        const TIMES_MAX: usize = 4;
        Self {
            seen: HashSet::new(),
            left: file_bytes.saturating_mul(TIMES_MAX),
        }
    }

    /// Tells whether the stream is another than those before.
    pub(super) fn is_new(&mut self, entry: &Entry) -> bool {
        self.seen.insert((entry.start, entry.size))
    }

    /// Counts the bytes of a stream. `None` if there are not as many left: then
    /// a shorter one may still be gone through.
    fn search(&mut self, bytes: usize) -> Option<()> {
        self.left = self.left.checked_sub(bytes)?;
        Some(())
    }

    /// Counts bytes that were inflated.
    fn inflated(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }
}

/// Passes on what is embedded in the stream, which is named `name`.
pub(super) fn unpack(
    stream: &[u8],
    name: &str,
    effort: &mut Effort,
    members: &mut Members<'_, '_>,
) -> Result<(), Trouble> {
    if effort.search(stream.len()).is_none() {
        let what = "presentations share too many bytes to look into all".to_owned();
        members.record(name, IncompleteReason::Limit, what);
        return Ok(());
    }
    let others =
        Chain { rest: stream }.filter(|record| record.kind == STORAGE && !record.is_certain());
    let mut left_out = 0_usize;
    for (index, record) in certain(stream).chain(others).enumerate() {
        members.check_time()?;
        if effort.left == 0 && !record.is_stored() {
            left_out += 1;
            continue;
        }
        record.pass_on(&format!("{name}/object-{}", index + 1), effort, members)?;
    }
    if left_out > 0 {
        let what = format!("embedded objects overlap too often: {left_out} were not inflated");
        members.record(name, IncompleteReason::Limit, what);
    }
    Ok(())
}

/// The records that begin as one with a compound file in it does, wherever they
/// are.
fn certain(stream: &[u8]) -> impl Iterator<Item = Record<'_>> {
    // Of the header, what stored and compressed ones have in common.
    memmem::find_iter(stream, b"\0\x11\x10")
        .filter_map(|at| Record::read(stream.get(at.checked_sub(1)?..)?))
        .filter(Record::is_certain)
}

/// A record.
struct Record<'a> {
    version: u16,
    instance: u16,
    kind: u16,
    /// Its length, as it says itself.
    len: usize,
    /// What follows its header, up to the end of the stream.
    data: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads the record at the start of `bytes`.
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        let head = fields.u16()?;
        Some(Self {
            version: head & 0xf,
            instance: head >> 4,
            kind: fields.u16()?,
            len: fields.len32()?,
            data: fields.rest(),
        })
    }

    /// What is compressed, if the record is of that kind: behind the length
    /// that it will have.
    fn compressed(&self) -> &'a [u8] {
        self.data.get(4..).unwrap_or_default()
    }

    /// Tells whether it holds a compound file by all that can be seen of it.
    fn is_certain(&self) -> bool {
        self.kind == STORAGE
            && self.version == 0
            && match self.instance {
                0 => self.data.starts_with(SIGNATURE),
                1 => begins_zlib(self.compressed()),
                _ => false,
            }
    }

    /// Tells whether its content is there as it is.
    fn is_stored(&self) -> bool {
        self.instance == 0 || self.data.starts_with(SIGNATURE)
    }

    fn pass_on(
        &self,
        name: &str,
        effort: &mut Effort,
        members: &mut Members<'_, '_>,
    ) -> Result<(), Trouble> {
        if !self.is_stored() {
            return self.inflate(name, effort, members);
        }
        let content = &self.data[..self.data.len().min(self.len)];
        if content.len() < self.len {
            members.record(
                name,
                IncompleteReason::Corrupt,
                "the embedded object is cut off".to_owned(),
            );
        }
        if content.is_empty() {
            return Ok(());
        }
        members.take(name, content)
    }

    /// Passes on what is compressed. It has an end of its own, which no wrong
    /// length can hide.
    fn inflate(
        &self,
        name: &str,
        effort: &mut Effort,
        members: &mut Members<'_, '_>,
    ) -> Result<(), Trouble> {
        let mut input = Pieces {
            rest: self.compressed(),
        };
        let taken = members.take(name, Inflate::zlib(&mut input));
        effort.inflated(self.compressed().len() - input.rest.len());
        taken
    }
}

/// Bytes that are read in small pieces. The inflater does not tell how far it
/// came in a piece that is damaged; that is little, and members are limited.
struct Pieces<'a> {
    rest: &'a [u8],
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.rest.read(buffer)
    }
}

impl BufRead for Pieces<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        const PIECE_BYTES: usize = 4096;
        Ok(&self.rest[..self.rest.len().min(PIECE_BYTES)])
    }

    fn consume(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }
}

/// Tells whether this is the header of zlib: deflate, with a check that fits.
fn begins_zlib(bytes: &[u8]) -> bool {
    const DEFLATE: u8 = 8;
    const WINDOW_MAX: u8 = 7;
    const HAS_DICTIONARY: u8 = 0x20;
    let [method, flags, ..] = *bytes else {
        return false;
    };
    method & 0xf == DEFLATE
        && method >> 4 <= WINDOW_MAX
        && flags & HAS_DICTIONARY == 0
        && u16::from_be_bytes([method, flags]).is_multiple_of(31)
}

/// The records one after the other. Those in containers are gone through as if
/// they were not in one, so nothing is deep.
struct Chain<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Chain<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        const CONTAINER: u16 = 0xf;
        let record = Record::read(self.rest)?;
        let len = if record.version == CONTAINER {
            0
        } else {
            record.len
        };
        // One that is longer than what is left is the last.
        self.rest = record.data.get(len..).unwrap_or_default();
        Some(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_of_zlib_is_known() {
        for header in [b"\x78\x01", b"\x78\x9c", b"\x78\xda", b"\x48\x89"] {
            assert!(begins_zlib(header));
        }
        for other in [
            &b"\x78\x9d"[..],
            b"\x79\x9c",
            b"\x88\x1c",
            b"\x78\xbb",
            b"x",
            b"",
        ] {
            assert!(!begins_zlib(other), "{}", other.escape_ascii());
        }
    }

    #[test]
    fn containers_are_stepped_into_and_other_records_over() {
        let stream =
            b"\x0f\0\xe8\x03\xff\0\0\0\x01\0\x02\0\x03\0\0\0abc\0\0\x04\0\xff\xff\xff\xffx";
        let kinds: Vec<u16> = Chain { rest: stream }.map(|record| record.kind).collect();
        assert_eq!(kinds, [0x3e8, 2, 4]);
    }
}
