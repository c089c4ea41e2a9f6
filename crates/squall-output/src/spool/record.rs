//! A record in a segment: `length u32 | CRC-32 u32 | time u64 | body`, little
//! endian. The checksum is over time and body, so that neither zeros nor the
//! rest of another record pass for one.
//!
//! Where the sample that the record is of has a trace, the highest bit of the
//! length is set, and before the body there are the sample's nonce and its id,
//! `nonce [u8; 12] | id u64`, counted in the length; the checksum begins with the
//! byte 1 then. Without traces records are as they always were.

use crate::delivery::Sample;

/// Bytes before the body.
pub(super) const HEAD_BYTES: usize = 16;

/// Bytes of nonce and id, and what says that they are there.
const SAMPLE_BYTES: usize = 20;
const HAS_SAMPLE: u32 = 1 << 31;

/// The longest body. What renders findings cuts them to less.
pub(crate) const BODY_BYTES_MAX: usize = 2 << 20;

/// A record that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parsed<'a> {
    /// When its finding was made, in milliseconds since 1970-01-01 UTC.
    pub(super) time_ms: u64,
    /// The sample it is of, if that has a trace.
    pub(super) sample: Option<Sample>,
    pub(super) body: &'a [u8],
    /// Bytes of the whole record.
    pub(super) len: usize,
}

/// What stands at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parse<'a> {
    Record(Parsed<'a>),
    /// A record may, if there are at least so many bytes.
    Short(usize),
    /// None.
    Damaged,
}

/// Appends a record.
pub(super) fn write(out: &mut Vec<u8>, time_ms: u64, sample: Option<&Sample>, body: &[u8]) {
    let mut head = Vec::new();
    let mut flags = 0;
    if let Some(sample) = sample {
        head.extend(sample.nonce);
        head.extend(sample.id.to_le_bytes());
        flags = HAS_SAMPLE;
    }
    let length = u32::try_from(head.len() + body.len()).unwrap_or(u32::MAX);
    out.extend((length | flags).to_le_bytes());
    out.extend(checksum(time_ms, sample.is_some(), &[&head, body]).to_le_bytes());
    out.extend(time_ms.to_le_bytes());
    out.extend(head);
    out.extend(body);
}

/// Reads the record at the beginning of some bytes.
pub(super) fn parse(bytes: &[u8]) -> Parse<'_> {
    let Some((head, rest)) = bytes.split_first_chunk::<HEAD_BYTES>() else {
        return Parse::Short(HEAD_BYTES);
    };
    let word = |at: usize| [head[at], head[at + 1], head[at + 2], head[at + 3]];
    let length = u32::from_le_bytes(word(0));
    let has_sample = length & HAS_SAMPLE != 0;
    let length = (length & !HAS_SAMPLE) as usize;
    let sum = u32::from_le_bytes(word(4));
    let time_ms =
        u64::from(u32::from_le_bytes(word(8))) | u64::from(u32::from_le_bytes(word(12))) << 32;
    let length_max = BODY_BYTES_MAX + if has_sample { SAMPLE_BYTES } else { 0 };
    if length > length_max {
        return Parse::Damaged;
    }
    let Some(content) = rest.get(..length) else {
        return Parse::Short(HEAD_BYTES + length);
    };
    if checksum(time_ms, has_sample, &[content]) != sum {
        return Parse::Damaged;
    }
    let (sample, body) = match has_sample.then(|| split_sample(content)) {
        None => (None, content),
        Some(Some((sample, body))) => (Some(sample), body),
        Some(None) => return Parse::Damaged,
    };
    Parse::Record(Parsed {
        time_ms,
        sample,
        body,
        len: HEAD_BYTES + length,
    })
}

fn split_sample(content: &[u8]) -> Option<(Sample, &[u8])> {
    let (nonce, rest) = content.split_first_chunk()?;
    let (id, body) = rest.split_first_chunk()?;
    let sample = Sample {
        nonce: *nonce,
        id: u64::from_le_bytes(*id),
    };
    Some((sample, body))
}

fn checksum(time_ms: u64, has_sample: bool, content: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    if has_sample {
        hasher.update(&[1]);
    }
    hasher.update(&time_ms.to_le_bytes());
    for part in content {
        hasher.update(part);
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME_MS: u64 = 1_783_674_527_123;
    const SAMPLE: Sample = Sample {
        nonce: [7; 12],
        id: u64::MAX - 1,
    };

    #[test]
    fn a_record_is_read_as_it_was_written_and_nothing_else_is() {
        for (sample, head_len) in [(None, 16), (Some(SAMPLE), 36)] {
            let mut bytes = Vec::new();
            write(&mut bytes, TIME_MS, sample.as_ref(), b"body");
            assert_eq!(bytes.len(), head_len + 4);
            let expected = Parsed {
                time_ms: TIME_MS,
                sample,
                body: b"body",
                len: bytes.len(),
            };
            assert_eq!(parse(&bytes), Parse::Record(expected));
            assert_eq!(parse(&bytes[..15]), Parse::Short(16));
            assert_eq!(parse(&bytes[..19]), Parse::Short(bytes.len()));
            for at in 0..bytes.len() * 8 {
                let mut damaged = bytes.clone();
                damaged[at / 8] ^= 1 << (at % 8);
                assert!(!matches!(parse(&damaged), Parse::Record(_)), "bit {at}");
            }
        }
        assert_eq!(parse(&[0; 64]), Parse::Damaged);
        assert_eq!(parse(&[0xff; 64]), Parse::Damaged);
    }

    #[test]
    fn records_without_a_trace_are_those_of_earlier_versions() {
        // Written by the version before traces of deliveries.
        let earlier = b"\x04\x00\x00\x00\x57\xce\xed\x47\x93\x5d\x49\x4b\x9f\x01\x00\x00body";
        let mut bytes = Vec::new();
        write(&mut bytes, TIME_MS, None, b"body");
        assert_eq!(bytes, earlier);
    }

    #[test]
    fn the_longest_body_fits_beside_the_sample() {
        let body = vec![b'x'; BODY_BYTES_MAX];
        let mut bytes = Vec::new();
        write(&mut bytes, TIME_MS, Some(&SAMPLE), &body);
        match parse(&bytes) {
            Parse::Record(record) => assert_eq!(record.body, body),
            other => panic!("{other:?}"),
        }
    }
}
