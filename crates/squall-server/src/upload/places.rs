//! How many uploads there may be at the same time.
//!
//! What is bounded is memory, so an upload needs one of the few large places
//! only once it is larger than [`SMALL_LEN_MAX`]. Hundreds of clients that
//! begin an upload and fall silent therefore keep nobody out; they are as many
//! as there may be connections.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;

/// Longest body that needs no large place, in bytes.
pub(crate) const SMALL_LEN_MAX: u64 = 64 * 1024;

/// The places for uploads.
#[derive(Debug)]
pub(crate) struct Places {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
    large_max: usize,
}

/// One upload's place; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    _small: OwnedSemaphorePermit,
    large: Option<OwnedSemaphorePermit>,
}

/// There is no place for the upload.
#[derive(Debug, thiserror::Error)]
#[error("too many uploads at the same time")]
pub(crate) struct NoPlace;

impl Places {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            small: Arc::new(Semaphore::new(limits.connections_max)),
            large: Arc::new(Semaphore::new(limits.uploads_max)),
            large_max: limits.uploads_max,
        })
    }

    /// Takes a place for an upload that announces `len` bytes, if anything.
    pub(crate) fn take(self: &Arc<Self>, len: Option<u64>) -> Result<Place, NoPlace> {
        let small = Arc::clone(&self.small).try_acquire_owned();
        let mut place = Place {
            places: Arc::clone(self),
            _small: small.map_err(|_| NoPlace)?,
            large: None,
        };
        place.grow_to(len.unwrap_or_default())?;
        Ok(place)
    }
}

impl Place {
    /// Makes sure that an upload of `len` bytes may go on.
    pub(crate) fn grow_to(&mut self, len: u64) -> Result<(), NoPlace> {
        if len > SMALL_LEN_MAX && self.large.is_none() {
            let large = Arc::clone(&self.places.large).try_acquire_owned();
            self.large = Some(large.map_err(|_| NoPlace)?);
        }
        Ok(())
    }

    /// Tells whether this is a large place and others may be waiting for it.
    pub(crate) fn is_wanted(&self) -> bool {
        self.large.is_some() && self.places.large.available_permits() * 4 < self.places.large_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Arc<Places> {
        Places::new(&Limits {
            connections_max: 3,
            uploads_max: 1,
            ..Limits::default()
        })
    }

    #[test]
    fn small_uploads_leave_the_large_places_alone() {
        let places = places();
        let mut first = places.take(None).unwrap();
        let mut second = places.take(Some(SMALL_LEN_MAX)).unwrap();
        first.grow_to(SMALL_LEN_MAX + 1).unwrap();
        first.grow_to(u64::MAX).unwrap();
        second.grow_to(SMALL_LEN_MAX + 1).unwrap_err();
        drop(first);
        second.grow_to(SMALL_LEN_MAX + 1).unwrap();
        places.take(Some(u64::MAX)).unwrap_err();
        let _third = places.take(None).unwrap();
        let _fourth = places.take(None).unwrap();
        places.take(None).unwrap_err();
    }

    #[test]
    fn only_scarce_large_places_are_wanted() {
        let places = Places::new(&Limits {
            uploads_max: 4,
            ..Limits::default()
        });
        let small = places.take(None).unwrap();
        let held: Vec<_> = (0..4)
            .map(|n| {
                let place = places.take(Some(u64::MAX)).unwrap();
                assert_eq!(place.is_wanted(), n == 3);
                place
            })
            .collect();
        assert!(!small.is_wanted());
        assert!(held[0].is_wanted());
    }
}
