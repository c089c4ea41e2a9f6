//! Lists of those who sent samples.

use rusqlite::{Connection, OptionalExtension as _, Row, params_from_iter, types::Value};
use squall_api::v1::{SourceDetails, SourcePage, SourceRow};

use crate::error::FindingsError;
use crate::number::count;
use crate::row::time;
use crate::runs::{self, RunFilter, level_counts, next_place, place};
use crate::search::Page;

/// Runs shown of one source.
const RUNS_SHOWN_MAX: usize = 100;

/// Returns a page of sources, the one heard of last first. `name` is what the
/// name must hold.
pub(crate) fn page(
    connection: &Connection,
    name: Option<&str>,
    page: &Page,
) -> Result<SourcePage, FindingsError> {
    let failed = FindingsError::during("list the sources");
    let mut sql = "SELECT * FROM source WHERE 1".to_owned();
    let mut values: Vec<Value> = Vec::new();
    if let Some((at, id)) = place(page)? {
        sql.push_str(" AND (last_seen_us, id) < (?, ?)");
        values.extend([at.into(), id.into()]);
    }
    if let Some(name) = name {
        sql.push_str(" AND folded_contains(name, ?)");
        values.push(crate::text::folded(name).into());
    }
    sql.push_str(" ORDER BY last_seen_us DESC, id DESC LIMIT ?");
    let wanted = page.count();
    values.push(i64::try_from(wanted + 1).unwrap_or(i64::MAX).into());
    let mut statement = connection.prepare_cached(&sql).map_err(&failed)?;
    let rows = statement
        .query_map(params_from_iter(values), |row| {
            Ok((row.get("last_seen_us")?, row.get("id")?, source(row)?))
        })
        .map_err(&failed)?;
    let rows: Vec<(i64, i64, SourceRow)> =
        rows.collect::<rusqlite::Result<_>>().map_err(&failed)?;
    let cursor = next_place(rows.iter().map(|(at, id, _)| (*at, *id)), wanted);
    Ok(SourcePage {
        sources: rows
            .into_iter()
            .take(wanted)
            .map(|(_, _, source)| source)
            .collect(),
        cursor,
    })
}

/// Returns a source with its newest runs.
pub(crate) fn details(
    connection: &Connection,
    name: &str,
) -> Result<Option<SourceDetails>, FindingsError> {
    let found = connection
        .prepare_cached("SELECT * FROM source WHERE name = ?1")
        .and_then(|mut statement| statement.query_row([name], source).optional())
        .map_err(FindingsError::during("read a source"))?;
    let Some(source) = found else {
        return Ok(None);
    };
    let filter = RunFilter {
        source: Some(name.to_owned()),
        incomplete: false,
    };
    let page = Page {
        cursor: None,
        limit: RUNS_SHOWN_MAX,
    };
    Ok(Some(SourceDetails {
        source,
        collections: runs::page(connection, &filter, &page)?.collections,
    }))
}

fn source(row: &Row<'_>) -> rusqlite::Result<SourceRow> {
    Ok(SourceRow {
        source: row.get("name")?,
        first_seen: time(row.get("first_seen_us")?),
        last_seen: time(row.get("last_seen_us")?),
        samples: count(row.get("samples")?),
        bytes: count(row.get("bytes")?),
        agent: row.get("agent")?,
        findings: level_counts(row)?,
    })
}
