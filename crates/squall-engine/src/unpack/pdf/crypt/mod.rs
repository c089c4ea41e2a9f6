//! Decrypting a PDF with a known password, first of all the empty one: files
//! whose owner only forbids printing are encrypted with it, and so is malware
//! that wants to be opened but not scanned (ISO 32000-2, 7.6).

mod key;

use md5::{Digest, Md5};

use super::value::Value;
use crate::unpack::ciphers::{Aes, rc4};

/// What the file says about its encryption.
pub(super) struct Encryption<'a> {
    /// The dictionary with the parameters.
    pub(super) dictionary: &'a Value,
    /// The first half of the file's identifier.
    pub(super) id: &'a [u8],
}

/// How streams and strings are encrypted.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Method {
    Rc4,
    Aes128,
    Aes256,
    Identity,
}

/// The key of a file.
#[derive(Debug)]
pub(super) struct Key {
    bytes: Vec<u8>,
    streams: Method,
    strings: Method,
    /// Whether the description of the document is encrypted as well.
    pub(super) includes_metadata: bool,
}

impl Key {
    /// Finds the key with the first of the passwords that opens the file.
    pub(super) fn find<'p>(
        encryption: &Encryption<'_>,
        passwords: impl IntoIterator<Item = &'p str>,
    ) -> Option<Self> {
        let dictionary = encryption.dictionary;
        let version = dictionary.get("V")?.integer()?;
        let method_of = |key| match version {
            1..=3 => Some(Method::Rc4),
            4 | 5 => method(dictionary, key),
            _ => None,
        };
        let (streams, strings) = method_of("StmF").zip(method_of("StrF"))?;
        let includes_metadata = dictionary.get("EncryptMetadata") != Some(&Value::False);
        let parameters = key::Parameters::read(encryption, includes_metadata)?;
        let bytes = passwords
            .into_iter()
            .find_map(|password| parameters.key(password.as_bytes()))?;
        Some(Self {
            bytes,
            streams,
            strings,
            includes_metadata,
        })
    }

    /// Decrypts the stream of an object.
    pub(super) fn stream(&self, number: u32, generation: u32, bytes: &[u8]) -> Vec<u8> {
        self.decrypted(self.streams, number, generation, bytes)
    }

    /// Decrypts a string in an object.
    pub(super) fn string(&self, number: u32, generation: u32, bytes: &[u8]) -> Vec<u8> {
        self.decrypted(self.strings, number, generation, bytes)
    }

    fn decrypted(&self, method: Method, number: u32, generation: u32, bytes: &[u8]) -> Vec<u8> {
        match method {
            Method::Identity => bytes.to_vec(),
            Method::Rc4 => rc4(&self.object_key(number, generation, b""), bytes),
            Method::Aes128 => aes(&self.object_key(number, generation, b"sAlT"), bytes),
            Method::Aes256 => aes(&self.bytes, bytes),
        }
    }

    fn object_key(&self, number: u32, generation: u32, salt: &[u8]) -> Vec<u8> {
        let mut digest = Md5::new();
        digest.update(&self.bytes);
        digest.update(&number.to_le_bytes()[..3]);
        digest.update(&generation.to_le_bytes()[..2]);
        digest.update(salt);
        let len = (self.bytes.len() + 5).min(16);
        digest.finalize()[..len].to_vec()
    }
}

/// Decrypts with AES; nothing if the key has a length it cannot have.
fn aes(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    Aes::new(key).map_or_else(Vec::new, |aes| aes.padded(bytes))
}

/// The method of the crypt filter that a key of the dictionary names.
fn method(dictionary: &Value, key: &str) -> Option<Method> {
    let name = match dictionary.get(key) {
        Some(Value::Name(name)) => name,
        _ => return Some(Method::Identity),
    };
    if name == "Identity" {
        return Some(Method::Identity);
    }
    match dictionary.get("CF")?.get(name)?.get("CFM") {
        Some(Value::Name(method)) => match method.as_str() {
            "V2" => Some(Method::Rc4),
            "AESV2" => Some(Method::Aes128),
            "AESV3" => Some(Method::Aes256),
            "None" => Some(Method::Identity),
            _ => None,
        },
        _ => Some(Method::Identity),
    }
}
