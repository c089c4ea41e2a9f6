//! The encryption of Office 2010 and later: AES in segments, its parameters in
//! XML.

use memchr::memmem;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::ROUNDS_MAX;
use crate::unpack::ciphers::{Aes, BLOCK_BYTES};
use crate::unpack::decode;

const SEGMENT_BYTES: usize = 4096;
const VERIFIER_INPUT: &[u8; 8] = b"\xfe\xa7\xd2\x76\x3b\x4b\x9e\x79";
const VERIFIER_VALUE: &[u8; 8] = b"\xd7\xaa\x0f\x6d\x30\x61\x34\x4e";
const KEY_VALUE: &[u8; 8] = b"\x14\x6e\x0b\xe7\xab\xac\xd0\xd6";

/// A hash function.
#[derive(Clone, Copy)]
enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// What a key is made from and checked with.
pub(super) struct Parameters {
    package_salt: Vec<u8>,
    package_hash: Hash,
    hash: Hash,
    salt: Vec<u8>,
    rounds: u32,
    key_bytes: usize,
    verifier_input: Vec<u8>,
    verifier_value: Vec<u8>,
    key_value: Vec<u8>,
}

impl Parameters {
    /// Reads the XML. Two elements are of interest, and their attributes have
    /// no entities in them, so that no parser is needed.
    pub(super) fn read(xml: &[u8]) -> Option<Self> {
        let package = element(xml, b"<keyData")?;
        let password = element(xml, b"encryptedKey")?;
        let bytes = |tag, name| attribute(tag, name).map(decode::base64);
        let number = |tag, name| {
            std::str::from_utf8(attribute(tag, name)?)
                .ok()?
                .parse()
                .ok()
        };
        let is_aes = attribute(package, b"cipherAlgorithm=\"")? == b"AES"
            && attribute(package, b"cipherChaining=\"")? == b"ChainingModeCBC";
        let rounds: u32 = number(password, b"spinCount=\"")?;
        let key_bits: u32 = number(password, b"keyBits=\"")?;
        if !is_aes || rounds > ROUNDS_MAX {
            return None;
        }
        Some(Self {
            package_salt: bytes(package, b"saltValue=\"")?,
            package_hash: Hash::of(attribute(package, b"hashAlgorithm=\"")?)?,
            hash: Hash::of(attribute(password, b"hashAlgorithm=\"")?)?,
            salt: bytes(password, b"saltValue=\"")?,
            rounds,
            key_bytes: usize::try_from(key_bits / 8).ok()?,
            verifier_input: bytes(password, b"encryptedVerifierHashInput=\"")?,
            verifier_value: bytes(password, b"encryptedVerifierHashValue=\"")?,
            key_value: bytes(password, b"encryptedKeyValue=\"")?,
        })
    }

    /// `None` if the password is wrong.
    pub(super) fn decrypt(&self, password: &[u8], encrypted: &[u8]) -> Option<Vec<u8>> {
        let hash = self.password_hash(password);
        let start = fitted::<BLOCK_BYTES>(&self.salt);
        let unlock = |block: &[u8], bytes: &[u8]| {
            let mut key = self.hash.of_two(&hash, block);
            // A key longer than the hash is filled up.
            key.resize(self.key_bytes.min(32), 0x36);
            Some(Aes::new(&key)?.chained(start, bytes))
        };
        let input = unlock(VERIFIER_INPUT, &self.verifier_input)?;
        let input = input.get(..self.salt.len())?;
        let expected = unlock(VERIFIER_VALUE, &self.verifier_value)?;
        let verifier = self.hash.of_two(input, &[]);
        if !expected.starts_with(&verifier) {
            return None;
        }
        let mut key = unlock(KEY_VALUE, &self.key_value)?;
        key.truncate(self.key_bytes);
        let cipher = Aes::new(&key)?;
        let mut content = Vec::with_capacity(encrypted.len());
        for (number, segment) in (0_u32..).zip(encrypted.chunks(SEGMENT_BYTES)) {
            let start = self
                .package_hash
                .of_two(&self.package_salt, &number.to_le_bytes());
            content.extend(cipher.chained(fitted(&start), segment));
        }
        Some(content)
    }

    fn password_hash(&self, password: &[u8]) -> Vec<u8> {
        let first = self.hash.of_two(&self.salt, password);
        match self.hash {
            Hash::Sha1 => repeated::<Sha1>(&first, self.rounds),
            Hash::Sha256 => repeated::<Sha256>(&first, self.rounds),
            Hash::Sha384 => repeated::<Sha384>(&first, self.rounds),
            Hash::Sha512 => repeated::<Sha512>(&first, self.rounds),
        }
    }
}

impl Hash {
    fn of(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"SHA1" | b"SHA-1" => Self::Sha1,
            b"SHA256" | b"SHA-256" => Self::Sha256,
            b"SHA384" | b"SHA-384" => Self::Sha384,
            b"SHA512" | b"SHA-512" => Self::Sha512,
            _ => return None,
        })
    }

    /// The hash of two pieces together.
    fn of_two(self, one: &[u8], other: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => both::<Sha1>(one, other),
            Self::Sha256 => both::<Sha256>(one, other),
            Self::Sha384 => both::<Sha384>(one, other),
            Self::Sha512 => both::<Sha512>(one, other),
        }
    }
}

fn both<D: Digest>(one: &[u8], other: &[u8]) -> Vec<u8> {
    let mut digest = D::new();
    digest.update(one);
    digest.update(other);
    digest.finalize().to_vec()
}

fn repeated<D: Digest>(first: &[u8], rounds: u32) -> Vec<u8> {
    let mut hash = first.to_vec();
    for round in 0..rounds {
        let mut digest = D::new();
        digest.update(round.to_le_bytes());
        digest.update(&hash);
        hash.clear();
        hash.extend_from_slice(&digest.finalize());
    }
    hash
}

/// Bytes cut or filled up to a length.
fn fitted<const LEN: usize>(bytes: &[u8]) -> [u8; LEN] {
    let mut fitted = [0x36; LEN];
    let len = bytes.len().min(LEN);
    fitted[..len].copy_from_slice(&bytes[..len]);
    fitted
}

/// The attributes of the first element of this name.
fn element<'a>(xml: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let rest = memmem::find_iter(xml, name)
        .map(|start| &xml[start + name.len()..])
        .find(|rest| rest.first().is_some_and(u8::is_ascii_whitespace))?;
    Some(&rest[..memchr::memchr(b'>', rest)?])
}

fn attribute<'a>(element: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let start = memmem::find_iter(element, name)
        .find(|start| *start > 0 && element[start - 1].is_ascii_whitespace())?;
    let value = &element[start + name.len()..];
    Some(&value[..memchr::memchr(b'"', value)?])
}
