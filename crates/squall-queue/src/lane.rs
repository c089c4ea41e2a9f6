//! What goes through the queue and out of it, and the in-memory lane.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use squall_types::SampleId;
use tokio::sync::oneshot;

use crate::Body;

/// Which samples a worker takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lanes {
    /// Both lanes, synchronous checks first.
    All,
    /// Synchronous checks only.
    ImmediateOnly,
}

/// What a scan said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The sample was scanned; the bytes are the stored form of the result.
    Complete(Vec<u8>),
    /// The sample could not be scanned, and why, in words.
    Failed(String),
}

impl Verdict {
    pub(crate) fn is_failed(&self) -> bool {
        matches!(self, Self::Failed(_))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Complete(bytes) => bytes,
            Self::Failed(reason) => reason.as_bytes(),
        }
    }
}

/// A verdict and how long it took.
#[derive(Clone, Debug)]
pub struct Completion {
    /// What the scan said.
    pub verdict: Verdict,
    /// How long the scan took.
    pub scan_time: Duration,
}

/// The answer to a synchronous check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The sample's id.
    pub id: SampleId,
    /// What the scan said.
    pub verdict: Verdict,
}

/// Where a sample of the durable lane is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SampleState {
    /// It waits.
    Waiting,
    /// A worker has it.
    Scanning,
    /// It was scanned; the bytes are what the worker stored.
    Complete(Vec<u8>),
    /// It could not be scanned, and why.
    Failed(String),
}

impl From<Verdict> for SampleState {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Complete(bytes) => Self::Complete(bytes),
            Verdict::Failed(reason) => Self::Failed(reason),
        }
    }
}

/// A synchronous check that waits or is being scanned.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: SampleId,
    pub(crate) body: Body,
    pub(crate) submission: Vec<u8>,
    pub(crate) answer: oneshot::Sender<Verdict>,
    pub(crate) queued: Instant,
    pub(crate) attempts: u32,
}

/// The synchronous checks that wait.
#[derive(Debug, Default)]
pub(crate) struct Lane(VecDeque<Job>);

impl Lane {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn push(&mut self, job: Job) {
        self.0.push_back(job);
    }

    pub(crate) fn give_back(&mut self, job: Job) {
        self.0.push_front(job);
    }

    pub(crate) fn take(&mut self) -> Option<Job> {
        self.0.pop_front()
    }

    /// Takes out the check with this id, if it still waits.
    pub(crate) fn cancel(&mut self, id: SampleId) -> Option<Job> {
        let at = self.0.iter().position(|job| job.id == id)?;
        self.0.remove(at)
    }

    /// Takes out all.
    pub(crate) fn clear(&mut self) -> Vec<Job> {
        self.0.drain(..).collect()
    }
}
