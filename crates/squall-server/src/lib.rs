#![doc = include_str!("../README.md")]

mod access;
mod analyst;
mod bound;
mod collection;
mod config;
mod connection;
mod door;
mod failure;
mod handlers;
mod health;
mod history;
mod hosts;
mod library;
mod log_tail;
mod metrics;
mod openapi;
mod outputs;
mod pages;
mod query;
mod quota;
mod reply;
mod router;
mod same_site;
mod samples;
mod service;
mod signatures;
mod source;
mod throttle;
pub mod tls;
mod turnover;
mod upload;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use access::{AccessConfig, LoginProvider};
pub use collection::{CollectionEnd, CollectionRun};
pub use config::{Limits, LookupLink, ServiceConfig};
pub use connection::{Listeners, ServeError, serve};
pub use library::{LibraryError, Mistake, RuleFacts, SignatureLibrary, WrittenFile, text_digest};
pub use log_tail::LogTail;
pub use openapi::openapi;
pub use outputs::{OutputState, OutputStates};
pub use quota::QuotaConfig;
pub use router::router;
pub use samples::{KeptSamples, KeptSamplesStats};
pub use service::Service;
pub use signatures::{Change, ChangeOutcome, LoadedSet, Pending, SignatureControl, SignatureState};
pub use source::{Network, NetworkError, ReverseLookup};

/// Locks `mutex`. What the mutexes of this crate guard is valid at every
/// moment, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
