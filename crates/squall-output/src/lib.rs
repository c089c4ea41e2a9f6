#![doc = include_str!("../README.md")]

mod backoff;
mod config;
mod dead_letters;
mod delivery;
mod drain;
mod error;
mod health;
mod link;
mod outputs;
mod spool;

pub use config::{Framing, OutputConfig, SyslogTarget, Target, Transport, WebhookTarget};
pub use error::OutputError;
pub use health::OutputHealth;
pub use link::Secret;
pub use outputs::Outputs;
