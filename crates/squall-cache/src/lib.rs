#![doc = include_str!("../README.md")]

mod cache;
mod entry;
mod file;
mod table;

pub use cache::{Cache, Config, Dropped, Epoch, Saved, Stats};
pub use file::FileError;

/// Bytes of a key.
pub const KEY_LEN: usize = 24;

/// What a value is stored under: a digest, or a part of one that nobody can
/// make two inputs for.
pub type Key = [u8; KEY_LEN];
