//! What the writer thread and the callers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use squall_api::v1::Finding;

use crate::config::FindingsConfig;
use crate::database::Readers;
use crate::tally::Tally;

/// What the writer thread and the callers share.
pub(crate) struct Shared {
    pub(crate) config: FindingsConfig,
    pub(crate) readers: Arc<Readers>,
    pub(crate) tally: Tally,
    /// Findings that the writer has not taken yet, and their bytes, roughly.
    pub(crate) waiting: AtomicUsize,
    /// Some were taken by the writer that are not written yet.
    pub(crate) writing: AtomicBool,
    pub(crate) waiting_bytes: AtomicUsize,
    pub(crate) stored: AtomicU64,
    pub(crate) put_off: AtomicU64,
    pub(crate) lag_ms: AtomicU64,
    /// Findings were put off and have not been offered again.
    pub(crate) behind: AtomicBool,
    /// A reader found the database damaged.
    pub(crate) damage_seen: AtomicBool,
    pub(crate) stopping: AtomicBool,
}

impl Shared {
    /// Counts findings that could not be taken.
    pub(crate) fn put_off(&self, count: u64) {
        let before = self.put_off.fetch_add(count, Ordering::AcqRel);
        self.behind.store(true, Ordering::Release);
        let after = before + count;
        if before == 0 || before.ilog2() < after.ilog2() {
            tracing::warn!(
                put_off = after,
                "the findings store is behind; findings are stored later"
            );
        }
    }
}

/// Returns roughly how many bytes a finding takes in memory.
pub(super) fn weight(finding: &Finding) -> usize {
    let matched = |reason: &squall_api::v1::Reason| -> usize {
        let strings = reason.matched.iter();
        let bytes: usize = strings
            .map(|m| 200 + m.data.data.len() + m.context.as_ref().map_or(0, |c| c.data.len()))
            .sum();
        500 + reason.summary.len() + bytes
    };
    let content = &finding.subject.content.elements;
    1000 + finding.subject.path.len()
        + finding.reasons.iter().map(matched).sum::<usize>()
        + content
            .iter()
            .map(|element| 100 + element.data.data.len())
            .sum::<usize>()
}
