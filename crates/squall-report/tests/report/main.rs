//! Golden and property tests of every rendering.

mod bounds;
mod fixture;
mod forms;
mod golden;
mod page;
mod properties;
mod stored;
mod syslog;
