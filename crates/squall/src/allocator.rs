//! The allocator of the process.
//!
//! That of the C library keeps what compiling a set of signatures used, 100 MB
//! with public rules, until the process ends. This one gives it back to the
//! system ten seconds after (docs/performance.md).

use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Has memory that is not used given back also while nothing happens, by threads
/// of the allocator's. What changes the rights of a thread must have come before:
/// those that are there already are not changed.
///
/// # Errors
///
/// Fails where the system has no such threads. Memory is then given back when
/// some is used or freed.
pub(crate) fn give_back_while_idle() -> anyhow::Result<()> {
    tikv_jemalloc_ctl::background_thread::write(true)
        .map_err(|error| anyhow::anyhow!("memory is not given back while idle: {error}"))
}
