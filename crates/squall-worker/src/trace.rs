//! What a worker does with a sample, as spans of its trace.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use squall_queue::{Claim, FailedSample, Verdict};
use squall_report::stored;
use squall_trace::{Fact, Span, Step, Tracer};
use squall_types::{Outcome, Report, SampleId, Submission};

use crate::scan_job::End;

/// The trace of the sample at hand.
pub(crate) struct Trace<'a> {
    tracer: &'a Tracer,
    nonce: [u8; 12],
    id: SampleId,
    /// When it arrived.
    received: SystemTime,
    /// When what is done at the moment began.
    begun: SystemTime,
}

impl<'a> Trace<'a> {
    /// Begins when a worker has taken the sample, if it has a trace.
    pub(crate) fn begin(
        tracer: Option<&'a Tracer>,
        id: SampleId,
        submission: &Submission,
    ) -> Option<Self> {
        let tracer = tracer.filter(|tracer| tracer.wants(&submission.nonce))?;
        let received = u64::try_from(submission.received_at_us).unwrap_or_default();
        Some(Self {
            tracer,
            nonce: submission.nonce,
            id,
            received: UNIX_EPOCH + Duration::from_micros(received),
            begun: SystemTime::now(),
        })
    }

    /// Notes how the scan ended. One that is to be tried again is none.
    pub(crate) fn scanned(
        &mut self,
        outcome: Result<(&Outcome, bool), &End>,
        submission: &Submission,
        signatures: &str,
    ) {
        let error = match outcome {
            Ok(_) => None,
            Err(End::Verdict(Verdict::Failed(reason))) => Some(reason.clone()),
            Err(_) => return,
        };
        let waited = (self.received, self.begun);
        self.record(Step::Queue, waited, Vec::new(), None);
        let text = |text: &str| Fact::Text(text.to_owned());
        let mut facts = vec![
            ("squall.source", text(&submission.origin.source)),
            ("file.path", text(&submission.file_name)),
            ("file.size", Fact::Number(submission.size_bytes)),
            ("squall.sha256", Fact::Text(hex(&submission.digests.sha256))),
            ("squall.signatures", text(signatures)),
        ];
        if let Ok((outcome, is_known)) = outcome {
            let level = outcome.findings.iter().map(|finding| finding.level).max();
            let level = level.map_or("none", |level| level.name());
            let gaps = outcome.incomplete.len() as u64;
            facts.extend([
                ("squall.cached", Fact::Flag(is_known)),
                (
                    "squall.findings",
                    Fact::Number(outcome.findings.len() as u64),
                ),
                ("squall.level", text(level)),
                (
                    "squall.score",
                    Fact::Number(outcome.score_max().value().into()),
                ),
                ("squall.incomplete", Fact::Number(gaps)),
            ]);
        }
        self.step(Step::Scan, facts, error);
    }

    /// Notes that findings were written, or why not.
    pub(crate) fn logged(&mut self, report: &Report, error: Option<String>) {
        let findings = report.outcome.findings.len() as u64;
        let facts = vec![("squall.findings", Fact::Number(findings))];
        self.step(Step::Log, facts, error);
    }

    /// Notes that the sample was kept, if it was one to be kept.
    pub(crate) fn kept(&mut self) {
        self.step(Step::Keep, Vec::new(), None);
    }

    fn step(&mut self, step: Step, facts: Vec<(&'static str, Fact)>, error: Option<String>) {
        let now = SystemTime::now();
        self.record(step, (self.begun, now), facts, error);
        self.begun = now;
    }

    fn record(
        &self,
        step: Step,
        (begun, ended): (SystemTime, SystemTime),
        mut facts: Vec<(&'static str, Fact)>,
        error: Option<String>,
    ) {
        facts.push(("squall.sample.id", Fact::Number(self.id.value())));
        self.tracer.record(Span {
            nonce: self.nonce,
            step,
            receiver: None,
            begun,
            ended,
            facts,
            error,
        });
    }
}

/// Notes that a sample failed, where its scan could not: it panicked, or was
/// tried too often.
pub(crate) fn failed(tracer: Option<&Tracer>, claim: &Claim, reason: &str, signatures: &str) {
    note_failed(tracer, claim.id(), claim.submission(), reason, signatures);
}

/// Notes that a sample was put aside because scans of it ended the process: the
/// end of its trace, which no scan could write.
pub fn trace_put_aside(tracer: &Tracer, sample: &FailedSample) {
    if let Some(submission) = &sample.submission {
        note_failed(Some(tracer), sample.id, submission, &sample.reason, "");
    }
}

fn note_failed(
    tracer: Option<&Tracer>,
    id: SampleId,
    submission: &[u8],
    reason: &str,
    signatures: &str,
) {
    let Ok(submission) = stored::decode_submission(submission) else {
        return;
    };
    if let Some(mut trace) = Trace::begin(tracer, id, &submission) {
        let end = End::Verdict(Verdict::Failed(reason.to_owned()));
        trace.scanned(Err(&end), &submission, signatures);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
