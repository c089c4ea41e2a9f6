//! The encryption of members: ZipCrypto, and AES as WinZip made it.

use std::io::{self, BufRead, BufReader, Read};

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use hmac::{Hmac, Mac};
use sha1::Sha1;

use super::super::Trouble;
use super::entry::{Aes, Entry};

/// The method that stands for AES; the real one is in the extra field.
const METHOD_AES: u16 = 99;

/// How a member is encrypted, and with what in it a password is checked.
pub(super) enum Protection<'a> {
    ZipCrypto {
        header: [u8; CRYPTO_HEADER_LEN],
        check: u8,
        data: &'a [u8],
    },
    Aes(Sealed<'a>),
}

const CRYPTO_HEADER_LEN: usize = 12;

impl<'a> Protection<'a> {
    /// Reads what is before the encrypted data.
    ///
    /// # Errors
    ///
    /// Returns the trouble if it is none that can be opened.
    pub(super) fn of(packed: &'a [u8], entry: &Entry) -> Result<Self, Trouble> {
        if entry.is_strong {
            return Err(Trouble {
                description: "encrypted in a way that only its maker knows".to_owned(),
                ..Trouble::encrypted()
            });
        }
        if entry.method == METHOD_AES {
            let aes = entry
                .aes
                .ok_or_else(|| Trouble::corrupt("the extra field of AES is missing"))?;
            return Sealed::new(packed, aes)
                .map(Self::Aes)
                .ok_or_else(|| Trouble::corrupt("the encrypted data is cut off"));
        }
        let (header, data) = packed
            .split_first_chunk()
            .ok_or_else(|| Trouble::corrupt("the encrypted data is cut off"))?;
        Ok(Self::ZipCrypto {
            header: *header,
            check: entry.check,
            data,
        })
    }

    /// The method of what is encrypted.
    pub(super) fn method(&self, entry: &Entry) -> u16 {
        match self {
            Self::ZipCrypto { .. } => entry.method,
            Self::Aes(sealed) => sealed.aes.method,
        }
    }

    /// The checksum of what is encrypted.
    pub(super) fn crc(&self, entry: &Entry) -> Option<u32> {
        match self {
            Self::Aes(Sealed {
                aes: Aes { version: 2.., .. },
                ..
            }) => None,
            _ => entry.crc,
        }
    }

    /// Tells whether a password that opens it is the right one beyond doubt;
    /// else that shows in what comes out.
    pub(super) fn is_proof(&self) -> bool {
        matches!(self, Self::Aes(_))
    }

    /// Decrypts with a password; `None` if it is not the right one.
    pub(super) fn open(&self, password: &str) -> Option<Box<dyn BufRead + 'a>> {
        match self {
            Self::ZipCrypto {
                header,
                check,
                data,
            } => {
                let mut keys = Keys::new(password.as_bytes());
                let last = header.iter().map(|byte| keys.decrypt(*byte)).last();
                let plain = Keyed { keys, rest: data };
                (last == Some(*check)).then(|| Box::new(BufReader::new(plain)) as Box<_>)
            }
            Self::Aes(sealed) => sealed.open(password),
        }
    }
}

/// The state of ZipCrypto.
struct Keys([u32; 3]);

impl Keys {
    fn new(password: &[u8]) -> Self {
        let mut keys = Self([0x1234_5678, 0x2345_6789, 0x3456_7890]);
        for byte in password {
            keys.update(*byte);
        }
        keys
    }

    fn update(&mut self, byte: u8) {
        const FACTOR: u32 = 134_775_813;
        self.0[0] = crc_step(self.0[0], byte);
        let low = self.0[0] & 0xff;
        self.0[1] = self.0[1]
            .wrapping_add(low)
            .wrapping_mul(FACTOR)
            .wrapping_add(1);
        self.0[2] = crc_step(self.0[2], self.0[1].to_le_bytes()[3]);
    }

    fn decrypt(&mut self, byte: u8) -> u8 {
        let word = (self.0[2] | 2) & 0xffff;
        let plain = byte ^ (word.wrapping_mul(word ^ 1)).to_le_bytes()[1];
        self.update(plain);
        plain
    }
}

/// One byte of CRC-32, without the inversions that crates add.
fn crc_step(crc: u32, byte: u8) -> u32 {
    (crc >> 8) ^ CRC_TABLE[usize::from(crc.to_le_bytes()[0] ^ byte)]
}

const CRC_TABLE: [u32; 256] = {
    const POLYNOMIAL: u32 = 0xedb8_8320;
    let mut table = [0; 256];
    let mut index = 0_u32;
    while index < 256 {
        let mut value = index;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 {
                (value >> 1) ^ POLYNOMIAL
            } else {
                value >> 1
            };
            bit += 1;
        }
        table[index as usize] = value;
        index += 1;
    }
    table
};

/// Decrypts ZipCrypto.
struct Keyed<'a> {
    keys: Keys,
    rest: &'a [u8],
}

impl Read for Keyed<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let count = self.rest.read(output)?;
        for byte in &mut output[..count] {
            *byte = self.keys.decrypt(*byte);
        }
        Ok(count)
    }
}

/// Data under AES: salt, two bytes that check the password, data, and a code
/// that proves it.
pub(super) struct Sealed<'a> {
    aes: Aes,
    salt: &'a [u8],
    check: [u8; 2],
    data: &'a [u8],
    code: &'a [u8],
}

impl<'a> Sealed<'a> {
    fn new(packed: &'a [u8], aes: Aes) -> Option<Self> {
        const CODE_LEN: usize = 10;
        let salt_len = match aes.strength {
            1 => 8,
            2 => 12,
            3 => 16,
            _ => return None,
        };
        let (salt, rest) = packed.split_at_checked(salt_len)?;
        let (check, rest) = rest.split_first_chunk()?;
        let (data, code) = rest.split_at_checked(rest.len().checked_sub(CODE_LEN)?)?;
        Some(Self {
            aes,
            salt,
            check: *check,
            data,
            code,
        })
    }

    fn open(&self, password: &str) -> Option<Box<dyn BufRead + 'a>> {
        const ROUNDS: u32 = 1000;
        let key_len = self.salt.len() * 2;
        let mut derived = [0; 2 * 32 + 2];
        let derived = &mut derived[..2 * key_len + 2];
        pbkdf2::pbkdf2_hmac::<Sha1>(password.as_bytes(), self.salt, ROUNDS, derived);
        let (key, rest) = derived.split_at(key_len);
        let (code_key, check) = rest.split_at(key_len);
        if check != self.check {
            return None;
        }
        let cipher = Cipher::new(key)?;
        let plain = BufReader::new(Counted::new(cipher, self.data));
        if self.is_proven(code_key) {
            return Some(Box::new(plain));
        }
        // One password in 65,536 is here by chance; damage is likelier, so what
        // can be read is, and the end of it is an error.
        Some(Box::new(BufReader::new(plain.chain(Unproven))))
    }

    fn is_proven(&self, key: &[u8]) -> bool {
        // It takes a key of any length.
        let Ok(mut code) = Hmac::<Sha1>::new_from_slice(key) else {
            return false;
        };
        code.update(self.data);
        code.verify_truncated_left(self.code).is_ok()
    }
}

/// Stands where the data ends that was changed since it was encrypted.
struct Unproven;

impl Read for Unproven {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the code that proves the encrypted data does not match",
        ))
    }
}

enum Cipher {
    Bits128(Aes128),
    Bits192(Aes192),
    Bits256(Aes256),
}

impl Cipher {
    fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Aes128::new_from_slice(key).ok().map(Self::Bits128),
            24 => Aes192::new_from_slice(key).ok().map(Self::Bits192),
            32 => Aes256::new_from_slice(key).ok().map(Self::Bits256),
            _ => None,
        }
    }

    fn encrypt(&self, block: [u8; 16]) -> [u8; 16] {
        let mut block = block.into();
        match self {
            Self::Bits128(cipher) => cipher.encrypt_block(&mut block),
            Self::Bits192(cipher) => cipher.encrypt_block(&mut block),
            Self::Bits256(cipher) => cipher.encrypt_block(&mut block),
        }
        block.into()
    }
}

/// Decrypts AES in counter mode, the counter little-endian and from 1.
struct Counted<'a> {
    cipher: Cipher,
    counter: u128,
    stream: [u8; 16],
    used: usize,
    rest: &'a [u8],
}

impl<'a> Counted<'a> {
    fn new(cipher: Cipher, rest: &'a [u8]) -> Self {
        Self {
            cipher,
            counter: 0,
            stream: [0; 16],
            used: 16,
            rest,
        }
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let count = self.rest.read(output)?;
        for byte in &mut output[..count] {
            if self.used == self.stream.len() {
                self.counter += 1;
                self.stream = self.cipher.encrypt(self.counter.to_le_bytes());
                self.used = 0;
            }
            *byte ^= self.stream[self.used];
            self.used += 1;
        }
        Ok(count)
    }
}
