//! What a worker does with one claimed sample.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use squall_engine::{Sample, Scanner};
use squall_queue::{BodyError, Claim, Verdict};
use squall_report::stored;
use squall_trace::Tracer;
use squall_types::{Outcome, OutcomeCounts, Report, SampleId, ScanFacts, Submission};

use crate::in_flight::{InFlight, Key, Place};
use crate::keep::Keeper;
use crate::overdue::Scanning;
use crate::recent::Recent;
use crate::sink::Sinks;
use crate::trace::{self, Trace};
use crate::verdicts::Known;

/// What stays the same from sample to sample.
pub(crate) struct Context<'a> {
    /// Where findings are written.
    pub(crate) sinks: &'a Sinks,
    /// Where samples are kept, if any are.
    pub(crate) keeper: Option<&'a Keeper>,
    /// The id of this run of the service.
    pub(crate) scan_id: &'a str,
    /// The version of the set that is used.
    pub(crate) signature_version: &'a str,
    /// Where it is counted what scans came to.
    pub(crate) outcomes: &'a OutcomeCounts,
    /// Verdicts of earlier scans with the same signatures.
    pub(crate) known: Option<Known<'a>>,
    /// What is being scanned.
    pub(crate) in_flight: &'a InFlight,
    /// Where some samples are copied to.
    pub(crate) recent: Option<&'a Recent>,
    /// What takes spans of traces.
    pub(crate) tracer: Option<&'a Tracer>,
}

/// What a worker scans with, and what it knows of the sample at hand.
pub(crate) struct Bench<'a, 'set> {
    /// The scanner.
    pub(crate) scanner: &'a mut Scanner<'set>,
    /// The sample's bytes, where they are needed; reused from sample to sample.
    pub(crate) buffer: &'a mut Vec<u8>,
    /// What to do if its verdict is not known.
    pub(crate) unknown: Unknown,
    /// Set as soon as others may wait for this scan, which must be ended then
    /// whatever comes of it.
    pub(crate) first: Option<First>,
    /// Until the scan has ended. What comes after it, a log or a disk that does
    /// not answer, is not to be blamed on the sample.
    pub(crate) scanning: Option<Scanning<'a>>,
}

/// What to tell the queue.
#[derive(Debug)]
pub(crate) enum End {
    /// The sample is done.
    Verdict(Verdict),
    /// Something is lacking that may be there again soon; for this reason.
    Later(String),
    /// The finding cannot be logged at the moment, and must not be lost.
    Unlogged,
    /// One like it is being scanned: it is to wait for that, or its verdict is
    /// not known after all.
    Unknown(Key),
}

/// What may be done with a sample whose verdict is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// It is scanned, unless one like it is being scanned.
    MayWait,
    /// It is scanned.
    Scan,
    /// Nothing.
    Leave,
}

/// A scan that others may wait for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct First {
    /// What they have in common.
    pub(crate) key: Key,
    /// Whether the verdict holds for them.
    pub(crate) holds: bool,
}

/// How a job ended.
#[derive(Debug)]
pub(crate) struct Done {
    /// What to tell the queue.
    pub(crate) end: End,
    /// The scanner may have been left half changed and is not to be used again.
    pub(crate) scanner_spoiled: bool,
}

/// Runs the job of a claim and makes a panic in it the failure of its sample:
/// neither the thread nor the samples behind it are to pay for one that breaks a
/// parser, or for its finding that breaks a log line. The sample's trace ends
/// with it too.
pub(crate) fn guarded(claim: &Claim, context: &Context<'_>, job: impl FnOnce() -> End) -> Done {
    let done = caught(claim.id(), job);
    if let (true, End::Verdict(Verdict::Failed(reason))) = (done.scanner_spoiled, &done.end) {
        trace::failed(context.tracer, claim, reason, context.signature_version);
    }
    done
}

fn caught(id: SampleId, job: impl FnOnce() -> End) -> Done {
    match catch_unwind(AssertUnwindSafe(job)) {
        Ok(end) => Done {
            end,
            scanner_spoiled: false,
        },
        Err(panic) => {
            let reason = format!("the scan panicked: {}", panic_text(&*panic));
            tracing::error!(sample_id = %id, reason, "sample failed");
            Done {
                end: End::Verdict(Verdict::Failed(reason)),
                scanner_spoiled: true,
            }
        }
    }
}

/// Scans the claimed sample, writes what was found to the sinks, and keeps the
/// sample if it is to be kept: in that order, so that a crash repeats work and
/// loses nothing.
pub(crate) fn run(claim: &Claim, bench: &mut Bench<'_, '_>, context: &Context<'_>) -> End {
    // Not scanned in vain, nor logged in one file again and again.
    if !claim.is_immediate() && context.sinks.refuse() {
        return End::Unlogged;
    }
    let submission = match stored::decode_submission(claim.submission()) {
        Ok(submission) => submission,
        Err(error) => return failed(format!("the sample's record is damaged: {error}")),
    };
    let started = Instant::now();
    let mut trace = Trace::begin(context.tracer, claim.id(), &submission);
    let outcome = outcome(claim, &submission, bench, context);
    bench.scanning = None;
    if let Some(trace) = &mut trace {
        let outcome = outcome.as_ref().map(|(outcome, known)| (outcome, *known));
        trace.scanned(outcome, &submission, context.signature_version);
    }
    let outcome = match outcome {
        Ok((outcome, _)) => outcome,
        Err(end) => return end,
    };
    let report = Report {
        id: claim.id(),
        scan: scan_facts(&submission, started, context),
        submission,
        outcome,
    };
    let written = context.sinks.write(&report);
    if let Some(trace) = &mut trace {
        trace.logged(&report, written.as_ref().err().map(ToString::to_string));
    }
    if let Err(error) = written {
        context.sinks.tell(&error);
        // Whoever waits for an answer gets it: that is all a check promises.
        if !claim.is_immediate() {
            return End::Unlogged;
        }
    }
    if let Some(keeper) = context
        .keeper
        .filter(|keeper| keeper.wants(&report.outcome))
    {
        keeper.keep(&report, bench.buffer);
        if let Some(trace) = &mut trace {
            trace.kept();
        }
    }
    // Here, so that a sample which waits for its log is not counted twice.
    context.outcomes.count(&report.outcome);
    End::Verdict(Verdict::Complete(stored::encode_result(&report)))
}

/// Returns what is to be said of a sample, and whether an earlier scan of the
/// same said it. Its bytes are in the buffer if they are
/// needed.
fn outcome(
    claim: &Claim,
    submission: &Submission,
    bench: &mut Bench<'_, '_>,
    context: &Context<'_>,
) -> Result<(Outcome, bool), End> {
    let mut known = context.known.and_then(|known| {
        let (outcome, keys) = known.find(bench.scanner, submission)?;
        Some((known, keys, outcome))
    });
    if let Some((_, keys, outcome)) = &mut known {
        if let Some(outcome) = outcome.take() {
            if context.keeper.is_some_and(|keeper| keeper.wants(&outcome)) {
                read(claim, bench.buffer)?;
            }
            return Ok((outcome, true));
        }
        let key = keys.shared();
        match bench.unknown {
            Unknown::Scan => {}
            Unknown::Leave => return Err(End::Unknown(key)),
            Unknown::MayWait => match context.in_flight.begin(key) {
                Place::First => bench.first = Some(First { key, holds: false }),
                Place::Second => return Err(End::Unknown(key)),
                Place::Alone => {}
            },
        }
    }
    read(claim, bench.buffer)?;
    let (outcome, reuse) = bench.scanner.scan_once(&Sample {
        content: bench.buffer,
        file_name: &submission.file_name,
        digests: submission.digests,
    });
    if let Some(recent) = context.recent {
        recent.offer(bench.buffer, submission);
    }
    if let Some((known, keys, _)) = &known {
        known.keep(keys, reuse, &submission.file_name, &outcome);
        if let Some(first) = &mut bench.first {
            first.holds = keys.may_hold(reuse);
        }
    }
    Ok((outcome, false))
}

fn read(claim: &Claim, buffer: &mut Vec<u8>) -> Result<(), End> {
    claim.read_body(buffer).map_err(|error| unreadable(&error))
}

fn failed(reason: String) -> End {
    End::Verdict(Verdict::Failed(reason))
}

/// Tells bytes that are not what they should be, which they will never be
/// again, from a shortage.
fn unreadable(error: &BodyError) -> End {
    let mut reason = format!("the stored sample cannot be read: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        reason = format!("{reason}: {error}");
        cause = error.source();
    }
    match error {
        BodyError::Storage { .. } | BodyError::Memory { .. } => End::Later(reason),
        BodyError::Damaged { .. } => failed(reason),
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

#[cfg(test)]
mod tests;
