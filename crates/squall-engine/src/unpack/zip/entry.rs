//! One member, as a header describes it.

use std::borrow::Cow;

use super::super::Trouble;
use super::super::fields::{Fields, u16_at, u64_at};

/// How a header of a member begins in the directory, and before its data.
pub(super) const CENTRAL: &[u8] = b"PK\x01\x02";
pub(super) const LOCAL: &[u8] = b"PK\x03\x04";

const FLAG_ENCRYPTED: u16 = 1;
const FLAG_END_MARK: u16 = 1 << 1;
const FLAG_DESCRIPTOR: u16 = 1 << 3;
const FLAG_STRONG: u16 = 1 << 6;
const FLAG_MASKED: u16 = 1 << 13;

/// The extra field of large archives.
const EXTRA_ZIP64: u16 = 0x0001;
/// The extra field of those encrypted with AES.
pub(super) const EXTRA_AES: u16 = 0x9901;
/// The value that stands for one in the extra field.
const IN_ZIP64: u32 = u32::MAX;

/// A member.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) method: u16,
    pub(super) is_encrypted: bool,
    /// The encryption is one that no free tool knows.
    pub(super) is_strong: bool,
    /// LZMA data of it ends with a mark.
    pub(super) has_end_mark: bool,
    /// The upper byte of what ZipCrypto checks a password with.
    pub(super) check: u8,
    /// `None` if it is told only behind the data.
    pub(super) crc: Option<u32>,
    /// Length of the data as it is in the archive; `None` if it is told only
    /// behind it.
    pub(super) packed_len: Option<u64>,
    /// Length when unpacked, as declared.
    pub(super) len: Option<u64>,
    /// What the extra field of AES says.
    pub(super) aes: Option<Aes>,
    /// Where its local header is.
    pub(super) local: usize,
    /// Where its data begins, if the local header was read.
    pub(super) data: Option<usize>,
}

/// What the extra field of AES says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aes {
    /// 1 or 2; the second has no checksum.
    pub(super) version: u16,
    /// 1 to 3, for 128, 192 and 256 bits.
    pub(super) strength: u8,
    /// The method of what is encrypted.
    pub(super) method: u16,
}

/// What both headers have in common.
struct Common {
    flags: u16,
    method: u16,
    time: u16,
    crc: u32,
    packed_len: u32,
    len: u32,
    name_len: usize,
    extra_len: usize,
}

impl Common {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let _version = fields.u16()?;
        let flags = fields.u16()?;
        let method = fields.u16()?;
        let time = fields.u16()?;
        let _date = fields.u16()?;
        Some(Self {
            flags,
            method,
            time,
            crc: fields.u32()?,
            packed_len: fields.u32()?,
            len: fields.u32()?,
            name_len: usize::from(fields.u16()?),
            extra_len: usize::from(fields.u16()?),
        })
    }

    fn entry(&self, name: &[u8], extra: &[u8], local: usize) -> Entry {
        let mut zip64 = find_extra(extra, EXTRA_ZIP64).map(Fields::new);
        let mut large = |value: u32| {
            if value != IN_ZIP64 {
                return u64::from(value);
            }
            let wide = zip64.as_mut().and_then(|fields| fields.take(8));
            wide.and_then(|bytes| u64_at(bytes, 0))
                .unwrap_or_else(|| u64::from(value))
        };
        let len = large(self.len);
        let packed_len = large(self.packed_len);
        let local = match u32::try_from(local) {
            Ok(IN_ZIP64) => usize::try_from(large(IN_ZIP64)).unwrap_or(usize::MAX),
            _ => local,
        };
        let check = if self.flags & FLAG_DESCRIPTOR != 0 {
            self.time.to_le_bytes()[1]
        } else {
            self.crc.to_le_bytes()[3]
        };
        Entry {
            name: decoded_name(name).into_owned(),
            method: self.method,
            is_encrypted: self.flags & (FLAG_ENCRYPTED | FLAG_STRONG | FLAG_MASKED) != 0,
            is_strong: self.flags & (FLAG_STRONG | FLAG_MASKED) != 0,
            has_end_mark: self.flags & FLAG_END_MARK != 0,
            check,
            crc: Some(self.crc),
            packed_len: Some(packed_len),
            len: Some(len),
            aes: find_extra(extra, EXTRA_AES).and_then(aes),
            local,
            data: None,
        }
    }
}

impl Entry {
    /// Reads an entry of the directory, and tells where the next one is.
    pub(super) fn central(content: &[u8], at: usize) -> Option<(Self, usize)> {
        let mut fields = Fields::new(content.get(at..)?);
        if fields.take(CENTRAL.len())? != CENTRAL {
            return None;
        }
        let _made_by = fields.u16()?;
        let common = Common::read(&mut fields)?;
        let comment_len = usize::from(fields.u16()?);
        let _disk = fields.u16()?;
        let _internal = fields.u16()?;
        let _external = fields.u32()?;
        let local = fields.len32()?;
        let name = fields.take(common.name_len)?;
        let extra = fields.take(common.extra_len)?;
        fields.take_up_to(comment_len);
        let next = content.len() - fields.rest().len();
        Some((common.entry(name, extra, local), next))
    }

    /// Reads a local header.
    pub(super) fn local(content: &[u8], at: usize) -> Option<Self> {
        let mut fields = Fields::new(content.get(at..)?);
        if fields.take(LOCAL.len())? != LOCAL {
            return None;
        }
        let common = Common::read(&mut fields)?;
        let name = fields.take(common.name_len)?;
        let extra = fields.take(common.extra_len)?;
        let mut entry = common.entry(name, extra, 0);
        entry.local = at;
        entry.data = Some(content.len() - fields.rest().len());
        if common.flags & FLAG_DESCRIPTOR != 0 && common.packed_len == 0 {
            entry.packed_len = None;
            entry.len = None;
            entry.crc = None;
        }
        Some(entry)
    }

    /// Tells whether it is a directory; one with content is a file with a
    /// strange name.
    pub(super) fn is_directory(&self) -> bool {
        self.name.ends_with('/') && self.packed_len == Some(0)
    }

    /// The data, as it is in the archive.
    pub(super) fn packed<'a>(&self, content: &'a [u8]) -> Result<&'a [u8], Trouble> {
        let data = match self.data {
            Some(data) => data,
            None => Self::local(content, self.local)
                .and_then(|local| local.data)
                .ok_or_else(|| Trouble::corrupt("the header before the data is missing"))?,
        };
        let rest = content
            .get(data..)
            .ok_or_else(|| Trouble::corrupt("the data is missing"))?;
        let Some(len) = self.packed_len else {
            return Ok(rest);
        };
        // Cut off: the decoder notices, or the checksum.
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        Ok(&rest[..len.min(rest.len())])
    }

    /// Where its data ends, if that is known.
    pub(super) fn end(&self, content: &[u8]) -> Option<usize> {
        let data = match self.data {
            Some(data) => data,
            None => Self::local(content, self.local)?.data?,
        };
        let len = usize::try_from(self.packed_len?).ok()?;
        data.checked_add(len)
    }
}

fn aes(extra: &[u8]) -> Option<Aes> {
    Some(Aes {
        version: u16_at(extra, 0)?,
        strength: *extra.get(4)?,
        method: u16_at(extra, 5)?,
    })
}

/// The content of an extra field.
fn find_extra(extra: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut fields = Fields::new(extra);
    loop {
        let id = fields.u16()?;
        let len = usize::from(fields.u16()?);
        let content = fields.take_up_to(len);
        if id == wanted {
            return Some(content);
        }
    }
}

/// The name: UTF-8 if it can be, whatever the flags say.
fn decoded_name(name: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(name)
}
