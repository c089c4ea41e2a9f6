//! Places at which a test lets the committer end as if the process were killed.

use std::panic;

use crate::shared::Shared;

/// Where the committer ends, once it gets there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailPoint {
    /// The bytes of arrived samples are on the disk, their records are not.
    BytesStored,
    /// The results are on the disk as well, nothing tells of them.
    ResultsStored,
    /// The batch is on the disk, and nobody knows yet.
    BatchWritten,
    /// Everybody knows, and what is done was not deleted.
    Published,
    /// Failed samples were copied, their records name the old place.
    Copied,
    /// Their records name the new place, the old one was not deleted.
    Moved,
}

/// Ends the committer if the test wants it to end here.
pub(crate) fn reached(shared: &Shared, point: FailPoint) {
    let mut state = shared.lock();
    if state.fail_point != Some(point) {
        return;
    }
    state.fail_point = None;
    state.crashed = true;
    drop(state);
    // Unlike a panic, this prints nothing.
    panic::resume_unwind(Box::new("a test ended the committer"));
}
