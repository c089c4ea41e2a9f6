//! One module for each kind of request; in each, the handlers of both API
//! generations beside what they share.

mod check;
mod collection;
mod failed;
mod histories;
mod metrics;
mod parameters;
mod results;
mod server_info;
mod signatures;

pub(crate) use check::*;
pub(crate) use collection::*;
pub(crate) use failed::*;
pub(crate) use histories::*;
pub(crate) use metrics::*;
pub(crate) use results::*;
pub(crate) use server_info::*;
pub(crate) use signatures::*;
