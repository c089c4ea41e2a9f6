//! How the store is kept.

use std::path::PathBuf;
use std::time::Duration;

/// Where the store is and what bounds it.
#[derive(Clone, Debug)]
pub struct FindingsConfig {
    /// The database file; its directory is made where it is missing.
    pub path: PathBuf,
    /// Findings older than this are deleted; `None` keeps them whatever their
    /// age. Default 90 days.
    pub age_max: Option<Duration>,
    /// Findings kept, the oldest going first; `None` for no limit. Default a
    /// million.
    pub findings_max: Option<u64>,
    /// Longest time of one query. Default 3 s.
    pub query_time_max: Duration,
    /// Findings that wait for the writer before further ones are put off.
    /// Default 8192.
    pub waiting_max: usize,
    /// The bytes of those, roughly. Default 64 MiB.
    pub waiting_bytes_max: usize,
}

impl FindingsConfig {
    /// Makes the default configuration of a store in that file.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            age_max: Some(Duration::from_secs(90 * 24 * 3600)),
            findings_max: Some(1_000_000),
            query_time_max: Duration::from_secs(3),
            waiting_max: 8192,
            waiting_bytes_max: 64 * 1024 * 1024,
        }
    }
}
