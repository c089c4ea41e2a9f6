//! The task that brings what is in a spool to its receiver, in order.

mod unsettled;

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::config::Target;
use crate::dead_letters::{DeadLetters, PutAside};
use crate::delivery::{Deliveries, Delivery, Ended};
use crate::link::{Link, LinkError, Trust};
use crate::spool::{Place, Record, Spool};
use unsettled::Unsettled;

/// Bytes read from the spool at a time.
const BATCH_BYTES: usize = 256 << 10;

/// How long it may go on sending once it is told to stop.
const STOP_TIME_MAX: Duration = Duration::from_secs(5);

/// How long it waits when its spool cannot be read.
const SPOOL_WAIT: Duration = Duration::from_secs(5);

/// What brings the records of one spool to one receiver.
pub(crate) struct Drain {
    target: Target,
    trust: Trust,
    spool: Arc<Spool>,
    letters: DeadLetters,
    deliveries: Deliveries,
    stop: CancellationToken,
    /// How often the record at the beginning was refused.
    refusals: u32,
    /// Whether the last thing that was told is that it fails.
    failing: bool,
}

/// How a connection came to its end.
enum End {
    /// Nothing was under way.
    Idle,
    /// It was told to stop.
    Stopped,
}

/// Why sending failed.
#[derive(Debug, thiserror::Error)]
enum DrainError {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("cannot read the spool")]
    Spool(#[from] std::io::Error),
    /// The disk, that is: a receiver that refuses is asked again.
    #[error("cannot put a finding aside that the receiver refuses")]
    Letters(#[source] std::io::Error),
}

impl Drain {
    /// Makes what brings the records of `spool` to `target` until `stop` and
    /// tells `deliveries` of it; what it refuses for good goes to `letters`.
    pub(crate) const fn new(
        target: Target,
        trust: Trust,
        spool: Arc<Spool>,
        letters: DeadLetters,
        deliveries: Deliveries,
        stop: CancellationToken,
    ) -> Self {
        Self {
            target,
            trust,
            spool,
            letters,
            deliveries,
            stop,
            refusals: 0,
            failing: false,
        }
    }

    /// Sends until it is told to stop.
    pub(crate) async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            if !self.has_work().await {
                return;
            }
            let before = self.spool.rewind();
            let stop = self.stop.clone();
            let begun = self.deliveries.now();
            let ended = tokio::select! {
                ended = self.session() => ended,
                () = deadline(&stop) => Ok(End::Stopped),
            };
            let arrived = self.spool.rewind() != before;
            if arrived {
                backoff.reset();
            }
            let wait = match ended {
                Ok(End::Stopped) => return,
                Ok(End::Idle) => Duration::ZERO,
                Err(error) => {
                    self.tell(&error);
                    match &error {
                        DrainError::Link(error) => {
                            self.deliveries.failed(begun, error);
                            backoff.next().max(error.after().unwrap_or_default())
                        }
                        DrainError::Spool(_) => SPOOL_WAIT,
                        DrainError::Letters(_) => backoff.next(),
                    }
                }
            };
            tokio::select! {
                () = sleep(wait) => {}
                () = self.stop.cancelled() => return,
            }
        }
    }

    /// Waits until there is something to send; returns whether there is.
    async fn has_work(&self) -> bool {
        loop {
            if self.stop.is_cancelled() {
                return false;
            }
            if self.spool.health().lag_bytes() > 0 {
                return true;
            }
            tokio::select! {
                () = self.spool.arrived() => {}
                () = self.stop.cancelled() => return false,
            }
        }
    }

    /// Connects, and sends until the connection ends.
    async fn session(&mut self) -> Result<End, DrainError> {
        let mut link = tokio::select! {
            opened = Link::open(&self.target, &self.trust) => opened?,
            () = self.stop.cancelled() => return Ok(End::Stopped),
        };
        let expiry = link.lifetime().map(|lifetime| Instant::now() + lifetime);
        let mut from = self.spool.rewind();
        let mut unsettled = Unsettled::default();
        loop {
            if let Some(settle_time) = link.settle_time() {
                self.settle(&mut unsettled, settle_time);
            }
            let records = self.read(from).await?;
            if !records.is_empty() {
                from = self.send(&mut link, records).await?;
                if link.settle_time().is_some() {
                    unsettled.push(from);
                }
                continue;
            }
            if self.stop.is_cancelled() {
                if link.finish().await {
                    self.spool.confirm(from);
                }
                return Ok(End::Stopped);
            }
            let is_idle = unsettled.is_empty();
            tokio::select! {
                () = self.spool.arrived() => {}
                () = at(unsettled.next(link.settle_time().unwrap_or_default())) => {}
                () = at(expiry), if is_idle => return Ok(End::Idle),
                () = self.stop.cancelled() => {}
                // A connection on which nothing is under way may be ended.
                error = link.broken() => {
                    return if is_idle { Ok(End::Idle) } else { Err(error.into()) };
                }
            }
        }
    }

    /// Sends records; returns the place behind them.
    async fn send(&mut self, link: &mut Link, records: Vec<Record>) -> Result<Place, DrainError> {
        let mut end = Place::default();
        let mut records = records.into_iter().peekable();
        let mut kept_back = Vec::new();
        while let Some(record) = records.next() {
            let delivery = self.deliveries.begin(&record);
            match link.send(&record.body).await {
                Ok(()) => {
                    self.spool.health().count_sent(1);
                    self.tell_recovery();
                    kept_back.push(delivery);
                    if !link.keeps_back() {
                        self.sent(&mut kept_back);
                    }
                }
                Err(error) => self.give_up(&record, delivery, error)?,
            }
            self.refusals = 0;
            end = record.end;
            if link.settle_time().is_none() {
                self.spool.confirm(end);
            }
            let next_ms = records.peek().map(|next| next.time_ms);
            self.spool.note_sent(end, next_ms);
        }
        link.flush().await?;
        self.sent(&mut kept_back);
        Ok(end)
    }

    /// Tells of deliveries that were sent.
    fn sent(&mut self, deliveries: &mut Vec<Delivery>) {
        for delivery in deliveries.drain(..) {
            self.deliveries.ended(delivery, &Ended::Sent);
        }
    }

    /// Puts a record aside that was refused too often.
    ///
    /// # Errors
    ///
    /// Returns the error if it is to be sent again: it is not refused often
    /// enough, or the disk refuses it, so that it would be nowhere.
    fn give_up(
        &mut self,
        record: &Record,
        delivery: Delivery,
        error: LinkError,
    ) -> Result<(), DrainError> {
        let tries_max = match &self.target {
            Target::Webhook(target) => target.tries_max,
            Target::Syslog(_) => return Err(error.into()),
        };
        self.refusals += u32::from(error.is_refusal());
        if !error.is_refusal() || self.refusals < tries_max {
            return Err(error.into());
        }
        let health = self.spool.health();
        let target = health.target();
        let file = self.letters.path().display();
        let pushed = self.letters.push(&record.body, &error.to_string());
        let pushed = pushed.inspect_err(|error| {
            tracing::error!(
                target,
                %file,
                error = error as &dyn std::error::Error,
                "a finding that the receiver refuses cannot be put aside; it stays in the spool, \
                 and those behind it wait"
            );
        });
        let pushed = pushed.map_err(DrainError::Letters)?;
        health.count_dropped(1);
        match pushed {
            PutAside::Done => tracing::error!(
                target,
                tries = self.refusals,
                %file,
                error = &error as &dyn std::error::Error,
                "the receiver refuses a finding again and again; it is put aside"
            ),
            PutAside::NoRoom => tracing::error!(
                target,
                tries = self.refusals,
                %file,
                error = &error as &dyn std::error::Error,
                "the receiver refuses a finding again and again, and the file for those is as \
                 large as it may become; it is dropped"
            ),
        }
        self.deliveries.ended(delivery, &Ended::GivenUp(&error));
        Ok(())
    }

    async fn read(&self, from: Place) -> std::io::Result<Vec<Record>> {
        let spool = Arc::clone(&self.spool);
        let reading = tokio::task::spawn_blocking(move || spool.read(from, BATCH_BYTES));
        reading.await.map_err(std::io::Error::other)?
    }

    /// Takes for arrived what was sent long enough ago.
    fn settle(&self, unsettled: &mut Unsettled, settle_time: Duration) {
        if let Some(place) = unsettled.settled(settle_time) {
            self.spool.confirm(place);
        }
    }

    fn tell(&mut self, error: &DrainError) {
        let told = std::mem::replace(&mut self.failing, true);
        let health = self.spool.health();
        let error = error as &dyn std::error::Error;
        let (target, lag_bytes) = (health.target(), health.lag_bytes());
        if told {
            tracing::debug!(target, lag_bytes, error, "still cannot send findings");
        } else {
            tracing::warn!(
                target,
                lag_bytes,
                error,
                "cannot send findings; they wait on the disk until the receiver takes them"
            );
        }
    }

    fn tell_recovery(&mut self) {
        if std::mem::replace(&mut self.failing, false) {
            let target = self.spool.health().target();
            tracing::info!(target, "the receiver takes findings again");
        }
    }
}

/// Waits until it is time to end although not all is sent.
async fn deadline(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(STOP_TIME_MAX).await;
}

/// Waits until a time, for ever if there is none.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests;
