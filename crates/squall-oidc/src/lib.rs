#![doc = include_str!("../README.md")]

mod address;
mod config;
mod error;
mod http;
mod id_token;
mod identity;
mod keys;
mod logins;
mod metadata;
mod provider;
mod secret;
mod signature;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use address::is_safe_address;
pub use config::{ClaimRole, ClaimRoleError, ClaimRoles, ProviderConfig};
pub use error::{LoginError, SetUpError};
pub use id_token::IdTokenError;
pub use identity::Identity;
pub use logins::LOGIN_TIME_MAX;
pub use provider::{Answer, Begun, Provider};

/// Locks `mutex`. What the mutexes of this crate guard is valid at every
/// moment, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
