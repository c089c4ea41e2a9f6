#![doc = include_str!("../README.md")]

mod digest;
mod entropy;
pub mod file_type;
mod heuristics;
mod ioc;
mod lone_member;
mod matching;
mod meta;
mod name;
mod pe_info;
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
