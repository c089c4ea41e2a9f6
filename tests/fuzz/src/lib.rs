//! What the fuzz targets call.
//!
//! The parsers are compiled in from the sources of their crates. So nothing has
//! to be made public, or be in the product, for the sake of fuzzing; and a
//! target is built without the YARA engine, whose instrumented build would take
//! longer than the fuzzing.

// The modules are parts of other crates here, not all of which is used.
#![allow(dead_code, unused_imports, unreachable_pub)]

#[path = "../../../crates/squall-server/src/bound.rs"]
mod bound;
#[path = "../../../crates/squall-queue/src/codec.rs"]
mod codec;
#[path = "../../../crates/squall-queue/src/counters.rs"]
mod counters;
#[path = "../../../crates/squall-engine/src/digest.rs"]
mod digest;
#[path = "../../../crates/squall-engine/src/file_type/mod.rs"]
mod file_type;
#[path = "../../../crates/squall-engine/src/include.rs"]
mod include;
#[path = "../../../crates/squall-engine/src/ioc/mod.rs"]
mod ioc;
#[path = "../../../crates/squall-engine/src/matching/piece.rs"]
mod matching;
#[path = "../../../crates/squall-engine/src/name.rs"]
mod name;
#[path = "../../../crates/squall-engine/src/problem.rs"]
mod problem;
#[path = "../../../crates/squall-queue/src/record.rs"]
mod record;
#[path = "../../../crates/squall-engine/src/rule_text.rs"]
mod rule_text;
#[path = "../../../crates/squall-queue/src/segment.rs"]
mod segment;
#[path = "../../../crates/squall-engine/src/source.rs"]
mod source;
#[path = "../../../crates/squall-server/src/throttle.rs"]
mod throttle;
#[path = "../../../crates/squall-server/src/turnover.rs"]
mod turnover;
#[path = "../../../crates/squall-engine/src/unpack/mod.rs"]
mod unpack;

mod engine;
mod queue;
mod upload;

/// What the server's upload knows of its configuration.
mod config {
    pub(crate) struct Limits {
        pub(crate) connections_max: usize,
        pub(crate) uploads_max: usize,
        pub(crate) bytes_in_flight_max: u64,
        pub(crate) body_timeout: std::time::Duration,
    }
}

pub(crate) use problem::{Problem, Severity};

/// As in the server's crate.
pub(crate) fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

pub use engine::{
    indicators, member_names, recognise, rule_files, stix, unpack_as, unpack_detected, unpack_stream,
};
pub use queue::stored_forms;
pub use upload::{disposition, multipart};
