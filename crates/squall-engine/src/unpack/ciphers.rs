//! The ciphers of documents, for data that comes from strangers: too short, or
//! not padded.

use aes::cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};

pub(super) const BLOCK_BYTES: usize = 16;

/// Encrypts or decrypts with RC4, which is the same. No crate in the project
/// has it, since nothing new should use it.
pub(super) fn rc4(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    if key.is_empty() {
        return bytes.to_vec();
    }
    let mut state: [u8; 256] = std::array::from_fn(|index| index.to_le_bytes()[0]);
    let mut other = 0_u8;
    for index in 0..256 {
        other = other
            .wrapping_add(state[index])
            .wrapping_add(key[index % key.len()]);
        state.swap(index, usize::from(other));
    }
    let (mut one, mut other) = (0_u8, 0_u8);
    bytes
        .iter()
        .map(|byte| {
            one = one.wrapping_add(1);
            other = other.wrapping_add(state[usize::from(one)]);
            state.swap(usize::from(one), usize::from(other));
            let at = state[usize::from(one)].wrapping_add(state[usize::from(other)]);
            byte ^ state[usize::from(at)]
        })
        .collect()
}

/// AES with a key of any of its lengths.
pub(super) enum Aes {
    Bits128(Aes128),
    Bits192(Aes192),
    Bits256(Aes256),
}

impl Aes {
    /// `None` if the key has none of the lengths.
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Aes128::new_from_slice(key).ok().map(Self::Bits128),
            24 => Aes192::new_from_slice(key).ok().map(Self::Bits192),
            32 => Aes256::new_from_slice(key).ok().map(Self::Bits256),
            _ => None,
        }
    }

    /// Decrypts blocks that are chained, with this one before the first. What is
    /// not a whole block is left out.
    pub(super) fn chained(&self, start: [u8; BLOCK_BYTES], bytes: &[u8]) -> Vec<u8> {
        let mut decrypted = self.blocks(bytes);
        let before = start.iter().chain(bytes);
        for (byte, before) in decrypted.iter_mut().zip(before) {
            *byte ^= before;
        }
        decrypted
    }

    /// Decrypts what has the block before the first in front of it, and padding
    /// behind it.
    pub(super) fn padded(&self, bytes: &[u8]) -> Vec<u8> {
        let Some((start, bytes)) = bytes.split_first_chunk() else {
            return Vec::new();
        };
        let mut decrypted = self.chained(*start, bytes);
        let padding = decrypted.last().copied().map_or(0, usize::from);
        if (1..=BLOCK_BYTES).contains(&padding) {
            decrypted.truncate(decrypted.len() - padding);
        }
        decrypted
    }

    /// Decrypts blocks one by one. What is not a whole block is left out.
    pub(super) fn blocks(&self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Bits128(cipher) => decrypted_blocks(cipher, bytes),
            Self::Bits192(cipher) => decrypted_blocks(cipher, bytes),
            Self::Bits256(cipher) => decrypted_blocks(cipher, bytes),
        }
    }
}

fn decrypted_blocks<C: BlockCipherDecrypt>(cipher: &C, bytes: &[u8]) -> Vec<u8> {
    let mut decrypted = Vec::with_capacity(bytes.len());
    for chunk in bytes.chunks_exact(BLOCK_BYTES) {
        let mut block = Block::<C>::default();
        block.copy_from_slice(chunk);
        cipher.decrypt_block(&mut block);
        decrypted.extend_from_slice(&block);
    }
    decrypted
}

/// Encrypts whole blocks in place, chained; nothing if key or start have not
/// 16 bytes.
pub(super) fn aes_128_encrypt(key: &[u8], start: &[u8], bytes: &mut [u8]) {
    let (Ok(cipher), Ok(mut before)) = (
        Aes128::new_from_slice(key),
        <[u8; BLOCK_BYTES]>::try_from(start),
    ) else {
        return;
    };
    for chunk in bytes.chunks_exact_mut(BLOCK_BYTES) {
        for (byte, before) in chunk.iter_mut().zip(before) {
            *byte ^= before;
        }
        let mut block = Block::<Aes128>::default();
        block.copy_from_slice(chunk);
        cipher.encrypt_block(&mut block);
        chunk.copy_from_slice(&block);
        before.copy_from_slice(&block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_texts_are_encrypted() {
        assert_eq!(
            rc4(b"Key", b"Plaintext"),
            b"\xbb\xf3\x16\xe8\xd9\x40\xaf\x0a\xd3"
        );
        let mut block = *b"\x6b\xc1\xbe\xe2\x2e\x40\x9f\x96\xe9\x3d\x7e\x11\x73\x93\x17\x2a";
        let plain = block;
        let key = b"\x2b\x7e\x15\x16\x28\xae\xd2\xa6\xab\xf7\x15\x88\x09\xcf\x4f\x3c";
        let start: Vec<u8> = (0..16).collect();
        aes_128_encrypt(key, &start, &mut block);
        assert_eq!(block[..4], *b"\x76\x49\xab\xac");
        let whole = [start, block.to_vec()].concat();
        assert_eq!(Aes::new(key).unwrap().padded(&whole), plain);
    }

    #[test]
    fn what_is_too_short_is_empty() {
        assert!(Aes::new(b"bad key").is_none());
        let aes = Aes::new(&[0; 32]).unwrap();
        assert_eq!(aes.padded(b"short"), b"");
        assert_eq!(aes.padded(&[0; 20]), b"");
        assert_eq!(aes.chained([0; 16], &[0; 15]), b"");
        assert_eq!(rc4(b"", b"x"), b"x");
    }
}
