//! The set of the running service, and its replacement.
//!
//! One thread loads sets, one after the other; everybody else asks it. A new
//! set is read, made and tested beside the one in force, and only then put in
//! force. Whatever goes wrong before that changes nothing and is told: in the
//! log, in the state that the service shows, and to whoever asked.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use anyhow::Context as _;
use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use squall_engine::{Fingerprint, Problem, Severity, SignatureSet};
use squall_server::{Change, ChangeOutcome, LoadedSet, Pending, SignatureState};
use squall_types::SignatureSummary;
use squall_worker::Signatures;
use tokio::sync::oneshot;

use super::cache::Cache;
use super::store::{Candidate, Slot};
use super::{Made, Selection};

/// How many problems of each kind are shown of a set.
const PROBLEMS_SHOWN_MAX: usize = 200;

/// How much lower than the workers' the priority of the thread is once a set
/// is in force: a replacement may take a little longer, samples should not.
const NICENESS: i32 = 10;

/// How many versions are remembered so that none is given to two sets.
const VERSIONS_MAX: usize = 1000;

/// What asks for a set to be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// The service starts.
    Start,
    /// SIGHUP.
    Signal,
    /// The files changed.
    Files,
    /// A request.
    Request,
    /// Something new was fetched from a source.
    Update,
}

impl Trigger {
    const fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Signal => "signal",
            Self::Files => "files",
            Self::Request => "request",
            Self::Update => "update",
        }
    }

    /// Nobody asked for it in person: a set that was rolled back is not put in
    /// force again by itself.
    const fn is_automatic(self) -> bool {
        matches!(self, Self::Files | Self::Update)
    }
}

/// Where sets come from and where they go.
pub(crate) struct Parts {
    /// Which files.
    pub(crate) selection: Selection,
    /// What was compiled earlier.
    pub(crate) cache: Option<Cache>,
    /// Where the workers take the set from.
    pub(crate) signatures: Arc<Signatures>,
    /// Where the service takes the figures from.
    pub(crate) summary: Arc<ArcSwapOption<SignatureSummary>>,
}

/// A handle on the thread that loads sets; cheap to clone.
#[derive(Clone)]
pub(crate) struct Control {
    jobs: Sender<Job>,
    state: Arc<Mutex<SignatureState>>,
}

enum Job {
    Load(Trigger, Reply),
    Adopt(Vec<Candidate>, Reply),
    RollBack(Reply),
}

type Reply = oneshot::Sender<Result<(), String>>;

impl Control {
    /// Starts the thread. It loads nothing until it is asked to.
    ///
    /// # Errors
    ///
    /// Fails if the thread cannot be started.
    pub(crate) fn start(parts: Parts) -> io::Result<Self> {
        let (jobs, received) = channel();
        let state = Arc::new(Mutex::new(SignatureState {
            pure_yara: parts.selection.pure_yara,
            ..SignatureState::default()
        }));
        let loader = Loader {
            parts,
            state: Arc::clone(&state),
            current: None,
            previous: None,
            refused: None,
            rolled_back: None,
            unread: Vec::new(),
            versions: VecDeque::new(),
        };
        std::thread::Builder::new()
            .name("signatures".to_owned())
            .spawn(move || loader.run(&received))?;
        Ok(Self { jobs, state })
    }

    /// Asks for the selected files to be loaded.
    pub(crate) fn load(&self, trigger: Trigger) -> Pending {
        self.ask(|reply| Job::Load(trigger, reply))
    }

    /// Asks for bundles that were fetched to be put in force, all of them or
    /// none. Those that are not fit are forgotten.
    pub(crate) fn adopt(&self, candidates: Vec<Candidate>) -> Pending {
        self.ask(|reply| Job::Adopt(candidates, reply))
    }

    /// Returns what is in force and how the last change went.
    pub(crate) fn state(&self) -> SignatureState {
        lock(&self.state).clone()
    }

    /// Asks for the set that was in force before.
    pub(crate) fn roll_back(&self) -> Pending {
        self.ask(Job::RollBack)
    }

    /// Tells that a source could not be asked.
    pub(crate) fn note_failed_update(&self, error: &str) {
        let mut state = lock(&self.state);
        state.failed += 1;
        state.last_change = Some(Change {
            at: Timestamp::now(),
            trigger: Trigger::Update.word(),
            outcome: ChangeOutcome::Failed,
            error: Some(error.to_owned()),
            duration_ms: 0,
        });
    }

    fn ask(&self, job: impl FnOnce(Reply) -> Job) -> Pending {
        let (reply, pending) = oneshot::channel();
        // The thread never ends by itself; if it did, `pending` would say so.
        let _ = self.jobs.send(job(reply));
        pending
    }
}

/// A set, and what is shown of it.
struct InForce {
    set: Arc<SignatureSet>,
    shown: LoadedSet,
    /// The slots that were given another bundle with it, and what they had
    /// before.
    adopted: Vec<(Slot, Option<PathBuf>)>,
    /// What could not be read of its files.
    unread: Vec<Problem>,
}

/// The thread's side.
struct Loader {
    parts: Parts,
    state: Arc<Mutex<SignatureState>>,
    current: Option<InForce>,
    previous: Option<InForce>,
    /// The set that was rolled back, or that the last automatic attempt found
    /// unfit: not tried again until somebody asks.
    refused: Option<Fingerprint>,
    /// The version of the set that was rolled back, as long as the files are
    /// those of it.
    rolled_back: Option<String>,
    /// What could not be read when the files were last read, in force or not.
    unread: Vec<Problem>,
    /// Versions given so far.
    versions: VecDeque<(String, Fingerprint)>,
}

impl Loader {
    fn run(mut self, jobs: &Receiver<Job>) {
        let mut waiting = VecDeque::new();
        loop {
            match waiting.pop_front().map_or_else(|| jobs.recv(), Ok) {
                Err(_) => return,
                Ok(Job::RollBack(reply)) => {
                    let _ = reply.send(self.roll_back());
                }
                Ok(Job::Adopt(candidates, reply)) => {
                    let result = self.load(Trigger::Update, &candidates);
                    // Those in force stay.
                    candidates.iter().for_each(Candidate::discard);
                    let _ = reply.send(result);
                }
                Ok(Job::Load(trigger, reply)) => {
                    waiting.extend(jobs.try_iter());
                    let mut replies = vec![reply];
                    // One load answers all that ask for one right now.
                    while let Some(Job::Load(..)) = waiting.front() {
                        if let Some(Job::Load(_, reply)) = waiting.pop_front() {
                            replies.push(reply);
                        }
                    }
                    let result = self.load(trigger, &[]);
                    for reply in replies {
                        let _ = reply.send(result.clone());
                    }
                }
            }
        }
    }

    /// Loads the selected files, with bundles that are not in force yet, and
    /// tells how it went.
    fn load(&mut self, trigger: Trigger, candidates: &[Candidate]) -> Result<(), String> {
        let begun = Instant::now();
        let attempt = catch_unwind(AssertUnwindSafe(|| self.try_load(trigger, candidates)))
            .unwrap_or_else(|_| Err(anyhow::anyhow!("loading the signatures panicked")));
        let (outcome, error) = match attempt {
            Ok(outcome) => (outcome, None),
            Err(error) => (ChangeOutcome::Failed, Some(format!("{error:#}"))),
        };
        if let (Some(error), Some(current)) = (&error, &self.current) {
            tracing::error!(
                trigger = trigger.word(),
                error,
                version = current.shown.summary.version,
                "the new signatures are not put in force, those before stay"
            );
        }
        self.tell(trigger.word(), outcome, error.clone(), begun);
        self.publish();
        error.map_or(Ok(()), Err)
    }

    fn try_load(
        &mut self,
        trigger: Trigger,
        candidates: &[Candidate],
    ) -> anyhow::Result<ChangeOutcome> {
        let begun = Instant::now();
        let selection = self.parts.selection.with(candidates);
        // The first set may lack what is damaged, since no set at all would be worse.
        // Later ones lack nothing that the one in force has.
        let mut read = selection.read_what_is_whole()?;
        if let Some(current) = &self.current {
            read = read.refuse_damage(&current.unread)?;
        }
        let unread = read.problems();
        let is_news = unread != self.unread;
        self.unread = unread;
        let fingerprint = Fingerprint::of(&read.files, selection.options());
        let is_current = |current: &InForce| *current.set.fingerprint() == fingerprint;
        let is_current = self.current.as_ref().is_some_and(is_current);
        let is_refused = trigger.is_automatic() && self.refused == Some(fingerprint);
        if is_news || !(is_current || is_refused) {
            read.log();
        }
        if is_refused {
            return Ok(ChangeOutcome::Unchanged);
        }
        if let Some(current) = self.current.as_mut().filter(|_| is_current) {
            current.unread.clone_from(&self.unread);
            self.rolled_back = None;
            adopt(candidates)?;
            return Ok(ChangeOutcome::Unchanged);
        }
        self.refused = trigger.is_automatic().then_some(fingerprint);
        let lists = super::tally_bundles(&read.files, candidates);
        let made = super::make(&read.files, selection.options(), self.parts.cache.as_ref())
            .with_context(|| format!("cannot use the signatures of {selection}"))?;
        drop(read);
        super::log_problems(&made.set);
        if self.current.is_some() {
            super::refuse_mostly_broken(made.set.summary())?;
        }
        super::refuse_unfit_bundles(&made.set, candidates, &lists)?;
        self.refused = None;
        let adopted = adopt(candidates)?;
        self.put_in_force(made, adopted, begun);
        Ok(ChangeOutcome::Replaced)
    }

    fn put_in_force(
        &mut self,
        made: Made,
        mut adopted: Vec<(Slot, Option<PathBuf>)>,
        begun: Instant,
    ) {
        let set = Arc::new(self.with_own_version(made.set));
        let summary = set.summary().clone();
        tracing::info!(
            version = summary.version,
            rules = summary.rules,
            iocs = summary.iocs,
            skipped = summary.skipped,
            from_cache = made.from_cache,
            "signatures in force"
        );
        let shown = LoadedSet {
            fingerprint: set.fingerprint().to_string(),
            loaded_at: Timestamp::now(),
            load_time_ms: millis(begun),
            from_cache: made.from_cache,
            summary,
        };
        let before = self.current.take();
        let is_first = before.is_none();
        match before {
            // Trust is taken back by itself; a roll-back is for what may have
            // been wrong with the rules, however many contents were trusted since.
            Some(before) if set.finds_like(&before.set) => {
                adopted.extend(before.adopted);
            }
            before => self.previous = before,
        }
        self.rolled_back = None;
        self.install(InForce {
            set,
            shown,
            adopted,
            unread: self.unread.clone(),
        });
        if is_first {
            // The first set is waited for, later ones are not. Not critical.
            let _ = rustix::process::nice(NICENESS);
        }
    }

    fn roll_back(&mut self) -> Result<(), String> {
        let begun = Instant::now();
        let Some(previous) = self.previous.take() else {
            return Err("there is no set before the one in force".to_owned());
        };
        if let Some(current) = &self.current {
            self.refused = Some(*current.set.fingerprint());
            self.rolled_back = Some(current.shown.summary.version.clone());
            give_back(&current.adopted);
        }
        tracing::warn!(
            version = previous.shown.summary.version,
            "the signatures before are in force again"
        );
        self.install(previous);
        self.tell("rollback", ChangeOutcome::RolledBack, None, begun);
        self.publish();
        Ok(())
    }

    /// Gives the set to the workers.
    fn install(&mut self, in_force: InForce) {
        self.parts.signatures.install(Arc::clone(&in_force.set));
        self.current = Some(in_force);
    }

    /// Gives the figures of the set in force to the service, which takes no
    /// synchronous check without: after the workers have the set, and after the
    /// state tells of it.
    fn publish(&self) {
        let summary = self.current.as_ref().map(|set| &set.shown.summary);
        if let Some(summary) = summary {
            self.parts.summary.store(Some(Arc::new(summary.clone())));
        }
    }

    /// Makes sure that a version names one set only: files that are removed or
    /// replaced by older ones change the set and not its time.
    fn with_own_version(&mut self, set: SignatureSet) -> SignatureSet {
        let fingerprint = *set.fingerprint();
        let taken = |version: &str| {
            let mut given = self.versions.iter();
            given.any(|(of, by)| of == version && *by != fingerprint)
        };
        let mut set = set;
        let mut time = SystemTime::now();
        while taken(&set.summary().version) {
            set = set.with_version_of(time);
            time += std::time::Duration::from_secs(1);
        }
        self.versions
            .push_back((set.summary().version.clone(), fingerprint));
        if self.versions.len() > VERSIONS_MAX {
            self.versions.pop_front();
        }
        set
    }

    /// Makes the state what it is now, after an attempt.
    fn tell(
        &self,
        trigger: &'static str,
        outcome: ChangeOutcome,
        error: Option<String>,
        begun: Instant,
    ) {
        let mut state = lock(&self.state);
        state.current = self.current.as_ref().map(|set| set.shown.clone());
        state.previous = self.previous.as_ref().map(|set| set.shown.clone());
        state.rolled_back.clone_from(&self.rolled_back);
        let current = self.current.iter();
        let problems = current.flat_map(|set| set.unread.iter().chain(set.set.problems()));
        (state.problems, state.problems_omitted) = lines(problems.clone(), Severity::Skipped);
        (state.warnings, state.warnings_omitted) = lines(problems, Severity::Warning);
        match outcome {
            ChangeOutcome::Failed => state.failed += 1,
            ChangeOutcome::Replaced | ChangeOutcome::RolledBack => state.changed += 1,
            ChangeOutcome::Unchanged => {}
        }
        state.last_change = Some(Change {
            at: Timestamp::now(),
            trigger,
            outcome,
            error,
            duration_ms: millis(begun),
        });
    }
}

/// Returns the first problems that are so bad, a line each, and how many more
/// there are.
fn lines<'a>(
    problems: impl Iterator<Item = &'a Problem>,
    severity: Severity,
) -> (Vec<String>, u64) {
    let mut lines = problems
        .filter(|problem| problem.severity == severity)
        .map(ToString::to_string);
    let shown = lines.by_ref().take(PROBLEMS_SHOWN_MAX).collect();
    (shown, lines.count() as u64)
}

/// Puts bundles in force on disk; returns what their slots had before.
fn adopt(candidates: &[Candidate]) -> anyhow::Result<Vec<(Slot, Option<PathBuf>)>> {
    let mut adopted = Vec::new();
    for candidate in candidates {
        match candidate.adopt() {
            Ok(before) => adopted.push((candidate.slot.clone(), before)),
            Err(error) => {
                give_back(&adopted);
                return Err(error).context("cannot put the fetched signatures in force");
            }
        }
    }
    Ok(adopted)
}

/// Gives slots the bundles that they had before, so that a restart loads them.
fn give_back(adopted: &[(Slot, Option<PathBuf>)]) {
    for (slot, before) in adopted {
        if let Err(error) = slot.put_in_force(before.as_deref()) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "fetched signatures could not be rolled back; the next start uses the newer ones"
            );
        }
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn lock(state: &Mutex<SignatureState>) -> MutexGuard<'_, SignatureState> {
    // Nothing that panics happens while it is held.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
