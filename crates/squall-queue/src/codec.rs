//! Fixed little-endian fields with a checksum: the stored form of everything
//! that is not sample bytes.

/// Writes fields one after the other.
#[derive(Default)]
pub(crate) struct Encoder(Vec<u8>);

impl Encoder {
    pub(crate) fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub(crate) fn u32(self, value: u32) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(crate) fn u64(self, value: u64) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(crate) fn i64(self, value: i64) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(crate) fn bytes(mut self, value: &[u8]) -> Self {
        self.0.extend_from_slice(value);
        self
    }

    /// Ends the record with the checksum of all before it.
    pub(crate) fn seal(self) -> Vec<u8> {
        let crc = crc32fast::hash(&self.0);
        self.u32(crc).0
    }
}

/// Reads fields one after the other. Every read is `None` past the end.
pub(crate) struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    /// Opens a record made by [`Encoder::seal`]; `None` if the checksum differs.
    pub(crate) fn sealed(record: &'a [u8]) -> Option<Self> {
        let (fields, crc) = record.split_last_chunk::<4>()?;
        (crc32fast::hash(fields) == u32::from_le_bytes(*crc)).then_some(Self(fields))
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    /// Takes the field that all others come before.
    pub(crate) fn last_u64(&mut self) -> Option<u64> {
        let (rest, value) = self.0.split_last_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*value))
    }

    /// Everything that is left.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (value, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*value)
    }
}
