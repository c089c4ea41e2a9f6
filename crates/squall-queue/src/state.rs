//! What the queue knows in memory, behind one lock that is held briefly.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, mpsc},
    time::Instant,
};

use squall_types::SampleId;
use tokio::sync::oneshot;

use crate::{
    Body, CheckError, EnqueueError, History, RetryError, Stats, StorageError, Verdict, clock,
    counters::{Counters, Times},
    history::Histories,
    hook::Held,
    index::{Index, Taken},
    lane::{Job, Lane},
    probe::Probe,
    rate::DrainRate,
    recent::RecentScans,
    record::{Extent, SampleRecord},
    shared::Admission,
    times::{LaneOf, SampleTimes},
};

/// A sample on its way to the disk.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) body: Body,
    pub(crate) submission: Vec<u8>,
    pub(crate) extent: Extent,
    pub(crate) source_key: u64,
    pub(crate) enqueued_at_us: i64,
    pub(crate) owner: u64,
    pub(crate) answer: oneshot::Sender<Result<SampleId, EnqueueError>>,
    pub(crate) admission: Admission,
}

/// A change of a sample that the disk does not know yet.
#[derive(Debug)]
pub(crate) enum Change {
    /// It has its verdict.
    Done {
        id: SampleId,
        record: SampleRecord,
        verdict: Arc<Verdict>,
        times: Times,
    },
    /// Its scan ended without one; it becomes a suspect.
    Attempt {
        id: SampleId,
        record: SampleRecord,
        taken: Taken,
    },
    /// It failed and is to be scanned again.
    Retry {
        id: SampleId,
        record: SampleRecord,
        answer: mpsc::SyncSender<Result<(), RetryError>>,
    },
}

impl Change {
    /// The sample that changes.
    pub(crate) fn id(&self) -> SampleId {
        match self {
            Self::Done { id, .. } | Self::Attempt { id, .. } | Self::Retry { id, .. } => *id,
        }
    }

    /// Tells whether it is another try of a sample.
    pub(crate) fn is_retry_of(&self, sample: SampleId) -> bool {
        matches!(self, Self::Retry { id, .. } if *id == sample)
    }

    /// Bytes it holds in memory.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Done { verdict, .. } => verdict.bytes().len(),
            Self::Attempt { .. } | Self::Retry { .. } => 0,
        }
    }
}

/// Ids that may be given out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids {
    pub(crate) next: u64,
    /// Ids below this value are reserved on the disk.
    pub(crate) reserved: u64,
}

#[derive(Debug)]
pub(crate) struct State {
    /// No more samples are taken, and the committer ends.
    pub(crate) closing: bool,
    /// Nothing reaches the disk any more.
    pub(crate) ended: bool,
    /// The test pretends that the process is dead.
    #[cfg(test)]
    pub(crate) crashed: bool,
    /// Where the test lets the committer end.
    #[cfg(test)]
    pub(crate) fail_point: Option<crate::fail_point::FailPoint>,
    /// Workers get nothing any more.
    pub(crate) stopped: bool,
    /// Why the database cannot be used at the moment.
    pub(crate) down: Option<StorageError>,
    pub(crate) ids: Ids,

    pub(crate) arrivals: VecDeque<Arrival>,
    /// Samples that are admitted and not committed, and their bytes.
    pub(crate) admitted: u64,
    pub(crate) admitted_bytes: u64,
    /// Those of the bytes that are not on the disk yet.
    pub(crate) admitted_unwritten: u64,

    pub(crate) index: Index,
    pub(crate) scanning: HashMap<SampleId, Taken>,
    pub(crate) lane: Lane,
    pub(crate) immediate_scanning: u64,
    /// A question for the next worker.
    pub(crate) probe: Option<Probe>,

    pub(crate) changes: Vec<Change>,
    pub(crate) changes_bytes: usize,
    /// Somebody waits for the changes to be committed.
    pub(crate) urgent: bool,
    /// Changes that wait for somebody outside.
    pub(crate) held: Held,
    /// Verdicts among the changes.
    pub(crate) recent: HashMap<SampleId, Arc<Verdict>>,
    /// Failed samples that are kept.
    pub(crate) failed: BTreeMap<SampleId, SampleRecord>,
    pub(crate) failed_bytes: u64,
    /// Bytes of samples that wait, are being scanned, or failed and are kept.
    pub(crate) live_bytes: u64,

    pub(crate) counters: Counters,
    /// The part of the counters that synchronous checks added since the last
    /// commit.
    pub(crate) immediate: Counters,
    pub(crate) histories: Histories,
    pub(crate) drain: DrainRate,
    pub(crate) last_scans: RecentScans,
    pub(crate) times: SampleTimes,
}

impl State {
    pub(crate) fn new(ids: Ids, counters: Counters) -> Self {
        Self {
            closing: false,
            ended: false,
            #[cfg(test)]
            crashed: false,
            #[cfg(test)]
            fail_point: None,
            stopped: false,
            down: None,
            ids,
            arrivals: VecDeque::new(),
            admitted: 0,
            admitted_bytes: 0,
            admitted_unwritten: 0,
            index: Index::default(),
            scanning: HashMap::new(),
            lane: Lane::default(),
            immediate_scanning: 0,
            probe: None,
            changes: Vec::new(),
            changes_bytes: 0,
            urgent: false,
            held: Held::default(),
            recent: HashMap::new(),
            failed: BTreeMap::new(),
            failed_bytes: 0,
            live_bytes: 0,
            counters,
            immediate: Counters::default(),
            histories: Histories::default(),
            drain: DrainRate::new(Instant::now()),
            last_scans: RecentScans::default(),
            times: SampleTimes::default(),
        }
    }

    /// Gives out an id that is reserved on the disk.
    pub(crate) fn reserved_id(&mut self) -> Option<SampleId> {
        if self.ids.next >= self.ids.reserved {
            return None;
        }
        let id = SampleId::new(self.ids.next)?;
        self.ids.next += 1;
        Some(id)
    }

    /// Tells whether so much waits for the disk that workers must pause.
    pub(crate) fn is_backlogged(&self) -> bool {
        const CHANGES_MAX: usize = 16_384;
        const BYTES_MAX: usize = 64 << 20;
        self.changes.len() + self.held.len() >= CHANGES_MAX
            || self.changes_bytes + self.held.bytes() >= BYTES_MAX
    }

    /// Tells whether so much waits for the disk that it should not wait for
    /// the next turn.
    pub(crate) fn is_pressing(&self) -> bool {
        const CHANGES: usize = 1024;
        const BYTES: usize = 8 << 20;
        self.urgent || self.changes.len() >= CHANGES || self.changes_bytes >= BYTES
    }

    /// Notes that a sample of either lane has its verdict.
    pub(crate) fn count_verdict(&mut self, lane: LaneOf, failed: bool, times: Times) {
        self.counters.finish(failed, times);
        self.histories.add(History::Samples, clock::now_minute(), 1);
        self.drain.record(Instant::now());
        self.last_scans.record(times.scan_us);
        self.times.record(lane, times);
    }

    /// Lets a change be committed next, or once what it relies on is safe.
    pub(crate) fn push_change(&mut self, change: Change) {
        if let Some(change) = self.held.push(change) {
            self.commit_change(change);
        }
    }

    /// Lets a change be committed next.
    pub(crate) fn commit_change(&mut self, change: Change) {
        self.changes_bytes += change.bytes();
        self.changes.push(change);
    }

    /// Takes back a retry that is not being committed. Returns whether it could.
    pub(crate) fn withdraw_retry(&mut self, sample: SampleId) -> bool {
        let change = self.held.withdraw_retry(sample).or_else(|| {
            let at = self.changes.iter().position(|c| c.is_retry_of(sample))?;
            Some(self.changes.remove(at))
        });
        let Some(Change::Retry { id, record, .. }) = change else {
            return false;
        };
        self.keep_failed(id, record);
        true
    }

    pub(crate) fn keep_failed(&mut self, id: SampleId, record: SampleRecord) {
        if self.failed.insert(id, record).is_none() {
            self.failed_bytes += record.extent.bytes();
        }
    }

    pub(crate) fn forget_failed(&mut self, id: SampleId) -> Option<SampleRecord> {
        let record = self.failed.remove(&id)?;
        self.failed_bytes -= record.extent.bytes();
        Some(record)
    }

    pub(crate) fn note_queue_len(&mut self) {
        let waiting = self.index.len();
        self.histories
            .raise(History::Queue, clock::now_minute(), waiting);
    }

    /// Takes back the acceptance of a check nobody waits for any more.
    pub(crate) fn uncount_immediate(&mut self) {
        self.counters.accepted -= 1;
    }

    /// Takes out the checks that wait, which are no longer accepted; to be
    /// dropped outside the lock.
    pub(crate) fn clear_lane(&mut self) -> Vec<Job> {
        let jobs = self.lane.clear();
        for _ in &jobs {
            self.uncount_immediate();
        }
        jobs
    }

    /// Tells whether checks have nobody any more who would take them.
    pub(crate) fn takes_no_checks(&self) -> bool {
        self.closing || self.stopped
    }

    /// Says why a check ended without a verdict.
    pub(crate) fn unanswered(&self) -> CheckError {
        if self.takes_no_checks() {
            CheckError::Closed
        } else {
            CheckError::Lost
        }
    }

    pub(crate) fn stats(&self, spool_bytes: u64) -> Stats {
        Stats {
            accepted: self.counters.accepted,
            scanned: self.counters.scanned,
            failed: self.counters.failed,
            waiting: self.index.len(),
            scanning: self.scanning.len() as u64,
            waiting_bytes: self.index.bytes(),
            spool_bytes,
            immediate_waiting: self.lane.len() as u64,
            immediate_scanning: self.immediate_scanning,
            oldest_waiting: self.index.oldest_us().map(clock::since),
            scan_time_total_us: self.counters.scan_time_us,
            wait_time_total_us: self.counters.wait_time_us,
            total_time_total_us: self.counters.total_time_us,
            drain_rate_per_second: self.drain.per_second(Instant::now()),
            storage_ok: self.down.is_none(),
        }
    }
}
