//! From a password to the key of the file (algorithms 2, 2.A, 2.B and 6).

use md5::Md5;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::Encryption;
use crate::unpack::ciphers::{Aes, aes_128_encrypt, rc4};
use crate::unpack::pdf::value::Value;

/// What short passwords are filled up with.
const PADDING: &[u8; 32] = b"\x28\xbf\x4e\x5e\x4e\x75\x8a\x41\x64\x00\x4e\x56\xff\xfa\x01\x08\
\x2e\x2e\x00\xb6\xd0\x68\x3e\x80\x2f\x0c\xa9\xfe\x64\x53\x69\x7a";

/// The parameters that a key is made from.
pub(super) struct Parameters<'a> {
    revision: u64,
    key_bytes: usize,
    owner: &'a [u8],
    user: &'a [u8],
    user_key: &'a [u8],
    permissions: [u8; 4],
    id: &'a [u8],
    includes_metadata: bool,
}

impl<'a> Parameters<'a> {
    pub(super) fn read(encryption: &Encryption<'a>, includes_metadata: bool) -> Option<Self> {
        let dictionary = encryption.dictionary;
        let text = |key| match dictionary.get(key) {
            Some(Value::Text(text)) => Some(text.as_slice()),
            _ => None,
        };
        let revision = dictionary.get("R")?.integer()?;
        let bits = dictionary.get("Length").and_then(Value::integer);
        let key_bytes = match (revision, bits) {
            (2, _) => 5,
            // An AES key has one length, whatever is said here.
            (4, _) => 16,
            (_, Some(bits @ 40..=128)) => usize::try_from(bits / 8).ok()?,
            _ => 5,
        };
        let Value::Integer(permissions) = dictionary.get("P")? else {
            return None;
        };
        let [a, b, c, d, ..] = permissions.to_le_bytes();
        Some(Self {
            revision,
            key_bytes,
            owner: text("O")?,
            user: text("U")?,
            user_key: text("UE").unwrap_or_default(),
            permissions: [a, b, c, d],
            id: encryption.id,
            includes_metadata,
        })
    }

    /// The key, if the password is the right one.
    pub(super) fn key(&self, password: &[u8]) -> Option<Vec<u8>> {
        match self.revision {
            2..=4 => self.md5_key(password),
            5 | 6 => self.sha_key(password),
            _ => None,
        }
    }

    fn md5_key(&self, password: &[u8]) -> Option<Vec<u8>> {
        let mut digest = Md5::new();
        let padded = [password, PADDING].concat();
        digest.update(&padded[..PADDING.len()]);
        digest.update(self.owner.get(..32)?);
        digest.update(self.permissions);
        digest.update(self.id);
        if self.revision >= 4 && !self.includes_metadata {
            digest.update([0xff; 4]);
        }
        let mut key = digest.finalize();
        if self.revision >= 3 {
            for _ in 0..50 {
                key = Md5::digest(&key[..self.key_bytes]);
            }
        }
        let key = key[..self.key_bytes].to_vec();
        let is_right = if self.revision == 2 {
            rc4(&key, PADDING) == self.user.get(..32)?
        } else {
            self.check(&key) == self.user.get(..16)?
        };
        is_right.then_some(key)
    }

    /// What a right key makes of the file's identifier.
    fn check(&self, key: &[u8]) -> Vec<u8> {
        let mut digest = Md5::new();
        digest.update(PADDING);
        digest.update(self.id);
        let mut check = digest.finalize().to_vec();
        for round in 0..20_u8 {
            let round_key: Vec<u8> = key.iter().map(|byte| byte ^ round).collect();
            check = rc4(&round_key, &check);
        }
        check
    }

    fn sha_key(&self, password: &[u8]) -> Option<Vec<u8>> {
        const PASSWORD_MAX_BYTES: usize = 127;
        let password = &password[..password.len().min(PASSWORD_MAX_BYTES)];
        let (hash, salts) = self.user.get(..48)?.split_at(32);
        let (check_salt, key_salt) = salts.split_at(8);
        if self.hash(password, check_salt) != hash {
            return None;
        }
        let key = self.hash(password, key_salt);
        let encrypted = self.user_key.get(..32)?;
        Some(Aes::new(&key)?.chained([0; 16], encrypted))
    }

    fn hash(&self, password: &[u8], salt: &[u8]) -> Vec<u8> {
        let first = Sha256::digest([password, salt].concat()).to_vec();
        if self.revision == 5 {
            return first;
        }
        hardened(first, password)
    }
}

/// Algorithm 2.B. The number of rounds depends on the data, and every hash ends
/// it with one chance in eight or more after 64; the bound is for those that do
/// not.
fn hardened(first: Vec<u8>, password: &[u8]) -> Vec<u8> {
    const REPETITIONS: usize = 64;
    const ROUNDS_MAX: u32 = 500;
    let mut key = first;
    for round in 1..ROUNDS_MAX {
        let mut text = [password, &key].concat().repeat(REPETITIONS);
        aes_128_encrypt(&key[..16], &key[16..32], &mut text);
        let sum: u32 = text.iter().take(16).map(|byte| u32::from(*byte)).sum();
        key = match sum % 3 {
            0 => Sha256::digest(&text).to_vec(),
            1 => Sha384::digest(&text).to_vec(),
            _ => Sha512::digest(&text).to_vec(),
        };
        let last = text.last().copied().map_or(0, u32::from);
        if round >= 64 && last <= round - 32 {
            break;
        }
    }
    key.truncate(32);
    key
}
