#![doc = include_str!("../README.md")]

mod body;
mod claim;
mod claims;
mod clock;
mod closer;
mod codec;
mod commit;
mod committer;
mod compact;
mod config;
mod counters;
mod error;
#[cfg(test)]
mod fail_point;
mod failed;
mod fs;
mod history;
mod hook;
mod index;
mod intake;
mod inventory;
mod keys;
mod lane;
mod layout;
mod ledger;
#[cfg(test)]
mod model;
mod plan;
mod probe;
mod queue;
mod rate;
mod recent;
mod record;
mod recovery;
mod results;
mod room;
mod salvage;
mod segment;
mod segments;
mod shared;
mod spool;
mod state;
mod stock;
mod store;
mod take;
mod times;

pub use body::{Body, BodyWriter};
pub use claim::{Claim, Claimed};
pub use config::{Durability, Limits, QueueConfig};
pub use counters::Stats;
pub use error::{
    BodyError, CheckError, CompleteError, EnqueueError, FullUnit, OpenError, ReadError, RetryError,
    StorageError,
};
pub use failed::FailedSample;
pub use fs::{confirm_sync, sync_data};
pub use history::History;
pub use lane::{Checked, Completion, Lanes, SampleState, Verdict};
pub use probe::{Probe, ProbeError};
pub use queue::Queue;
pub use rate::DrainRate;
pub use recovery::{Damage, Recovery};
pub use times::{LaneTimes, SampleTimes, TimeCounts};
