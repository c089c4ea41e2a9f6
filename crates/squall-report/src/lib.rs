#![doc = include_str!("../README.md")]

pub mod csv;
mod event;
pub mod exchange;
mod fit;
pub mod forms;
pub mod html;
pub mod json;
pub mod limits;
pub mod stored;
pub mod syslog;
pub mod text;
pub mod v0;
pub mod v1;
mod visible;

pub use event::event_id;
pub use visible::shown;
