//! Verdicts that wait until what they rely on is safe elsewhere: a finding in a
//! log file, for instance, before the sample it was found in is forgotten.
//!
//! A thread of its own asks, so that an answer that does not come keeps nobody
//! waiting but those verdicts.

use std::{
    collections::HashSet,
    io,
    sync::{Arc, PoisonError},
    thread,
    time::{Duration, Instant},
};

use squall_types::SampleId;

use crate::{Queue, committer::VERDICT_DELAY, shared::Shared, state::Change};

/// How long a queue that closes waits for an answer.
pub(crate) const WAIT_AT_CLOSE: Duration = Duration::from_secs(5);

/// Changes that must not be committed yet.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// Somebody is to be asked.
    is_gated: bool,
    changes: Vec<Change>,
    bytes: usize,
    /// The samples whose verdicts are among them.
    ids: HashSet<SampleId>,
    /// How many of them, from the first, the question is about that was asked
    /// and not answered yet.
    asked: usize,
    is_asking: bool,
    /// The last answer was that they have to wait.
    refused: bool,
    /// It was asked since the queue began to close.
    last_asked: bool,
}

impl Held {
    pub(crate) fn len(&self) -> usize {
        self.changes.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Tells whether the verdict on a sample is held back.
    pub(crate) fn holds(&self, id: SampleId) -> bool {
        self.ids.contains(&id)
    }

    /// Tells whether an answer is being waited for.
    pub(crate) fn is_asking(&self) -> bool {
        self.is_asking
    }

    /// Tells whether there are changes that may be let go in a moment.
    pub(crate) fn may_pass(&self) -> bool {
        !self.changes.is_empty() && (self.is_asking || !self.refused || !self.last_asked)
    }

    /// Tells whether so much waits that it should not wait for the next turn.
    pub(crate) fn is_pressing(&self) -> bool {
        const CHANGES: usize = 1024;
        const BYTES: usize = 8 << 20;
        !self.refused && (self.changes.len() >= CHANGES || self.bytes >= BYTES)
    }

    /// Takes a verdict, or what follows on one that it holds; gives back any
    /// other change.
    pub(crate) fn push(&mut self, change: Change) -> Option<Change> {
        let is_verdict = matches!(change, Change::Done { .. });
        let id = change.id();
        if !self.is_gated || !(is_verdict || self.holds(id)) {
            return Some(change);
        }
        self.ids.insert(id);
        self.bytes += change.bytes();
        self.changes.push(change);
        None
    }

    /// Takes out the retry of a sample.
    pub(crate) fn withdraw_retry(&mut self, id: SampleId) -> Option<Change> {
        let at = self.changes.iter().position(|held| held.is_retry_of(id))?;
        self.asked -= usize::from(at < self.asked);
        Some(self.changes.remove(at))
    }

    /// Drops all of them, and tells whether there were any.
    pub(crate) fn give_up(&mut self) -> bool {
        let any = !self.changes.is_empty();
        self.changes.clear();
        self.ids.clear();
        (self.bytes, self.asked) = (0, 0);
        any
    }

    fn ask(&mut self, closing: bool) {
        self.asked = self.changes.len();
        self.is_asking = true;
        self.last_asked = closing;
    }

    /// Returns the changes that may be committed after an answer.
    fn answered(&mut self, ready: bool) -> Vec<Change> {
        let asked = std::mem::take(&mut self.asked);
        self.is_asking = false;
        self.refused = !ready;
        if !ready {
            return Vec::new();
        }
        let passed: Vec<_> = self.changes.drain(..asked).collect();
        self.bytes = self.changes.iter().map(Change::bytes).sum();
        self.ids = self.changes.iter().map(Change::id).collect();
        passed
    }
}

impl Queue {
    /// Lets `ready` be asked before verdicts of the durable lane reach the
    /// disk. Once, right after the queue was opened; a second call changes
    /// nothing.
    ///
    /// It is called from a thread of its own, with no lock held, after those
    /// verdicts were given: whatever a worker wrote before
    /// [`complete`](Self::complete) is there. While it returns false, or does
    /// not return, the verdicts can be read but are not on the disk: a crash
    /// repeats their scans. It is asked again every 100 ms or so. Samples are
    /// taken and acknowledged meanwhile, and workers pause once too many
    /// verdicts wait, so it has to say true in the end. Verdicts it still holds
    /// back when the queue closes, after five seconds if it does not answer,
    /// are dropped, and their samples scanned again after the next start.
    ///
    /// # Errors
    ///
    /// Fails when the thread cannot be started.
    pub fn before_results(&self, ready: impl Fn() -> bool + Send + 'static) -> io::Result<()> {
        {
            let mut state = self.shared.lock();
            if state.held.is_gated {
                tracing::error!("the queue asks somebody else before it stores results");
                return Ok(());
            }
            state.held.is_gated = true;
        }
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new()
            .name("queue-gate".to_owned())
            .spawn(move || run(&shared, &ready))?;
        self.closer.add_gate(thread);
        Ok(())
    }
}

fn run(shared: &Shared, ready: &dyn Fn() -> bool) {
    let mut last = None;
    while wait_for_verdicts(shared, last) {
        let answer = ready();
        let mut state = shared.lock();
        let passed = state.held.answered(answer);
        state.urgent |= !passed.is_empty();
        for change in passed {
            state.commit_change(change);
        }
        drop(state);
        shared.commit.notify_one();
        last = Some(Instant::now());
    }
}

/// Waits until it is time to ask about verdicts, `last` being when that was
/// done last. Returns false when the queue has ended.
fn wait_for_verdicts(shared: &Shared, last: Option<Instant>) -> bool {
    let mut state = shared.lock();
    loop {
        if state.ended {
            return false;
        }
        let idle = last.map_or(VERDICT_DELAY, |last| last.elapsed());
        let closing = state.closing;
        let is_due = idle >= VERDICT_DELAY
            || state.held.is_pressing()
            || (closing && !state.held.last_asked);
        if is_due && state.held.len() > 0 {
            state.held.ask(closing);
            return true;
        }
        let turn = if state.held.len() > 0 {
            VERDICT_DELAY.saturating_sub(idle)
        } else {
            Duration::from_secs(1)
        };
        state = shared
            .gate
            .wait_timeout(state, turn)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
    }
}
