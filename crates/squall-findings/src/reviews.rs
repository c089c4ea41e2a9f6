//! What analysts make of findings. It is nowhere else, so beside the database
//! every review is a line of a file of its own, from which a database that had
//! to be made anew gets them back, and which tells who changed what and when.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use squall_api::v1::ReviewState;

use crate::database::beside;
use crate::error::{FindingsError, io_error};
use crate::number;
use crate::record::cut;

/// Characters of a note.
pub const NOTE_CHARS_MAX: usize = 4096;
/// Characters of the name of who made a review.
pub const WHO_CHARS_MAX: usize = 256;

/// What an analyst makes of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewReview {
    /// The finding.
    pub event_id: String,
    /// The state.
    pub state: ReviewState,
    /// Why.
    pub note: String,
    /// Who says so.
    pub who: String,
    /// When, in microseconds since 1970.
    pub time_us: i64,
}

/// Writes a review; returns whether there is such a finding.
pub(crate) fn write(connection: &Connection, review: &NewReview) -> rusqlite::Result<bool> {
    let changed = connection
        .prepare_cached("UPDATE finding SET review = ?2 WHERE event_id = ?1")?
        .execute(params![review.event_id, number::of_review(review.state)])?;
    if changed == 0 {
        return Ok(false);
    }
    restore(connection, review)?;
    Ok(true)
}

/// Writes a review, whether its finding is stored or not.
fn restore(connection: &Connection, review: &NewReview) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO review (event_id, state, note, who, time_us) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (event_id) DO UPDATE SET state = excluded.state, note = excluded.note,
                who = excluded.who, time_us = excluded.time_us",
        )?
        .execute(params![
            review.event_id,
            number::of_review(review.state),
            cut(&review.note, NOTE_CHARS_MAX),
            cut(&review.who, WHO_CHARS_MAX),
            review.time_us,
        ])?;
    Ok(())
}

/// Appends reviews to the file beside the database, durably and at once.
pub(crate) fn append(database: &Path, reviews: &[&NewReview]) -> Result<(), FindingsError> {
    if reviews.is_empty() {
        return Ok(());
    }
    let path = path(database);
    let mut lines = Vec::new();
    for review in reviews {
        lines.extend(serde_json::to_vec(review).unwrap_or_default());
        lines.push(b'\n');
    }
    let append = || {
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o640)
            .open(&path)?;
        file.write_all(&lines)?;
        file.sync_data()
    };
    append().map_err(io_error("append to", &path))
}

/// Puts every review of the file into the database; lines that are none are
/// passed over. Returns how many there were.
pub(crate) fn restore_all(
    connection: &mut Connection,
    database: &Path,
) -> Result<u64, FindingsError> {
    let path = path(database);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(io_error("open", &path)(error)),
    };
    let failed = FindingsError::during("restore reviews");
    let transaction = connection.transaction().map_err(&failed)?;
    let mut restored = 0;
    for line in BufReader::new(file).split(b'\n') {
        let line = line.map_err(io_error("read", &path))?;
        if let Ok(review) = serde_json::from_slice(&line) {
            restore(&transaction, &review).map_err(&failed)?;
            restored += 1;
        }
    }
    transaction.commit().map_err(&failed)?;
    Ok(restored)
}

fn path(database: &Path) -> PathBuf {
    beside(database, ".reviews.jsonl")
}
