//! Samples that were kept after their scan.

use std::io;

/// How many samples are kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeptSamplesStats {
    /// Samples.
    pub samples: u64,
    /// Bytes of the samples and of what is noted of them.
    pub bytes: u64,
    /// Samples that were to be kept and were not, since the start.
    pub refused: u64,
    /// Samples that went for others or for their age, since the start.
    pub removed: u64,
}

/// Finds kept samples.
pub trait KeptSamples: Send + Sync {
    /// Returns the content that has this SHA-256; `None` if it is not kept.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be read.
    fn read(&self, sha256: [u8; 32]) -> io::Result<Option<Vec<u8>>>;

    /// Returns how many are kept, and what became of others since the start.
    fn stats(&self) -> KeptSamplesStats;

    /// Tells whether that content is kept, without reading it.
    fn holds(&self, sha256: [u8; 32]) -> bool;
}
