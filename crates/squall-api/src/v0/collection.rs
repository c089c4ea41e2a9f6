//! A collector's messages about its run, and the answers to them.
//!
//! Collectors differ in what else they send, so reading is lenient: unknown
//! keys are ignored, a missing text is empty and a missing counter is 0. Only
//! the type must be there and known.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What a collector tells of its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = v0::CollectionEvent)]
pub enum CollectionEvent {
    /// It begins.
    Begin,
    /// It has seen everything.
    End,
    /// It was stopped from outside.
    Interrupted,
    /// It gave up.
    Abort,
}

/// A collector's message about its run: the body of a request to `collection`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = v0::Collection)]
pub struct Collection {
    /// What happened.
    #[serde(rename = "type")]
    pub event: CollectionEvent,
    /// The host the run is on, as the collector names it.
    #[serde(default, deserialize_with = "lenient_text")]
    #[schema(example = "web-01")]
    pub source: String,
    /// Name and version of the collector.
    #[serde(default, deserialize_with = "lenient_text")]
    #[schema(example = "bash/0.5")]
    pub collector: String,
    /// The collector's clock, as it writes it.
    #[serde(default, deserialize_with = "lenient_text")]
    #[schema(example = "2026-11-24T08:30:00Z")]
    pub timestamp: String,
    /// The run, as the answer to `begin` named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan_id: Option<String>,
    /// What the run did, in its last message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stats: Option<CollectionStats>,
}

/// What a collector's run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v0::CollectionStats)]
#[serde(default)]
pub struct CollectionStats {
    /// Files that it looked at.
    #[serde(deserialize_with = "lenient_count")]
    pub scanned: u64,
    /// Files that it sent.
    #[serde(deserialize_with = "lenient_count")]
    pub submitted: u64,
    /// Files that it left out on purpose.
    #[serde(deserialize_with = "lenient_count")]
    pub skipped: u64,
    /// Files that it could not send.
    #[serde(deserialize_with = "lenient_count")]
    pub failed: u64,
    /// How long it took, in seconds.
    #[serde(deserialize_with = "lenient_count")]
    pub elapsed_seconds: u64,
}

/// The answer to a `begin`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v0::CollectionBegun)]
pub struct CollectionBegun {
    /// Names the run; the collector sends it with every upload.
    #[schema(example = "0b1c6f5e-8f0a-4b7e-9d5a-3f1f5f0d2a11")]
    pub scan_id: String,
}

/// The answer to a collector's message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = v0::CollectionAnswer)]
#[serde(untagged)]
pub enum CollectionAnswer {
    /// To a `begin`.
    Begun(CollectionBegun),
    /// To every other message.
    Acknowledged(Acknowledged),
}

/// The answer to every other message, also for a run that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = v0::Acknowledged)]
pub struct Acknowledged {
    /// Always true.
    #[schema(example = true)]
    pub ok: bool,
}

impl Default for Acknowledged {
    fn default() -> Self {
        Self { ok: true }
    }
}

/// Reads text, and what is no text as its JSON form; `null` is empty.
fn lenient_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    })
}

/// Reads a count from a number or numeric text; what is neither, or negative,
/// is 0. A shell or batch collector that counts oddly must still be able to say
/// that its run has ended.
fn lenient_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(match &value {
        Value::Number(number) => number
            .as_u64()
            .or_else(|| number.as_f64().map(whole))
            .unwrap_or(0),
        Value::String(text) => text.trim().parse::<f64>().map(whole).unwrap_or(0),
        _ => 0,
    })
}

/// Cuts a number to a whole one; `as` saturates, and makes NaN 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(number: f64) -> u64 {
    number as u64
}
