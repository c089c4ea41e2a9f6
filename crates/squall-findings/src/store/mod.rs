//! The store as the rest of the program sees it.

mod reading;
mod shared;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use squall_api::v1::{Finding, Review};
use squall_types::Report;

use crate::config::FindingsConfig;
use crate::database::{self, Lock, Readers};
use crate::error::FindingsError;
use crate::record::{Record, SampleRef};
use crate::reviews::NewReview;
use crate::runs::{RunBegin, RunEnd};
use crate::tally::{Sample, Tally};
use crate::writer::{Message, Writer};
use crate::{details, insert, retention, reviews};
pub(crate) use shared::Shared;
use shared::weight;

/// How long a review waits for the writer.
const REVIEW_WAIT_MAX: Duration = Duration::from_secs(10);
/// How long a finding that is offered again waits for room.
const ROOM_WAIT_MAX: Duration = Duration::from_secs(10);
/// How long a caller that may wait looks whether the writer has room.
const ROOM_CHECK_INTERVAL: Duration = Duration::from_millis(5);

/// The findings store; cheap to clone. One writer thread feeds it, searches
/// read beside it.
#[derive(Clone)]
pub struct Findings(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    sender: SyncSender<Message>,
    writer: Mutex<Option<JoinHandle<()>>>,
    _lock: Lock,
}

/// What opening the store brought to light.
#[derive(Debug, Default)]
pub struct Opened {
    /// Findings stored.
    pub stored: u64,
    /// Where the database that was damaged was moved to; the store is new.
    pub set_aside: Option<PathBuf>,
    /// Reviews that a new database got back from the file beside it.
    pub reviews_restored: u64,
}

/// How the feeding goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedStats {
    /// Findings stored.
    pub stored: u64,
    /// Findings that wait for the writer.
    pub waiting: u64,
    /// Findings that were put off since the start because the writer was
    /// behind or could not write.
    pub put_off: u64,
    /// How long the findings written last had waited.
    pub lag_ms: u64,
    /// Whether findings were put off that have not been offered again.
    pub behind: bool,
}

impl Findings {
    /// Opens the store and starts its writer. A database that is damaged is
    /// moved aside and a new one begun; [`Findings::take_behind`] then asks
    /// for what it held.
    ///
    /// # Errors
    ///
    /// Fails if another process has the store open, if the database cannot be
    /// opened, or if a newer version made it.
    pub fn open(config: FindingsConfig) -> Result<(Self, Opened), FindingsError> {
        let lock = database::lock(&config.path)?;
        let mut opened = Opened::default();
        let mut connection = match database::open_writer(&config.path) {
            Err(error) if error.is_damage() => {
                opened.set_aside = Some(database::move_aside(&config.path)?);
                database::open_writer(&config.path)?
            }
            connection => connection?,
        };
        let failed = FindingsError::during("count the findings");
        let count = |table: &str| -> Result<i64, FindingsError> {
            connection
                .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                    row.get(0)
                })
                .map_err(&failed)
        };
        opened.stored = crate::number::count(count("finding")?);
        if count("review")? == 0 {
            opened.reviews_restored = reviews::restore_all(&mut connection, &config.path)?;
        }
        let (sender, receiver) = sync_channel(config.waiting_max);
        let shared = Arc::new(Shared {
            readers: Arc::new(Readers::new(&config.path, config.query_time_max)),
            tally: Tally::default(),
            waiting: AtomicUsize::new(0),
            writing: AtomicBool::new(false),
            waiting_bytes: AtomicUsize::new(0),
            stored: AtomicU64::new(opened.stored),
            put_off: AtomicU64::new(0),
            lag_ms: AtomicU64::new(0),
            behind: AtomicBool::new(true),
            damage_seen: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            config,
        });
        let writer = Writer::new(Arc::clone(&shared), connection, receiver);
        let thread = std::thread::Builder::new()
            .name("findings".to_owned())
            .spawn(move || writer.run())
            .map_err(crate::error::io_error(
                "start a thread for",
                &shared.config.path,
            ))?;
        let inner = Inner {
            shared,
            sender,
            writer: Mutex::new(Some(thread)),
            _lock: lock,
        };
        Ok((Self(Arc::new(inner)), opened))
    }

    /// Takes the findings of a scan. Never waits: where the writer is behind,
    /// they are put off, and [`Findings::take_behind`] asks for them later.
    pub fn offer(&self, report: &Report) {
        if report.outcome.is_clean() {
            return;
        }
        let sample = SampleRef {
            id: report.id.value(),
            sha256: Some(report.submission.digests.sha256),
        };
        for finding in squall_report::v1::findings(report) {
            self.send(finding, Some(sample));
        }
    }

    fn send(&self, finding: Finding, sample: Option<SampleRef>) {
        let shared = &self.0.shared;
        let bytes = weight(&finding);
        let waiting = shared.waiting_bytes.fetch_add(bytes, Ordering::AcqRel);
        if waiting + bytes <= shared.config.waiting_bytes_max {
            shared.waiting.fetch_add(1, Ordering::AcqRel);
            let message = Message::Finding {
                finding: Box::new(finding),
                sample,
                bytes,
                since: Instant::now(),
            };
            match self.0.sender.try_send(message) {
                Ok(()) => return,
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                    shared.waiting.fetch_sub(1, Ordering::AcqRel);
                }
            }
        }
        shared.waiting_bytes.fetch_sub(bytes, Ordering::AcqRel);
        shared.put_off(1);
    }

    /// Counts a sample that was accepted.
    pub fn count_sample(&self, sample: &Sample<'_>) {
        self.0.shared.tally.add(sample);
    }

    /// Notes that a collector's run began.
    pub fn begin_run(&self, run: RunBegin) {
        self.note(Message::RunBegin(run));
    }

    /// Notes how a collector's run ended.
    pub fn end_run(&self, run: RunEnd) {
        self.note(Message::RunEnd(run));
    }

    fn note(&self, message: Message) {
        if self.0.sender.try_send(message).is_err() {
            tracing::warn!("the findings store is behind: a collector's run is not noted");
        }
    }

    /// Notes what an analyst makes of a finding; returns it as it is stored,
    /// or `None` if there is no such finding.
    ///
    /// # Errors
    ///
    /// Fails if the writer does not get to it in time, or cannot write.
    pub fn review(&self, review: NewReview) -> Result<Option<Review>, FindingsError> {
        let (reply, answer) = sync_channel(1);
        let event_id = review.event_id.clone();
        self.0
            .sender
            .try_send(Message::Review { review, reply })
            .map_err(|_| FindingsError::Closed)?;
        let known = answer
            .recv_timeout(REVIEW_WAIT_MAX)
            .map_err(|_| FindingsError::Closed)??;
        if !known {
            return Ok(None);
        }
        self.read(|connection| {
            details::review(connection, &event_id).map_err(FindingsError::during("read a review"))
        })
    }

    /// Notes what an analyst makes of several findings; returns how many of
    /// them there are.
    ///
    /// # Errors
    ///
    /// Fails if the writer does not get to all of them in time, or cannot
    /// write; some may be noted then.
    pub fn review_all(&self, reviews: Vec<NewReview>) -> Result<u64, FindingsError> {
        let mut answers = Vec::with_capacity(reviews.len());
        for review in reviews {
            let (reply, answer) = sync_channel(1);
            self.0
                .sender
                .try_send(Message::Review { review, reply })
                .map_err(|_| FindingsError::Closed)?;
            answers.push(answer);
        }
        let mut known = 0;
        let deadline = Instant::now() + REVIEW_WAIT_MAX;
        for answer in answers {
            let left = deadline.saturating_duration_since(Instant::now());
            let answer = answer.recv_timeout(left);
            known += u64::from(answer.map_err(|_| FindingsError::Closed)??);
        }
        Ok(known)
    }

    pub(crate) fn readers(&self) -> Arc<Readers> {
        Arc::clone(&self.0.shared.readers)
    }

    pub(crate) fn read<T>(
        &self,
        query: impl FnOnce(&rusqlite::Connection) -> Result<T, FindingsError>,
    ) -> Result<T, FindingsError> {
        let answer = self.0.shared.readers.read(query);
        if let Err(error) = &answer
            && error.is_damage()
        {
            self.0.shared.damage_seen.store(true, Ordering::Release);
        }
        answer
    }

    /// Returns how the feeding goes.
    #[must_use]
    pub fn stats(&self) -> FeedStats {
        let shared = &self.0.shared;
        FeedStats {
            stored: shared.stored.load(Ordering::Acquire),
            waiting: shared.waiting.load(Ordering::Acquire) as u64,
            put_off: shared.put_off.load(Ordering::Acquire),
            lag_ms: shared.lag_ms.load(Ordering::Acquire),
            behind: shared.behind.load(Ordering::Acquire),
        }
    }

    /// Tells whether findings were offered that are not stored yet.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        let shared = &self.0.shared;
        shared.waiting.load(Ordering::Acquire) > 0
            || shared.writing.load(Ordering::Acquire)
            || shared.behind.load(Ordering::Acquire)
    }

    /// Tells, once, that findings may be missing: after the start, after some
    /// were put off, and after the database was made anew. Whoever asks is to
    /// call [`Findings::offer_again`] with all that is known elsewhere.
    #[must_use]
    pub fn take_behind(&self) -> bool {
        self.0.shared.behind.swap(false, Ordering::AcqRel)
    }

    /// Offers a finding that may be stored already, and waits for room. What
    /// is as old as findings that were deleted does not come back. Returns
    /// whether it was missing.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read, or if there is no room for long.
    pub fn offer_again(
        &self,
        finding: Finding,
        sample: Option<SampleRef>,
    ) -> Result<bool, FindingsError> {
        // An id it has spares making a record of it.
        if let Some(event_id) = finding.meta.event_id.as_deref()
            && self.knows(event_id)?
        {
            return Ok(false);
        }
        let Ok(record) = Record::of(finding.clone(), sample) else {
            return Ok(false);
        };
        if self.knows(&record.event_id)? || self.is_past(record.time_us)? {
            return Ok(false);
        }
        let shared = &self.0.shared;
        // The room is for what is found now.
        let deadline = Instant::now() + ROOM_WAIT_MAX;
        while shared.waiting.load(Ordering::Acquire) > shared.config.waiting_max / 4
            || shared.waiting_bytes.load(Ordering::Acquire) > shared.config.waiting_bytes_max / 4
        {
            if shared.stopping.load(Ordering::Acquire) || Instant::now() > deadline {
                return Err(FindingsError::Closed);
            }
            std::thread::sleep(ROOM_CHECK_INTERVAL);
        }
        self.send(finding, sample);
        Ok(true)
    }

    fn knows(&self, event_id: &str) -> Result<bool, FindingsError> {
        self.read(|connection| {
            insert::knows(connection, event_id).map_err(FindingsError::during("look up a finding"))
        })
    }

    /// Tells whether findings of that time have been deleted.
    fn is_past(&self, time_us: i64) -> Result<bool, FindingsError> {
        if let Some(age) = self.0.shared.config.age_max {
            let age_us = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
            let oldest = jiff::Timestamp::now()
                .as_microsecond()
                .saturating_sub(age_us);
            if time_us < oldest {
                return Ok(true);
            }
        }
        let horizon = self.read(|connection| {
            retention::horizon(connection).map_err(FindingsError::during("look up a finding"))
        })?;
        Ok(horizon.is_some_and(|horizon| time_us <= horizon))
    }

    /// Waits until all that was offered before is stored, for `limit` at most;
    /// returns whether it is.
    #[must_use]
    pub fn flush(&self, limit: Duration) -> bool {
        let (reply, answer) = sync_channel(1);
        let deadline = Instant::now() + limit;
        let mut message = Message::Flush { reply };
        loop {
            match self.0.sender.try_send(message) {
                Ok(()) => break,
                Err(TrySendError::Full(back)) if Instant::now() < deadline => {
                    message = back;
                    std::thread::sleep(ROOM_CHECK_INTERVAL);
                }
                Err(_) => return false,
            }
        }
        answer
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            .is_ok()
    }

    /// Writes what waits and ends the writer; further findings are put off.
    pub fn close(&self) {
        self.0.shared.stopping.store(true, Ordering::Release);
        let thread = self
            .0
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writer of the findings store panicked");
        }
    }
}

impl std::fmt::Debug for Findings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Findings")
            .field("path", &self.0.shared.config.path)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
