//! Levels and review states as the database numbers them.

use squall_api::v1::ReviewState;
use squall_types::Level;

/// All levels.
pub(crate) const LEVELS: [Level; 3] = [Level::Notice, Level::Warning, Level::Alert];

/// Returns the level of that name, whatever the case of its letters.
pub(crate) fn level_named(name: &str) -> Option<Level> {
    LEVELS
        .into_iter()
        .find(|level| level.name().eq_ignore_ascii_case(name))
}

pub(crate) const fn of_level(level: Level) -> i64 {
    match level {
        Level::Notice => 1,
        Level::Warning => 2,
        Level::Alert => 3,
    }
}

/// Reads a column; what no version writes counts as the lowest.
pub(crate) const fn level(number: i64) -> Level {
    match number {
        3 => Level::Alert,
        2 => Level::Warning,
        _ => Level::Notice,
    }
}

pub(crate) const fn of_review(state: ReviewState) -> i64 {
    match state {
        ReviewState::Open => 0,
        ReviewState::Reviewed => 1,
        ReviewState::FalsePositive => 2,
    }
}

/// Reads a column; what no version writes counts as open.
pub(crate) const fn review(number: i64) -> ReviewState {
    match number {
        2 => ReviewState::FalsePositive,
        1 => ReviewState::Reviewed,
        _ => ReviewState::Open,
    }
}

/// Reads a count, which is never negative.
pub(crate) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Writes a count; SQLite knows signed numbers only.
pub(crate) fn of_count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
