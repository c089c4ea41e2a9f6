//! The runs of collectors: which one began, what it sent, and how it ended.
//!
//! A run that never ends is one that was cut off; that it stays without an
//! end is the information.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use jiff::Timestamp;
use squall_api::v0::{Collection, CollectionEvent, CollectionStats};
use squall_findings::{RunBegin, RunEnd};
use squall_types::Submission;

/// Most runs that are remembered; the oldest go.
const RUNS_MAX: usize = 10_000;
/// Longest text that is kept of a message, in characters.
const TEXT_CHARS_MAX: usize = 256;

/// One collector's work on one source.
#[derive(Clone, Debug)]
pub struct CollectionRun {
    /// Its id, made by this service.
    pub scan_id: String,
    /// The source, as the collector names it.
    pub source: String,
    /// The collector, as it names itself.
    pub collector: String,
    /// When it began.
    pub began: Timestamp,
    /// Samples that were taken under its id.
    pub uploads: u64,
    /// How and when it ended; `None` if it did not say so.
    pub end: Option<CollectionEnd>,
}

/// The end of a run.
#[derive(Clone, Debug)]
pub struct CollectionEnd {
    /// `end`, `interrupted` or `abort`.
    pub event: CollectionEvent,
    /// When the message came.
    pub at: Timestamp,
    /// What the collector says it did.
    pub stats: Option<CollectionStats>,
}

/// The runs that are remembered.
#[derive(Debug, Default)]
pub(crate) struct Runs(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    runs: HashMap<String, CollectionRun>,
    /// The keys, oldest first.
    order: VecDeque<String>,
}

impl Runs {
    /// Remembers a run that begins under `scan_id`; returns what the findings
    /// store is to note of it.
    pub(crate) fn begin(&self, scan_id: &str, message: &Collection) -> RunBegin {
        let run = CollectionRun {
            scan_id: scan_id.to_owned(),
            source: cut(&message.source),
            collector: cut(&message.collector),
            began: Timestamp::now(),
            uploads: 0,
            end: None,
        };
        tracing::info!(
            scan_id,
            source = ?run.source,
            collector = ?run.collector,
            "a collector begins"
        );
        let begin = RunBegin {
            scan_id: run.scan_id.clone(),
            source: run.source.clone(),
            collector: run.collector.clone(),
            at_us: run.began.as_microsecond(),
        };
        let mut inner = crate::lock(&self.0);
        inner.runs.insert(scan_id.to_owned(), run);
        inner.order.push_back(scan_id.to_owned());
        if inner.order.len() > RUNS_MAX
            && let Some(oldest) = inner.order.pop_front()
        {
            inner.runs.remove(&oldest);
        }
        begin
    }

    /// Notes that a run ended; returns what the findings store is to note of
    /// it. Every message has to be accepted, so one about an unknown run is
    /// logged and nothing else; the store may know a run from before a restart.
    pub(crate) fn end(&self, message: &Collection) -> RunEnd {
        let scan_id = cut(message.scan_id.as_deref().unwrap_or_default());
        let at = Timestamp::now();
        let end = RunEnd {
            scan_id: scan_id.clone(),
            event: message.event,
            at_us: at.as_microsecond(),
            stats: message.stats,
        };
        let mut inner = crate::lock(&self.0);
        let Some(run) = inner.runs.get_mut(&scan_id) else {
            drop(inner);
            tracing::warn!(
                ?scan_id,
                source = ?cut(&message.source),
                event = ?message.event,
                "a collector reports on an unknown run"
            );
            return end;
        };
        run.end = Some(CollectionEnd {
            event: message.event,
            at,
            stats: message.stats,
        });
        let (source, uploads) = (run.source.clone(), run.uploads);
        drop(inner);
        tracing::info!(
            ?scan_id,
            ?source,
            event = ?message.event,
            stats = ?message.stats,
            uploads,
            "a collector's run ended"
        );
        end
    }

    /// Counts a sample that was taken, if it belongs to a run.
    pub(crate) fn count_upload(&self, submission: &Submission) {
        if let Some(scan_id) = &submission.origin.collector_run
            && let Some(run) = crate::lock(&self.0).runs.get_mut(scan_id)
        {
            run.uploads += 1;
        }
    }

    /// Returns the runs, oldest first.
    pub(crate) fn list(&self) -> Vec<CollectionRun> {
        let inner = crate::lock(&self.0);
        let runs = inner.order.iter().filter_map(|id| inner.runs.get(id));
        runs.cloned().collect()
    }
}

/// Makes a random id in the shape of a UUID (version 4).
pub(crate) fn new_scan_id() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)?;
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    Ok(format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    ))
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(event: CollectionEvent, scan_id: Option<&str>) -> Collection {
        Collection {
            event,
            source: "web-01".to_owned(),
            collector: "test/1".to_owned(),
            timestamp: String::new(),
            scan_id: scan_id.map(str::to_owned),
            stats: None,
        }
    }

    #[test]
    fn a_run_is_followed_from_begin_to_end() {
        let runs = Runs::default();
        runs.begin("a", &message(CollectionEvent::Begin, None));
        let mut submission = Submission::default();
        for run in [None, Some("a"), Some("unknown")] {
            submission.origin.collector_run = run.map(str::to_owned);
            runs.count_upload(&submission);
        }
        assert!(runs.list()[0].end.is_none());
        runs.end(&message(CollectionEvent::Interrupted, Some("a")));
        runs.end(&message(CollectionEvent::End, Some("unknown")));
        runs.end(&message(CollectionEvent::End, None));
        let list = runs.list();
        assert_eq!(list.len(), 1);
        assert_eq!(list[0].uploads, 1);
        let end = list[0].end.as_ref().unwrap();
        assert_eq!(end.event, CollectionEvent::Interrupted);
    }

    #[test]
    fn the_oldest_runs_are_forgotten() {
        let runs = Runs::default();
        for n in 0..RUNS_MAX + 3 {
            runs.begin(&n.to_string(), &message(CollectionEvent::Begin, None));
        }
        let list = runs.list();
        assert_eq!(list.len(), RUNS_MAX);
        assert_eq!(list[0].scan_id, "3");
    }

    #[test]
    fn ids_look_like_uuids_and_differ() {
        let (a, b) = (new_scan_id().unwrap(), new_scan_id().unwrap());
        assert_ne!(a, b);
        assert_eq!(a.len(), 36);
        assert_eq!(a.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&a.as_bytes()[19]));
    }
}
