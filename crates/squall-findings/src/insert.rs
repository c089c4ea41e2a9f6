//! Writes records into the tables.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::number;
use crate::record::Record;

/// How many steps of [`ID_STEP_US`] an id may lie behind its time. A search by
/// time looks that much further, so it is not more than four minutes.
pub(crate) const ID_SPILL_MAX: i64 = 1 << 22;
/// Microseconds in one step of the ids.
pub(crate) const ID_STEP_US: i64 = 64;
/// Names remembered with their ids, of each kind.
const CACHED_MAX: usize = 10_000;
/// How hard documents are compressed: beyond it a finding shrinks by little.
const COMPRESSION_LEVEL: i32 = 3;

/// Returns the lowest id that a finding of that time can have.
pub(crate) const fn id_of_time(time_us: i64) -> i64 {
    time_us.div_euclid(ID_STEP_US)
}

/// Writes records and remembers the ids of names. After a transaction that was
/// rolled back it must be made anew.
#[derive(Default)]
pub(crate) struct Inserter {
    sources: HashMap<String, i64>,
    runs: HashMap<String, i64>,
    rules: HashMap<String, i64>,
    tags: HashMap<String, i64>,
    /// The time step written last, and the id behind the one it gave.
    last: Option<(i64, i64)>,
    /// Making one costs more than compressing a document does.
    compressor: Option<zstd::bulk::Compressor<'static>>,
}

impl Inserter {
    /// Writes a record unless one with its event id is there; returns whether
    /// it was written.
    pub(crate) fn insert(
        &mut self,
        connection: &Connection,
        record: &Record,
    ) -> rusqlite::Result<bool> {
        if knows(connection, &record.event_id)? {
            return Ok(false);
        }
        let Some(id) = self.free_id(connection, record.time_us)? else {
            tracing::warn!(
                event_id = record.event_id,
                "too many findings at one moment"
            );
            return Ok(false);
        };
        self.insert_row(connection, id, record)?;
        self.insert_labels(connection, id, record)?;
        self.insert_texts(connection, id, record)?;
        Ok(true)
    }

    fn insert_row(
        &mut self,
        connection: &Connection,
        id: i64,
        record: &Record,
    ) -> rusqlite::Result<()> {
        let source = self.source(connection, record)?;
        let run = label(connection, &mut self.runs, &SQL_RUN, &record.scan_id)?;
        let review: Option<i64> = connection
            .prepare_cached("SELECT state FROM review WHERE event_id = ?1")?
            .query_row([&record.event_id], |row| row.get(0))
            .optional()?;
        let rules = serde_json::to_string(&record.rules).unwrap_or_default();
        let tags = serde_json::to_string(&record.tags).unwrap_or_default();
        connection
            .prepare_cached(
                "INSERT INTO finding (id, event_id, time_us, sample_id, level, score, source, run,
                    name, base, depth, type, size, md5, sha1, sha256, reasons, rules, tags,
                    issues, review, sample_sha256)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
                    ?17, ?18, ?19, ?20, ?21, ?22)",
            )?
            .execute(params![
                id,
                record.event_id,
                record.time_us,
                record.sample_id,
                number::of_level(record.level),
                i64::from(record.score),
                source,
                run,
                record.name,
                record.base,
                record.depth,
                record.file_type,
                record.size_bytes,
                record.md5,
                record.sha1,
                record.sha256,
                record.reasons,
                rules,
                tags,
                record.issues,
                review.unwrap_or(0),
                record.sample_sha256,
            ])?;
        Ok(())
    }

    fn insert_labels(
        &mut self,
        connection: &Connection,
        id: i64,
        record: &Record,
    ) -> rusqlite::Result<()> {
        for (name, _) in &record.rules {
            let rule = label(connection, &mut self.rules, &SQL_RULE, name)?;
            connection
                .prepare_cached("INSERT INTO finding_rule (rule, finding) VALUES (?1, ?2)")?
                .execute([rule, id])?;
        }
        for name in &record.tags {
            let tag = label(connection, &mut self.tags, &SQL_TAG, name)?;
            connection
                .prepare_cached("INSERT INTO finding_tag (tag, finding) VALUES (?1, ?2)")?
                .execute([tag, id])?;
        }
        Ok(())
    }

    fn insert_texts(
        &mut self,
        connection: &Connection,
        id: i64,
        record: &Record,
    ) -> rusqlite::Result<()> {
        let line = self.compressed(&record.line);
        connection
            .prepare_cached("INSERT INTO document (id, line) VALUES (?1, ?2)")?
            .execute(params![id, line])?;
        connection
            .prepare_cached("INSERT INTO wording (id, words) VALUES (?1, ?2)")?
            .execute(params![id, record.words])?;
        connection
            .prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?
            .execute(params![id, record.words])?;
        connection
            .prepare_cached("INSERT INTO names (rowid, text) VALUES (?1, ?2)")?
            // The index is of text without NUL; the search looks at the name itself.
            .execute(params![
                id,
                crate::text::folded(&record.name).replace('\0', "\u{1}")
            ])?;
        Ok(())
    }

    /// Compresses a document. From memory into memory that fails for want of
    /// memory only; then it is kept as it is, which `decompress` recognises.
    fn compressed(&mut self, line: &[u8]) -> Vec<u8> {
        if self.compressor.is_none() {
            self.compressor = zstd::bulk::Compressor::new(COMPRESSION_LEVEL).ok();
        }
        let compressor = self.compressor.as_mut();
        let compressed = compressor.and_then(|compressor| compressor.compress(line).ok());
        compressed.unwrap_or_else(|| line.to_vec())
    }

    fn source(&mut self, connection: &Connection, record: &Record) -> rusqlite::Result<i64> {
        if let Some(&id) = self.sources.get(&record.source) {
            return Ok(id);
        }
        connection
            .prepare_cached(
                "INSERT INTO source (name, first_seen_us, last_seen_us) VALUES (?1, ?2, ?2)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![record.source, record.time_us])?;
        let id = connection
            .prepare_cached("SELECT id FROM source WHERE name = ?1")?
            .query_row([&record.source], |row| row.get(0))?;
        remember(&mut self.sources, &record.source, id);
        Ok(id)
    }

    /// Returns the first id at or behind that time that no finding has.
    fn free_id(&mut self, connection: &Connection, time_us: i64) -> rusqlite::Result<Option<i64>> {
        let lowest = id_of_time(time_us);
        // The members of an archive have one time: they are not to be counted
        // through again for each.
        let mut id = match self.last {
            Some((of, next)) if of == lowest => next,
            _ => lowest,
        };
        let mut taken = connection.prepare_cached("SELECT 1 FROM finding WHERE id = ?1")?;
        while taken.exists([id])? {
            id += 1;
            if id - lowest > ID_SPILL_MAX {
                return Ok(None);
            }
        }
        self.last = Some((lowest, id + 1));
        Ok(Some(id))
    }
}

/// Tells whether a finding is stored.
pub(crate) fn knows(connection: &Connection, event_id: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM finding WHERE event_id = ?1")?
        .exists([event_id])
}

/// Deletes a finding from every table but `review`.
pub(crate) fn delete(connection: &Connection, id: i64) -> rusqlite::Result<()> {
    for sql in [
        "DELETE FROM finding WHERE id = ?1",
        "DELETE FROM document WHERE id = ?1",
        "DELETE FROM wording WHERE id = ?1",
        "DELETE FROM finding_rule WHERE finding = ?1",
        "DELETE FROM finding_tag WHERE finding = ?1",
        "DELETE FROM words WHERE rowid = ?1",
        "DELETE FROM names WHERE rowid = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([id])?;
    }
    Ok(())
}

/// How a kind of name is written and looked up.
struct LabelSql {
    insert: &'static str,
    select: &'static str,
}

const SQL_RUN: LabelSql = LabelSql {
    insert: "INSERT INTO run (scan_id) VALUES (?1) ON CONFLICT DO NOTHING",
    select: "SELECT id FROM run WHERE scan_id = ?1",
};
const SQL_RULE: LabelSql = LabelSql {
    insert: "INSERT INTO rule (name) VALUES (?1) ON CONFLICT DO NOTHING",
    select: "SELECT id FROM rule WHERE name = ?1",
};
const SQL_TAG: LabelSql = LabelSql {
    insert: "INSERT INTO tag (name) VALUES (?1) ON CONFLICT DO NOTHING",
    select: "SELECT id FROM tag WHERE name = ?1",
};

fn label(
    connection: &Connection,
    cache: &mut HashMap<String, i64>,
    sql: &LabelSql,
    name: &str,
) -> rusqlite::Result<i64> {
    if let Some(&id) = cache.get(name) {
        return Ok(id);
    }
    connection.prepare_cached(sql.insert)?.execute([name])?;
    let id = connection
        .prepare_cached(sql.select)?
        .query_row([name], |row| row.get(0))?;
    remember(cache, name, id);
    Ok(id)
}

fn remember(cache: &mut HashMap<String, i64>, name: &str, id: i64) {
    if cache.len() >= CACHED_MAX {
        cache.clear();
    }
    cache.insert(name.to_owned(), id);
}
