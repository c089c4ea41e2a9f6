//! Findings as lists show them.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row};
use squall_api::v1::{FindingRow, RuleScore};

use crate::error::FindingsError;
use crate::number::{self, count};
use crate::record::{DOCUMENT_BYTES_MAX, hex};

const SELECT: &str =
    "SELECT f.event_id, f.time_us, f.sample_id, f.level, f.score, s.name AS source,
        r.scan_id, f.name, f.depth, f.type, f.size, f.md5, f.sha1, f.sha256, f.rules, f.reasons,
        f.tags, f.issues, f.review
     FROM finding f
     CROSS JOIN source s ON s.id = f.source
     CROSS JOIN run r ON r.id = f.run
     WHERE f.id = ?1";

/// Reads the finding with that id.
pub(crate) fn read(connection: &Connection, id: i64) -> rusqlite::Result<Option<FindingRow>> {
    connection
        .prepare_cached(SELECT)?
        .query_row([id], row)
        .optional()
}

/// Reads the findings with these ids, in their order; those that were deleted
/// meanwhile are left out.
pub(crate) fn read_all(connection: &Connection, ids: &[i64]) -> rusqlite::Result<Vec<FindingRow>> {
    ids.iter()
        .filter_map(|&id| read(connection, id).transpose())
        .collect()
}

fn row(row: &Row<'_>) -> rusqlite::Result<FindingRow> {
    let rules: Vec<(String, i32)> = json(&row.get::<_, String>("rules")?);
    let digest = |name: &str| -> rusqlite::Result<Option<String>> {
        Ok(row
            .get::<_, Option<Vec<u8>>>(name)?
            .map(|bytes| hex(&bytes)))
    };
    Ok(FindingRow {
        event_id: row.get("event_id")?,
        time: time(row.get("time_us")?),
        sample_id: row.get::<_, Option<i64>>("sample_id")?.map(count),
        level: number::level(row.get("level")?).name().to_owned(),
        score: row.get("score")?,
        source: row.get("source")?,
        scan_id: row.get("scan_id")?,
        name: row.get("name")?,
        depth: count(row.get("depth")?),
        file_type: row.get("type")?,
        size: count(row.get("size")?),
        md5: digest("md5")?,
        sha1: digest("sha1")?,
        sha256: digest("sha256")?,
        rules: rules
            .into_iter()
            .map(|(name, score)| RuleScore { name, score })
            .collect(),
        reason_count: count(row.get("reasons")?),
        tags: json(&row.get::<_, String>("tags")?),
        has_issues: row.get::<_, i64>("issues")? > 0,
        review: number::review(row.get("review")?),
    })
}

/// Reads the line of the JSON log of a finding.
pub(crate) fn line(connection: &Connection, id: i64) -> Result<Option<Vec<u8>>, FindingsError> {
    let stored: Option<Vec<u8>> = connection
        .prepare_cached("SELECT line FROM document WHERE id = ?1")
        .and_then(|mut statement| statement.query_row([id], |row| row.get(0)).optional())
        .map_err(FindingsError::during("read a finding"))?;
    stored.map(decompress).transpose()
}

fn decompress(stored: Vec<u8>) -> Result<Vec<u8>, FindingsError> {
    if stored.first() == Some(&b'{') {
        return Ok(stored);
    }
    zstd::bulk::decompress(&stored, DOCUMENT_BYTES_MAX).map_err(|_| FindingsError::Document)
}

/// Returns a time as RFC 3339 in UTC with microseconds.
pub(crate) fn time(time_us: i64) -> String {
    let time = Timestamp::from_microsecond(time_us).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{time:.6}")
}

/// Reads a list that the store wrote; one that is damaged is empty.
fn json<T: serde::de::DeserializeOwned>(text: &str) -> Vec<T> {
    serde_json::from_str(text).unwrap_or_default()
}
