//! What the service knows of its signatures and may ask of whoever loads them.
//!
//! The server does not link the engine: whoever wires it up gives it a
//! [`SignatureControl`].

use jiff::Timestamp;
use squall_api::v1;
use squall_types::SignatureSummary;
use tokio::sync::oneshot;

/// Loads signature sets and puts them in force.
pub trait SignatureControl: Send + Sync {
    /// Returns what is in force and how the last change went.
    fn state(&self) -> SignatureState;

    /// Asks for the signatures to be read again from where they come from.
    fn reload(&self) -> Pending;

    /// Asks for the set that was in force before.
    fn roll_back(&self) -> Pending;

    /// Returns every place that signatures are read from. Reads files: it is
    /// asked beside the runtime.
    fn sources(&self) -> v1::SignatureSources;

    /// Asks the sources on the network for something new.
    fn update(&self) -> Pending;
}

/// Resolves when a change was made, or with the reason why it was not. The
/// change goes on if it is dropped.
pub type Pending = oneshot::Receiver<Result<(), String>>;

/// What is in force and how the last change went.
#[derive(Clone, Debug, Default)]
pub struct SignatureState {
    /// The set in force.
    pub current: Option<LoadedSet>,
    /// The set that a roll-back would bring back.
    pub previous: Option<LoadedSet>,
    /// What of the files could not be used in the set in force, a line each;
    /// the first ones.
    pub problems: Vec<String>,
    /// How many more there are.
    pub problems_omitted: u64,
    /// What is used and should be looked at, a line each; the first ones.
    pub warnings: Vec<String>,
    /// How many more there are.
    pub warnings_omitted: u64,
    /// How the last change went.
    pub last_change: Option<Change>,
    /// Changes that put another set in force, since the start.
    pub changed: u64,
    /// Changes that failed, since the start.
    pub failed: u64,
    /// Nothing but YARA rules is applied.
    pub pure_yara: bool,
    /// The version that was rolled back, while the files are those of it.
    pub rolled_back: Option<String>,
}

/// A set that was put in force.
#[derive(Clone, Debug, Default)]
pub struct LoadedSet {
    /// Its figures.
    pub summary: SignatureSummary,
    /// What tells it from any other set, in hexadecimal digits.
    pub fingerprint: String,
    /// When it was put in force.
    pub loaded_at: Timestamp,
    /// How long that took, in milliseconds.
    pub load_time_ms: u64,
    /// Its rules were compiled by an earlier run.
    pub from_cache: bool,
}

/// An attempt to put another set in force.
#[derive(Clone, Debug)]
pub struct Change {
    /// When it ended.
    pub at: Timestamp,
    /// What asked for it, in a word.
    pub trigger: &'static str,
    /// How it ended.
    pub outcome: ChangeOutcome,
    /// Why it failed.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// How an attempt to put another set in force ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeOutcome {
    /// Another set is in force.
    Replaced,
    /// The set before is in force again.
    RolledBack,
    /// The files are those of the set in force.
    Unchanged,
    /// The set in force stays, because the new one is not fit.
    Failed,
}
