//! A sample in a worker's hands.

use std::{fmt, sync::Arc, time::Duration};

use squall_types::SampleId;

use crate::{
    BodyError,
    body::Content,
    index::Taken,
    lane::Job,
    probe::Probe,
    record::SampleRecord,
    shared::Shared,
    spool::{self, Opened},
};

/// A sample that a worker took and has to scan.
///
/// Give it back with [`Queue::complete`](crate::Queue::complete) or
/// [`Queue::hand_back`](crate::Queue::hand_back). One that is merely dropped
/// counts as a scan that went wrong: the second time the sample fails.
pub struct Claim {
    pub(crate) shared: Arc<Shared>,
    /// `None` once it was given back.
    pub(crate) work: Option<Work>,
    id: SampleId,
    queued_for: Duration,
}

/// What waiting for a sample came to.
#[derive(Debug)]
pub enum Claimed {
    /// A sample to scan.
    Sample(Claim),
    /// A question to answer.
    Probe(Probe),
    /// There are no more claims: the service ends.
    Stopped,
    /// The worker wanted to leave.
    Left,
}

pub(crate) enum Work {
    Durable(Durable),
    Immediate(Job),
}

/// What a claim of the durable lane holds.
pub(crate) struct Durable {
    pub(crate) taken: Taken,
    pub(crate) record: SampleRecord,
    pub(crate) opened: Opened,
    /// The slot that names it; `None` once it was laid aside.
    pub(crate) slot: Option<usize>,
}

impl Claim {
    pub(crate) fn new(shared: Arc<Shared>, id: SampleId, queued_for: Duration, work: Work) -> Self {
        Self {
            shared,
            work: Some(work),
            id,
            queued_for,
        }
    }

    #[cfg(test)]
    pub(crate) fn slot(&self) -> Option<usize> {
        match &self.work {
            Some(Work::Durable(durable)) => durable.slot,
            _ => None,
        }
    }

    /// The sample's id.
    #[must_use]
    pub fn id(&self) -> SampleId {
        self.id
    }

    /// What was stored beside the sample when it was taken in.
    #[must_use]
    pub fn submission(&self) -> &[u8] {
        match &self.work {
            Some(Work::Durable(durable)) => &durable.opened.submission,
            Some(Work::Immediate(job)) => &job.submission,
            None => &[],
        }
    }

    /// How many scans of the sample ended without a verdict: with the end of
    /// the process or a dropped claim.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        match &self.work {
            Some(Work::Durable(durable)) => durable.record.attempts,
            Some(Work::Immediate(job)) => job.attempts,
            None => 0,
        }
    }

    /// Tells whether a sender waits for the verdict.
    #[must_use]
    pub fn is_immediate(&self) -> bool {
        matches!(self.work, Some(Work::Immediate(_)))
    }

    /// Tells whether the sender that waited for the verdict went away. Always
    /// false in the durable lane.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        matches!(&self.work, Some(Work::Immediate(job)) if job.answer.is_closed())
    }

    /// Says that the sample is not being scanned for now: its worker may claim
    /// another one before this is given back. A crash meanwhile is not blamed
    /// on it, so it must not be scanned any more: complete it with a verdict
    /// that is known otherwise, or hand it back.
    pub fn lay_aside(&mut self) {
        if let Some(Work::Durable(durable)) = &mut self.work
            && let Some(slot) = durable.slot.take()
        {
            self.shared.clear_slot(slot);
        }
    }

    /// How long the sample waited until it was claimed.
    #[must_use]
    pub fn queued_for(&self) -> Duration {
        self.queued_for
    }

    /// Bytes of the sample.
    #[must_use]
    pub fn body_len(&self) -> u64 {
        match &self.work {
            Some(Work::Durable(durable)) => durable.record.extent.body_len,
            Some(Work::Immediate(job)) => job.body.len(),
            None => 0,
        }
    }

    /// Reads the sample into `into`, replacing what it holds.
    ///
    /// # Errors
    ///
    /// Fails when the bytes cannot be read, have another length or another
    /// checksum than those received, or do not fit in memory. `into` is empty
    /// then: a sample is never scanned in part. Complete the claim as failed,
    /// or, after [`BodyError::Storage`] and [`BodyError::Memory`], hand it back.
    pub fn read_body(&self, into: &mut Vec<u8>) -> Result<(), BodyError> {
        into.clear();
        match &self.work {
            Some(Work::Durable(durable)) => {
                durable.opened.read_body(self.id, &durable.record, into)
            }
            Some(Work::Immediate(job)) => match &job.body.content {
                Content::Memory(bytes) => {
                    into.try_reserve(bytes.len())
                        .map_err(|_| BodyError::Memory {
                            id: self.id,
                            len: job.body.len(),
                        })?;
                    into.extend_from_slice(bytes);
                    Ok(())
                }
                Content::File(file) => {
                    let (len, crc) = (job.body.len(), job.body.crc());
                    spool::read_verified(self.id, into, len, crc, |buffer| {
                        file.read_exact_at(buffer, 0)
                    })
                }
            },
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("id", &self.id)
            .field("immediate", &self.is_immediate())
            .finish_non_exhaustive()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        #[cfg(test)]
        if self.shared.lock().crashed {
            return;
        }
        if let Some(work) = self.work.take() {
            self.shared.abandoned(self.id, work);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{Body, Completion, Lanes, Queue, QueueConfig, Verdict, claims::Claims};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_crash_is_not_blamed_on_what_was_laid_aside() {
        let dir = tempfile::tempdir().unwrap();
        let (queue, _) = Queue::open(QueueConfig::new(dir.path())).unwrap();
        for _ in 0..2 {
            let body = Body::from_bytes(b"bytes".to_vec());
            queue.enqueue(body, Vec::new(), "source").await.unwrap();
        }
        let path = &queue.shared.layout.claims;
        let blamed = || Claims::open(path).unwrap().1.claimed;
        let mut first = queue.claim(Lanes::All, 0).unwrap();
        assert_eq!(blamed(), [first.id()]);
        first.lay_aside();
        assert_eq!(blamed(), []);
        let second = queue.claim(Lanes::All, 0).unwrap();
        assert_eq!(blamed(), [second.id()]);
        // Its end leaves the slot to whoever has it now.
        let verdict = Verdict::Complete(Vec::new());
        let scan_time = Duration::ZERO;
        queue
            .complete(first, Completion { verdict, scan_time })
            .unwrap();
        assert_eq!(blamed(), [second.id()]);
        queue.hand_back(second);
        assert_eq!(blamed(), []);
    }
}
