//! A log file: lines appended, forced to stable storage on demand, and kept
//! elsewhere while the file refuses them.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use jiff::Timestamp;
use squall_types::LogHealth;

use super::SinkError;
use super::backlog::{self, Backlog};
use super::rotation::{self, Rotation};
use crate::dirs;
use crate::limited::Limited;

/// Bytes written since the last sync that cause one: copies of them are kept.
const UNSYNCED_BYTES_MAX: usize = 8 << 20;

/// What a log file promises of a line it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogDurability {
    /// After a sync it survives the end of the power.
    Fsync,
    /// It survives the end of the process.
    Buffered,
}

/// A log file that lines are appended to.
///
/// Lines that it refuses, because its disk is full for instance, go to a
/// backlog in another place and from there into the log as soon as it takes
/// them, in their order.
pub(super) struct FileSink {
    path: PathBuf,
    durability: LogDurability,
    state: Mutex<State>,
    /// Held by whoever syncs or reopens: nobody else may say meanwhile that
    /// all is on the disk.
    turn: Mutex<()>,
    rotation: Rotation,
    refused: Limited,
    health: Arc<LogHealth>,
}

struct State {
    log: Log,
    backlog: Backlog,
    /// Copies of what was written since the last sync, if syncs are wanted: a
    /// sync that fails leaves open which of it reached the disk.
    unsynced: Vec<u8>,
    /// What is neither in the log nor in the backlog for sure.
    doubtful: Vec<u8>,
}

/// The open file.
struct Log {
    file: Arc<File>,
    /// Pipes and devices cannot be synced.
    is_regular: bool,
    /// The last line in it has no end.
    torn: bool,
    dirty: bool,
    /// Its name may not be on the disk.
    unnamed: bool,
}

impl FileSink {
    /// Opens the log, making it (mode 0640) where it is missing. `backlog` is
    /// the file for lines that the log refuses; it exists only when there are
    /// any. What an earlier process left there goes into the log.
    ///
    /// # Errors
    ///
    /// Fails if the log cannot be opened for appending, or the backlog is there
    /// and cannot be read.
    pub(super) fn open(
        path: impl Into<PathBuf>,
        backlog: &Path,
        durability: LogDurability,
        rotation: Rotation,
    ) -> Result<Self, SinkError> {
        let path = path.into();
        let log = open_log(&path)?;
        let backlog = Backlog::open(backlog).map_err(|source| SinkError::Open {
            path: backlog.to_owned(),
            source,
        })?;
        let sink = Self {
            path,
            durability,
            state: Mutex::new(State {
                log,
                backlog,
                unsynced: Vec::new(),
                doubtful: Vec::new(),
            }),
            turn: Mutex::new(()),
            rotation,
            refused: Limited::default(),
            health: Arc::default(),
        };
        sink.note_backlog(&sink.lock());
        sink.move_backlog();
        Ok(sink)
    }

    /// Takes whole lines, in one write so that those of two threads never mix.
    /// Once taken they are in the log or in the backlog.
    pub(super) fn append(&self, lines: &[u8]) -> Result<(), SinkError> {
        let mut state = self.lock();
        self.rescue(&mut state)?;
        let mut rest = lines;
        if state.backlog.is_empty() {
            match state.log.write(lines) {
                Ok(()) => rest = &[],
                Err(refusal) => {
                    self.tell_refusal(&state, &refusal.error);
                    rest = &lines[refusal.whole..];
                }
            }
        }
        if self.keeps_copies(&state) {
            let written = lines.len() - rest.len();
            state.unsynced.extend_from_slice(&lines[..written]);
        }
        if !rest.is_empty() {
            self.push(&mut state, rest)?;
        }
        let much = state.unsynced.len() > UNSYNCED_BYTES_MAX;
        drop(state);
        // What cannot be synced is in the backlog or doubtful, and told then.
        if much {
            let _ = self.sync();
        }
        Ok(())
    }

    /// Tells whether it cannot take lines and is not known to be better.
    pub(super) fn refuses(&self) -> bool {
        // Whoever has it may be waiting for the disk.
        let state = match self.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        state.backlog.refuses() || !state.doubtful.is_empty()
    }

    /// Makes every line that was taken before as durable as promised.
    pub(super) fn sync(&self) -> Result<(), SinkError> {
        let _turn = self.turn();
        let mut state = self.lock();
        self.rescue(&mut state)?;
        let log = state.log.take_unsynced();
        let unsynced = std::mem::take(&mut state.unsynced);
        drop(state);
        self.settle(log, unsynced)
    }

    /// Syncs a log that was in use with the copies of what was written to it;
    /// the copies go to the backlog when that fails.
    fn settle(&self, log: Option<Unsynced>, copies: Vec<u8>) -> Result<(), SinkError> {
        let Some(log) = log.filter(|_| self.durability == LogDurability::Fsync) else {
            return self.sync_backlog();
        };
        let syncing = self.health.begin_sync();
        let synced = log.sync(&self.path);
        drop(syncing);
        if let Err(error) = synced {
            let mut state = self.lock();
            self.tell_refusal(&state, &error);
            state.doubtful.extend_from_slice(&copies);
            self.rescue(&mut state)?;
        }
        self.sync_backlog()
    }

    fn sync_backlog(&self) -> Result<(), SinkError> {
        if self.durability == LogDurability::Buffered {
            return Ok(());
        }
        let mut state = self.lock();
        let synced = state.backlog.sync();
        synced.map_err(|source| self.backlog_error(&state, source))
    }

    /// Brings what is doubtful into the backlog.
    fn rescue(&self, state: &mut State) -> Result<(), SinkError> {
        if state.doubtful.is_empty() {
            return Ok(());
        }
        let lines = std::mem::take(&mut state.doubtful);
        let pushed = self.push(state, &lines);
        if pushed.is_err() {
            state.doubtful = lines;
        }
        pushed
    }

    fn push(&self, state: &mut State, lines: &[u8]) -> Result<(), SinkError> {
        let pushed = state.backlog.push(lines);
        if pushed.is_ok() {
            self.health.count_refused_lines(count_lines(lines));
            self.note_backlog(state);
        }
        pushed.map_err(|source| self.backlog_error(state, source))
    }

    fn note_backlog(&self, state: &State) {
        let waiting = state.backlog.waiting_bytes();
        self.health.note_backlog(waiting, state.backlog.since());
    }

    fn backlog_error(&self, state: &State, source: io::Error) -> SinkError {
        SinkError::Backlog {
            path: self.path.clone(),
            backlog: state.backlog.path().to_owned(),
            source,
        }
    }

    fn keeps_copies(&self, state: &State) -> bool {
        self.durability == LogDurability::Fsync && state.log.is_regular
    }

    /// Renames the log and begins a new one if it is time to. To be called about
    /// every second.
    pub(super) fn rotate(&self) {
        let file = {
            let state = self.lock();
            // What is owed goes into the one that refused it, first.
            if !state.log.is_regular || !state.backlog.is_empty() {
                return;
            }
            Arc::clone(&state.log.file)
        };
        let Ok(metadata) = file.metadata() else {
            return;
        };
        let begun = metadata.created().or_else(|_| metadata.modified());
        if !begun.is_ok_and(|begun| self.rotation.is_due(metadata.len(), begun)) {
            return;
        }
        if let Err(error) = self.begin_anew()
            && let Some(suppressed) = self.refused.pass()
        {
            tracing::error!(
                path = %self.path.display(),
                suppressed,
                error = &error as &dyn std::error::Error,
                "the log file cannot be rotated; it goes on"
            );
        }
    }

    fn begin_anew(&self) -> io::Result<()> {
        let old = rotation::free_name(&self.path, Timestamp::now());
        std::fs::rename(&self.path, &old)?;
        if let Err(error) = self.reopen() {
            std::fs::rename(&old, &self.path)?;
            return Err(error);
        }
        tracing::info!(path = %self.path.display(), old = %old.display(), "log file rotated");
        self.rotation.remove_old(&self.path)
    }

    /// Tries again what was refused before. To be called about every second.
    pub(super) fn retry(&self) {
        let mut state = self.lock();
        state.backlog.probe();
        if state.backlog.is_empty() && state.log.has_room() {
            // Nothing has to go there.
            state.backlog.forgive();
        }
        let owes = !state.backlog.is_empty();
        drop(state);
        if !owes {
            return;
        }
        // Under the same name may be a file on a disk that was repaired.
        match self.reopen() {
            Ok(()) => self.move_backlog(),
            Err(error) => self.tell_refusal(&self.lock(), &error),
        }
    }

    /// Moves lines of the backlog into the log as long as it takes them.
    fn move_backlog(&self) {
        let mut chunk = Vec::new();
        let mut lines = 0;
        loop {
            let mut state = self.lock();
            if state.backlog.is_empty() {
                break;
            }
            let moved = self.move_chunk(&mut state, &mut chunk);
            self.note_backlog(&state);
            match moved {
                Ok(moved) => lines += moved,
                Err(error) => return self.tell_refusal(&state, &error),
            }
        }
        if lines > 0 {
            tracing::info!(
                path = %self.path.display(),
                lines,
                "the log file takes lines again and has those it had refused"
            );
        }
    }

    /// Moves a chunk and, after the last, forgets the backlog. Returns the
    /// number of lines moved.
    fn move_chunk(&self, state: &mut State, chunk: &mut Vec<u8>) -> io::Result<usize> {
        state.backlog.read(chunk)?;
        if let Err(refusal) = state.log.write(chunk) {
            state.backlog.moved(refusal.whole);
            return Err(refusal.error);
        }
        state.backlog.moved(chunk.len());
        if state.backlog.is_empty() {
            // In the log for good, before the other copy goes.
            if let Some(log) = state.log.take_unsynced()
                && self.durability == LogDurability::Fsync
                && let Err(error) = log.sync(&self.path)
            {
                state.backlog.move_again();
                return Err(error);
            }
            state.backlog.clear()?;
        }
        Ok(count_lines(chunk) as usize)
    }

    fn tell_refusal(&self, state: &State, error: &io::Error) {
        if let Some(suppressed) = self.refused.pass() {
            tracing::error!(
                path = %self.path.display(),
                backlog = %state.backlog.path().display(),
                waiting_bytes = state.backlog.waiting_bytes(),
                suppressed,
                error = error as &dyn std::error::Error,
                "the log file refuses lines; they wait in the backlog and are tried again every second"
            );
        }
    }

    /// Opens the log again under its name. On an error the old one stays.
    pub(super) fn reopen(&self) -> io::Result<()> {
        let _turn = self.turn();
        let reopened = open_file(&self.path)?;
        let mut state = self.lock();
        let mut old = std::mem::replace(&mut state.log, reopened);
        let log = old.take_unsynced();
        let unsynced = std::mem::take(&mut state.unsynced);
        drop(state);
        // An error was told, and what it concerns is in the backlog.
        let _ = self.settle(log, unsynced);
        Ok(())
    }

    /// Returns how it fares.
    pub(super) fn health(&self) -> &Arc<LogHealth> {
        &self.health
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A write that ended early.
struct Refusal {
    /// Bytes of whole lines that were written.
    whole: usize,
    error: io::Error,
}

/// What a sync of a log has to do.
struct Unsynced {
    file: Arc<File>,
    unnamed: bool,
}

impl Unsynced {
    fn sync(&self, path: &Path) -> io::Result<()> {
        if self.unnamed {
            dirs::sync_name(path)?;
        }
        // Last, for it tells whether all of it can be believed.
        squall_queue::sync_data(&self.file)
    }
}

impl Log {
    /// Writes whole lines, after ending one that was cut short before.
    fn write(&mut self, lines: &[u8]) -> Result<(), Refusal> {
        if self.torn {
            let ended = (&*self.file).write_all(b"\n");
            ended.map_err(|error| Refusal { whole: 0, error })?;
            self.torn = false;
            self.dirty = true;
        }
        let mut done = 0;
        while done < lines.len() {
            let error = match (&*self.file).write(&lines[done..]) {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(written) => {
                    done += written;
                    self.dirty = true;
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            let whole = backlog::whole_lines(&lines[..done]);
            self.torn = whole < done;
            return Err(Refusal { whole, error });
        }
        Ok(())
    }

    /// Tells whether a few lines fit on its disk.
    fn has_room(&self) -> bool {
        const ROOM_BYTES: u64 = 64 << 10;
        !self.is_regular
            || rustix::fs::fstatvfs(&*self.file)
                .is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= ROOM_BYTES)
    }

    /// Takes note that all of it is about to be synced, if anything has to be.
    fn take_unsynced(&mut self) -> Option<Unsynced> {
        if !self.is_regular || !std::mem::take(&mut self.dirty) {
            return None;
        }
        Some(Unsynced {
            file: Arc::clone(&self.file),
            unnamed: std::mem::take(&mut self.unnamed),
        })
    }
}

fn open_log(path: &Path) -> Result<Log, SinkError> {
    open_file(path).map_err(|source| SinkError::Open {
        path: path.to_owned(),
        source,
    })
}

fn open_file(path: &Path) -> io::Result<Log> {
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)?;
    let metadata = file.metadata()?;
    let torn = metadata.is_file() && metadata.len() > 0 && !ends_line(&mut file)?;
    Ok(Log {
        file: Arc::new(file),
        is_regular: metadata.is_file(),
        torn,
        dirty: false,
        unnamed: true,
    })
}

fn count_lines(lines: &[u8]) -> u64 {
    lines.iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// Tells whether a file that is not empty ends with a whole line: a crash may
/// have cut one short, and the next is to stand alone.
fn ends_line(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests;
