//! Files that are encrypted as a whole, for somebody who has the key: nothing
//! of them can be looked at.

use super::{Trouble, decode};
use crate::file_type::{is_enveloped, is_openpgp_message};

/// Reports a file that is encrypted. Keys, signatures and certificates, which
/// are of the same types, are not.
pub(crate) fn check(content: &[u8]) -> Result<(), Trouble> {
    const AGE: [&[u8]; 2] = [
        b"age-encryption.org/",
        b"-----BEGIN AGE ENCRYPTED FILE-----",
    ];
    const PGP: &[u8] = b"-----BEGIN PGP MESSAGE-----";
    let beginning = content.trim_ascii_start();
    let is_sealed = AGE.iter().any(|mark| beginning.starts_with(mark))
        || beginning.starts_with(PGP)
        || is_openpgp_message(content)
        || is_enveloped(content)
        || is_enveloped_in_armour(beginning);
    if is_sealed {
        return Err(Trouble::encrypted());
    }
    Ok(())
}

/// Tells whether it is an encrypted message of PKCS #7 in base64.
fn is_enveloped_in_armour(beginning: &[u8]) -> bool {
    const BEGINNING_DIGITS: usize = 64;
    const ARMOURS: [&[u8]; 2] = [b"-----BEGIN PKCS7-----", b"-----BEGIN CMS-----"];
    let armoured = ARMOURS
        .iter()
        .find_map(|armour| beginning.strip_prefix(*armour));
    armoured.is_some_and(|text| {
        let text = text.trim_ascii_start();
        is_enveloped(&decode::base64(&text[..text.len().min(BEGINNING_DIGITS)]))
    })
}

#[cfg(test)]
mod tests {
    use squall_types::IncompleteReason;

    use super::*;

    #[test]
    fn only_what_is_encrypted_is_reported() {
        for content in [
            &b"age-encryption.org/v1\n-> X25519"[..],
            b"\n-----BEGIN AGE ENCRYPTED FILE-----\n",
            b"-----BEGIN PGP MESSAGE-----\n\nhQEM",
            b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0\x80",
            b"-----BEGIN PKCS7-----\r\nMIAGCSqGSIb3DQEHA6CA\r\n",
            b"-----BEGIN CMS-----\nMIAGCSqGSIb3DQEHA6CA\n",
        ] {
            let trouble = check(content).unwrap_err();
            assert_eq!(trouble.reason, IncompleteReason::Encrypted);
        }
        for content in [
            &b"-----BEGIN PGP SIGNATURE-----\n"[..],
            b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
            b"-----BEGIN PKCS7-----\nMIAGCSqGSIb3DQEHAqCA\n",
            b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80",
            b"",
        ] {
            assert!(check(content).is_ok());
        }
    }
}
