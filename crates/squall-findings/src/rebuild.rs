//! Makes the store anew from JSON logs, and from what the old one still holds.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use squall_api::v1::Finding;

use crate::config::FindingsConfig;
use crate::database::{self, beside};
use crate::error::{FindingsError, io_error};
use crate::insert::Inserter;
use crate::log::{LogError, read_log};
use crate::record::{Record, SampleRef};
use crate::{reviews, row};

/// Findings written in one transaction.
const BATCH_MAX: usize = 1000;

/// What a rebuild did.
#[derive(Debug, Default)]
pub struct Rebuilt {
    /// Findings read from the logs that are stored now.
    pub from_logs: u64,
    /// Findings that only the old store had.
    pub kept: u64,
    /// Lines and documents that are no findings.
    pub passed_over: u64,
    /// Logs that could not be read to their end.
    pub failed_logs: Vec<LogError>,
    /// Where the old database is, if it could not be read.
    pub set_aside: Option<PathBuf>,
}

/// Makes the database of `config` anew: from `logs`, in their order, then from
/// the old database, whose reviews, sources and runs are kept. The old one is
/// replaced when all is done.
///
/// # Errors
///
/// Fails if another process has the store open, or a file cannot be written.
pub fn rebuild(config: &FindingsConfig, logs: &[PathBuf]) -> Result<Rebuilt, FindingsError> {
    let _lock = database::lock(&config.path)?;
    let new_path = beside(&config.path, ".rebuild");
    remove(&new_path)?;
    let mut connection = database::open_writer(&new_path)?;
    connection
        // Nothing is lost with it: the old one is there until the end.
        .execute_batch("PRAGMA synchronous = OFF;")
        .map_err(FindingsError::during("prepare a new database"))?;
    let mut rebuilt = Rebuilt::default();
    let old = config.path.exists().then_some(config.path.as_path());
    let mut readable = true;
    if let Some(old) = old {
        readable = copy_senders_and_reviews(&mut connection, old).is_ok();
    }
    if old.is_none() || !readable {
        reviews::restore_all(&mut connection, &config.path)?;
    }
    let mut new = New {
        connection,
        inserter: Inserter::default(),
        waiting: Vec::new(),
        written: 0,
    };
    new.read_logs(logs, &mut rebuilt)?;
    if let Some(old) = old.filter(|_| readable) {
        readable = new.keep(old, &mut rebuilt).is_ok();
    }
    new.finish()?;
    if old.is_some() && !readable {
        rebuilt.set_aside = Some(database::move_aside(&config.path)?);
    }
    replace(&new_path, &config.path)?;
    Ok(rebuilt)
}

/// The database that is being made.
struct New {
    connection: Connection,
    inserter: Inserter,
    waiting: Vec<Record>,
    written: u64,
}

impl New {
    fn read_logs(&mut self, logs: &[PathBuf], rebuilt: &mut Rebuilt) -> Result<(), FindingsError> {
        for path in logs {
            let mut outcome = Ok(());
            let mut unusable = 0;
            let read = read_log(path, |finding| {
                unusable += u64::from(!self.take(finding, None, &mut outcome));
                outcome.is_ok()
            });
            outcome?;
            rebuilt.passed_over += unusable;
            match read {
                Ok(passed_over) => rebuilt.passed_over += passed_over,
                Err(error) => rebuilt.failed_logs.push(error),
            }
        }
        self.write()?;
        rebuilt.from_logs = self.written;
        Ok(())
    }

    /// Takes what only the old database has, and the sample ids, which the
    /// logs do not tell.
    fn keep(&mut self, old: &Path, rebuilt: &mut Rebuilt) -> Result<(), FindingsError> {
        let failed = FindingsError::during("read the old database");
        attach(&self.connection, old).map_err(&failed)?;
        let version: i64 = self
            .connection
            .query_row("PRAGMA old.user_version", [], |row| row.get(0))
            .map_err(&failed)?;
        let sha256 = match version {
            ..2 => "NULL",
            _ => "o.sample_sha256",
        };
        let update = format!(
            "UPDATE finding SET (sample_id, sample_sha256) = (
                SELECT o.sample_id, {sha256} FROM old.finding o
                WHERE o.event_id = finding.event_id)
             WHERE sample_id IS NULL"
        );
        self.connection.execute(&update, []).map_err(&failed)?;
        let ids: Vec<(i64, Option<i64>, Option<[u8; 32]>)> = self
            .connection
            .prepare(&format!(
                "SELECT o.id, o.sample_id, {sha256} FROM old.finding o
                 WHERE NOT EXISTS (SELECT 1 FROM finding f WHERE f.event_id = o.event_id)
                 ORDER BY o.id"
            ))
            .and_then(|mut statement| {
                statement
                    .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                    .collect()
            })
            .map_err(&failed)?;
        detach(&self.connection).map_err(&failed)?;
        let reader = Connection::open(old).map_err(&failed)?;
        for (id, sample_id, sha256) in ids {
            let line = row::line(&reader, id).ok().flatten();
            let finding = line.and_then(|line| serde_json::from_slice(&line).ok());
            let sample = sample_id.map(|id| SampleRef {
                id: crate::number::count(id),
                sha256,
            });
            let mut outcome = Ok(());
            let taken = finding.is_some_and(|finding| self.take(finding, sample, &mut outcome));
            outcome?;
            rebuilt.passed_over += u64::from(!taken);
        }
        self.write()?;
        rebuilt.kept = self.written - rebuilt.from_logs;
        Ok(())
    }

    /// Takes a finding; returns whether it is one that can be stored.
    fn take(
        &mut self,
        finding: Finding,
        sample: Option<SampleRef>,
        outcome: &mut Result<(), FindingsError>,
    ) -> bool {
        let Ok(record) = Record::of(finding, sample) else {
            return false;
        };
        self.waiting.push(record);
        if self.waiting.len() >= BATCH_MAX {
            *outcome = self.write();
        }
        true
    }

    fn write(&mut self) -> Result<(), FindingsError> {
        let failed = FindingsError::during("write findings");
        let transaction = self.connection.transaction().map_err(&failed)?;
        for record in self.waiting.drain(..) {
            let new = self
                .inserter
                .insert(&transaction, &record)
                .map_err(&failed)?;
            self.written += u64::from(new);
        }
        transaction.commit().map_err(failed)
    }

    /// Brings everything into the one file, on disk.
    fn finish(self) -> Result<(), FindingsError> {
        let failed = FindingsError::during("finish the new database");
        self.connection
            .execute_batch("PRAGMA wal_checkpoint(TRUNCATE);")
            .map_err(&failed)?;
        self.connection.close().map_err(|(_, error)| failed(error))
    }
}

fn copy_senders_and_reviews(connection: &mut Connection, old: &Path) -> rusqlite::Result<()> {
    attach(connection, old)?;
    let copied = connection.execute_batch(
        "BEGIN;
         INSERT INTO main.source (name, first_seen_us, last_seen_us, samples, bytes, agent)
            SELECT name, first_seen_us, last_seen_us, samples, bytes, agent FROM old.source;
         INSERT INTO main.run (scan_id, source, collector, began_us, ended_us, ended_as, scanned,
                submitted, skipped, failed, elapsed_s, samples, bytes)
            SELECT scan_id, source, collector, began_us, ended_us, ended_as, scanned,
                submitted, skipped, failed, elapsed_s, samples, bytes FROM old.run;
         INSERT INTO main.review SELECT * FROM old.review;
         COMMIT;",
    );
    if copied.is_err() {
        // Ends what the failed statement left open; there may be nothing.
        let _ = connection.execute_batch("ROLLBACK");
    }
    detach(connection)?;
    copied
}

fn attach(connection: &Connection, old: &Path) -> rusqlite::Result<()> {
    connection
        .execute("ATTACH DATABASE ?1 AS old", params![old.to_string_lossy()])
        .map(drop)
}

fn detach(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("DETACH DATABASE old")
}

fn replace(new: &Path, path: &Path) -> Result<(), FindingsError> {
    for suffix in ["-wal", "-shm"] {
        remove(&beside(path, suffix))?;
    }
    let file = fs::File::open(new).map_err(io_error("open", new))?;
    file.sync_all().map_err(io_error("sync", new))?;
    fs::rename(new, path).map_err(io_error("replace", path))
}

fn remove(path: &Path) -> Result<(), FindingsError> {
    for suffix in ["", "-wal", "-shm"] {
        let path = beside(path, suffix);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(io_error("remove", &path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}
