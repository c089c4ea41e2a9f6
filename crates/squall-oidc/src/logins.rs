//! The logins that are under way.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use squall_access::site;
use subtle::ConstantTimeEq as _;

/// How long somebody has to log in at the provider.
pub const LOGIN_TIME_MAX: Duration = Duration::from_secs(600);
/// Most logins under way, and most that one address has begun. Where there are
/// more, the oldest goes: whoever begins many is in nobody's way but his own.
const LOGINS_MAX: usize = 4096;
const LOGINS_PER_SITE_MAX: usize = 32;
/// Random bytes of each secret. As text they have 43 characters, the fewest
/// that a verifier may have (RFC 7636, section 4.1).
const SECRET_LEN: usize = 32;

/// The logins under way. Kept are digests of the cookies that they belong to.
#[derive(Debug, Default)]
pub(crate) struct Logins(Mutex<HashMap<[u8; 32], Login>>);

/// A login under way.
#[derive(Debug)]
pub(crate) struct Login {
    /// What the provider hands back through the browser.
    state: String,
    /// What the ID token has to say.
    pub(crate) nonce: String,
    /// What proves that whoever brings the code began the login.
    pub(crate) verifier: String,
    begun: Instant,
    from: IpAddr,
}

/// What is sent out for a login that has begun.
#[derive(Debug)]
pub(crate) struct Sent {
    /// For the browser.
    pub(crate) cookie: String,
    pub(crate) state: String,
    pub(crate) nonce: String,
    /// The digest of the verifier (RFC 7636, `S256`).
    pub(crate) challenge: String,
}

impl Logins {
    /// Begins a login.
    ///
    /// # Errors
    ///
    /// Fails if the system gives no random bytes.
    pub(crate) fn begin(&self, from: IpAddr, now: Instant) -> Result<Sent, getrandom::Error> {
        let (cookie, verifier) = (draw()?, draw()?);
        let login = Login {
            state: draw()?,
            nonce: draw()?,
            begun: now,
            from: site(from),
            verifier,
        };
        let sent = Sent {
            state: login.state.clone(),
            nonce: login.nonce.clone(),
            challenge: BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&login.verifier)),
            cookie,
        };
        let mut logins = crate::lock(&self.0);
        logins.retain(|_, login| !login.is_over(now));
        let beside = logins.values().filter(|other| other.from == login.from);
        if beside.count() >= LOGINS_PER_SITE_MAX {
            remove_oldest(&mut logins, |other| other.from == login.from);
        }
        if logins.len() >= LOGINS_MAX {
            remove_oldest(&mut logins, |_| true);
        }
        logins.insert(key(&sent.cookie), login);
        Ok(sent)
    }

    /// Takes the login that `cookie` and `state` belong to. It is good once. An
    /// answer to another one leaves it there: it may be to one that was begun
    /// in another tab before.
    pub(crate) fn take(&self, cookie: &str, state: &str, now: Instant) -> Option<Login> {
        let mut logins = crate::lock(&self.0);
        // Found by digest: how long that takes tells nothing of the cookie.
        let key = key(cookie);
        let login = logins.get(&key)?;
        let is_its: bool = login.state.as_bytes().ct_eq(state.as_bytes()).into();
        let is_over = login.is_over(now);
        let login = (is_its || is_over).then(|| logins.remove(&key)).flatten();
        login.filter(|_| !is_over)
    }
}

impl Login {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.begun) >= LOGIN_TIME_MAX
    }
}

fn remove_oldest(logins: &mut HashMap<[u8; 32], Login>, is_meant: impl Fn(&Login) -> bool) {
    let meant = logins.iter().filter(|(_, login)| is_meant(login));
    let oldest = meant.min_by_key(|(_, login)| login.begun);
    if let Some(key) = oldest.map(|(&key, _)| key) {
        logins.remove(&key);
    }
}

fn draw() -> Result<String, getrandom::Error> {
    let mut random = [0; SECRET_LEN];
    getrandom::fill(&mut random)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(random))
}

fn key(cookie: &str) -> [u8; 32] {
    Sha256::digest(cookie.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 1, 2, 3));

    #[test]
    fn a_login_is_good_once_for_its_browser_and_not_for_ever() {
        let logins = Logins::default();
        let now = Instant::now();
        let (one, two) = (
            logins.begin(HERE, now).unwrap(),
            logins.begin(HERE, now).unwrap(),
        );
        // Another's state, another's cookie, none.
        assert!(logins.take(&one.cookie, &two.state, now).is_none());
        assert!(logins.take(&two.cookie, &one.state, now).is_none());
        for (cookie, state) in [("", one.state.as_str()), (&one.cookie, ""), ("", "")] {
            assert!(logins.take(cookie, state, now).is_none());
        }
        let login = logins.take(&one.cookie, &one.state, now).unwrap();
        assert_eq!(login.nonce, one.nonce);
        assert_eq!(login.verifier.len(), 43);
        let digest = Sha256::digest(login.verifier.as_bytes());
        assert_eq!(BASE64_URL_SAFE_NO_PAD.encode(digest), one.challenge);
        // Brought again.
        assert!(logins.take(&one.cookie, &one.state, now).is_none());
        // Too late, and gone with it.
        assert!(
            logins
                .take(&two.cookie, &two.state, now + LOGIN_TIME_MAX)
                .is_none()
        );
        assert!(logins.take(&two.cookie, &two.state, now).is_none());
        let all = [&one.cookie, &one.state, &one.nonce, &login.verifier];
        for (at, secret) in all.iter().enumerate() {
            assert!(!all[..at].contains(secret));
        }
    }

    #[test]
    fn there_are_not_more_than_so_many_and_no_address_has_them_all() {
        let logins = Logins::default();
        let now = Instant::now();
        let later = |n: usize| now + Duration::from_micros(n as u64);
        let mine = logins.begin(HERE, now).unwrap();
        let greedy = |n: u16| format!("2001:db8::{n:x}").parse().unwrap();
        let first = logins.begin(greedy(0), later(1)).unwrap();
        for n in 0..u16::try_from(LOGINS_MAX).unwrap() {
            logins.begin(greedy(n), later(2 + usize::from(n))).unwrap();
        }
        // All of these are one address's.
        assert_eq!(crate::lock(&logins.0).len(), 1 + LOGINS_PER_SITE_MAX);
        assert!(logins.take(&first.cookie, &first.state, now).is_none());
        for n in 0..u32::try_from(LOGINS_MAX).unwrap() {
            logins
                .begin(IpAddr::from(n.to_be_bytes()), later(10_000))
                .unwrap();
        }
        assert_eq!(crate::lock(&logins.0).len(), LOGINS_MAX);
        assert!(logins.take(&mine.cookie, &mine.state, now).is_none());
        // What is over makes room.
        logins.begin(HERE, now + 2 * LOGIN_TIME_MAX).unwrap();
        assert_eq!(crate::lock(&logins.0).len(), 1);
    }
}
