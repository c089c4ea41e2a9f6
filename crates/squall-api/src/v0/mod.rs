//! Bodies of the first API generation, `/api/…`.

mod collection;
mod finding;
mod service;

pub use collection::{
    Acknowledged, Collection, CollectionAnswer, CollectionBegun, CollectionEvent, CollectionStats,
};
pub use finding::{Context, Finding, Match};
pub use service::{AsyncResult, Error, Info, Queued, Status};
