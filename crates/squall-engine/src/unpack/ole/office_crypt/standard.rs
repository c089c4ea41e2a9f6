//! The encryption of Office 2007: AES, block by block, with a key from SHA-1.

use sha1::{Digest, Sha1};

use crate::unpack::ciphers::Aes;
use crate::unpack::fields::{Fields, u32_at};

const ROUNDS: u32 = 50_000;
const HASH_BYTES: usize = 20;

/// What a key is made from and checked with.
pub(super) struct Parameters {
    key_bytes: usize,
    salt: Vec<u8>,
    verifier: Vec<u8>,
    verifier_hash: Vec<u8>,
}

impl Parameters {
    pub(super) fn read(info: &[u8]) -> Option<Self> {
        const SALT_BYTES: usize = 16;
        const VERIFIER_HASH_BYTES: usize = 32;
        let mut fields = Fields::new(info);
        let header_len = fields.len32()?;
        let header = fields.take(header_len)?;
        let key_bytes = match u32_at(header, 16)? {
            192 => 24,
            256 => 32,
            // Where it is not said, it is this.
            _ => 16,
        };
        fields.u32()?;
        let salt = fields.take(SALT_BYTES)?.to_vec();
        let verifier = fields.take(16)?.to_vec();
        fields.u32()?;
        let verifier_hash = fields.take(VERIFIER_HASH_BYTES)?.to_vec();
        Some(Self {
            key_bytes,
            salt,
            verifier,
            verifier_hash,
        })
    }

    /// `None` if the password is wrong.
    pub(super) fn decrypt(&self, password: &[u8], encrypted: &[u8]) -> Option<Vec<u8>> {
        let cipher = Aes::new(&self.key(password))?;
        let verifier = Sha1::digest(cipher.blocks(&self.verifier));
        let expected = cipher.blocks(&self.verifier_hash);
        (expected.get(..HASH_BYTES)? == verifier.as_slice()).then(|| cipher.blocks(encrypted))
    }

    fn key(&self, password: &[u8]) -> Vec<u8> {
        let mut hash = Sha1::digest([&self.salt, password].concat());
        for round in 0..ROUNDS {
            let mut digest = Sha1::new();
            digest.update(round.to_le_bytes());
            digest.update(hash);
            hash = digest.finalize();
        }
        let hash = Sha1::digest([hash.as_slice(), &[0; 4]].concat());
        let derived = |fill: u8| {
            let mut block = [fill; 64];
            for (byte, hash) in block.iter_mut().zip(&hash) {
                *byte ^= hash;
            }
            Sha1::digest(block)
        };
        let mut key = [derived(0x36), derived(0x5c)].concat();
        key.truncate(self.key_bytes);
        key
    }
}
