#![doc = include_str!("../README.md")]

mod audit;
mod certificates;
mod change;
mod file;
mod networks;
mod principal;
mod private;
mod role;
mod sessions;
mod text;
mod token;
mod tokens;
mod tries;
mod uses;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use audit::{Act, AuditLog, Outcome};
pub use certificates::{
    CertificateRule, CertificateRules, NoRole, RuleError, RulesError, Subject, SubjectError,
};
pub use change::{Listed, NewToken, create, list, revoke};
pub use file::{AccessError, TokenRecord};
pub use ipnet::IpNet;
pub use networks::{NetworkError, RoleNetwork, RoleNetworks, parse_network};
pub use principal::Principal;
pub use role::{Role, RoleError};
pub use sessions::{Holder, SESSION_TIME_MAX, Sessions};
pub use token::{Token, TokenId};
pub use tokens::{Refusal, Tokens};
pub use tries::{Tries, site};
pub use uses::LastUse;

/// Locks `mutex`. What the mutexes of this crate guard is valid at every
/// moment, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
