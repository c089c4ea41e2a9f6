//! Reads STIX v2 JSON: a bundle, a list of objects, or one indicator.

use std::collections::HashMap;

use serde_json::Value;
use squall_types::{Match, SignatureKind, SignatureOrigin};

use super::parser::{self, Expr, PatternError};
use crate::Severity;
use crate::ioc::{lines, notes};

/// The largest bundle. In memory JSON takes several times its size.
const BUNDLE_MAX_BYTES: usize = 64 << 20;

/// The score of an indicator that does not name one.
const SCORE_DEFAULT: i64 = 75;

/// How many references and tags are kept of an indicator.
const LIST_MAX: usize = 16;

/// Why a file is not used at all.
#[derive(Debug, thiserror::Error)]
pub(super) enum BundleError {
    /// It is too large.
    #[error("bundle is {0} bytes, limit is {BUNDLE_MAX_BYTES}")]
    TooLarge(usize),
    /// It is not JSON.
    #[error("not JSON: {0}")]
    Json(serde_json::Error),
    /// It is JSON of another kind.
    #[error("not a STIX v2 bundle, passed over")]
    NotABundle,
}

impl BundleError {
    /// Returns the line where it is known.
    pub(super) fn line(&self) -> Option<u32> {
        match self {
            Self::Json(error) => u32::try_from(error.line()).ok().filter(|&line| line > 0),
            _ => None,
        }
    }

    /// A signature directory may hold JSON of other tools; that costs nothing.
    pub(super) fn severity(&self) -> Severity {
        match self {
            Self::TooLarge(_) | Self::Json(_) => Severity::Skipped,
            Self::NotABundle => Severity::Warning,
        }
    }
}

/// Why an indicator is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum IndicatorError {
    /// Its author took it back.
    #[error("the indicator was revoked")]
    Revoked,
    /// It has a pattern of another language.
    #[error("patterns of type `{0}` are not supported")]
    PatternType(String),
    /// It has no pattern.
    #[error("the indicator has no pattern")]
    NoPattern,
    /// Its pattern is malformed or too large.
    #[error("cannot use pattern: {0}")]
    Pattern(#[from] PatternError),
    /// Nothing of its pattern can be asked of a file.
    #[error("cannot use pattern: {0}")]
    Unsupported(String),
}

/// An indicator that can be used.
#[derive(Debug)]
pub(super) struct Indicator {
    /// What it asks.
    pub(super) pattern: Expr,
    /// What a match of it says, without strings.
    pub(super) about: Match,
}

impl Indicator {
    /// Reads an indicator; also returns what of its pattern is not used.
    ///
    /// # Errors
    ///
    /// Fails if nothing of it can be used.
    pub(super) fn of(
        object: &Value,
        origin: SignatureOrigin,
        authors: &HashMap<String, String>,
    ) -> Result<(Self, Vec<String>), IndicatorError> {
        if object["revoked"] == Value::Bool(true) {
            return Err(IndicatorError::Revoked);
        }
        if let Some(kind) = object["pattern_type"].as_str()
            && !kind.eq_ignore_ascii_case("stix")
        {
            return Err(IndicatorError::PatternType(cut(kind)));
        }
        let pattern = object["pattern"]
            .as_str()
            .ok_or(IndicatorError::NoPattern)?;
        let mut reasons = Vec::new();
        let pattern = parser::parse(pattern)?
            .supported(&mut reasons)
            .ok_or_else(|| IndicatorError::Unsupported(super::join(&reasons)))?;
        let about = about(object, origin, authors);
        Ok((Self { pattern, about }, reasons))
    }
}

/// Returns the objects of a bundle.
///
/// # Errors
///
/// Fails if the file is not JSON, not STIX v2, or too large.
pub(super) fn objects(content: &[u8]) -> Result<Vec<Value>, BundleError> {
    if content.len() > BUNDLE_MAX_BYTES {
        return Err(BundleError::TooLarge(content.len()));
    }
    let content = lines::decode(content);
    // The reader refuses JSON nested deeper than 128, so that no recursion
    // over a value can exhaust the stack.
    let value: Value = serde_json::from_slice(&content).map_err(BundleError::Json)?;
    match value {
        Value::Object(mut bundle) if bundle.get("type").is_some_and(|t| t == "bundle") => {
            match bundle.remove("objects") {
                Some(Value::Array(objects)) => Ok(objects),
                // A bundle may be empty.
                None => Ok(Vec::new()),
                Some(_) => Err(BundleError::NotABundle),
            }
        }
        Value::Array(objects) if objects.iter().any(is_indicator) => Ok(objects),
        object if is_indicator(&object) => Ok(vec![object]),
        _ => Err(BundleError::NotABundle),
    }
}

/// Tells whether an object is an indicator.
pub(super) fn is_indicator(object: &Value) -> bool {
    object["type"] == "indicator"
}

/// Returns the id of an object.
pub(super) fn id(object: &Value) -> String {
    text(object, "id").unwrap_or_else(|| "without id".to_owned())
}

/// Returns the names of the identities, by their ids.
pub(super) fn authors(objects: &[Value]) -> HashMap<String, String> {
    objects
        .iter()
        .filter(|object| object["type"] == "identity")
        .filter_map(|object| Some((text(object, "id")?, text(object, "name")?)))
        .collect()
}

fn about(object: &Value, origin: SignatureOrigin, authors: &HashMap<String, String>) -> Match {
    let name = text(object, "name").unwrap_or_default();
    let description = text(object, "description")
        .or_else(|| (!name.is_empty()).then(|| name.clone()))
        .unwrap_or_else(|| id(object));
    Match {
        kind: SignatureKind::StixIoc,
        origin,
        references: references(object, &description),
        rule_name: name,
        description,
        author: text(object, "created_by_ref").and_then(|id| authors.get(&id).cloned()),
        date: text(object, "modified").or_else(|| text(object, "created")),
        id: text(object, "id"),
        false_positives: Vec::new(),
        tags: tags(object),
        subscore: score(object),
        strings: Vec::new(),
    }
}

fn score(object: &Value) -> i32 {
    let score = object["x_score"]
        .as_i64()
        .or_else(|| object["confidence"].as_i64().filter(|&c| c != 0))
        .unwrap_or(SCORE_DEFAULT);
    // The clamp makes the value fit.
    i32::try_from(score.clamp(-100, 100)).unwrap_or_default()
}

fn references(object: &Value, description: &str) -> Vec<String> {
    let mut references: Vec<String> = items(object, "external_references")
        .filter_map(|reference| text(reference, "url"))
        .collect();
    references.extend(notes::references(description));
    references.truncate(LIST_MAX);
    references
}

fn tags(object: &Value) -> Vec<String> {
    let labels = ["labels", "indicator_types"]
        .iter()
        .flat_map(|key| items(object, key))
        .filter_map(Value::as_str)
        .map(cut);
    let attack = items(object, "external_references")
        .filter(|reference| reference["source_name"] == "mitre-attack")
        .filter_map(|reference| text(reference, "external_id"));
    let mut tags: Vec<String> = labels
        .chain(attack)
        .map(|tag| tag.to_uppercase())
        .take(LIST_MAX)
        .collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

fn items<'a>(object: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    object[key].as_array().into_iter().flatten()
}

/// Returns a text of an object, cut to the longest description.
fn text(object: &Value, key: &str) -> Option<String> {
    object[key].as_str().filter(|t| !t.is_empty()).map(cut)
}

fn cut(text: &str) -> String {
    lines::cut(text).to_owned()
}
