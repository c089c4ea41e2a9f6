//! The thread that brings changes to the disk, many at a time.

use std::{
    io,
    sync::{Arc, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    StorageError,
    commit::{self, Round},
    compact, hook, intake,
    ledger::Ledger,
    shared::Shared,
    state::{Arrival, State},
};

pub(crate) use crate::intake::prepare;

/// How long a verdict may wait for company.
pub(crate) const VERDICT_DELAY: Duration = Duration::from_millis(if cfg!(test) { 10 } else { 100 });
/// How long counters and histories may wait; also how often a refusing disk
/// is tried.
const TICK: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 1000 });

/// How often a refusing disk is tried before a queue closes with what it has.
const REPAIRS_AT_CLOSE: u32 = 3;

/// Starts the committer and the thread that looks after its flushes.
pub(crate) fn start(
    shared: &Arc<Shared>,
    ledger: Ledger,
) -> Result<Vec<JoinHandle<()>>, StorageError> {
    let failed = |error: io::Error| StorageError::new("start a thread", error);
    let for_watch = Arc::clone(shared);
    let watch = thread::Builder::new()
        .name("queue-watch".to_owned())
        .spawn(move || watch(&for_watch))
        .map_err(failed)?;
    let for_committer = Arc::clone(shared);
    let committer = thread::Builder::new()
        .name("queue-commit".to_owned())
        .spawn(move || {
            let _end = End(&for_committer);
            run(&for_committer, ledger);
        });
    match committer {
        Ok(committer) => Ok(vec![committer, watch]),
        Err(error) => {
            drop(End(shared));
            Err(failed(error))
        }
    }
}

/// What the committer does next.
enum Step {
    Commit(Round),
    Refuse(Vec<Arrival>, StorageError),
    Repair,
    End,
}

fn run(shared: &Shared, mut ledger: Ledger) {
    let mut last = Instant::now();
    let mut compacted = last;
    let mut repairs = 0;
    let mut closing = None;
    loop {
        let step = next_step(shared, last, repairs, &mut closing);
        match step {
            Step::Commit(round) => {
                let is_last = round.last;
                let committed = commit::commit(shared, &mut ledger, round);
                if committed {
                    repairs = 0;
                }
                if committed && is_last {
                    break;
                }
                if committed && compacted.elapsed() >= TICK {
                    compact(shared, &mut ledger);
                    compacted = Instant::now();
                }
            }
            Step::Refuse(arrivals, error) => {
                for arrival in arrivals {
                    intake::refuse(shared, arrival, &error);
                }
                continue;
            }
            Step::Repair => {
                repairs += 1;
                repair(shared, &mut ledger);
            }
            Step::End => break,
        }
        last = Instant::now();
    }
    if let Err(error) = shared.store.close() {
        tracing::warn!(?error, "the database cannot be closed in order");
        shared.store.abandon();
    }
}

/// `repairs` is how often a repair was tried since the last commit, `closing`
/// since when nothing but verdicts that are held back is waited for.
fn next_step(shared: &Shared, last: Instant, repairs: u32, closing: &mut Option<Instant>) -> Step {
    let mut state = shared.lock();
    loop {
        #[cfg(test)]
        if state.crashed {
            return Step::End;
        }
        let idle = last.elapsed();
        if let Some(error) = state.down.clone() {
            if !state.arrivals.is_empty() {
                return Step::Refuse(state.arrivals.drain(..).collect(), error);
            }
            if state.closing && repairs >= REPAIRS_AT_CLOSE {
                return Step::End;
            }
            if idle >= TICK {
                return Step::Repair;
            }
        } else if state.closing {
            let since = *closing.get_or_insert_with(Instant::now);
            let patient = since.elapsed() < hook::WAIT_AT_CLOSE;
            if !(patient && state.arrivals.is_empty() && state.held.may_pass()) {
                return Step::Commit(Round::take(shared, &mut state));
            }
        } else if is_due(&mut state, idle) {
            return Step::Commit(Round::take(shared, &mut state));
        }
        state = wait(shared, state, idle);
    }
}

fn is_due(state: &mut State, idle: Duration) -> bool {
    if idle >= TICK && state.index.len() > 0 {
        state.note_queue_len();
    }
    !state.arrivals.is_empty()
        || state.is_pressing()
        || (idle >= VERDICT_DELAY && !state.changes.is_empty())
        || (idle >= TICK && (state.immediate != Default::default() || state.histories.is_dirty()))
}

fn wait<'a>(
    shared: &'a Shared,
    state: MutexGuard<'a, State>,
    idle: Duration,
) -> MutexGuard<'a, State> {
    let turn = if idle < VERDICT_DELAY {
        VERDICT_DELAY - idle
    } else if !state.changes.is_empty() || state.closing || idle < TICK {
        TICK.saturating_sub(idle)
            .clamp(VERDICT_DELAY / 10, VERDICT_DELAY)
    } else {
        TICK
    };
    shared
        .commit
        .wait_timeout(state, turn)
        .unwrap_or_else(PoisonError::into_inner)
        .0
}

/// Gives disk space back, a few segments at a time.
fn compact(shared: &Shared, ledger: &mut Ledger) {
    const PATIENCE: Duration = Duration::from_millis(50);
    let started = Instant::now();
    loop {
        match compact::compact(shared, ledger) {
            Ok(true) if started.elapsed() < PATIENCE => {}
            Ok(_) => break,
            Err(error) => {
                tracing::warn!(?error, "cannot move failed samples to another segment");
                break;
            }
        }
    }
}

/// Tries whether the disk is willing again.
fn repair(shared: &Shared, ledger: &mut Ledger) {
    if ledger.reopen {
        if let Err(error) = shared.store.reopen() {
            tracing::error!(?error, "cannot reopen the database, will try again");
            shared.lock().down = Some(error);
            return;
        }
        ledger.reopen = false;
    }
    tracing::info!("trying to store again");
    shared.lock().down = None;
    shared.work.notify_all();
}

/// Looks after the committer's flushes until it ends.
fn watch(shared: &Shared) {
    let mut state = shared.lock();
    while !state.ended {
        state = shared
            .ended
            .wait_timeout(state, TICK)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
        drop(state);
        shared.store.rescue();
        state = shared.lock();
    }
}

/// Leaves nobody waiting when the committer ends, however it ends.
struct End<'a>(&'a Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closing = true;
        state.stopped = true;
        state.ended = true;
        let arrivals = std::mem::take(&mut state.arrivals);
        let changes = std::mem::take(&mut state.changes);
        state.held.give_up();
        drop(state);
        drop((arrivals, changes));
        self.0.ended.notify_all();
        self.0.gate.notify_all();
        self.0.work.notify_all();
        self.0.immediate_work.notify_all();
    }
}
