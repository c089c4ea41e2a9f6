//! Deliveries, as spans of the traces of samples.
//!
//! A finding may be delivered long after its sample was scanned, and by another
//! process. So the spool keeps with a record which sample it is of, where that
//! has a trace; where it has none, nothing is kept and nothing is done.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use squall_trace::{Fact, Span, Step, Tracer};
use squall_types::Report;

use crate::config::Target;
use crate::link::LinkError;
use crate::spool::Record;

/// What leads to the trace of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) nonce: [u8; 12],
    pub(crate) id: u64,
}

impl Sample {
    /// Returns the sample of a report, if it has a trace.
    pub(crate) fn traced(report: &Report, tracer: Option<&Tracer>) -> Option<Self> {
        let nonce = report.submission.nonce;
        tracer?.wants(&nonce).then(|| Self {
            nonce,
            id: report.id.value(),
        })
    }
}

/// Tells of the deliveries to one receiver.
pub(crate) struct Deliveries {
    tracer: Option<Tracer>,
    kind: &'static str,
    /// What the receiver is called.
    receiver: String,
    /// What was tried in vain with what is to be sent next.
    tried: Option<Tried>,
}

/// Tries of this process that failed, one after the other.
struct Tried {
    count: u64,
    /// When the first began.
    since: SystemTime,
    /// Why the last one failed.
    error: String,
}

/// A delivery that has begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery {
    sample: Option<Sample>,
    /// When the finding was made, in milliseconds since 1970-01-01 UTC.
    time_ms: u64,
    /// When the last try began.
    begun: Option<SystemTime>,
}

/// How a delivery ended.
pub(crate) enum Ended<'a> {
    /// It was sent.
    Sent,
    /// It is not to be sent any more.
    GivenUp(&'a LinkError),
}

impl Deliveries {
    pub(crate) fn new(tracer: Option<Tracer>, target: &Target) -> Self {
        Self {
            tracer,
            kind: match target {
                Target::Syslog(_) => "syslog",
                Target::Webhook(_) => "webhook",
            },
            receiver: target.to_string(),
            tried: None,
        }
    }

    /// Returns the time, if somebody wants to know when things began.
    pub(crate) fn now(&self) -> Option<SystemTime> {
        self.tracer.is_some().then(SystemTime::now)
    }

    /// Notes that a record is about to be sent.
    pub(crate) fn begin(&self, record: &Record) -> Delivery {
        Delivery {
            sample: record.sample,
            time_ms: record.time_ms,
            begun: record.sample.and_then(|_| self.now()),
        }
    }

    /// Notes that a try which began then has failed.
    pub(crate) fn failed(&mut self, begun: Option<SystemTime>, error: &LinkError) {
        let Some(begun) = begun else { return };
        let (count, since) = match &self.tried {
            Some(tried) => (tried.count, tried.since),
            None => (0, begun),
        };
        self.tried = Some(Tried {
            count: count + 1,
            since,
            error: chain(error),
        });
    }

    /// Notes how a delivery ended.
    pub(crate) fn ended(&mut self, delivery: Delivery, how: &Ended<'_>) {
        let tried = self.tried.take();
        let (Some(tracer), Some(sample), Some(begun)) =
            (&self.tracer, delivery.sample, delivery.begun)
        else {
            return;
        };
        let mut facts = vec![
            ("squall.sample.id", Fact::Number(sample.id)),
            ("squall.output.kind", Fact::Text(self.kind.to_owned())),
        ];
        // What was there before it may have been dropped for it.
        let found = UNIX_EPOCH + Duration::from_millis(delivery.time_ms);
        let first = match &tried {
            Some(tried) => tried.since.max(found).min(begun),
            None => begun,
        };
        let tries = 1 + tried.as_ref().map_or(0, |tried| tried.count);
        facts.push(("squall.output.tries", Fact::Number(tries)));
        if let Some(tried) = tried {
            facts.push(("squall.output.last_error", Fact::Text(tried.error)));
        }
        tracer.record(Span {
            nonce: sample.nonce,
            step: Step::Deliver,
            receiver: Some(self.receiver.clone()),
            begun: first,
            ended: SystemTime::now(),
            facts,
            error: match how {
                Ended::Sent => None,
                Ended::GivenUp(error) => Some(chain(error)),
            },
        });
    }
}

/// Returns an error with its causes. None of them names an address of a webhook.
fn chain(error: &LinkError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
