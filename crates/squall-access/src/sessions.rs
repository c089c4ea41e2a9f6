//! Sessions of browsers: begun with a token, and good no longer than it, or by
//! a log-in at a provider.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::principal::Principal;
use crate::token::TokenId;

/// How long a session lasts.
pub const SESSION_TIME_MAX: Duration = Duration::from_secs(12 * 3600);
/// How long it lasts without a request.
const IDLE_MAX: Duration = Duration::from_secs(2 * 3600);
/// Most sessions at the same time; the one that was idle for longest goes.
const SESSIONS_MAX: usize = 1024;
/// Random bytes of a session's id.
const ID_LEN: usize = 32;

/// The sessions of a running service. They end with it.
///
/// Kept are digests of their ids, so that whoever reads the memory of the
/// service has none of them.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<HashMap<[u8; 32], Session>>);

/// Whose session it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// That of a token, as long as the token is good.
    Token(TokenId),
    /// That of somebody who logged in at a provider, which says what he may do
    /// when he logs in, and not again until the session is over.
    Provider(Principal),
}

#[derive(Debug)]
struct Session {
    holder: Holder,
    begun: Instant,
    used: Instant,
}

impl Session {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.begun) >= SESSION_TIME_MAX
            || now.saturating_duration_since(self.used) >= IDLE_MAX
    }
}

impl Sessions {
    /// Begins a session, and returns its id, which is a secret.
    ///
    /// # Errors
    ///
    /// Fails if the system gives no random bytes.
    pub fn begin(&self, holder: Holder, now: Instant) -> Result<String, getrandom::Error> {
        let mut random = [0; ID_LEN];
        getrandom::fill(&mut random)?;
        let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut sessions = crate::lock(&self.0);
        sessions.retain(|_, session| !session.is_over(now));
        if sessions.len() >= SESSIONS_MAX {
            let idlest = sessions.iter().min_by_key(|(_, session)| session.used);
            if let Some(key) = idlest.map(|(&key, _)| key) {
                sessions.remove(&key);
            }
        }
        let session = Session {
            holder,
            begun: now,
            used: now,
        };
        sessions.insert(key(&id), session);
        Ok(id)
    }

    /// Returns whose session it is, if it is not over.
    #[must_use]
    pub fn holder(&self, id: &str, now: Instant) -> Option<Holder> {
        let mut sessions = crate::lock(&self.0);
        // Found by digest: how long that takes tells nothing of the id.
        let session = sessions.get_mut(&key(id))?;
        if session.is_over(now) {
            sessions.remove(&key(id));
            return None;
        }
        session.used = now;
        Some(session.holder.clone())
    }

    /// Ends a session.
    pub fn end(&self, id: &str) {
        crate::lock(&self.0).remove(&key(id));
    }
}

fn key(id: &str) -> [u8; 32] {
    Sha256::digest(id.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::Role;

    fn token() -> Holder {
        Holder::Token(crate::Token::draw().unwrap().id())
    }

    #[test]
    fn a_session_ends_when_it_is_told_idle_or_old() {
        let sessions = Sessions::default();
        let now = Instant::now();
        let ana = Principal::of_provider("https://a.example", "1", "ana", Role::Read);
        let (a, b) = (token(), Holder::Provider(ana));
        let one = sessions.begin(a.clone(), now).unwrap();
        let two = sessions.begin(b.clone(), now).unwrap();
        assert_eq!(one.len(), 2 * ID_LEN);
        assert_eq!(sessions.holder(&one, now), Some(a.clone()));
        assert_eq!(sessions.holder(&two, now), Some(b.clone()));
        assert_eq!(sessions.holder("", now), None);
        sessions.end(&one);
        assert_eq!(sessions.holder(&one, now), None);
        let mut then = now;
        while then < now + SESSION_TIME_MAX {
            assert_eq!(sessions.holder(&two, then), Some(b.clone()));
            then += IDLE_MAX / 2;
        }
        assert_eq!(sessions.holder(&two, then), None);
        let idle = sessions.begin(a, now).unwrap();
        assert_eq!(sessions.holder(&idle, now + IDLE_MAX), None);
    }

    #[test]
    fn there_are_not_more_than_so_many() {
        let sessions = Sessions::default();
        let now = Instant::now();
        let first = sessions.begin(token(), now).unwrap();
        for n in 1..=SESSIONS_MAX {
            let at = now + Duration::from_millis(n as u64);
            sessions.begin(token(), at).unwrap();
        }
        assert_eq!(crate::lock(&sessions.0).len(), SESSIONS_MAX);
        assert_eq!(sessions.holder(&first, now), None);
    }
}
