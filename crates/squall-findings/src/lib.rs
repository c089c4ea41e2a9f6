#![doc = include_str!("../README.md")]

mod config;
mod counts;
mod database;
mod details;
mod error;
mod export;
mod filter;
mod insert;
mod log;
mod number;
mod plan;
mod rebuild;
mod record;
mod retention;
mod reviews;
mod row;
mod runs;
mod schema;
mod search;
mod sources;
mod store;
mod tally;
mod text;
mod writer;

pub use config::FindingsConfig;
pub use error::FindingsError;
pub use export::{Export, ExportFormat, Exported};
pub use filter::{CONDITIONS, ConditionError, Filter, Hash, PAGE_MAX};
pub use log::{LogError, read_log, read_log_end};
pub use rebuild::{Rebuilt, rebuild};
pub use record::SampleRef;
pub use reviews::{NOTE_CHARS_MAX, NewReview, WHO_CHARS_MAX};
pub use runs::{RunBegin, RunEnd, RunFilter};
pub use search::Page;
pub use store::{FeedStats, Findings, Opened};
pub use tally::Sample;
