//! Cpio archives: the two ASCII forms and the old binary one, as the payload of
//! RPM packages and initial RAM disks have them.

#[cfg(test)]
pub(super) mod tests;

use std::io::{self, Read};

use super::decompress::Exact;
use super::{Members, Trouble};

/// The name that marks the end.
const TRAILER: &[u8] = b"TRAILER!!!";

/// Length of the mark that an archive begins with.
pub(super) const MAGIC_LEN: usize = 6;

/// What the new ASCII form begins with.
pub(super) const NEW_MAGIC: &[u8] = b"070701";

/// No path is longer.
const NAME_LEN_MAX: u64 = 64 * 1024;

/// Passes on every file of the archives, which may follow each other, and what
/// is behind them.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let mut rest = content;
    loop {
        stream(&mut rest, members)?;
        let zeros = rest.iter().take_while(|byte| **byte == 0).count();
        rest = &rest[zeros..];
        if rest.is_empty() {
            return Ok(());
        }
        if !begins(rest) {
            // The initial RAM disk has a compressed archive there.
            return members.take("behind the archive", rest);
        }
    }
}

/// Tells whether an archive begins here.
pub(super) fn begins(content: &[u8]) -> bool {
    [b"070701", b"070702", b"070707", b"07070X"]
        .iter()
        .any(|magic| content.starts_with(*magic))
        || content.starts_with(b"\xc7\x71")
        || content.starts_with(b"\x71\xc7")
}

/// Passes on every file of one archive, up to its end mark.
pub(super) fn stream(mut input: impl Read, members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    loop {
        members.check_time()?;
        let Some(header) = Header::read(&mut input)? else {
            return Ok(());
        };
        let mut left = header.len;
        if header.is_file() {
            let mut content = Exact::new(&mut input, header.len);
            members.take(&header.name, &mut content)?;
            // What a limit left unread.
            left = content.left();
        }
        members.skip(&mut input, left)?;
        members.skip(&mut input, header.padding)?;
    }
}

/// What is before a file.
struct Header {
    name: String,
    mode: u64,
    links: u64,
    len: u64,
    /// What is behind the content, so that the next header is aligned.
    padding: u64,
}

impl Header {
    /// `None` at the end of the archive.
    fn read(input: &mut impl Read) -> Result<Option<Self>, Trouble> {
        let mut magic = [0; MAGIC_LEN];
        input.read_exact(&mut magic[..2]).map_err(cut_off)?;
        match &magic[..2] {
            b"\xc7\x71" => return Self::binary(input, u16::from_le_bytes),
            b"\x71\xc7" => return Self::binary(input, u16::from_be_bytes),
            _ => {}
        }
        input.read_exact(&mut magic[2..]).map_err(cut_off)?;
        match &magic {
            b"070701" | b"070702" => Self::new_ascii(input),
            b"070707" => Self::old_ascii(input),
            b"07070X" => Err(Trouble::unsupported(
                "a cpio archive that leaves what it holds to the package around it",
            )),
            _ => Err(Trouble::corrupt("a damaged header in a cpio archive")),
        }
    }

    fn new_ascii(input: &mut impl Read) -> Result<Option<Self>, Trouble> {
        const FIELD_LEN: usize = 8;
        const HEADER_LEN: u64 = 110;
        const ALIGNMENT: u64 = 4;
        let mut fields = [0; 13 * FIELD_LEN];
        input.read_exact(&mut fields).map_err(cut_off)?;
        let field = |index: usize| number(&fields[index * FIELD_LEN..][..FIELD_LEN], 16);
        let name_len = field(11)?;
        let name = Self::name(input, name_len)?;
        let padding = padding(HEADER_LEN + name_len, ALIGNMENT);
        discard(input, padding)?;
        let len = field(6)?;
        Self {
            name: String::new(),
            mode: field(1)?,
            links: field(4)?,
            len,
            padding: self::padding(len, ALIGNMENT),
        }
        .named(&name)
    }

    fn old_ascii(input: &mut impl Read) -> Result<Option<Self>, Trouble> {
        let mut fields = [0; 70];
        input.read_exact(&mut fields).map_err(cut_off)?;
        let field = |range: std::ops::Range<usize>| number(&fields[range], 8);
        let name_len = field(53..59)?;
        let name = Self::name(input, name_len)?;
        Self {
            name: String::new(),
            mode: field(12..18)?,
            links: field(30..36)?,
            len: field(59..70)?,
            padding: 0,
        }
        .named(&name)
    }

    fn binary(input: &mut impl Read, decoded: fn([u8; 2]) -> u16) -> Result<Option<Self>, Trouble> {
        let mut fields = [0; 24];
        input.read_exact(&mut fields).map_err(cut_off)?;
        let (fields, _) = fields.as_chunks::<2>();
        let field = |index: usize| u64::from(decoded(fields[index]));
        let name_len = field(9);
        let name = Self::name(input, name_len)?;
        discard(input, padding(name_len, 2))?;
        let len = (field(10) << 16) | field(11);
        Self {
            name: String::new(),
            mode: field(2),
            links: field(5),
            len,
            padding: padding(len, 2),
        }
        .named(&name)
    }

    /// Reads a name, with the zero at its end.
    fn name(input: &mut impl Read, len: u64) -> Result<Vec<u8>, Trouble> {
        if len > NAME_LEN_MAX {
            return Err(Trouble::corrupt("a damaged header in a cpio archive"));
        }
        let mut name = Vec::new();
        let read = input.take(len).read_to_end(&mut name)?;
        if read as u64 != len {
            return Err(cut_off(io::ErrorKind::UnexpectedEof.into()));
        }
        while name.last() == Some(&0) {
            name.pop();
        }
        Ok(name)
    }

    fn named(self, name: &[u8]) -> Result<Option<Self>, Trouble> {
        if name == TRAILER {
            return Ok(None);
        }
        Ok(Some(Self {
            name: String::from_utf8_lossy(name).into_owned(),
            ..self
        }))
    }

    /// Tells whether it is a file with content of its own; all but one of the
    /// names of a linked file have none.
    fn is_file(&self) -> bool {
        const KIND: u64 = 0o170_000;
        const REGULAR: u64 = 0o100_000;
        let kind = self.mode & KIND;
        (kind == REGULAR || kind == 0) && (self.len > 0 || self.links <= 1)
    }
}

fn number(digits: &[u8], radix: u32) -> Result<u64, Trouble> {
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| u64::from_str_radix(digits, radix).ok())
        .ok_or_else(|| Trouble::corrupt("a damaged number in a cpio archive"))
}

fn padding(len: u64, alignment: u64) -> u64 {
    len.next_multiple_of(alignment) - len
}

/// Reads over padding, which is a few bytes.
fn discard(input: &mut impl Read, len: u64) -> Result<(), Trouble> {
    io::copy(&mut input.take(len), &mut io::sink())?;
    Ok(())
}

/// The end of the input before the end mark. Any other error is the decoder's.
fn cut_off(error: io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Trouble::corrupt("the cpio archive is cut off"),
        _ => error.into(),
    }
}
