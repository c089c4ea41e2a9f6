//! What is done beside the scanning: logs that refused lines are tried again,
//! and samples that were kept long enough go.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

use crate::keep::Keeper;
use crate::sink::Sinks;

/// How often logs are tried.
const TICK: Duration = Duration::from_secs(1);
/// How often kept samples are looked at.
const KEEPING: Duration = Duration::from_secs(60);

/// Ends its threads, which nobody waits for, when it is dropped.
pub(crate) struct Housekeeping {
    _end: Sender<()>,
}

impl Housekeeping {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// Fails if a thread cannot be started.
    pub(crate) fn start(sinks: &Arc<Sinks>, keeper: Option<&Arc<Keeper>>) -> io::Result<Self> {
        let (end, ended) = channel();
        let (sinks, for_ticks) = (Arc::clone(sinks), keeper.map(Arc::clone));
        let ticks = Builder::new().name("housekeeping".to_owned());
        ticks.spawn(move || run(&ended, &sinks, for_ticks.as_deref()))?;
        // A thread of its own: a million files take a while, and a log that
        // refuses is not to wait for them.
        if let Some(keeper) = keeper.map(Arc::clone) {
            let stock = Builder::new().name("kept-samples".to_owned());
            stock.spawn(move || keeper.take_stock())?;
        }
        Ok(Self { _end: end })
    }
}

fn run(ended: &Receiver<()>, sinks: &Sinks, keeper: Option<&Keeper>) {
    let mut kept = Instant::now();
    while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        sinks.tick();
        if let Some(keeper) = keeper
            && kept.elapsed() >= KEEPING
        {
            keeper.enforce();
            kept = Instant::now();
        }
    }
}
