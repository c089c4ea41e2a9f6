//! Collector runs: what is noted of them, and lists of them.

use rusqlite::{Connection, Row, params, params_from_iter, types::Value};
use squall_api::v0::{CollectionEvent, CollectionStats};
use squall_api::v1::{CollectionPage, CollectionRow, LevelCounts};

use crate::error::FindingsError;
use crate::number::{count, of_count};
use crate::row::time;
use crate::search::Page;

/// A run that began.
#[derive(Clone, Debug)]
pub struct RunBegin {
    /// The id that the service gave it.
    pub scan_id: String,
    /// The source, as the collector names it.
    pub source: String,
    /// The collector, as it names itself.
    pub collector: String,
    /// When, in microseconds since 1970.
    pub at_us: i64,
}

/// A run that said how it ended.
#[derive(Clone, Debug)]
pub struct RunEnd {
    /// The run.
    pub scan_id: String,
    /// How; never `Begin`.
    pub event: CollectionEvent,
    /// When, in microseconds since 1970.
    pub at_us: i64,
    /// What it says it did.
    pub stats: Option<CollectionStats>,
}

/// Which runs are wanted.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// Only those of this source.
    pub source: Option<String>,
    /// Only those that have not said how they ended.
    pub incomplete: bool,
}

pub(crate) fn begin(connection: &Connection, run: &RunBegin) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO run (scan_id, source, collector, began_us) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (scan_id) DO UPDATE SET
                source = excluded.source,
                collector = excluded.collector,
                began_us = coalesce(began_us, excluded.began_us)",
        )?
        .execute(params![run.scan_id, run.source, run.collector, run.at_us])?;
    Ok(())
}

/// Notes an end; one of a run that never began here changes nothing.
pub(crate) fn end(connection: &Connection, run: &RunEnd) -> rusqlite::Result<()> {
    let event = match run.event {
        CollectionEvent::Begin | CollectionEvent::End => "end",
        CollectionEvent::Interrupted => "interrupted",
        CollectionEvent::Abort => "abort",
    };
    let stat = |pick: fn(&CollectionStats) -> u64| run.stats.as_ref().map(|s| of_count(pick(s)));
    connection
        .prepare_cached(
            "UPDATE run SET ended_us = ?2, ended_as = ?3, scanned = ?4, submitted = ?5,
                skipped = ?6, failed = ?7, elapsed_s = ?8
             WHERE scan_id = ?1 AND began_us IS NOT NULL",
        )?
        .execute(params![
            run.scan_id,
            run.at_us,
            event,
            stat(|s| s.scanned),
            stat(|s| s.submitted),
            stat(|s| s.skipped),
            stat(|s| s.failed),
            stat(|s| s.elapsed_seconds),
        ])?;
    Ok(())
}

pub(crate) fn page(
    connection: &Connection,
    filter: &RunFilter,
    page: &Page,
) -> Result<CollectionPage, FindingsError> {
    let failed = FindingsError::during("list the collector runs");
    let mut sql = "SELECT *,
            (SELECT last_seen_us FROM source WHERE source.name = run.source) AS last_seen_us
        FROM run WHERE began_us IS NOT NULL"
        .to_owned();
    let mut values: Vec<Value> = Vec::new();
    if let Some((at, id)) = place(page)? {
        sql.push_str(" AND (began_us, id) < (?, ?)");
        values.extend([at.into(), id.into()]);
    }
    if let Some(source) = &filter.source {
        sql.push_str(" AND source = ?");
        values.push(source.clone().into());
    }
    if filter.incomplete {
        sql.push_str(" AND ended_us IS NULL");
    }
    sql.push_str(" ORDER BY began_us DESC, id DESC LIMIT ?");
    let wanted = page.count();
    values.push(i64::try_from(wanted + 1).unwrap_or(i64::MAX).into());
    let mut statement = connection.prepare_cached(&sql).map_err(&failed)?;
    let rows = statement
        .query_map(params_from_iter(values), |row| {
            Ok((row.get("began_us")?, row.get("id")?, run(row)?))
        })
        .map_err(&failed)?;
    let rows: Vec<(i64, i64, CollectionRow)> =
        rows.collect::<rusqlite::Result<_>>().map_err(&failed)?;
    let cursor = next_place(rows.iter().map(|(at, id, _)| (*at, *id)), wanted);
    Ok(CollectionPage {
        collections: rows
            .into_iter()
            .take(wanted)
            .map(|(_, _, run)| run)
            .collect(),
        cursor,
    })
}

fn run(row: &Row<'_>) -> rusqlite::Result<CollectionRow> {
    let stat = |name: &str| -> rusqlite::Result<u64> {
        Ok(row.get::<_, Option<i64>>(name)?.map_or(0, count))
    };
    let stats = match row.get::<_, Option<i64>>("scanned")? {
        None => None,
        Some(_) => Some(CollectionStats {
            scanned: stat("scanned")?,
            submitted: stat("submitted")?,
            skipped: stat("skipped")?,
            failed: stat("failed")?,
            elapsed_seconds: stat("elapsed_s")?,
        }),
    };
    Ok(CollectionRow {
        scan_id: row.get("scan_id")?,
        source: row.get("source")?,
        collector: row.get("collector")?,
        began: time(row.get("began_us")?),
        ended: row.get::<_, Option<i64>>("ended_us")?.map(time),
        state: row
            .get::<_, Option<String>>("ended_as")?
            .unwrap_or_else(|| "incomplete".to_owned()),
        last_seen: row.get::<_, Option<i64>>("last_seen_us")?.map(time),
        samples: count(row.get("samples")?),
        bytes: count(row.get("bytes")?),
        findings: level_counts(row)?,
        stats,
    })
}

/// Reads the counts by level of a source or run.
pub(crate) fn level_counts(row: &Row<'_>) -> rusqlite::Result<LevelCounts> {
    Ok(LevelCounts {
        alert: count(row.get("alerts")?),
        warning: count(row.get("warnings")?),
        notice: count(row.get("notices")?),
    })
}

/// Reads the cursor of a list that is ordered by time and id.
pub(crate) fn place(page: &Page) -> Result<Option<(i64, i64)>, FindingsError> {
    let Some(cursor) = page.cursor.as_deref().filter(|cursor| !cursor.is_empty()) else {
        return Ok(None);
    };
    let (at, id) = cursor.split_once('.').ok_or(FindingsError::Cursor)?;
    match (at.parse(), id.parse()) {
        (Ok(at), Ok(id)) => Ok(Some((at, id))),
        _ => Err(FindingsError::Cursor),
    }
}

/// Returns the cursor behind the `wanted` first of a list, if there are more.
pub(crate) fn next_place(
    places: impl ExactSizeIterator<Item = (i64, i64)>,
    wanted: usize,
) -> Option<String> {
    if places.len() <= wanted {
        return None;
    }
    let (at, id) = places.take(wanted).last()?;
    Some(format!("{at}.{id}"))
}
