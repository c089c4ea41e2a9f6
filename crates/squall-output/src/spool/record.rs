//! A record in a segment: `length u32 | CRC-32 u32 | time u64 | body`, little
//! endian. The checksum is over time and body, so that neither zeros nor the
//! rest of another record pass for one.

/// Bytes before the body.
pub(super) const HEAD_BYTES: usize = 16;

/// The longest body. What renders findings cuts them to less.
pub(crate) const BODY_BYTES_MAX: usize = 2 << 20;

/// A record that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parsed<'a> {
    /// When its finding was made, in milliseconds since 1970-01-01 UTC.
    pub(super) time_ms: u64,
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
pub(super) fn write(out: &mut Vec<u8>, time_ms: u64, body: &[u8]) {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    out.extend(length.to_le_bytes());
    out.extend(checksum(time_ms, body).to_le_bytes());
    out.extend(time_ms.to_le_bytes());
    out.extend(body);
}

/// Reads the record at the beginning of some bytes.
pub(super) fn parse(bytes: &[u8]) -> Parse<'_> {
    let Some((head, rest)) = bytes.split_first_chunk::<HEAD_BYTES>() else {
        return Parse::Short(HEAD_BYTES);
    };
    let word = |at: usize| [head[at], head[at + 1], head[at + 2], head[at + 3]];
    let length = u32::from_le_bytes(word(0)) as usize;
    let sum = u32::from_le_bytes(word(4));
    let time_ms =
        u64::from(u32::from_le_bytes(word(8))) | u64::from(u32::from_le_bytes(word(12))) << 32;
    if length > BODY_BYTES_MAX {
        return Parse::Damaged;
    }
    let Some(body) = rest.get(..length) else {
        return Parse::Short(HEAD_BYTES + length);
    };
    if checksum(time_ms, body) != sum {
        return Parse::Damaged;
    }
    Parse::Record(Parsed {
        time_ms,
        body,
        len: HEAD_BYTES + length,
    })
}

fn checksum(time_ms: u64, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&time_ms.to_le_bytes());
    hasher.update(body);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_and_nothing_else_is() {
        let mut bytes = Vec::new();
        write(&mut bytes, 1_783_674_527_123, b"body");
        let expected = Parsed {
            time_ms: 1_783_674_527_123,
            body: b"body",
            len: bytes.len(),
        };
        assert_eq!(parse(&bytes), Parse::Record(expected));
        assert_eq!(parse(&bytes[..15]), Parse::Short(16));
        assert_eq!(parse(&bytes[..19]), Parse::Short(20));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert!(!matches!(parse(&damaged), Parse::Record(_)), "byte {at}");
        }
        assert_eq!(parse(&[0; 64]), Parse::Damaged);
        assert_eq!(parse(&[0xff; 64]), Parse::Damaged);
    }
}
