//! How the delivery of findings to remote receivers fares, as the service is
//! told.

use std::time::Duration;

/// Asked for the figures of every receiver.
pub trait OutputStates: Send + Sync {
    /// Returns the figures of each receiver, in the order of the configuration.
    fn states(&self) -> Vec<OutputState>;
}

/// The figures of one receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputState {
    /// The receiver as it is shown: without secrets.
    pub target: String,
    /// Findings sent since the start, those sent again included.
    pub sent: u64,
    /// Findings given up since the start.
    pub dropped: u64,
    /// Findings that are yet to be sent.
    pub waiting: u64,
    /// Bytes that are yet to be sent.
    pub lag_bytes: u64,
    /// Age of the oldest finding that is yet to be sent.
    pub age: Duration,
}
