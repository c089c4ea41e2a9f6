//! What happened to a sample, as a span.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use crate::ids;

/// Most characters of a text that others wrote.
const TEXT_LEN_MAX: usize = 1024;

/// A part of what happens to a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is sent, until that is answered: the root of its trace.
    Upload,
    /// It waits for a scan thread.
    Queue,
    /// It is scanned, or its verdict is looked up.
    Scan,
    /// Its findings are written to the log and to outputs.
    Log,
    /// It is kept.
    Keep,
    /// One of its findings is sent to a receiver.
    Deliver,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Queue => "queue",
            Self::Scan => "scan",
            Self::Log => "log",
            Self::Keep => "keep",
            Self::Deliver => "deliver",
        }
    }

    fn kind(self) -> SpanKind {
        match self {
            Self::Upload => SpanKind::Server,
            Self::Scan => SpanKind::Consumer,
            Self::Deliver => SpanKind::Client,
            Self::Queue | Self::Log | Self::Keep => SpanKind::Internal,
        }
    }
}

/// What is said of a span.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A number.
    Number(u64),
    /// Yes or no.
    Flag(bool),
    /// A text; cut off where it is too long.
    Text(String),
}

/// One thing that happened to a sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The sample's nonce.
    pub nonce: [u8; 12],
    /// What happened.
    pub step: Step,
    /// Who received it, where several may at one time: as the receiver is
    /// called, without anything that is secret.
    pub receiver: Option<String>,
    /// When it began.
    pub begun: SystemTime,
    /// When it ended.
    pub ended: SystemTime,
    /// What is said of it, by names that begin with `squall.` or are from the
    /// semantic conventions of OpenTelemetry.
    pub facts: Vec<(&'static str, Fact)>,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

impl Span {
    pub(crate) fn into_data(self) -> SpanData {
        let root = ids::root(&self.nonce);
        let name = self.step.name();
        let begun_ns = self.begun.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (id, parent) = match self.step {
            Step::Upload => (root, SpanId::INVALID),
            _ => {
                let what = [name, self.receiver.as_deref().unwrap_or_default()].concat();
                (ids::span(&self.nonce, &what, begun_ns.as_nanos()), root)
            }
        };
        let receiver = self.receiver.map(Fact::Text);
        let receiver = receiver.map(|receiver| ("squall.output", receiver));
        let attributes = self.facts.into_iter().chain(receiver);
        let attributes = attributes.map(|(key, fact)| KeyValue::new(key, value(fact)));
        SpanData {
            span_context: SpanContext::new(
                ids::trace(&self.nonce),
                id,
                TraceFlags::SAMPLED,
                false,
                TraceState::NONE,
            ),
            parent_span_id: parent,
            parent_span_is_remote: false,
            span_kind: self.step.kind(),
            name: Cow::Borrowed(name),
            start_time: self.begun,
            // A clock that was set back meanwhile would make it negative.
            end_time: self.ended.max(self.begun),
            attributes: attributes.collect(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: match self.error {
                Some(error) => Status::error(cut(error)),
                None => Status::Unset,
            },
            instrumentation_scope: InstrumentationScope::builder("squall").build(),
        }
    }
}

fn value(fact: Fact) -> Value {
    match fact {
        Fact::Number(number) => Value::I64(i64::try_from(number).unwrap_or(i64::MAX)),
        Fact::Flag(flag) => Value::Bool(flag),
        Fact::Text(text) => Value::String(cut(text).into()),
    }
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(TEXT_LEN_MAX) {
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn span(step: Step) -> Span {
        Span {
            nonce: [7; 12],
            step,
            receiver: None,
            begun: UNIX_EPOCH + Duration::from_secs(100),
            ended: UNIX_EPOCH + Duration::from_secs(90),
            facts: vec![
                ("squall.sample.id", Fact::Number(u64::MAX)),
                ("file.path", Fact::Text("ä".repeat(2000))),
            ],
            error: None,
        }
    }

    #[test]
    fn every_step_is_below_the_root_of_its_sample() {
        let root = span(Step::Upload).into_data();
        assert_eq!(root.parent_span_id, SpanId::INVALID);
        for step in [
            Step::Queue,
            Step::Scan,
            Step::Log,
            Step::Keep,
            Step::Deliver,
        ] {
            let data = span(step).into_data();
            assert_eq!(data.parent_span_id, root.span_context.span_id());
            assert_ne!(data.span_context.span_id(), root.span_context.span_id());
            assert_eq!(data.span_context.trace_id(), root.span_context.trace_id());
        }
    }

    #[test]
    fn deliveries_at_one_time_are_told_apart_by_who_received_them() {
        let to = |receiver: Option<&str>| {
            let receiver = receiver.map(str::to_owned);
            let data = Span {
                receiver,
                ..span(Step::Deliver)
            };
            data.into_data().span_context.span_id()
        };
        assert_eq!(to(Some("a:514")), to(Some("a:514")));
        assert_ne!(to(Some("a:514")), to(Some("b:514")));
        assert_ne!(to(Some("a:514")), to(None));
    }

    #[test]
    fn what_is_too_long_is_cut_and_no_time_is_negative() {
        let data = span(Step::Scan).into_data();
        assert_eq!(data.end_time, data.start_time);
        let texts: Vec<_> = data
            .attributes
            .iter()
            .map(|kv| kv.value.to_string())
            .collect();
        assert_eq!(texts, [i64::MAX.to_string(), "ä".repeat(1024)]);
    }
}
