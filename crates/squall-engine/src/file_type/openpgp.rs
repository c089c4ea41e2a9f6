//! Encrypted messages of OpenPGP (RFC 9580) without armour: no mark says that
//! it is one, so the first packet has to make sense, and what is behind it.

use super::bytes;

const SESSION_KEY_FOR_SOMEBODY: u8 = 1;
const SESSION_KEY_BY_PASSWORD: u8 = 3;
const ENCRYPTED: u8 = 9;
const ENCRYPTED_PROTECTED: u8 = 18;
const ENCRYPTED_AEAD: u8 = 20;

/// Tells whether it is a message encrypted for somebody's key or by a password.
pub(crate) fn is_encrypted(content: &[u8]) -> bool {
    is_session_key(content).is_some_and(|is_one| is_one)
}

/// Tells whether it begins with a key that opens what is behind it.
fn is_session_key(content: &[u8]) -> Option<bool> {
    const SYMMETRIC_MAX: u8 = 13;
    const PUBLIC_KEY_MAX: u8 = 28;
    const KEY_ID_BYTES: usize = 8;
    let packet = Packet::at(content)?;
    let body = content.get(packet.body..packet.end)?;
    let makes_sense = match (packet.tag, *body.first()?) {
        (SESSION_KEY_FOR_SOMEBODY, 3) => (1..=PUBLIC_KEY_MAX).contains(body.get(1 + KEY_ID_BYTES)?),
        (SESSION_KEY_BY_PASSWORD, 4) => {
            let (cipher, derivation) = (body.get(1)?, body.get(2)?);
            (1..=SYMMETRIC_MAX).contains(cipher) && matches!(derivation, 0 | 1 | 3 | 4)
        }
        // Those of 2024 have a length where the algorithm was.
        (SESSION_KEY_FOR_SOMEBODY | SESSION_KEY_BY_PASSWORD, 5 | 6) => {
            usize::from(*body.get(1)?) < body.len()
        }
        _ => false,
    };
    let next = tag(*content.get(packet.end)?)?;
    let goes_on = matches!(
        next,
        SESSION_KEY_FOR_SOMEBODY
            | SESSION_KEY_BY_PASSWORD
            | ENCRYPTED
            | ENCRYPTED_PROTECTED
            | ENCRYPTED_AEAD
    );
    Some(makes_sense && goes_on)
}

/// A packet, of one piece.
struct Packet {
    tag: u8,
    body: usize,
    end: usize,
}

impl Packet {
    fn at(content: &[u8]) -> Option<Self> {
        let first = *content.first()?;
        let second = usize::from(*content.get(1)?);
        let (body, len) = match first & 0xc0 {
            0xc0 => match second {
                0..=191 => (2, second),
                192..=223 => (
                    3,
                    ((second - 192) << 8) + usize::from(*content.get(2)?) + 192,
                ),
                _ => return None,
            },
            _ => match first & 0x03 {
                0 => (2, second),
                1 => (3, usize::from(bytes::u16_be(content, 1)?)),
                _ => return None,
            },
        };
        Some(Self {
            tag: tag(first)?,
            body,
            end: body + len,
        })
    }
}

/// What kind of packet a first byte begins.
const fn tag(first: u8) -> Option<u8> {
    match first & 0xc0 {
        0xc0 => Some(first & 0x3f),
        0x80 => Some((first >> 2) & 0x0f),
        _ => None,
    }
}
