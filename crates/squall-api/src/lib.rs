#![doc = include_str!("../README.md")]

mod sample_status;
pub mod v0;
pub mod v1;

use std::collections::BTreeMap;

pub use sample_status::SampleStatus;

/// Events for each span of time: `YYYY-MM-DD HH:MM`, the end of the span, to
/// the number of events since the key before it. The keys sort by time.
///
/// Both API generations answer it to `queueHistory`, `sampleHistory` and
/// `deniedHistory`.
pub type History = BTreeMap<String, u64>;
