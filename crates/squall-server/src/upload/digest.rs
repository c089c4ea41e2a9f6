//! Computes a sample's digests while its bytes arrive.

use md5::Digest as _;
use squall_types::Digests;

/// The three digests in the making.
#[derive(Default)]
pub(crate) struct Digester {
    md5: md5::Md5,
    sha1: sha1::Sha1,
    sha256: sha2::Sha256,
}

impl Digester {
    /// Adds the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.sha1.update(bytes);
        self.sha256.update(bytes);
    }

    /// Returns the digests of all bytes.
    pub(crate) fn finish(self) -> Digests {
        Digests {
            md5: self.md5.finalize().into(),
            sha1: self.sha1.finalize().into(),
            sha256: self.sha256.finalize().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digests_of_abc_are_the_published_ones() {
        let mut digester = Digester::default();
        digester.update(b"a");
        digester.update(b"bc");
        let digests = digester.finish();
        assert_eq!(digests.md5[..4], [0x90, 0x01, 0x50, 0x98]);
        assert_eq!(digests.sha1[..4], [0xa9, 0x99, 0x3e, 0x36]);
        assert_eq!(digests.sha256[..4], [0xba, 0x78, 0x16, 0xbf]);
    }
}
