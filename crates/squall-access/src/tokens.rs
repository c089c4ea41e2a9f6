//! The tokens that a running service knows.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use subtle::ConstantTimeEq as _;

use crate::file::{self, AccessError, TokenRecord};
use crate::networks::RoleNetworks;
use crate::principal::Principal;
use crate::token::{Token, TokenId};
use crate::uses::Uses;
use crate::{lock, private};

/// How often the file is looked at, at most.
const RELOAD_INTERVAL: Duration = Duration::from_secs(1);

/// Why a token is good for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is none of ours.
    #[error("the token is not known")]
    Unknown,
    /// It was one.
    #[error("the token has expired")]
    Expired,
    /// It was taken back.
    #[error("the token was revoked")]
    Revoked,
    /// It is one, and not good from there.
    #[error("the token is not good from this address")]
    Network,
    /// Callers with its role are not let in from there.
    #[error("callers with the role of this token are not let in from this address")]
    RoleNetwork,
}

/// The tokens of a data directory. A new one is good at once; other changes of
/// the file are seen within a second.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    known: ArcSwap<HashMap<TokenId, Known>>,
    seen: Mutex<Seen>,
    uses: Uses,
    networks: RoleNetworks,
}

#[derive(Debug)]
struct Known {
    record: TokenRecord,
    principal: Principal,
}

#[derive(Debug)]
struct Seen {
    stamp: Option<Stamp>,
    checked: Instant,
    /// The last attempt to read it failed: no caller brings the next one about
    /// sooner.
    failed: bool,
}

/// What tells one version of the file from another. A new one is a new file.
type Stamp = (u64, i64, i64, u64);

impl Tokens {
    /// Reads the tokens of a data directory; there may be none yet.
    ///
    /// # Errors
    ///
    /// Fails if they cannot be read.
    pub fn open(data_dir: &Path) -> Result<Self, AccessError> {
        let dir = file::dir(data_dir);
        private::make_dir(&dir).map_err(|source| AccessError::Write { path: dir, source })?;
        let path = file::path(data_dir);
        // Taken first: a change while it is read is seen at the next look.
        let stamp = stamp(&path);
        let known = ArcSwap::from_pointee(known(file::read(&path)?));
        Ok(Self {
            path,
            known,
            seen: Mutex::new(Seen {
                stamp,
                checked: Instant::now(),
                failed: false,
            }),
            uses: Uses::open(data_dir),
            networks: RoleNetworks::default(),
        })
    }

    /// Limits from where tokens are good, by their role.
    #[must_use]
    pub fn within(self, networks: RoleNetworks) -> Self {
        Self { networks, ..self }
    }

    /// Tells whether there is no token, not even one that is not good any more.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.load().is_empty()
    }

    /// Tells whether any token is in force.
    #[must_use]
    pub fn any_in_force(&self, now: Timestamp) -> bool {
        let known = self.known.load();
        known.values().any(|token| token.record.in_force(now))
    }

    /// Returns who shows `token` from the address `from`.
    ///
    /// # Errors
    ///
    /// Fails if the token is not good. That it is one of ours is told only to
    /// who has all of it.
    pub fn verify(
        &self,
        token: &Token,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<Principal, Refusal> {
        self.reload_if_changed(RELOAD_INTERVAL);
        if !self.known.load().contains_key(&token.id()) {
            // It may have been made a moment ago, to be used at once.
            self.reload_if_changed(Duration::ZERO);
        }
        let known = self.known.load();
        let found = known.get(&token.id());
        let expected = found.map_or([0; 32], |known| known.record.sha256.0);
        let is_equal: bool = expected.ct_eq(&token.digest()).into();
        let Known { record, principal } = found.filter(|_| is_equal).ok_or(Refusal::Unknown)?;
        self.check(record, from, now)?;
        self.uses.note(record.id, from.to_canonical(), now);
        Ok(principal.clone())
    }

    /// Tells whether the token that a session was begun with is still good,
    /// and returns who its holder is.
    ///
    /// # Errors
    ///
    /// Fails like [`verify`](Self::verify).
    pub fn verify_id(
        &self,
        id: TokenId,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<Principal, Refusal> {
        self.reload_if_changed(RELOAD_INTERVAL);
        let known = self.known.load();
        let Known { record, principal } = known.get(&id).ok_or(Refusal::Unknown)?;
        self.check(record, from, now)?;
        Ok(principal.clone())
    }

    /// Writes down when tokens were used last, if any was since the last time.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written.
    pub fn write_uses(&self) -> io::Result<()> {
        let known = self.known.load();
        self.uses.write(|id| known.contains_key(&id))
    }

    /// Tells why a token of ours is not good.
    fn check(&self, record: &TokenRecord, from: IpAddr, now: Timestamp) -> Result<(), Refusal> {
        let from = from.to_canonical();
        if record.revoked_at.is_some() {
            Err(Refusal::Revoked)
        } else if !record.in_force(now) {
            Err(Refusal::Expired)
        } else if !record.from.is_empty() && !record.from.iter().any(|net| net.contains(&from)) {
            Err(Refusal::Network)
        } else if !self.networks.allow(record.role, from) {
            Err(Refusal::RoleNetwork)
        } else {
            Ok(())
        }
    }

    /// Looks at the file unless that was done within `interval`. One `stat`
    /// a second, and for an unknown token, needs no thread of its own.
    fn reload_if_changed(&self, interval: Duration) {
        let mut seen = lock(&self.seen);
        let interval = if seen.failed {
            RELOAD_INTERVAL
        } else {
            interval
        };
        if seen.checked.elapsed() < interval {
            return;
        }
        seen.failed = false;
        seen.checked = Instant::now();
        let stamp = stamp(&self.path);
        if stamp == seen.stamp {
            return;
        }
        match file::read(&self.path) {
            Ok(tokens) => {
                tracing::info!(tokens = tokens.len(), "tokens read again");
                self.known.store(Arc::new(known(tokens)));
                // Only now: what could not be read is tried again, since a
                // token may have been revoked in it.
                seen.stamp = stamp;
            }
            Err(error) => {
                seen.failed = true;
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the tokens cannot be read again; those known before stay in force"
                );
            }
        }
    }
}

fn known(tokens: Vec<TokenRecord>) -> HashMap<TokenId, Known> {
    let known = |record: TokenRecord| {
        let principal = Principal {
            name: record.name.as_str().into(),
            token: Some(record.id),
            certificate: None,
            subject: None,
            role: record.role,
            // Ids of tokens have 32 bits: nothing else begins like this.
            owner: 1 << 32 | u64::from(record.id.value()),
        };
        (record.id, Known { record, principal })
    };
    tokens.into_iter().map(known).collect()
}

fn stamp(path: &Path) -> Option<Stamp> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.ino(), file.mtime(), file.mtime_nsec(), file.len()))
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;
    use crate::role::Role;
    use crate::{NewToken, create, list, revoke};

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 1, 2, 3));

    fn wanted(name: &str) -> NewToken {
        NewToken {
            name: name.to_owned(),
            role: Role::Read,
            expires_at: None,
            from: Vec::new(),
        }
    }

    #[test]
    fn a_token_is_good_until_it_expires_is_revoked_or_comes_from_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        let here = NewToken {
            expires_at: Some(now + 1.hour()),
            from: vec!["10.0.0.0/8".parse().unwrap()],
            ..wanted("here")
        };
        let token = create(dir.path(), here, now).unwrap();
        let tokens = Tokens::open(dir.path()).unwrap();
        let principal = tokens.verify(&token, HERE, now).unwrap();
        assert_eq!((&*principal.name, principal.role), ("here", Role::Read));
        assert_eq!(principal.token, Some(token.id()));
        let mapped = "::ffff:10.1.2.3".parse().unwrap();
        assert!(tokens.verify(&token, mapped, now).is_ok());
        let elsewhere = "11.0.0.1".parse().unwrap();
        let refused = |from, now| tokens.verify(&token, from, now).unwrap_err();
        assert_eq!(refused(elsewhere, now), Refusal::Network);
        assert_eq!(refused(HERE, now + 2.hours()), Refusal::Expired);
        assert!(tokens.any_in_force(now) && !tokens.any_in_force(now + 2.hours()));

        let last = &token.reveal()[token.reveal().len() - 1..];
        let other = if last == "0" { "1" } else { "0" };
        let forged = format!("{}{other}", &token.reveal()[..token.reveal().len() - 1]);
        let forged = Token::parse(&forged).unwrap();
        for forged in [forged, Token::draw().unwrap()] {
            assert_eq!(
                tokens.verify(&forged, HERE, now).unwrap_err(),
                Refusal::Unknown
            );
        }
    }

    #[test]
    fn a_role_is_good_from_its_networks_only() {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        let token = create(dir.path(), wanted("a"), now).unwrap();
        let networks = |text: &str| RoleNetworks::new(vec![text.parse().unwrap()]);
        let with = |text| Tokens::open(dir.path()).unwrap().within(networks(text));
        for (text, expected) in [
            ("read=10.0.0.0/8", Ok(())),
            ("admin=192.0.2.0/24", Ok(())),
            ("read=192.0.2.0/24", Err(Refusal::RoleNetwork)),
        ] {
            let tokens = with(text);
            let verified = tokens.verify(&token, HERE, now).map(|_| ());
            assert_eq!(verified, expected, "{text}");
            let by_id = tokens.verify_id(token.id(), HERE, now).map(|_| ());
            assert_eq!(by_id, expected, "{text}");
        }
        // A try from elsewhere is no use.
        let tokens = with("read=192.0.2.0/24");
        tokens.verify(&token, HERE, now).unwrap_err();
        tokens.write_uses().unwrap();
        assert_eq!(list(dir.path()).unwrap()[0].last_use, None);
    }

    #[test]
    fn a_change_is_seen_without_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        let tokens = Tokens::open(dir.path()).unwrap();
        assert!(!tokens.any_in_force(now));
        let token = create(dir.path(), wanted("late"), now).unwrap();
        assert!(tokens.verify(&token, HERE, now).is_ok());
        assert!(tokens.verify_id(token.id(), HERE, now).is_ok());
        revoke(dir.path(), "late", now).unwrap();
        std::thread::sleep(RELOAD_INTERVAL);
        assert_eq!(tokens.verify(&token, HERE, now), Err(Refusal::Revoked));
        assert_eq!(
            tokens.verify_id(token.id(), HERE, now),
            Err(Refusal::Revoked)
        );
        // What cannot be read changes nothing; what is gone is revoked.
        std::fs::write(file::path(dir.path()), "{").unwrap();
        std::thread::sleep(RELOAD_INTERVAL);
        assert_eq!(tokens.verify(&token, HERE, now), Err(Refusal::Revoked));
        std::fs::remove_file(file::path(dir.path())).unwrap();
        std::thread::sleep(RELOAD_INTERVAL);
        assert_eq!(tokens.verify(&token, HERE, now), Err(Refusal::Unknown));
    }

    #[test]
    fn what_could_not_be_read_is_read_later_though_it_did_not_change() {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        let token = create(dir.path(), wanted("a"), now).unwrap();
        let tokens = Tokens::open(dir.path()).unwrap();
        revoke(dir.path(), "a", now).unwrap();
        let path = file::path(dir.path());
        let revoked = std::fs::read(&path).unwrap();
        let time = std::fs::metadata(&path).unwrap().modified().unwrap();
        let put = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(time).unwrap();
        };
        put(&vec![b'{'; revoked.len()]);
        std::thread::sleep(RELOAD_INTERVAL);
        assert!(tokens.verify(&token, HERE, now).is_ok());
        put(&revoked);
        std::thread::sleep(RELOAD_INTERVAL);
        assert_eq!(tokens.verify(&token, HERE, now), Err(Refusal::Revoked));
    }

    #[test]
    fn the_last_use_is_written_down() {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        let token = create(dir.path(), wanted("a"), now).unwrap();
        let tokens = Tokens::open(dir.path()).unwrap();
        tokens.write_uses().unwrap();
        assert_eq!(list(dir.path()).unwrap()[0].last_use, None);
        tokens.verify(&token, HERE, now).unwrap();
        tokens.write_uses().unwrap();
        let used = list(dir.path()).unwrap()[0].last_use.unwrap();
        assert_eq!((used.at, used.from), (now, HERE));
    }
}
