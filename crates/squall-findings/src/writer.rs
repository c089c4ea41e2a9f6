//! The one thread that writes: findings, counts, reviews, and what keeps the
//! store within its bounds.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};
use squall_api::v1::Finding;

use crate::database;
use crate::error::FindingsError;
use crate::insert::Inserter;
use crate::record::{Record, SampleRef};
use crate::retention::{self, Deleted};
use crate::reviews::{self, NewReview};
use crate::runs::{self, RunBegin, RunEnd};
use crate::store::Shared;

/// Messages written in one transaction.
const BATCH_MAX: usize = 512;
/// How often counts are written.
const COUNTS_INTERVAL: Duration = Duration::from_secs(1);
/// How often it is looked for what is too old or too much.
const RETENTION_INTERVAL: Duration = Duration::from_secs(10);
/// Pause before a batch that could not be written is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// How often a batch is tried that fails for reasons of its own.
const TRIES_MAX: u32 = 3;

/// What the writer is sent.
pub(crate) enum Message {
    Finding {
        finding: Box<Finding>,
        sample: Option<SampleRef>,
        /// What it counts in `Shared::waiting_bytes`.
        bytes: usize,
        since: Instant,
    },
    RunBegin(RunBegin),
    RunEnd(RunEnd),
    Review {
        review: NewReview,
        reply: SyncSender<Result<bool, FindingsError>>,
    },
    Flush {
        reply: SyncSender<()>,
    },
}

/// What a message wants written.
enum Change {
    Finding(Box<Record>),
    RunBegin(RunBegin),
    RunEnd(RunEnd),
    Review(NewReview, SyncSender<Result<bool, FindingsError>>),
    Flush(SyncSender<()>),
}

pub(crate) struct Writer {
    shared: Arc<Shared>,
    connection: Connection,
    receiver: Receiver<Message>,
    inserter: Inserter,
    counts_written: Instant,
    retention_done: Instant,
    /// The last look left something to delete.
    deleting: bool,
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        connection: Connection,
        receiver: Receiver<Message>,
    ) -> Self {
        let now = Instant::now();
        Self {
            shared,
            connection,
            receiver,
            inserter: Inserter::default(),
            counts_written: now,
            retention_done: now,
            deleting: true,
        }
    }

    /// Writes until the store is closed.
    pub(crate) fn run(mut self) {
        loop {
            // Before the messages are taken: what was sent until then is written.
            let stopping = self.shared.stopping.load(Ordering::Acquire);
            let batch = self.receive(stopping);
            let idle = batch.is_empty();
            self.write(batch);
            self.shared.writing.store(false, Ordering::Release);
            self.write_counts(stopping);
            self.keep_in_bounds();
            self.look_for_damage();
            if stopping && idle {
                break;
            }
        }
        // So that one whole file is left, to be backed up or moved. SQLite does
        // that by itself only if no reader has the database open.
        self.shared.readers.renew();
        let done = self
            .connection
            .execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);");
        if let Err(error) = done {
            self.fail(&FindingsError::during("end its log of changes")(error));
        }
    }

    /// Waits for messages and takes those that are there.
    fn receive(&self, stopping: bool) -> Vec<Change> {
        let wait = if stopping || self.deleting {
            Duration::ZERO
        } else {
            COUNTS_INTERVAL / 4
        };
        let mut batch = Vec::new();
        match self.receiver.recv_timeout(wait) {
            Ok(message) => batch.extend(self.change(message)),
            Err(RecvTimeoutError::Timeout) => return batch,
            Err(RecvTimeoutError::Disconnected) => {
                self.shared.stopping.store(true, Ordering::Release);
                return batch;
            }
        }
        while batch.len() < BATCH_MAX
            && let Ok(message) = self.receiver.try_recv()
        {
            batch.extend(self.change(message));
        }
        batch
    }

    /// Makes of a message what is to be written.
    fn change(&self, message: Message) -> Option<Change> {
        match message {
            Message::Finding {
                finding,
                sample,
                bytes,
                since,
            } => {
                self.shared.writing.store(true, Ordering::Release);
                self.shared.waiting.fetch_sub(1, Ordering::AcqRel);
                self.shared.waiting_bytes.fetch_sub(bytes, Ordering::AcqRel);
                let lag = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
                self.shared.lag_ms.store(lag, Ordering::Release);
                match Record::of(*finding, sample) {
                    Ok(record) => Some(Change::Finding(Box::new(record))),
                    Err(error) => {
                        tracing::warn!(?sample, %error, "a finding cannot be kept in the store");
                        None
                    }
                }
            }
            Message::RunBegin(run) => Some(Change::RunBegin(run)),
            Message::RunEnd(run) => Some(Change::RunEnd(run)),
            Message::Review { review, reply } => Some(Change::Review(review, reply)),
            Message::Flush { reply } => Some(Change::Flush(reply)),
        }
    }

    /// Writes a batch, trying again while there is hope: a full disk may get
    /// room, a damaged database is replaced.
    fn write(&mut self, batch: Vec<Change>) {
        if batch.is_empty() {
            return;
        }
        let mut tries = 0;
        let error = loop {
            match self.try_write(&batch) {
                Ok(()) => return,
                Err(error) if error.is_damage() && tries < TRIES_MAX => self.replace(&error),
                Err(error) => {
                    let passes = is_passing(&error);
                    if self.shared.stopping.load(Ordering::Acquire)
                        || (!passes && tries >= TRIES_MAX)
                    {
                        break error;
                    }
                    if tries == 0 {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "the findings store cannot be written, it is tried again"
                        );
                    }
                    std::thread::sleep(RETRY_PAUSE);
                }
            }
            tries = tries.saturating_add(1);
        };
        let findings = batch
            .iter()
            .filter(|change| matches!(change, Change::Finding(_)));
        self.shared.put_off(findings.count() as u64);
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a batch of findings is not in the findings store"
        );
    }

    fn try_write(&mut self, batch: &[Change]) -> Result<(), FindingsError> {
        let failed = FindingsError::during("write findings");
        let transaction = self.connection.transaction().map_err(&failed)?;
        let mut inserted = 0;
        let mut known = Vec::new();
        for change in batch {
            let done = match change {
                Change::Finding(record) => self.inserter.insert(&transaction, record),
                Change::RunBegin(run) => runs::begin(&transaction, run).map(|()| false),
                Change::RunEnd(run) => runs::end(&transaction, run).map(|()| false),
                Change::Review(review, _) => reviews::write(&transaction, review).map(|found| {
                    known.push(found);
                    false
                }),
                Change::Flush(_) => Ok(false),
            };
            match done {
                Ok(new) => inserted += u64::from(new),
                Err(error) => {
                    // The ids it remembers may be rolled back.
                    self.inserter = Inserter::default();
                    return Err(failed(error));
                }
            }
        }
        if let Err(error) = transaction.commit() {
            self.inserter = Inserter::default();
            return Err(failed(error));
        }
        self.shared.stored.fetch_add(inserted, Ordering::AcqRel);
        self.answer(batch, &known);
        Ok(())
    }

    /// Tells those who wait that their changes are written.
    fn answer(&self, batch: &[Change], known: &[bool]) {
        let reviews = batch.iter().filter_map(|change| match change {
            Change::Review(review, _) => Some(review),
            _ => None,
        });
        let found = reviews.zip(known).filter(|(_, known)| **known);
        let found: Vec<&NewReview> = found.map(|(review, _)| review).collect();
        let appended = reviews::append(&self.shared.config.path, &found);
        let mut known = known.iter();
        for change in batch {
            match change {
                Change::Review(_, reply) => {
                    let is_known = known.next().copied().unwrap_or(false);
                    let answer = match (is_known, &appended) {
                        (true, Err(error)) => Err(error.again()),
                        (is_known, _) => Ok(is_known),
                    };
                    // Nobody waits any more.
                    let _ = reply.try_send(answer);
                }
                Change::Flush(reply) => {
                    let _ = reply.try_send(());
                }
                _ => {}
            }
        }
    }

    fn write_counts(&mut self, now: bool) {
        if !now && self.counts_written.elapsed() < COUNTS_INTERVAL {
            return;
        }
        self.counts_written = Instant::now();
        let counts = self.shared.tally.take();
        if counts.is_empty() {
            return;
        }
        let write = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            counts.write(&transaction)?;
            transaction.commit()
        };
        if let Err(error) = write(&mut self.connection) {
            self.shared.tally.give_back(counts);
            self.fail(&FindingsError::during("count samples")(error));
        }
    }

    /// Deletes what is too old or too much, one batch at a time.
    fn keep_in_bounds(&mut self) {
        if !self.deleting && self.retention_done.elapsed() < RETENTION_INTERVAL {
            return;
        }
        self.retention_done = Instant::now();
        match self.delete_batch() {
            Ok(deleted) => {
                let findings = deleted.findings as u64;
                self.shared.stored.fetch_sub(findings, Ordering::AcqRel);
                self.deleting = findings > 0;
                if deleted.senders > 0 {
                    self.inserter = Inserter::default();
                }
            }
            Err(error) => {
                self.deleting = false;
                self.fail(&FindingsError::during("delete old findings")(error));
            }
        }
    }

    fn delete_batch(&mut self) -> rusqlite::Result<Deleted> {
        let now = jiff::Timestamp::now().as_microsecond();
        let stored = self.shared.stored.load(Ordering::Acquire);
        let transaction = self.connection.transaction()?;
        let mut deleted = retention::run(&transaction, &self.shared.config, stored, now)?;
        if deleted.findings == 0 {
            deleted.senders = retention::forget_senders(&transaction)?;
        }
        transaction.commit()?;
        Ok(deleted)
    }

    /// Looks whether a reader was right that the database is damaged.
    fn look_for_damage(&mut self) {
        if !self.shared.damage_seen.swap(false, Ordering::AcqRel) {
            return;
        }
        let check: rusqlite::Result<String> =
            self.connection
                .query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
        match check {
            Ok(answer) if answer == "ok" => {}
            Ok(_) => self.replace(&FindingsError::Document),
            Err(error) => self.fail(&FindingsError::during("check its database")(error)),
        }
    }

    fn fail(&mut self, error: &FindingsError) {
        if error.is_damage() {
            self.replace(error);
        } else {
            tracing::error!(error = error as &dyn std::error::Error, "findings store");
        }
    }

    /// Moves the damaged database aside and begins a new one, which then asks
    /// for what it lacks.
    fn replace(&mut self, damage: &FindingsError) {
        self.inserter = Inserter::default();
        match self.try_replace() {
            Ok(aside) => tracing::error!(
                error = damage as &dyn std::error::Error,
                moved_to = %aside.display(),
                "the findings store is damaged, it is made anew"
            ),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the findings store is damaged and cannot be replaced"
                );
                std::thread::sleep(RETRY_PAUSE);
            }
        }
    }

    fn try_replace(&mut self) -> Result<std::path::PathBuf, FindingsError> {
        let path = &self.shared.config.path;
        let failed = FindingsError::during("replace its database");
        // Closes the damaged one.
        self.connection = Connection::open_in_memory().map_err(failed)?;
        let aside = database::move_aside(path)?;
        self.connection = database::open_writer(path)?;
        reviews::restore_all(&mut self.connection, path)?;
        self.shared.stored.store(0, Ordering::Release);
        self.shared.readers.renew();
        self.shared.behind.store(true, Ordering::Release);
        Ok(aside)
    }
}

/// Tells whether the cause may pass by itself: no room, no access, busy.
fn is_passing(error: &FindingsError) -> bool {
    match error {
        FindingsError::Database { source, .. } => matches!(
            source.sqlite_error_code(),
            Some(
                ErrorCode::DiskFull
                    | ErrorCode::SystemIoFailure
                    | ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::CannotOpen
                    | ErrorCode::ReadOnly
                    | ErrorCode::OutOfMemory
            )
        ),
        _ => false,
    }
}
