//! How many uploads there may be at the same time, and how many bytes they may
//! bring.
//!
//! What is bounded is memory and the disk, so an upload needs one of the few
//! large places only once it is larger than [`SMALL_LEN_MAX`]. Hundreds of
//! clients that begin an upload and fall silent therefore keep nobody out; they
//! are as many as there may be connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::bound::Bound;
use crate::config::Limits;
use crate::turnover::Turnover;

/// Longest body that needs no large place, in bytes.
pub(crate) const SMALL_LEN_MAX: u64 = 64 * 1024;

/// The places for uploads.
#[derive(Debug)]
pub(crate) struct Places {
    small: Arc<Semaphore>,
    small_max: usize,
    large: Arc<Semaphore>,
    large_max: usize,
    /// Bytes announced or received that are not in the queue yet.
    bytes: AtomicU64,
    bytes_max: u64,
    /// Bytes received since the start.
    received: AtomicU64,
    /// Places that were given back.
    turnover: Turnover,
    /// When an upload that makes no progress is cut.
    patience: Duration,
}

/// One upload's place; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    small: Option<OwnedSemaphorePermit>,
    large: Option<OwnedSemaphorePermit>,
    /// Bytes it has among those in flight.
    bytes: u64,
    /// Bytes of it that were received.
    received: u64,
    /// The upload was let in.
    is_taken: bool,
}

/// There is no place for the upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.text())]
pub(crate) struct NoPlace(pub(crate) Bound);

impl Places {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            small: Arc::new(Semaphore::new(limits.connections_max)),
            small_max: limits.connections_max,
            large: Arc::new(Semaphore::new(limits.uploads_max)),
            large_max: limits.uploads_max,
            bytes: AtomicU64::new(0),
            bytes_max: limits.bytes_in_flight_max,
            received: AtomicU64::new(0),
            turnover: Turnover::new(),
            patience: limits.body_timeout,
        })
    }

    /// Takes a place for an upload that announces `len` bytes, if anything.
    pub(crate) fn take(self: &Arc<Self>, len: Option<u64>) -> Result<Place, NoPlace> {
        let small = Arc::clone(&self.small).try_acquire_owned();
        let mut place = Place {
            places: Arc::clone(self),
            small: Some(small.map_err(|_| NoPlace(Bound::Uploads))?),
            large: None,
            bytes: 0,
            received: 0,
            is_taken: false,
        };
        place.reserve(len.unwrap_or_default())?;
        place.is_taken = true;
        Ok(place)
    }

    /// Returns when a sender that found no place should come again.
    pub(crate) fn retry_after(&self) -> Duration {
        let large = self.large_max - self.large.available_permits();
        let in_use = self.uploads().max(large) as u64;
        self.turnover.until_free(in_use, self.patience)
    }

    /// Returns how many uploads are being received.
    pub(crate) fn uploads(&self) -> usize {
        self.small_max
            .saturating_sub(self.small.available_permits())
    }

    /// Returns the bytes announced or received that are not in the queue yet.
    pub(crate) fn bytes_in_flight(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Returns the bytes of uploads received since the start.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Adds bytes to those in flight. One upload alone may exceed the bound,
    /// or a large one would be sent back for ever.
    fn reserve(&self, bytes: u64, own: u64) -> Result<(), NoPlace> {
        let reserve = |in_flight: u64| {
            let sum = in_flight.saturating_add(bytes);
            (sum <= self.bytes_max || in_flight == own).then_some(sum)
        };
        let order = Ordering::Relaxed;
        let reserved = self.bytes.fetch_update(order, order, reserve);
        reserved
            .map(drop)
            .map_err(|_| NoPlace(Bound::BytesInFlight))
    }
}

impl Place {
    /// Makes sure that an upload whose first `len` bytes arrived may go on.
    pub(crate) fn grow_to(&mut self, len: u64) -> Result<(), NoPlace> {
        let new = len.saturating_sub(self.received);
        self.places.received.fetch_add(new, Ordering::Relaxed);
        self.received += new;
        self.reserve(len)
    }

    fn reserve(&mut self, len: u64) -> Result<(), NoPlace> {
        if len > SMALL_LEN_MAX && self.large.is_none() {
            let large = Arc::clone(&self.places.large).try_acquire_owned();
            self.large = Some(large.map_err(|_| NoPlace(Bound::Uploads))?);
        }
        if len > self.bytes {
            self.places.reserve(len - self.bytes, self.bytes)?;
            self.bytes = len;
        }
        Ok(())
    }

    /// Gives back all but the bytes, when the upload is complete and its
    /// sample waits in memory.
    pub(crate) fn arrived(&mut self) {
        self.small = None;
        self.large = None;
    }

    /// Tells whether this is a large place and others may be waiting for it.
    pub(crate) fn is_wanted(&self) -> bool {
        let places = &self.places;
        self.large.is_some()
            && (places.large.available_permits() * 4 < places.large_max
                || places.bytes_in_flight() > places.bytes_max / 4 * 3)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        if self.is_taken {
            self.places.turnover.record();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Arc<Places> {
        Places::new(&Limits {
            connections_max: 3,
            uploads_max: 1,
            bytes_in_flight_max: u64::MAX,
            ..Limits::default()
        })
    }

    #[test]
    fn small_uploads_leave_the_large_places_alone() {
        let places = places();
        let mut first = places.take(None).unwrap();
        let mut second = places.take(Some(SMALL_LEN_MAX)).unwrap();
        first.grow_to(SMALL_LEN_MAX + 1).unwrap();
        first.grow_to(u64::MAX / 2).unwrap();
        second.grow_to(SMALL_LEN_MAX + 1).unwrap_err();
        drop(first);
        second.grow_to(SMALL_LEN_MAX + 1).unwrap();
        places.take(Some(u64::MAX)).unwrap_err();
        let mut third = places.take(None).unwrap();
        let _fourth = places.take(None).unwrap();
        places.take(None).unwrap_err();
        assert_eq!(places.uploads(), 3);
        third.arrived();
        assert_eq!(places.uploads(), 2);
        places.take(None).unwrap();
    }

    #[test]
    fn a_refused_sender_is_told_to_wait_as_long_as_uploads_take() {
        let places = places();
        let held = places.take(Some(SMALL_LEN_MAX + 1)).unwrap();
        // None has ended yet: it is cut when it makes no progress.
        assert_eq!(places.retry_after(), Limits::default().body_timeout);
        places.take(Some(SMALL_LEN_MAX + 1)).unwrap_err();
        assert_eq!(places.retry_after(), Limits::default().body_timeout);
        drop(held);
        assert!(places.retry_after() <= Duration::from_secs(2));
    }

    #[test]
    fn bytes_in_flight_are_bounded_and_given_back() {
        let places = Places::new(&Limits {
            bytes_in_flight_max: 1000,
            ..Limits::default()
        });
        // Alone, it may be larger than the bound.
        let mut large = places.take(Some(2000)).unwrap();
        large.grow_to(3000).unwrap();
        assert_eq!(
            places.take(Some(1)).unwrap_err(),
            NoPlace(Bound::BytesInFlight)
        );
        large.arrived();
        assert_eq!(places.bytes_in_flight(), 3000);
        drop(large);
        let mut first = places.take(Some(600)).unwrap();
        let mut second = places.take(None).unwrap();
        second.grow_to(400).unwrap();
        assert_eq!(
            second.grow_to(401).unwrap_err(),
            NoPlace(Bound::BytesInFlight)
        );
        // What was announced was counted already.
        first.grow_to(600).unwrap();
        assert_eq!(places.bytes_in_flight(), 1000);
        drop((first, second));
        assert_eq!(places.bytes_in_flight(), 0);
        assert_eq!(places.received(), 3000 + 401 + 600);
    }

    #[test]
    fn only_scarce_large_places_are_wanted() {
        let places = Places::new(&Limits {
            uploads_max: 4,
            bytes_in_flight_max: u64::MAX,
            ..Limits::default()
        });
        let small = places.take(None).unwrap();
        let held: Vec<_> = (0..4)
            .map(|n| {
                let place = places.take(Some(SMALL_LEN_MAX + 1)).unwrap();
                assert_eq!(place.is_wanted(), n == 3);
                place
            })
            .collect();
        assert!(!small.is_wanted());
        assert!(held[0].is_wanted());
    }
}
