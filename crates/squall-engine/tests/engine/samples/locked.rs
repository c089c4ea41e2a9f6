//! Makes documents that a password opens.

use std::fmt::Write as _;

use aes::Aes128;
use aes::cipher::{Block, BlockCipherEncrypt, KeyInit};
use md5::Md5;
use sha1::{Digest, Sha1};

use super::archives::package;
use super::documents::{compound, hex, len32, utf16};

/// Encrypts with AES in blocks of their own; what is left is filled up.
fn aes_blocks(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    let cipher = Aes128::new_from_slice(key).expect("16 bytes");
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().next_multiple_of(16), 0);
    for chunk in bytes.chunks_exact_mut(16) {
        let mut block = Block::<Aes128>::default();
        block.copy_from_slice(chunk);
        cipher.encrypt_block(&mut block);
        chunk.copy_from_slice(&block);
    }
    bytes
}

/// The key of [MS-OFFCRYPTO] 2.3.4.7.
fn office_key(salt: &[u8], password: &str) -> Vec<u8> {
    let mut hash = Sha1::digest([salt, &utf16(password)].concat());
    for round in 0..50_000_u32 {
        hash = Sha1::digest([&round.to_le_bytes()[..], &hash].concat());
    }
    let hash = Sha1::digest([&hash[..], &[0; 4]].concat());
    let mut block = [0x36; 64];
    for (byte, hash) in block.iter_mut().zip(&hash) {
        *byte ^= hash;
    }
    Sha1::digest(block)[..16].to_vec()
}

/// A Word document as Office 2007 encrypts it.
pub(super) fn office(content: &[u8], password: &str) -> Vec<u8> {
    const SALT: &[u8; 16] = b"sixteen of salt.";
    const VERIFIER: &[u8; 16] = b"what is verified";
    const AES_128: u32 = 0x660e;
    const SHA_1: u32 = 0x8004;
    let key = office_key(SALT, password);
    let mut header = Vec::new();
    for number in [0x24, 0, AES_128, SHA_1, 128, 0x18, 0, 0] {
        header.extend(number.to_le_bytes());
    }
    let mut info = b"\x03\0\x02\0\x24\0\0\0".to_vec();
    info.extend(len32(&header));
    info.extend(&header);
    info.extend(len32(SALT));
    info.extend(SALT);
    info.extend(aes_blocks(&key, VERIFIER));
    info.extend(20_u32.to_le_bytes());
    info.extend(aes_blocks(&key, &Sha1::digest(VERIFIER)));
    let document = package(&["[Content_Types].xml", "word/document.xml"], content);
    let mut encrypted = (document.len() as u64).to_le_bytes().to_vec();
    encrypted.extend(aes_blocks(&key, &document));
    compound(&[("EncryptionInfo", &info), ("EncryptedPackage", &encrypted)])
}

fn rc4(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut state: Vec<u8> = (0..=255).collect();
    let mut j = 0_usize;
    for i in 0..256 {
        j = (j + usize::from(state[i]) + usize::from(key[i % key.len()])) % 256;
        state.swap(i, j);
    }
    let (mut i, mut j) = (0, 0);
    let mut next = || {
        i = (i + 1) % 256;
        j = (j + usize::from(state[i])) % 256;
        state.swap(i, j);
        state[(usize::from(state[i]) + usize::from(state[j])) % 256]
    };
    bytes.iter().map(|byte| byte ^ next()).collect()
}

/// A PDF document of revision 3, RC4 with 128 bits, with this in an embedded
/// file.
pub(super) fn pdf(content: &[u8], password: &str) -> Vec<u8> {
    const PADDING: &[u8; 32] = b"\x28\xbf\x4e\x5e\x4e\x75\x8a\x41\x64\x00\x4e\x56\xff\xfa\x01\x08\
\x2e\x2e\x00\xb6\xd0\x68\x3e\x80\x2f\x0c\xa9\xfe\x64\x53\x69\x7a";
    const OWNER: [u8; 32] = [0x4f; 32];
    const PERMISSIONS: i32 = -4;
    const ID: &[u8] = b"identifier";
    let padded = [password.as_bytes(), PADDING].concat();
    let mut key = Md5::digest(
        [
            &padded[..32],
            &OWNER[..],
            &PERMISSIONS.to_le_bytes()[..],
            ID,
        ]
        .concat(),
    )
    .to_vec();
    for _ in 0..50 {
        key = Md5::digest(&key).to_vec();
    }
    let mut user = Md5::digest([&PADDING[..], ID].concat()).to_vec();
    for round in 0..20_u8 {
        let round_key: Vec<u8> = key.iter().map(|byte| byte ^ round).collect();
        user = rc4(&round_key, &user);
    }
    user.resize(32, 0);
    let locked = |object: u8, bytes: &[u8]| {
        let object_key = Md5::digest([&key[..], &[object, 0, 0, 0, 0]].concat());
        rc4(&object_key, bytes)
    };
    let name = hex(&locked(2, b"evil.txt"));
    let data = locked(7, &super::archives::zlib(content));
    let mut head = String::from("%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n2 0 obj\n");
    writeln!(
        head,
        "<< /F <{name}> /EF << /F 7 0 R >> /Type /Filespec >>\nendobj\n7 0 obj\n\
         << /Type /EmbeddedFile /Filter /FlateDecode /Length {} >>\nstream",
        data.len()
    )
    .expect("memory");
    let (owner, user, id) = (hex(&OWNER), hex(&user), hex(ID));
    let tail = format!(
        "\nendstream\nendobj\n9 0 obj\n<< /Filter /Standard /V 2 /R 3 /Length 128 \
         /P {PERMISSIONS} /O <{owner}> /U <{user}> >>\nendobj\n\
         trailer << /Root 1 0 R /Encrypt 9 0 R /ID [<{id}> <{id}>] >>\nstartxref\n0\n%%EOF\n"
    );
    [head.as_bytes(), &data, tail.as_bytes()].concat()
}
