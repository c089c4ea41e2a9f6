//! Files that are encrypted as a whole, for somebody who has the key: nothing
//! of them can be looked at.

use memchr::memmem;

use super::Trouble;
use crate::file_type::is_openpgp_message;

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
        || is_enveloped(content);
    if is_sealed {
        return Err(Trouble::encrypted());
    }
    Ok(())
}

/// Tells whether it is an encrypted message of PKCS #7 (S/MIME): the kind of
/// content comes first.
fn is_enveloped(content: &[u8]) -> bool {
    const BEGINNING_LEN: usize = 32;
    /// 1.2.840.113549.1.7.3 in DER.
    const ENVELOPED_DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03";
    let beginning = &content[..content.len().min(BEGINNING_LEN)];
    memmem::find(beginning, ENVELOPED_DATA).is_some()
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
        ] {
            let trouble = check(content).unwrap_err();
            assert_eq!(trouble.reason, IncompleteReason::Encrypted);
        }
        for content in [
            &b"-----BEGIN PGP SIGNATURE-----\n"[..],
            b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
            b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80",
            b"",
        ] {
            assert!(check(content).is_ok());
        }
    }
}
