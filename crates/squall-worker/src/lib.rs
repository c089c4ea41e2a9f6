#![doc = include_str!("../README.md")]

mod dirs;
mod housekeeping;
mod in_flight;
mod keep;
mod limited;
mod overdue;
mod patience;
mod pool;
mod recent;
mod scan_job;
mod signatures;
mod sink;
mod trace;
mod verdicts;

pub use keep::{KeepConfig, KeepError, KeepLevel, Keeper, KeptStats};
pub use pool::{WorkerConfig, WorkerParts, Workers};
pub use recent::{Recent, RecentSample};
pub use signatures::Signatures;
pub use sink::{
    Console, JsonForm, LogDurability, LogSink, Rotation, SinkError, Sinks, TextOptions,
};
pub use trace::trace_put_aside;
pub use verdicts::{VerdictConfig, Verdicts};
