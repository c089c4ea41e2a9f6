#![doc = include_str!("../README.md")]

mod pool;
mod scan_job;
mod signatures;
mod sink;

pub use pool::{WorkerConfig, Workers};
pub use signatures::Signatures;
pub use sink::{Console, FileSink, SinkError, Sinks, TextOptions};
