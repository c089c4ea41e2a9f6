//! The records in the database: small, of fixed fields, each with a checksum.
//!
//! Bytes of samples and large results lie in segments and files; a record says
//! where, how long they are and which checksum they have.

use crate::codec::{Decoder, Encoder};

/// Of a record without an owner; what earlier releases wrote.
const VERSION: u8 = 1;
/// Of a record that ends with its owner.
const VERSION_OWNED: u8 = 2;

/// Begins a record, which ends with `owner` if there is one.
fn begin(owner: u64) -> Encoder {
    Encoder::default().u8(if owner == 0 { VERSION } else { VERSION_OWNED })
}

/// Ends a record.
fn end(record: Encoder, owner: u64) -> Vec<u8> {
    match owner {
        0 => record.seal(),
        owner => record.u64(owner).seal(),
    }
}

/// Opens a record, and returns its fields and its owner; 0 for none.
fn open(record: &[u8]) -> Option<(Decoder<'_>, u64)> {
    let mut fields = Decoder::sealed(record)?;
    let owner = match fields.u8()? {
        VERSION => 0,
        VERSION_OWNED => fields.last_u64()?,
        _ => return None,
    };
    Some((fields, owner))
}

/// Where the bytes of a sample are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a segment, the frame beginning at `offset`.
    Segment { no: u32, offset: u64 },
    /// In a file of its own, named after the id.
    File,
    /// Nowhere any more.
    Lost,
}

/// Lengths and checksums of a sample's bytes and of its submission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) body_len: u64,
    pub(crate) body_crc: u32,
    pub(crate) submission_len: u32,
    pub(crate) submission_crc: u32,
}

impl Extent {
    /// Bytes that count against the spool's bound.
    pub(crate) fn bytes(&self) -> u64 {
        self.body_len.saturating_add(u64::from(self.submission_len))
    }
}

/// A sample that waits, is being scanned, or failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SampleRecord {
    pub(crate) failed: bool,
    /// Scans that ended without a verdict.
    pub(crate) attempts: u32,
    pub(crate) place: Place,
    pub(crate) extent: Extent,
    /// Which source's line it stands in.
    pub(crate) source_key: u64,
    /// Microseconds since 1970-01-01 UTC.
    pub(crate) enqueued_at_us: i64,
    /// Whose it is; 0 for nobody's.
    pub(crate) owner: u64,
}

impl SampleRecord {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let (kind, no, offset) = match self.place {
            Place::Segment { no, offset } => (0, no, offset),
            Place::File => (1, 0, 0),
            Place::Lost => (2, 0, 0),
        };
        let record = begin(self.owner)
            .u8(u8::from(self.failed))
            .u32(self.attempts)
            .u8(kind)
            .u32(no)
            .u64(offset)
            .u64(self.extent.body_len)
            .u32(self.extent.body_crc)
            .u32(self.extent.submission_len)
            .u32(self.extent.submission_crc)
            .u64(self.source_key)
            .i64(self.enqueued_at_us);
        end(record, self.owner)
    }

    pub(crate) fn decode(record: &[u8]) -> Option<Self> {
        let (mut fields, owner) = open(record)?;
        let failed = fields.u8()? == 1;
        let attempts = fields.u32()?;
        let (kind, no, offset) = (fields.u8()?, fields.u32()?, fields.u64()?);
        let place = match kind {
            0 => Place::Segment { no, offset },
            1 => Place::File,
            2 => Place::Lost,
            _ => return None,
        };
        let extent = Extent {
            body_len: fields.u64()?,
            body_crc: fields.u32()?,
            submission_len: fields.u32()?,
            submission_crc: fields.u32()?,
        };
        let (source_key, enqueued_at_us) = (fields.u64()?, fields.i64()?);
        Some(Self {
            failed,
            attempts,
            place,
            extent,
            source_key,
            enqueued_at_us,
            owner,
        })
    }
}

/// Where a result's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ResultPlace {
    /// In the record itself.
    Inline(Vec<u8>),
    /// In a result segment, the frame beginning at `offset`.
    Segment {
        no: u32,
        offset: u64,
        len: u64,
        crc: u32,
    },
}

/// What a scan said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResultRecord {
    /// True when the bytes are a reason for the failure, false for a result.
    pub(crate) failed: bool,
    pub(crate) place: ResultPlace,
    /// Whose sample it was; 0 for nobody's.
    pub(crate) owner: u64,
}

impl ResultRecord {
    /// Results up to this many bytes lie in their record. sled moves a page of
    /// more than 128 KiB to a file that it never syncs, so values stay small.
    pub(crate) const INLINE_LEN_MAX: usize = 1024;

    pub(crate) fn encode(&self) -> Vec<u8> {
        let head = begin(self.owner).u8(u8::from(self.failed));
        let record = match &self.place {
            ResultPlace::Inline(bytes) => head.u8(0).bytes(bytes),
            ResultPlace::Segment {
                no,
                offset,
                len,
                crc,
            } => head.u8(1).u32(*no).u64(*offset).u64(*len).u32(*crc),
        };
        end(record, self.owner)
    }

    pub(crate) fn decode(record: &[u8]) -> Option<Self> {
        let (mut fields, owner) = open(record)?;
        let failed = fields.u8()? == 1;
        let place = match fields.u8()? {
            0 => ResultPlace::Inline(fields.rest().to_vec()),
            1 => ResultPlace::Segment {
                no: fields.u32()?,
                offset: fields.u64()?,
                len: fields.u64()?,
                crc: fields.u32()?,
            },
            _ => return None,
        };
        Some(Self {
            failed,
            place,
            owner,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> SampleRecord {
        SampleRecord {
            failed: true,
            attempts: 2,
            place: Place::Segment { no: 7, offset: 9 },
            extent: Extent {
                body_len: 1 << 40,
                body_crc: 1,
                submission_len: 2,
                submission_crc: 3,
            },
            source_key: u64::MAX,
            enqueued_at_us: -5,
            owner: 0,
        }
    }

    #[test]
    fn a_sample_record_reads_back() {
        for place in [
            Place::Segment { no: 7, offset: 9 },
            Place::File,
            Place::Lost,
        ] {
            for owner in [0, 1, u64::MAX] {
                let record = SampleRecord {
                    place,
                    owner,
                    ..sample()
                };
                assert_eq!(SampleRecord::decode(&record.encode()), Some(record));
            }
        }
    }

    #[test]
    fn nobodys_records_are_those_of_earlier_releases() {
        let owned = SampleRecord {
            owner: 9,
            ..sample()
        };
        let (before, now) = (sample().encode(), owned.encode());
        assert_eq!((before[0], now[0]), (1, 2));
        assert_eq!(now.len(), before.len() + 8);
    }

    #[test]
    fn a_result_record_reads_back() {
        for place in [
            ResultPlace::Inline(vec![1, 2, 3]),
            ResultPlace::Segment {
                no: 1,
                offset: 2,
                len: 3,
                crc: 4,
            },
        ] {
            for owner in [0, 1, u64::MAX] {
                let record = ResultRecord {
                    failed: false,
                    place: place.clone(),
                    owner,
                };
                assert_eq!(ResultRecord::decode(&record.encode()), Some(record));
            }
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        every_change_is_noticed(&sample().encode());
        let owner = 7;
        every_change_is_noticed(&SampleRecord { owner, ..sample() }.encode());
    }

    fn every_change_is_noticed(good: &[u8]) {
        for at in 0..good.len() * 8 {
            let mut bad = good.to_vec();
            bad[at / 8] ^= 1 << (at % 8);
            assert_eq!(SampleRecord::decode(&bad), None, "bit {at}");
        }
        for len in 0..good.len() {
            assert_eq!(SampleRecord::decode(&good[..len]), None, "length {len}");
        }
    }
}
