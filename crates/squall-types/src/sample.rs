//! A sample, who sent it, and what is known of it before the scan.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Identifies a sample for the life of a data directory; from 1, below 2^53,
/// so that it survives a JSON parser that knows only doubles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SampleId(u64);

impl SampleId {
    /// One above the highest id.
    pub const END: u64 = 1 << 53;

    /// Makes an id, or returns `None` for 0 and for numbers from 2^53.
    #[must_use]
    pub const fn new(value: u64) -> Option<Self> {
        if value == 0 || value >= Self::END {
            None
        } else {
            Some(Self(value))
        }
    }

    /// Returns the id as a number.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl fmt::Display for SampleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The three digests every report shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// MD5 of the bytes.
    pub md5: [u8; 16],
    /// SHA-1 of the bytes.
    pub sha1: [u8; 20],
    /// SHA-256 of the bytes.
    pub sha256: [u8; 32],
}

/// Where a sample came from. All of it is untrusted text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The source: what the sender named, else its host name, else its address.
    pub source: String,
    /// The address the upload came from, after trusted proxies.
    pub remote_addr: String,
    /// The collector run (`scan_id`) the sender named.
    pub collector_run: Option<String>,
}

/// What is known of a sample besides its bytes; stored beside them until it is
/// scanned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// Who sent it.
    pub origin: Origin,
    /// The file's name, normally its absolute path, on the sender. Data, never
    /// a path on this machine.
    pub file_name: String,
    /// Size of the bytes.
    pub size_bytes: u64,
    /// Digests of the bytes, computed while they arrived.
    pub digests: Digests,
    /// When the upload was complete, in microseconds since 1970-01-01 UTC.
    pub received_at_us: i64,
    /// True for a synchronous check, whose sender waits.
    pub synchronous: bool,
    /// Random, drawn when the upload began: the ids of the sample's events are
    /// derived from it, so that a repeated scan repeats them.
    pub nonce: [u8; 12],
}

/// When and how a sample was scanned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanFacts {
    /// Identifies the service run or the collector run: `S-` and eleven of
    /// `[A-Za-z0-9_-]`, or the run's own id.
    pub scan_id: String,
    /// When the scan ended, in microseconds since 1970-01-01 UTC.
    pub scanned_at_us: i64,
    /// How long the scan took, in microseconds.
    pub scan_time_us: u64,
    /// The signature set that was used, `YYYY/MM/DD-HHMMSS`.
    pub signature_version: String,
}
