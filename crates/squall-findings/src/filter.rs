//! What findings are asked for.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use squall_api::v1::ReviewState;
use squall_types::Level;

use crate::record::unhex;
use crate::{number, text};

/// Most findings of one page.
pub const PAGE_MAX: usize = 1000;

/// Which findings are wanted: those that meet every condition that is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// One of these levels; empty for any.
    pub levels: Vec<Level>,
    /// The lowest score.
    pub score_min: Option<u8>,
    /// The highest score.
    pub score_max: Option<u8>,
    /// From this source.
    pub source: Option<String>,
    /// With a match of this rule.
    pub rule: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
    /// Scanned at this time or later, in microseconds since 1970.
    pub since_us: Option<i64>,
    /// Scanned before this time.
    pub until_us: Option<i64>,
    /// The file has this digest.
    pub hash: Option<Hash>,
    /// The name holds this, whatever the case of its letters.
    pub name: Option<String>,
    /// Of this run of a collector or of the service.
    pub scan_id: Option<String>,
    /// Every word of this is in the name, the rules or what matched; a word
    /// may go on where a `*` stands behind it.
    pub text: Option<String>,
    /// Reviewed like this.
    pub review: Option<ReviewState>,
}

/// A digest of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash {
    pub(crate) column: &'static str,
    pub(crate) bytes: Vec<u8>,
}

impl Hash {
    /// Reads an MD5, SHA-1 or SHA-256 in hexadecimal, told apart by length.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (column, len) = match text.len() {
            32 => ("md5", 16),
            40 => ("sha1", 20),
            64 => ("sha256", 32),
            _ => return None,
        };
        let bytes = unhex(text, len)?;
        Some(Self { column, bytes })
    }

    /// Returns the digest, if it is a SHA-256.
    #[must_use]
    pub fn sha256(&self) -> Option<[u8; 32]> {
        // No other is as long.
        self.bytes.as_slice().try_into().ok()
    }
}

/// The names of the conditions that [`Filter::set`] knows, with what each says.
pub const CONDITIONS: [(&str, &str); 14] = [
    (
        "level",
        "Of this level: Alert, Warning or Notice; several with commas.",
    ),
    ("score_min", "With this score or a higher one."),
    ("score_max", "With this score or a lower one."),
    ("source", "Of samples from this source."),
    ("rule", "With a match of this rule."),
    ("tag", "With a match of a rule with this tag."),
    (
        "since",
        "Scanned at this time or later: RFC 3339, a date, seconds since 1970, or how long ago it was, such as 24h or 7d.",
    ),
    (
        "until",
        "Scanned before this time, written in the same ways.",
    ),
    ("hash", "The file has this MD5, SHA-1 or SHA-256."),
    (
        "name",
        "The name holds this, whatever the case of its letters.",
    ),
    ("scan_id", "Of this run of a collector or of the service."),
    (
        "q",
        "Every word of this is in the name, the rules or what matched; mimi* finds what begins like that.",
    ),
    (
        "review",
        "Reviewed like this: open, reviewed or false_positive.",
    ),
    ("limit", "Most findings, the newest."),
];

/// A condition that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is `{value}`, expected {expected}")]
pub struct ConditionError {
    name: String,
    value: String,
    expected: &'static str,
}

impl Filter {
    /// Sets a condition from text, as requests and flags name and write them;
    /// empty text sets none. Names that are none of [`CONDITIONS`], and
    /// `limit`, which is no condition, are passed over.
    ///
    /// # Errors
    ///
    /// Fails if the value is not what the condition takes.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), ConditionError> {
        if value.is_empty() {
            return Ok(());
        }
        let wrong = |expected| ConditionError {
            name: name.to_owned(),
            value: value.chars().take(100).collect(),
            expected,
        };
        let score = || value.parse().ok().filter(|score| *score <= 100);
        let owned = || Some(value.to_owned());
        match name {
            "level" => {
                let levels = value
                    .split(',')
                    .map(|level| number::level_named(level.trim()));
                let levels: Option<Vec<Level>> = levels.collect();
                self.levels = levels.ok_or_else(|| wrong("Alert, Warning or Notice"))?;
            }
            "score_min" => self.score_min = Some(score().ok_or_else(|| wrong("0 to 100"))?),
            "score_max" => self.score_max = Some(score().ok_or_else(|| wrong("0 to 100"))?),
            "source" => self.source = owned(),
            "rule" => self.rule = owned(),
            "tag" => self.tag = owned(),
            "since" => self.since_us = Some(time(value).ok_or_else(|| wrong(TIME_EXPECTED))?),
            "until" => self.until_us = Some(time(value).ok_or_else(|| wrong(TIME_EXPECTED))?),
            "hash" => {
                let hash = Hash::parse(value);
                self.hash = Some(hash.ok_or_else(|| wrong("an MD5, SHA-1 or SHA-256"))?);
            }
            "name" => self.name = owned(),
            "scan_id" => self.scan_id = owned(),
            "q" if !text::has_words(value) => return Err(wrong("a word")),
            "q" => self.text = owned(),
            "review" => {
                let mut states = ReviewState::ALL.into_iter();
                let state = states.find(|state| state.name() == value);
                self.review = Some(state.ok_or_else(|| wrong("open, reviewed or false_positive"))?);
            }
            _ => {}
        }
        Ok(())
    }
}

/// What a time is written like.
const TIME_EXPECTED: &str =
    "a time such as 2026-11-24T08:30:00Z, 2026-11-24, 1795509000, or 24h for a day ago";

/// Reads a time, in microseconds since 1970.
fn time(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_microsecond());
    }
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(Timestamp::from_second(seconds).ok()?.as_microsecond());
    }
    if let Some(ago) = ago(text) {
        return Some((Timestamp::now() - ago).as_microsecond());
    }
    let date: Date = text.parse().ok()?;
    let midnight = TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
    Some(midnight.as_microsecond())
}

/// Reads how long ago something was: `90s`, `5m`, `24h`, `7d`, `2w`.
fn ago(text: &str) -> Option<SignedDuration> {
    let (at, unit) = text.char_indices().last()?;
    let seconds: i64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        'w' => 7 * 24 * 3600,
        _ => return None,
    };
    let count: u32 = text[..at].parse().ok()?;
    // Not longer ago than time has been counted for.
    let ago = i64::from(count).checked_mul(seconds)?;
    (ago <= Timestamp::now().as_second()).then(|| SignedDuration::from_secs(ago))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_way_they_are_written() {
        let expected = Some(1_795_478_400_000_000);
        for text in [
            "2026-11-24",
            "2026-11-24T00:00:00Z",
            "2026-11-24T01:00:00+01:00",
            "1795478400",
        ] {
            assert_eq!(time(text), expected, "{text}");
        }
        let day_ago = Timestamp::now().as_microsecond() - 86_400_000_000;
        assert!((time("24h").unwrap() - day_ago).abs() < 10_000_000);
        for text in [
            "",
            "x",
            "1.5",
            "99999999999w",
            "4294967295w",
            "99999999999999999999",
            "-1h",
            "2026-13-01",
            "é",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn conditions_are_read_and_wrong_ones_named() {
        let mut filter = Filter::default();
        for (name, value) in [
            ("level", "alert, Warning"),
            ("score_min", "40"),
            ("q", "mimi*"),
            ("review", "false_positive"),
            ("source", ""),
            ("unknown", "x"),
        ] {
            filter.set(name, value).unwrap();
        }
        assert_eq!(filter.levels, [Level::Alert, Level::Warning]);
        assert_eq!((filter.score_min, filter.source.as_ref()), (Some(40), None));
        assert_eq!(filter.review, Some(ReviewState::FalsePositive));
        for (name, value) in [
            ("level", "high"),
            ("score_min", "101"),
            ("score_max", "-1"),
            ("since", "tomorrow"),
            ("hash", "xyz"),
            ("hash", "zz345678901234567890123456789012"),
            ("q", "*-"),
            ("review", "done"),
        ] {
            let error = filter.set(name, value).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
    }
}
