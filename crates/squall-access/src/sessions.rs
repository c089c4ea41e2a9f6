//! Sessions of browsers: begun with a token, and good no longer than it.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

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

#[derive(Debug)]
struct Session {
    token: TokenId,
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
    /// Begins a session of the holder of `token`, and returns its id, which is
    /// a secret.
    ///
    /// # Errors
    ///
    /// Fails if the system gives no random bytes.
    pub fn begin(&self, token: TokenId, now: Instant) -> Result<String, getrandom::Error> {
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
            token,
            begun: now,
            used: now,
        };
        sessions.insert(key(&id), session);
        Ok(id)
    }

    /// Returns the token that a session was begun with, if it is not over.
    #[must_use]
    pub fn token(&self, id: &str, now: Instant) -> Option<TokenId> {
        let mut sessions = crate::lock(&self.0);
        // Found by digest: how long that takes tells nothing of the id.
        let session = sessions.get_mut(&key(id))?;
        if session.is_over(now) {
            sessions.remove(&key(id));
            return None;
        }
        session.used = now;
        Some(session.token)
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

    fn token() -> TokenId {
        crate::Token::draw().unwrap().id()
    }

    #[test]
    fn a_session_ends_when_it_is_told_idle_or_old() {
        let sessions = Sessions::default();
        let now = Instant::now();
        let (a, b) = (token(), token());
        let one = sessions.begin(a, now).unwrap();
        let two = sessions.begin(b, now).unwrap();
        assert_eq!(one.len(), 2 * ID_LEN);
        assert_eq!(sessions.token(&one, now), Some(a));
        assert_eq!(sessions.token(&two, now), Some(b));
        assert_eq!(sessions.token("", now), None);
        sessions.end(&one);
        assert_eq!(sessions.token(&one, now), None);
        let mut then = now;
        while then < now + SESSION_TIME_MAX {
            assert_eq!(sessions.token(&two, then), Some(b));
            then += IDLE_MAX / 2;
        }
        assert_eq!(sessions.token(&two, then), None);
        let idle = sessions.begin(a, now).unwrap();
        assert_eq!(sessions.token(&idle, now + IDLE_MAX), None);
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
        assert_eq!(sessions.token(&first, now), None);
    }
}
