//! Whether a document is encrypted.

use super::ROOT;
use super::compound::Compound;
use crate::unpack::fields::{Fields, u16_at, u32_at};

/// Tells by a stream's bytes.
type Check = fn(&[u8]) -> bool;

/// The name of the stream that is encrypted, if one is.
pub(super) fn encrypted_stream(compound: &Compound<'_>) -> Option<String> {
    const CHECKS: [(&str, Check); 5] = [
        ("EncryptedPackage", |_| true),
        ("WordDocument", is_encrypted_text),
        ("Workbook", is_encrypted_workbook),
        ("Book", is_encrypted_workbook),
        ("Current User", is_encrypted_presentation),
    ];
    CHECKS.into_iter().find_map(|(name, is_encrypted)| {
        let index = compound.child(ROOT, name)?;
        is_encrypted(&compound.stream(index).content).then(|| name.to_owned())
    })
}

/// [MS-DOC] 2.5.2.
fn is_encrypted_text(stream: &[u8]) -> bool {
    const ENCRYPTED: u16 = 0x0100;
    const SIGNATURES: [u16; 2] = [0xa5ec, 0xa5dc];
    u16_at(stream, 0).is_some_and(|signature| SIGNATURES.contains(&signature))
        && u16_at(stream, 10).is_some_and(|flags| flags & ENCRYPTED != 0)
}

/// [MS-XLS] 2.4.117: a record near the start says how it is encrypted.
fn is_encrypted_workbook(stream: &[u8]) -> bool {
    const RECORDS_MAX: usize = 50;
    const FILE_PASS: u16 = 0x2f;
    const END: u16 = 0x0a;
    let mut fields = Fields::new(stream);
    for _ in 0..RECORDS_MAX {
        let Some((kind, len)) = fields.u16().zip(fields.u16()) else {
            return false;
        };
        match kind {
            FILE_PASS => return true,
            END => return false,
            _ => {}
        }
        if fields.take(usize::from(len)).is_none() {
            return false;
        }
    }
    false
}

/// [MS-PPT] 2.3.2.
fn is_encrypted_presentation(stream: &[u8]) -> bool {
    const ENCRYPTED: u32 = 0xf3d1_c4df;
    u32_at(stream, 12) == Some(ENCRYPTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marks_of_encryption_are_seen() {
        assert!(is_encrypted_text(b"\xec\xa5........\0\x01"));
        assert!(!is_encrypted_text(b"\xec\xa5........\0\x02"));
        assert!(is_encrypted_workbook(b"\x09\x08\x02\0xx\x2f\0\x06\0"));
        assert!(!is_encrypted_workbook(b"\x09\x08\x02\0xx\x0a\0\0\0\x2f\0"));
        assert!(is_encrypted_presentation(b"............\xdf\xc4\xd1\xf3"));
    }
}
