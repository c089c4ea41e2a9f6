#![doc = include_str!("../README.md")]

mod counters;
mod filesystem;
mod memory;
mod outputs;
mod progress;
mod read;
mod roots;
mod run;
mod select;
mod stop;
mod summary;
mod throttle;
mod walk;
mod worker;

pub use outputs::{OutputError, OutputPaths, Outputs};
pub use run::{Job, ScanError, run};
pub use select::{PatternError, Selection, SelectionOptions};
pub use stop::Stop;
pub use summary::{About, Ending, Summary};
