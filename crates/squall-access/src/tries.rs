//! Makes guessing slow.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::token::Token;

/// Wrong tries that an address has at once.
const TRIES_MAX: u32 = 10;
/// How long until it has another one.
const TRY_INTERVAL: Duration = Duration::from_secs(6);
/// How long a good token goes on being looked at, whatever others try from its
/// address.
const GOOD_FOR: Duration = Duration::from_secs(3600);
/// Most addresses, and most good tokens, that are remembered.
const ENTRIES_MAX: usize = 4096;

/// The tries of each address.
///
/// An address that tried too often is not listened to for a while: what it
/// shows is not even looked at. But a token that was good from there before
/// goes on being good: collectors behind one address are not shut out by a
/// neighbour.
#[derive(Debug, Default)]
pub struct Tries(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When all tries of an address will be there again.
    full_at: HashMap<IpAddr, Instant>,
    /// When a token was good last.
    good: HashMap<(IpAddr, [u8; 32]), Instant>,
}

impl Tries {
    /// Tells how long `address` is to wait before `token` is looked at;
    /// nothing if it may be now.
    #[must_use]
    pub fn wait(&self, address: IpAddr, token: Option<&Token>, now: Instant) -> Option<Duration> {
        let address = site(address);
        let state = crate::lock(&self.0);
        let full_at = *state.full_at.get(&address)?;
        let debt = full_at.saturating_duration_since(now);
        let wait = debt.checked_sub(TRY_INTERVAL * (TRIES_MAX - 1))?;
        let good = token.and_then(|token| state.good.get(&(address, token.digest())));
        let is_good = good.is_some_and(|&at| now.saturating_duration_since(at) < GOOD_FOR);
        (!is_good && !wait.is_zero()).then_some(wait)
    }

    /// Notes a wrong try.
    pub fn failed(&self, address: IpAddr, now: Instant) {
        let mut state = crate::lock(&self.0);
        let before = state.full_at.get(&site(address)).copied();
        let full_at = before.map_or(now, |before| before.max(now)) + TRY_INTERVAL;
        insert(&mut state.full_at, site(address), full_at);
    }

    /// Notes that `token` is good.
    pub fn succeeded(&self, address: IpAddr, token: &Token, now: Instant) {
        let mut state = crate::lock(&self.0);
        insert(&mut state.good, (site(address), token.digest()), now);
    }
}

/// Returns what stands for everybody who may be at `address`: whoever has one
/// IPv6 address has 2^64 of them.
#[must_use]
pub fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

/// Inserts an entry; where there are too many, the one with the earliest time
/// goes.
fn insert<K: Copy + Eq + Hash>(entries: &mut HashMap<K, Instant>, key: K, at: Instant) {
    if entries.insert(key, at).is_none() && entries.len() > ENTRIES_MAX {
        let earliest = entries.iter().min_by_key(|&(_, &at)| at);
        if let Some(key) = earliest.map(|(&key, _)| key) {
            entries.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_guesses_is_not_listened_to_and_others_are() {
        let tries = Tries::default();
        let (here, there) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let now = Instant::now();
        for _ in 0..TRIES_MAX {
            assert_eq!(tries.wait(here, None, now), None);
            tries.failed(here, now);
        }
        assert_eq!(tries.wait(here, None, now), Some(TRY_INTERVAL));
        assert_eq!(tries.wait(there, None, now), None);
        assert_eq!(tries.wait(here, None, now + TRY_INTERVAL), None);
    }

    #[test]
    fn a_token_that_was_good_goes_on() {
        let tries = Tries::default();
        let here = "10.0.0.1".parse().unwrap();
        let (good, other) = (Token::draw().unwrap(), Token::draw().unwrap());
        let now = Instant::now();
        tries.succeeded(here, &good, now);
        for _ in 0..2 * TRIES_MAX {
            tries.failed(here, now);
        }
        assert_eq!(tries.wait(here, Some(&good), now), None);
        assert!(tries.wait(here, Some(&other), now).is_some());
        assert!(
            tries
                .wait("10.0.0.2".parse().unwrap(), Some(&other), now)
                .is_none()
        );
    }

    #[test]
    fn one_site_is_one_guesser_and_guessers_are_bounded() {
        let tries = Tries::default();
        let now = Instant::now();
        for n in 0..TRIES_MAX {
            tries.failed(format!("2001:db8::{n}").parse().unwrap(), now);
        }
        let same = "2001:db8::ffff".parse().unwrap();
        assert!(tries.wait(same, None, now).is_some());
        for n in 0..2 * u32::try_from(ENTRIES_MAX).unwrap() {
            tries.failed(IpAddr::from(n.to_be_bytes()), now);
        }
        assert_eq!(crate::lock(&tries.0).full_at.len(), ENTRIES_MAX);
        assert!(tries.wait(same, None, now).is_some());
    }
}
