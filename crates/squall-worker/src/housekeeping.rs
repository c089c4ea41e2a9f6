//! What is done beside the scanning: logs that refused lines are tried again,
//! and samples that were kept long enough go.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Builder;
use std::time::Duration;

use squall_types::ThreadHealth;

use crate::keep::Keeper;
use crate::limited::Limited;
use crate::overdue::Scans;
use crate::sink::Sinks;

/// How often logs are tried.
const TICK: Duration = Duration::from_secs(1);
/// How often kept samples are looked at.
const KEEPING: Duration = Duration::from_secs(60);

/// Ends its threads, which nobody waits for, when it is dropped.
pub(crate) struct Housekeeping {
    _ends: Vec<Sender<()>>,
}

impl Housekeeping {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// Fails if a thread cannot be started.
    pub(crate) fn start(
        sinks: &Arc<Sinks>,
        keeper: Option<&Arc<Keeper>>,
        scans: &Scans,
        health: &Arc<ThreadHealth>,
    ) -> io::Result<Self> {
        let (logs_end, logs_ended) = channel();
        let sinks = Arc::clone(sinks);
        let ticks = Builder::new().name("housekeeping".to_owned());
        ticks.spawn(move || run_every(TICK, &logs_ended, || sinks.tick()))?;
        let (end, ended) = channel();
        let watch_over = watch_over(scans.clone(), Arc::clone(health));
        let watch = Builder::new().name("scan-watch".to_owned());
        watch.spawn(move || run_every(TICK, &ended, watch_over))?;
        let mut ends = vec![logs_end, end];
        // A thread of its own: a million files take a while, and a log may not
        // answer.
        if let Some(keeper) = keeper.map(Arc::clone) {
            let (end, ended) = channel();
            let stock = Builder::new().name("kept-samples".to_owned());
            stock.spawn(move || {
                keeper.take_stock();
                run_every(KEEPING, &ended, || keeper.enforce());
            })?;
            ends.push(end);
        }
        Ok(Self { _ends: ends })
    }
}

fn run_every(interval: Duration, ended: &Receiver<()>, work: impl Fn()) {
    while ended.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
        work();
    }
}

/// Notes which scans do not end, and tells of them now and then.
fn watch_over(scans: Scans, health: Arc<ThreadHealth>) -> impl Fn() {
    let limited = Limited::default();
    move || {
        scans.note(&health);
        let overdue = scans.overdue();
        if !overdue.is_empty() && limited.pass().is_some() {
            tracing::error!(
                sample_ids = ?overdue,
                "scans do not end, and their threads are not available; restart the service, which \
                 puts a sample aside the second time"
            );
        }
    }
}
