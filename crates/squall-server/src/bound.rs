//! The bounds at which samples are refused: each has a setting, a word in the
//! metrics, and a line in the log when it is reached.

use std::borrow::Cow;
use std::time::Duration;

use squall_queue::{EnqueueError, FullUnit};

use crate::throttle::Throttle;

/// Each bound is logged at most this often.
const LOG_INTERVAL: Duration = Duration::from_secs(5);

/// What was short when a sample was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// There are no signatures yet.
    Loading,
    /// `max-connections`.
    Connections,
    /// `max-uploads`.
    Uploads,
    /// `max-bytes-in-flight`.
    BytesInFlight,
    /// `queue-max-samples`.
    QueueSamples,
    /// `queue-max-bytes`.
    QueueBytes,
    /// `disk-reserve`.
    DiskReserve,
    /// The disk or the database refuses.
    Storage,
    /// `max-waiting-checks`.
    WaitingChecks,
    /// No worker took the check in time, or the one that did gave it up.
    Workers,
    /// `allowed-samples-per-hour`.
    Quota,
    /// `allowed-samples-per-hour-per-source`.
    SourceQuota,
    /// The service is about to end.
    Stopping,
}

impl Bound {
    /// All of them.
    pub(crate) const ALL: [Self; 13] = [
        Self::Loading,
        Self::Connections,
        Self::Uploads,
        Self::BytesInFlight,
        Self::QueueSamples,
        Self::QueueBytes,
        Self::DiskReserve,
        Self::Storage,
        Self::WaitingChecks,
        Self::Workers,
        Self::Quota,
        Self::SourceQuota,
        Self::Stopping,
    ];

    /// Returns the word for it in metrics and in the log.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::Connections => "connections",
            Self::Uploads => "uploads",
            Self::BytesInFlight => "bytes_in_flight",
            Self::QueueSamples => "queue_samples",
            Self::QueueBytes => "queue_bytes",
            Self::DiskReserve => "disk_reserve",
            Self::Storage => "storage",
            Self::WaitingChecks => "waiting_checks",
            Self::Workers => "workers",
            Self::Quota => "quota",
            Self::SourceQuota => "source_quota",
            Self::Stopping => "stopping",
        }
    }

    /// Returns what the sender is told.
    pub(crate) const fn text(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Loading => "the signatures are still being loaded",
            Self::Connections => "too many connections",
            Self::Uploads => "too many uploads at the same time",
            Self::BytesInFlight => "too many bytes are being received at the same time",
            Self::QueueSamples => "the queue is full",
            Self::QueueBytes => "the queue is full: it holds as many bytes as it may",
            Self::DiskReserve => "the disk is nearly full",
            Self::Storage => "the sample cannot be stored",
            Self::WaitingChecks => "too many synchronous checks are waiting",
            Self::Workers => "no scan thread was free in time",
            Self::Quota => "the quota of samples per hour is used up",
            Self::SourceQuota => "this source's quota of samples per hour is used up",
            Self::Stopping => "the service is stopping",
        })
    }
}

/// The bound that a refusal of the queue names, and the fault of the disk if
/// it is none of the queue's own.
impl From<&EnqueueError> for Bound {
    fn from(error: &EnqueueError) -> Self {
        match error {
            EnqueueError::Full { unit, .. } => match unit {
                FullUnit::Samples => Self::QueueSamples,
                FullUnit::Bytes => Self::QueueBytes,
                FullUnit::Checks => Self::WaitingChecks,
            },
            EnqueueError::NoSpace { .. } => Self::DiskReserve,
            EnqueueError::Closed => Self::Stopping,
            EnqueueError::Io(_) => Self::Storage,
        }
    }
}

/// Says in the log which bounds are reached, without flooding it.
#[derive(Debug)]
pub(crate) struct BoundLog([Throttle; Bound::ALL.len()]);

impl Default for BoundLog {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Throttle::new(LOG_INTERVAL)))
    }
}

impl BoundLog {
    /// Notes that a sample was refused.
    pub(crate) fn note(&self, bound: Bound, retry_after: Duration) {
        if let Some(suppressed) = self.0[bound as usize].admit() {
            tracing::warn!(
                bound = bound.word(),
                reason = %bound.text(),
                retry_after_s = retry_after.as_secs(),
                suppressed,
                "refused a sample"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bound_has_its_place_and_its_word() {
        let mut words: Vec<_> = Bound::ALL.iter().map(|bound| bound.word()).collect();
        for (at, bound) in Bound::ALL.iter().enumerate() {
            assert_eq!(*bound as usize, at);
            assert!(!bound.text().is_empty());
        }
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Bound::ALL.len());
    }
}
