//! Samples that were kept after their scan.

use std::io;

/// Finds kept samples.
pub trait KeptSamples: Send + Sync {
    /// Returns the content that has this SHA-256; `None` if it is not kept.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be read.
    fn read(&self, sha256: [u8; 32]) -> io::Result<Option<Vec<u8>>>;

    /// Tells whether that content is kept, without reading it.
    fn holds(&self, sha256: [u8; 32]) -> bool;
}
