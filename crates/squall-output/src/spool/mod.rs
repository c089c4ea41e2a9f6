//! What a receiver is owed, on disk: a queue of bounded size that survives the
//! end of the process and, once synced, of the power.
//!
//! Records have numbers and lie in segments, files that are only appended to.
//! The end that is read has two marks: what was sent, and what is known to have
//! arrived. The second is kept in a file of its own, and only what is below it
//! is ever removed — but when the spool is full, the oldest segment goes: what
//! happens now is worth more to whoever watches than what the log files have had
//! for long.
//!
//! None of the crates that keep queues in files was fit: they hold all records
//! in memory, know no checksums, or refuse what is new when they are full.

mod cursor;
mod record;
mod segment;
mod state;

use std::collections::VecDeque;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::delivery::Sample;
use crate::health::OutputHealth;
use tokio::sync::Notify;

use cursor::Cursor;
pub(crate) use record::BODY_BYTES_MAX;
use record::Parse;
use segment::Segment;
use state::{State, sync_names};

/// The largest and the smallest segment, and how many a full spool has.
const SEGMENT_BYTES_MAX: u64 = 16 << 20;
const SEGMENT_BYTES_MIN: u64 = 64 << 10;
const SEGMENTS: u64 = 16;

/// A segment with less in it is written on even when all of it has arrived.
const KEPT_BYTES_MAX: u64 = 256 << 10;

/// How a spool is kept.
#[derive(Clone, Debug)]
pub(crate) struct SpoolConfig {
    /// Its directory.
    pub(crate) dir: PathBuf,
    /// Its most bytes.
    pub(crate) bytes_max: u64,
    /// Whether a sync forces it to stable storage.
    pub(crate) durable: bool,
}

/// A place between two records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Number of the record behind it.
    number: u64,
    /// The first number of the segment that the one before it is in.
    segment: u64,
    /// Bytes before it in that segment.
    offset: u64,
}

/// A record that was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// What is to be sent.
    pub(crate) body: Vec<u8>,
    /// When its finding was made, in milliseconds since 1970-01-01 UTC.
    pub(crate) time_ms: u64,
    /// The sample that it was made of, if that has a trace.
    pub(crate) sample: Option<Sample>,
    /// The place behind it.
    pub(crate) end: Place,
}

/// The spool of one receiver.
#[derive(Debug)]
pub(crate) struct Spool {
    config: SpoolConfig,
    segment_bytes_max: u64,
    state: Mutex<State>,
    /// Held by whoever syncs: nobody else may say meanwhile that all is on the
    /// disk.
    turn: Mutex<()>,
    arrived: Notify,
    health: Arc<OutputHealth>,
}

impl Spool {
    /// Opens a spool with what an earlier process left in it.
    ///
    /// # Errors
    ///
    /// Fails if its directory or a file in it cannot be made or read.
    pub(crate) fn open(config: SpoolConfig, health: Arc<OutputHealth>) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&config.dir)?;
        let (cursor, number) = Cursor::open(&config.dir)?;
        let mut paths = Vec::new();
        for entry in fs::read_dir(&config.dir)? {
            paths.push(entry?.path());
        }
        // Their numbers are padded, so that the order is that of the names.
        paths.sort();
        let mut state = State {
            segments: VecDeque::new(),
            writing: None,
            next: number,
            bytes: 0,
            confirmed: Place {
                number,
                ..Place::default()
            },
            sent: Place::default(),
            cursor,
            unsynced: Vec::new(),
            unnamed: true,
            refused: false,
            dropping: false,
            damaged: None,
        };
        for path in paths {
            health.count_dropped(state.take(&path)?);
        }
        state.sent = state.confirmed;
        // Where the power ended before the records were on the disk but after
        // the mark was: new ones must not look as if they had arrived.
        let end = state.segments.back().map_or(0, Segment::end);
        state.next = state.next.max(end);
        let spool = Self {
            segment_bytes_max: (config.bytes_max / SEGMENTS)
                .clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX),
            config,
            state: Mutex::new(state),
            turn: Mutex::new(()),
            arrived: Notify::new(),
            health,
        };
        spool.note_lag(&spool.lock());
        spool.note_oldest()?;
        Ok(spool)
    }

    /// Takes records, all found at that time in that sample, which is told only
    /// if it has a trace. Drops the oldest where there is no room.
    ///
    /// # Errors
    ///
    /// Fails if the disk refuses; some of the records may be in then.
    pub(crate) fn append(
        &self,
        time_ms: u64,
        sample: Option<&Sample>,
        bodies: &[Vec<u8>],
    ) -> io::Result<()> {
        let mut state = self.lock();
        let was_empty = self.lag(&state) == 0;
        let mut appended = Ok(());
        let mut chunk = Vec::new();
        let mut count = 0;
        for (index, body) in bodies.iter().enumerate() {
            record::write(&mut chunk, time_ms, sample, body);
            count += 1;
            let full = chunk.len() as u64 >= SEGMENT_BYTES_MIN;
            if full || index + 1 == bodies.len() {
                self.make_room(&mut state, chunk.len() as u64);
                appended = state.write(&self.config.dir, self.segment_bytes_max, &chunk, count);
                if appended.is_err() {
                    break;
                }
                chunk.clear();
                count = 0;
            }
        }
        state.refused = appended.is_err();
        if was_empty && self.lag(&state) > 0 {
            self.health.note_oldest(time_ms);
        }
        self.note_lag(&state);
        drop(state);
        self.arrived.notify_one();
        appended
    }

    /// Drops the oldest segments until so many bytes fit.
    fn make_room(&self, state: &mut State, bytes: u64) {
        while state.bytes + bytes > self.config.bytes_max {
            let Some(oldest) = state.segments.front() else {
                return;
            };
            let lost = oldest
                .end()
                .saturating_sub(oldest.first.max(state.confirmed.number));
            if lost > 0 {
                self.health.count_dropped(lost);
                if !std::mem::replace(&mut state.dropping, true) {
                    tracing::error!(
                        target = self.health.target(),
                        spool = %self.config.dir.display(),
                        bytes_max = self.config.bytes_max,
                        "the spool of a receiver is full; the oldest findings in it are dropped"
                    );
                }
            }
            state.remove_oldest();
        }
    }

    /// Waits until there may be more to send.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Reads the records behind a place, at least one if there is any, and no
    /// more than about `bytes_max` bytes.
    ///
    /// # Errors
    ///
    /// Fails if the disk cannot be read.
    pub(crate) fn read(&self, mut from: Place, bytes_max: usize) -> io::Result<Vec<Record>> {
        let mut chunk = Vec::new();
        loop {
            let found = {
                let state = self.lock();
                let mut segments = state.segments.iter();
                segments
                    .find(|segment| segment.end() > from.number)
                    .cloned()
            };
            let Some(segment) = found else {
                return Ok(Vec::new());
            };
            if segment.first != from.segment {
                // It is the next one, or those between were dropped.
                from = Place {
                    number: segment.first,
                    segment: segment.first,
                    offset: 0,
                };
            }
            match segment.read(from.offset, bytes_max, &mut chunk) {
                Ok(()) => {}
                // Dropped meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound && self.is_gone(&segment) => {
                    from.number = segment.end();
                    continue;
                }
                Err(error) => return Err(error),
            }
            let records = records(&chunk, from, segment.end());
            if !records.is_empty() {
                return Ok(records);
            }
            from = self.pass_over(&segment, from);
        }
    }

    fn is_gone(&self, segment: &Segment) -> bool {
        let state = self.lock();
        !state
            .segments
            .iter()
            .any(|kept| kept.first == segment.first)
    }

    /// Gives up the rest of a segment whose bytes are not what was written, once:
    /// whoever comes this way again does not find it any more.
    fn pass_over(&self, segment: &Segment, from: Place) -> Place {
        let lost = {
            let mut state = self.lock();
            let lost = state.cut(segment.first, from.number);
            self.note_lag(&state);
            lost
        };
        self.health.count_dropped(lost);
        tracing::error!(
            target = self.health.target(),
            path = %segment.path.display(),
            offset = from.offset,
            lost,
            "the spool of a receiver is damaged; findings in it cannot be sent"
        );
        Place {
            number: from.number + lost,
            segment: segment.first,
            offset: segment.bytes,
        }
    }

    /// Notes that everything before a place was sent; `next_ms` is the time of
    /// the record behind it, if that is known.
    pub(crate) fn note_sent(&self, place: Place, next_ms: Option<u64>) {
        let mut state = self.lock();
        state.sent = place;
        if let Some(next_ms) = next_ms {
            self.health.note_oldest(next_ms);
        }
        self.note_lag(&state);
    }

    /// Notes that everything before a place has arrived, and removes it.
    pub(crate) fn confirm(&self, place: Place) {
        let mut state = self.lock();
        if place.number <= state.confirmed.number {
            return;
        }
        state.confirmed = place;
        while let Some(oldest) = state.segments.front()
            && oldest.end() <= place.number
        {
            let is_last = state.segments.len() == 1 && state.writing.is_some();
            if is_last && oldest.bytes < KEPT_BYTES_MAX {
                break;
            }
            state.remove_oldest();
        }
        if self.lag(&state) == 0 {
            state.dropping = false;
        }
        if let Err(error) = state.cursor.write(place.number) {
            tracing::warn!(
                target = self.health.target(),
                error = &error as &dyn std::error::Error,
                "cannot note what a receiver has; it may get findings again"
            );
        }
    }

    /// Goes back to what is known to have arrived; returns that place.
    pub(crate) fn rewind(&self) -> Place {
        let place = {
            let mut state = self.lock();
            state.sent = state.confirmed;
            self.note_lag(&state);
            state.confirmed
        };
        // Shown only.
        let _ = self.note_oldest();
        place
    }

    /// Makes what was taken before as durable as promised.
    ///
    /// # Errors
    ///
    /// Fails if the disk refuses; it is tried again the next time.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let (unsynced, unnamed) = {
            let mut state = self.lock();
            (
                std::mem::take(&mut state.unsynced),
                std::mem::take(&mut state.unnamed),
            )
        };
        if !self.config.durable {
            return Ok(());
        }
        let mut synced = Ok(());
        let mut left = Vec::new();
        for unsynced in unsynced {
            if synced.is_ok() {
                synced = unsynced.sync();
            }
            if synced.is_err() {
                left.push(unsynced);
            }
        }
        if synced.is_ok() && unnamed {
            synced = sync_names(&self.config.dir);
        }
        if synced.is_err() {
            let mut state = self.lock();
            state.unsynced.splice(..0, left);
            state.unnamed |= unnamed;
        }
        synced
    }

    /// Tells whether the disk refused records and is not known to be better.
    pub(crate) fn refuses(&self) -> bool {
        self.lock().refused
    }

    /// Looks whether a disk that refused records takes some again. To be called
    /// about every second.
    pub(crate) fn retry(&self) {
        let mut state = self.lock();
        if state.refused {
            let probed = state.probe(&self.config.dir, self.segment_bytes_max);
            state.refused = probed.is_err();
        }
    }

    /// Returns its directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.config.dir
    }

    /// Returns how it fares.
    pub(crate) fn health(&self) -> &Arc<OutputHealth> {
        &self.health
    }

    /// Returns how many bytes are yet to be sent.
    fn lag(&self, state: &State) -> u64 {
        let sent = state.sent;
        let behind = state.segments.iter().filter(|s| s.end() > sent.number);
        behind
            .map(|segment| match segment.first == sent.segment {
                true => segment.bytes.saturating_sub(sent.offset),
                false => segment.bytes,
            })
            .sum()
    }

    /// Returns how many records are yet to be sent.
    fn waiting(state: &State) -> u64 {
        let sent = state.sent.number;
        let segments = state.segments.iter();
        segments
            .map(|segment| segment.end().saturating_sub(segment.first.max(sent)))
            .sum()
    }

    fn note_lag(&self, state: &State) {
        self.health.note_lag(Self::waiting(state), self.lag(state));
    }

    /// Finds out how old the oldest is that is yet to be sent.
    fn note_oldest(&self) -> io::Result<()> {
        let from = self.lock().sent;
        if let Some(oldest) = self.read(from, 1)?.first() {
            self.health.note_oldest(oldest.time_ms);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the records at the beginning of a chunk that begins at a place.
fn records(chunk: &[u8], mut place: Place, end: u64) -> Vec<Record> {
    let mut records = Vec::new();
    let mut at = 0;
    while place.number < end
        && let Parse::Record(record) = record::parse(&chunk[at..])
    {
        at += record.len;
        place.number += 1;
        place.offset += record.len as u64;
        records.push(Record {
            body: record.body.to_vec(),
            time_ms: record.time_ms,
            sample: record.sample,
            end: place,
        });
    }
    records
}

#[cfg(test)]
mod tests;
