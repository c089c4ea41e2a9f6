//! What a worker does with one claimed sample.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use squall_engine::{Sample, Scanner};
use squall_queue::{Claim, Verdict};
use squall_report::stored;
use squall_types::{Report, ScanFacts, Submission};

use crate::sink::Sinks;

/// What stays the same from sample to sample.
pub(crate) struct Context<'a> {
    /// Where findings are written.
    pub(crate) sinks: &'a Sinks,
    /// The id of this run of the service.
    pub(crate) scan_id: &'a str,
    /// The version of the set that is used.
    pub(crate) signature_version: &'a str,
}

/// How a job ended.
pub(crate) struct Done {
    /// What to tell the queue.
    pub(crate) verdict: Verdict,
    /// The scanner panicked and is not to be used again.
    pub(crate) scanner_spoiled: bool,
}

impl Done {
    fn failed(reason: String) -> Self {
        Self {
            verdict: Verdict::Failed(reason),
            scanner_spoiled: false,
        }
    }
}

/// Scans the claimed sample and writes what was found to the sinks.
///
/// `buffer` is reused from sample to sample.
pub(crate) fn run(
    claim: &Claim,
    scanner: &mut Scanner<'_>,
    buffer: &mut Vec<u8>,
    context: &Context<'_>,
) -> Done {
    let submission = match stored::decode_submission(claim.submission()) {
        Ok(submission) => submission,
        Err(error) => return Done::failed(format!("the sample's record is damaged: {error}")),
    };
    if let Err(error) = claim.read_body(buffer) {
        return Done::failed(format!("the stored sample cannot be read: {error}"));
    }
    let started = Instant::now();
    let sample = Sample {
        content: buffer,
        file_name: &submission.file_name,
        digests: submission.digests,
    };
    // The scanner is dropped after a panic, so that no state it may have left
    // half changed is seen.
    match catch_unwind(AssertUnwindSafe(|| scanner.scan(&sample))) {
        Err(panic) => {
            let reason = format!("the scan panicked: {}", panic_text(&*panic));
            tracing::error!(sample_id = %claim.id(), file = submission.file_name, reason, "sample failed");
            Done {
                verdict: Verdict::Failed(reason),
                scanner_spoiled: true,
            }
        }
        Ok(outcome) => {
            let report = Report {
                id: claim.id(),
                scan: scan_facts(&submission, started, context),
                submission,
                outcome,
            };
            for error in context.sinks.write(&report) {
                tracing::error!(
                    sample_id = %report.id,
                    error = &error as &dyn std::error::Error,
                    "a finding could not be logged"
                );
            }
            Done {
                verdict: Verdict::Complete(stored::encode_result(&report)),
                scanner_spoiled: false,
            }
        }
    }
}

fn scan_facts(submission: &Submission, started: Instant, context: &Context<'_>) -> ScanFacts {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let run = submission.origin.collector_run.as_deref();
    ScanFacts {
        scan_id: run.unwrap_or(context.scan_id).to_owned(),
        scanned_at_us: i64::try_from(now.as_micros()).unwrap_or(i64::MAX),
        scan_time_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        signature_version: context.signature_version.to_owned(),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
