//! Deletes the oldest findings, and senders nobody needs to know of any more,
//! a few at a time: the writer has other things to do.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::config::FindingsConfig;
use crate::insert::delete;

/// Findings deleted in one transaction.
const BATCH: i64 = 256;
/// Sources and runs kept, whether they have findings or not.
const SENDERS_MAX: i64 = 100_000;
/// The time of the newest finding that was deleted.
const HORIZON: &str = "horizon_us";

/// What was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Deleted {
    pub(crate) findings: usize,
    /// Sources or runs: the ids of names may have changed their meaning.
    pub(crate) senders: usize,
}

/// Deletes one batch of what is too much; `stored` is the number of findings.
/// Call it within a transaction, and again while it deletes findings.
pub(crate) fn run(
    connection: &Connection,
    config: &FindingsConfig,
    stored: u64,
    now_us: i64,
) -> rusqlite::Result<Deleted> {
    let mut ids: Vec<(i64, i64)> = Vec::new();
    if let Some(age) = config.age_max {
        let oldest = now_us.saturating_sub(i64::try_from(age.as_micros()).unwrap_or(i64::MAX));
        ids = oldest_findings(connection, BATCH)?;
        ids.retain(|&(_, time)| time < oldest);
    }
    if let Some(limit) = config.findings_max
        && ids.is_empty()
        && stored > limit
    {
        let excess = i64::try_from(stored - limit).unwrap_or(i64::MAX);
        ids = oldest_findings(connection, BATCH.min(excess))?;
    }
    for &(id, _) in &ids {
        delete(connection, id)?;
    }
    if let Some(newest) = ids.iter().map(|&(_, time)| time).max() {
        raise_horizon(connection, newest)?;
    }
    Ok(Deleted {
        findings: ids.len(),
        senders: 0,
    })
}

/// Deletes the senders that were heard of longest ago and have no findings,
/// where there are too many.
pub(crate) fn forget_senders(connection: &Connection) -> rusqlite::Result<usize> {
    let mut deleted = 0;
    for (table, column, time) in [
        ("source", "source", "last_seen_us"),
        ("run", "run", "coalesce(began_us, 0)"),
    ] {
        let count: i64 =
            connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0))?;
        if count <= SENDERS_MAX {
            continue;
        }
        let sql = format!(
            "DELETE FROM {table} WHERE id IN (
                SELECT t.id FROM {table} t
                WHERE NOT EXISTS (SELECT 1 FROM finding f WHERE f.{column} = t.id)
                ORDER BY {time} LIMIT ?1)"
        );
        deleted += connection.execute(&sql, [count - SENDERS_MAX])?;
    }
    Ok(deleted)
}

fn oldest_findings(connection: &Connection, limit: i64) -> rusqlite::Result<Vec<(i64, i64)>> {
    connection
        .prepare_cached("SELECT id, time_us FROM finding ORDER BY id LIMIT ?1")?
        .query_map([limit], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

fn raise_horizon(connection: &Connection, time_us: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO fact (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
        )?
        .execute(params![HORIZON, time_us])?;
    Ok(())
}

/// Returns the time of the newest finding that was deleted: what is not newer
/// is not to come back.
pub(crate) fn horizon(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT value FROM fact WHERE name = ?1")?
        .query_row([HORIZON], |row| row.get(0))
        .optional()
}
