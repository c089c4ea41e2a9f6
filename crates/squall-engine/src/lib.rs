#![doc = include_str!("../README.md")]

mod digest;
pub mod file_type;
mod ioc;
mod matching;
mod meta;
mod name;
mod problem;
mod scan;
mod set;
mod source;
mod unpack;

pub use digest::digests;
pub use problem::{Problem, Severity};
pub use scan::{Sample, ScanLimits, Scanner};
pub use set::{CompileOptions, Progress, SetError, SignatureSet};
pub use source::{SourceError, SourceFile, read_directory};
pub use unpack::UnpackLimits;
