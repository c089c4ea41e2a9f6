//! Making, listing and revoking tokens: what the command line does beside a
//! running service, or before it is started.

use std::fs::File;
use std::path::Path;

use ipnet::IpNet;
use jiff::Timestamp;

use crate::file::{self, AccessError, Sha256Hex, TokenRecord};
use crate::private;
use crate::role::Role;
use crate::token::Token;
use crate::uses::{self, LastUse};

/// Most tokens that are kept, revoked and expired ones included.
const TOKENS_MAX: usize = 10_000;
/// Longest name of a token.
const NAME_CHARS_MAX: usize = 64;
/// Holds one change at a time.
const LOCK: &str = "tokens.lock";

/// A token that is to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What it is called; no other token in force may be.
    pub name: String,
    /// What its holder may do.
    pub role: Role,
    /// When it ceases to be good; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// From where it is good; empty for everywhere.
    pub from: Vec<IpNet>,
}

/// A token in a list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The token.
    pub record: TokenRecord,
    /// When and from where it was used last, as far as it is written down.
    pub last_use: Option<LastUse>,
}

/// Makes a token. What is returned is all there will ever be of its secret.
///
/// # Errors
///
/// Fails if the name is taken or none, if there are too many, or if the file
/// cannot be read or written.
pub fn create(data_dir: &Path, wanted: NewToken, now: Timestamp) -> Result<Token, AccessError> {
    let is_name = (1..=NAME_CHARS_MAX).contains(&wanted.name.chars().count())
        && !wanted.name.chars().any(char::is_control)
        && wanted.name.trim() == wanted.name;
    if !is_name {
        return Err(AccessError::Name(wanted.name.escape_debug().to_string()));
    }
    if wanted.expires_at.is_some_and(|at| at <= now) {
        return Err(AccessError::Past);
    }
    change(data_dir, |tokens| {
        let mut in_force = tokens.iter().filter(|token| token.in_force(now));
        if let Some(other) = in_force.find(|token| token.name == wanted.name) {
            return Err(AccessError::NameTaken {
                name: wanted.name.clone(),
                id: other.id,
            });
        }
        make_room(tokens, now)?;
        let token = loop {
            let token = Token::draw().map_err(AccessError::Random)?;
            if tokens.iter().all(|other| other.id != token.id()) {
                break token;
            }
        };
        tokens.push(TokenRecord {
            id: token.id(),
            name: wanted.name.clone(),
            role: wanted.role,
            sha256: Sha256Hex(token.digest()),
            created_at: now,
            expires_at: wanted.expires_at,
            from: wanted.from.clone(),
            revoked_at: None,
        });
        Ok(token)
    })
}

/// Lets the oldest tokens go that are not in force any more.
fn make_room(tokens: &mut Vec<TokenRecord>, now: Timestamp) -> Result<(), AccessError> {
    while tokens.len() >= TOKENS_MAX {
        let oldest = tokens.iter().position(|token| !token.in_force(now));
        tokens.remove(oldest.ok_or(AccessError::TooMany(tokens.len()))?);
    }
    Ok(())
}

/// Revokes the token with that id or name, and returns it.
///
/// # Errors
///
/// Fails if there is none in force, or if the file cannot be read or written.
pub fn revoke(data_dir: &Path, which: &str, now: Timestamp) -> Result<TokenRecord, AccessError> {
    change(data_dir, |tokens| {
        let mut in_force = tokens.iter_mut().filter(|token| token.in_force(now));
        let found = in_force.find(|token| token.id.to_string() == which || token.name == which);
        let token = found.ok_or_else(|| AccessError::Unknown(which.to_owned()))?;
        token.revoked_at = Some(now);
        Ok(token.clone())
    })
}

/// Lists all tokens, oldest first, with those that are not in force any more.
///
/// # Errors
///
/// Fails if the file cannot be read.
pub fn list(data_dir: &Path) -> Result<Vec<Listed>, AccessError> {
    let tokens = file::read(&file::path(data_dir))?;
    // Only remarks: a list without them is better than none.
    let uses = uses::read(data_dir).unwrap_or_default();
    let listed = |record: TokenRecord| Listed {
        last_use: uses.get(&record.id).copied(),
        record,
    };
    Ok(tokens.into_iter().map(listed).collect())
}

/// Reads the tokens, changes them and writes them, while nobody else does.
fn change<T>(
    data_dir: &Path,
    change: impl FnOnce(&mut Vec<TokenRecord>) -> Result<T, AccessError>,
) -> Result<T, AccessError> {
    let dir = file::dir(data_dir);
    let lock = dir.join(LOCK);
    let locked = private::make_dir(&dir)
        .and_then(|()| private::append(&lock))
        .and_then(|file: File| file.lock().map(|()| file));
    let _locked = locked.map_err(|source| AccessError::Write { path: lock, source })?;
    let path = file::path(data_dir);
    let mut tokens = file::read(&path)?;
    let outcome = change(&mut tokens)?;
    file::write(&path, tokens)?;
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    fn wanted(name: &str) -> NewToken {
        NewToken {
            name: name.to_owned(),
            role: Role::Submit,
            expires_at: None,
            from: Vec::new(),
        }
    }

    #[test]
    fn a_token_is_made_listed_and_revoked() {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        let token = create(dir.path(), wanted("a"), now).unwrap();
        let text = std::fs::read_to_string(file::path(dir.path())).unwrap();
        assert!(!text.contains(&token.reveal()[13..]), "{text}");
        assert!(matches!(
            create(dir.path(), wanted("a"), now),
            Err(AccessError::NameTaken { .. })
        ));
        create(dir.path(), wanted("b"), now).unwrap();
        assert_eq!(list(dir.path()).unwrap().len(), 2);
        let revoked = revoke(dir.path(), "a", now).unwrap();
        assert_eq!((revoked.id, revoked.in_force(now)), (token.id(), false));
        assert!(matches!(
            revoke(dir.path(), "a", now),
            Err(AccessError::Unknown(_))
        ));
        let again = create(dir.path(), wanted("a"), now).unwrap();
        revoke(dir.path(), &again.id().to_string(), now).unwrap();
        assert_eq!(list(dir.path()).unwrap().len(), 3);
    }

    #[test]
    fn names_can_be_seen_and_dates_lie_ahead() {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        for name in ["", " ", "a\nb", " a", &"x".repeat(65)] {
            let made = create(dir.path(), wanted(name), now);
            assert!(matches!(made, Err(AccessError::Name(_))), "{name:?}");
        }
        let past = NewToken {
            expires_at: Some(now - 1.second()),
            ..wanted("x")
        };
        assert!(matches!(
            create(dir.path(), past, now),
            Err(AccessError::Past)
        ));
    }

    #[test]
    fn many_at_the_same_time_lose_none() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for n in 0..8 {
                let dir = dir.path();
                scope.spawn(move || create(dir, wanted(&n.to_string()), Timestamp::now()).unwrap());
            }
        });
        assert_eq!(list(dir.path()).unwrap().len(), 8);
    }
}
