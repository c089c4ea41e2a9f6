//! The digests every report shows.

use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;
use squall_types::Digests;

/// Bytes that stay in the processor's cache from one digest to the next.
const CHUNK_LEN: usize = 64 << 10;

/// Computes the three digests of `content`.
#[must_use]
pub fn digests(content: &[u8]) -> Digests {
    digests_beside(Sha256::digest(content).into(), content)
}

/// Computes the digests of `content` of which only the SHA-256 is known.
#[must_use]
pub fn digests_beside(sha256: [u8; 32], content: &[u8]) -> Digests {
    let (mut md5, mut sha1) = (Md5::new(), Sha1::new());
    for chunk in content.chunks(CHUNK_LEN) {
        md5.update(chunk);
        sha1.update(chunk);
    }
    Digests {
        md5: md5.finalize().into(),
        sha1: sha1.finalize().into(),
        sha256,
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
