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
    let (mut md5, mut sha1, mut sha256) = (Md5::new(), Sha1::new(), Sha256::new());
    for chunk in content.chunks(CHUNK_LEN) {
        md5.update(chunk);
        sha1.update(chunk);
        sha256.update(chunk);
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
