#![doc = include_str!("../README.md")]

mod artefact;
mod compile;
mod cost;
mod digest;
mod entropy;
pub mod file_type;
mod fingerprint;
mod heuristics;
mod include;
mod ioc;
mod lone_member;
mod matching;
mod meta;
mod name;
mod name_use;
mod pe_info;
mod problem;
mod reuse;
mod rule_text;
mod scan;
mod self_test;
mod set;
mod source;
mod tally;
mod unpack;

pub use artefact::ArtefactError;
pub use cost::{Cost, Costs, Wanted, costs};
pub use digest::digests;
pub use fingerprint::Fingerprint;
pub use include::{Found, Included, expand_includes};
pub use problem::{Problem, Severity};
pub use reuse::{Reuse, VERDICT_KEY_LEN, VerdictKey, VerdictKeys, renamed};
pub use rule_text::{RuleText, includes_others, rule_text};
pub use scan::{Sample, ScanLimits, Scanner};
pub use self_test::SelfTestError;
pub use set::{CompileOptions, Progress, SetError, SignatureSet};
pub use source::{
    SOURCE_DEPTH_MAX, SourceError, SourceFile, is_hidden_source, is_signature_file, read_directory,
};
pub use tally::{Tally, tally_lists};
pub use unpack::UnpackLimits;
