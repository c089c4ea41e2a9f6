//! What the committer alone keeps: the segments it appends to, and what the
//! disk knows.

use std::collections::VecDeque;

use squall_types::SampleId;

use crate::{
    counters::Counters,
    fs,
    layout::Layout,
    record::{Place, SampleRecord},
    segment,
    segments::Segments,
};

/// A result that is on the disk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeptResult {
    pub(crate) id: SampleId,
    /// The result segment and the bytes in it; `None` for one in its record.
    pub(crate) segment: Option<(u32, u64)>,
}

/// Bytes that nothing refers to once a batch is durable.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Release {
    Sample { id: SampleId, record: SampleRecord },
    Result { no: u32, bytes: u64 },
}

#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) bodies: Segments,
    pub(crate) results: Segments,
    /// Results on the disk, oldest first.
    pub(crate) kept: VecDeque<KeptResult>,
    /// The counters as the disk knows them.
    pub(crate) counters: Counters,
    /// Batches committed since the data directory was made.
    pub(crate) commits: u64,
    /// Bytes of large samples.
    pub(crate) file_bytes: u64,
    /// Samples that were refused when their record may have reached the disk
    /// already. The next batch removes them.
    pub(crate) aborted: Vec<(SampleId, SampleRecord)>,
    /// Records that a failed batch may have changed on the disk all the same.
    /// The next batch writes them as they should be.
    pub(crate) restore: Vec<(SampleId, SampleRecord)>,
    /// Bytes that a failed batch may refer to. They are kept until the next
    /// batch is durable.
    pub(crate) doubtful: Vec<Release>,
    /// The database must be opened anew before it can be used.
    pub(crate) reopen: bool,
}

impl Ledger {
    /// Notes that a sample's bytes are on the disk.
    pub(crate) fn retain(&mut self, record: &SampleRecord) {
        let len = segment::frame_len(&record.extent).unwrap_or(0);
        match record.place {
            Place::Segment { no, .. } => self.bodies.retain(no, len),
            Place::File => self.file_bytes += len,
            Place::Lost => {}
        }
    }

    /// Gives up bytes. To be called when the database has forgotten them.
    pub(crate) fn release(&mut self, layout: &Layout, release: Release) {
        match release {
            Release::Result { no, bytes } => self.results.release(no, bytes),
            Release::Sample { id, record } => {
                let len = segment::frame_len(&record.extent).unwrap_or(0);
                match record.place {
                    Place::Segment { no, .. } => self.bodies.release(no, len),
                    Place::File => {
                        self.file_bytes = self.file_bytes.saturating_sub(len);
                        if let Err(error) = fs::remove(&layout.file(id)) {
                            // The next start removes it.
                            tracing::warn!(sample_id = %id, ?error, "cannot remove scanned sample");
                        }
                    }
                    Place::Lost => {}
                }
            }
        }
    }

    /// Bytes of samples on the disk.
    pub(crate) fn spool_bytes(&self) -> u64 {
        self.bodies.bytes() + self.file_bytes
    }
}
