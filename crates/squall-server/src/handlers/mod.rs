//! One module for each kind of request; in each, the handlers of both API
//! generations beside what they share.

mod check;
mod collection;
mod export;
mod failed;
mod findings;
mod health;
mod histories;
mod kept;
mod library;
mod metrics;
mod overview;
mod own_files;
mod parameters;
mod results;
mod rule_costs;
mod rules;
mod self_check;
mod senders;
mod server_info;
mod session;
mod signatures;
mod system;
mod trust;

pub(crate) use check::*;
pub(crate) use collection::*;
pub(crate) use export::*;
pub(crate) use failed::*;
pub(crate) use findings::*;
pub(crate) use health::*;
pub(crate) use histories::*;
pub(crate) use kept::*;
pub(crate) use metrics::*;
pub(crate) use overview::*;
pub(crate) use own_files::*;
pub(crate) use results::*;
pub(crate) use rule_costs::*;
pub(crate) use rules::*;
pub(crate) use self_check::*;
pub(crate) use senders::*;
pub(crate) use server_info::*;
pub(crate) use session::*;
pub(crate) use signatures::*;
pub(crate) use system::*;
pub(crate) use trust::*;
