#![doc = include_str!("../README.md")]

mod event;
pub mod json;
pub mod limits;
pub mod stored;
pub mod text;
pub mod v0;
pub mod v1;
mod visible;

pub use event::event_id;
pub use visible::shown;
