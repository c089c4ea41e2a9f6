//! A frame: how a sample's bytes, or a result's, lie in a file.
//!
//! In a segment: header, submission, body. In a file of its own, whose body is
//! written before anything else is known: body, submission, header. The header
//! says enough to rebuild a sample's record should the database be lost.

use squall_types::SampleId;

use crate::{
    codec::{Decoder, Encoder},
    record::Extent,
};

/// `SQF` and the version of the format.
const MAGIC: u32 = u32::from_le_bytes(*b"SQF\x01");

/// Bytes of an encoded header.
pub(crate) const HEADER_LEN: usize = 52;

/// What is known of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) id: SampleId,
    pub(crate) extent: Extent,
    pub(crate) source_key: u64,
    pub(crate) enqueued_at_us: i64,
}

impl FrameHeader {
    /// Stands for the id in a file that is named after it.
    pub(crate) const UNNAMED: SampleId = match SampleId::new(SampleId::END - 1) {
        Some(id) => id,
        None => unreachable!(),
    };

    pub(crate) fn encode(&self) -> Vec<u8> {
        Encoder::default()
            .u32(MAGIC)
            .u64(self.id.value())
            .u64(self.extent.body_len)
            .u32(self.extent.body_crc)
            .u32(self.extent.submission_len)
            .u32(self.extent.submission_crc)
            .u64(self.source_key)
            .i64(self.enqueued_at_us)
            .seal()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Decoder::sealed(bytes)?;
        if fields.u32()? != MAGIC {
            return None;
        }
        let id = SampleId::new(fields.u64()?)?;
        let extent = Extent {
            body_len: fields.u64()?,
            body_crc: fields.u32()?,
            submission_len: fields.u32()?,
            submission_crc: fields.u32()?,
        };
        let (source_key, enqueued_at_us) = (fields.u64()?, fields.i64()?);
        Some(Self {
            id,
            extent,
            source_key,
            enqueued_at_us,
        })
    }

    /// Bytes of the whole frame; `None` when the lengths cannot be true.
    pub(crate) fn frame_len(&self) -> Option<u64> {
        frame_len(&self.extent)
    }
}

/// Bytes of a frame with this extent; `None` when the lengths cannot be true.
pub(crate) fn frame_len(extent: &Extent) -> Option<u64> {
    (HEADER_LEN as u64)
        .checked_add(u64::from(extent.submission_len))?
        .checked_add(extent.body_len)
}

/// Where the submission begins in a segment's frame that begins at `offset`.
pub(crate) fn submission_offset(offset: u64) -> u64 {
    offset + HEADER_LEN as u64
}

/// Where the body begins in a segment's frame that begins at `offset`.
pub(crate) fn body_offset(offset: u64, extent: &Extent) -> u64 {
    submission_offset(offset) + u64::from(extent.submission_len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_and_has_its_length() {
        let header = FrameHeader {
            id: SampleId::new(77).unwrap(),
            extent: Extent {
                body_len: 5,
                body_crc: 6,
                submission_len: 7,
                submission_crc: 8,
            },
            source_key: 9,
            enqueued_at_us: 10,
        };
        let encoded = header.encode();
        assert_eq!(encoded.len(), HEADER_LEN);
        assert_eq!(FrameHeader::decode(&encoded), Some(header));
        assert_eq!(header.frame_len(), Some(HEADER_LEN as u64 + 12));
        assert_eq!(FrameHeader::decode(&[0; HEADER_LEN]), None);
    }
}
