//! The digests every report shows.

use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;
use squall_types::Digests;

/// Computes the three digests of `content`.
#[must_use]
pub fn digests(content: &[u8]) -> Digests {
    Digests {
        md5: Md5::digest(content).into(),
        sha1: Sha1::digest(content).into(),
        sha256: Sha256::digest(content).into(),
    }
}

/// Returns the lower-case hexadecimal digits of `bytes`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
