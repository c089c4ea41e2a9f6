//! 7z archives.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::io::{Cursor, Read};

use sevenz_rust2::{Archive, ArchiveEntry, ArchiveReader, EntryDecision, Error, Password};
use squall_types::IncompleteReason;

use super::budget::{LimitReached, Stopped};
use super::decompress::MEMORY_MAX_KIB;
use super::{Guess, Members, Trouble};

/// Passes on every file of a 7z archive, trying the known passwords.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let passwords: Vec<Password> = members
        .passwords()
        .iter()
        .map(|p| Password::new(p))
        .collect();
    let mut is_plain_done = false;
    for password in std::iter::once(Password::empty()).chain(passwords) {
        members.check_time()?;
        match attempt(content, password, is_plain_done, members) {
            Attempt::Done(ended) => return ended,
            Attempt::Wrong { has_walked } => is_plain_done |= has_walked,
        }
    }
    Err(Trouble::encrypted())
}

enum Attempt {
    Done(Result<(), Trouble>),
    /// The password is not the one.
    Wrong {
        /// What is not encrypted was passed on.
        has_walked: bool,
    },
}

fn attempt(
    content: &[u8],
    password: Password,
    is_plain_done: bool,
    members: &mut Members<'_, '_>,
) -> Attempt {
    let is_blank = password.is_empty();
    let memory_max_kib = usize::try_from(MEMORY_MAX_KIB).unwrap_or(usize::MAX);
    let source = Cursor::new(content);
    let opened = ArchiveReader::new_with_memory_limit(source, password, memory_max_kib);
    let mut archive = match opened {
        Ok(archive) => archive,
        Err(error) if asks_for_password(&error) => return Attempt::Wrong { has_walked: false },
        Err(error) => return Attempt::Done(Err(trouble(&error))),
    };
    archive.set_thread_count(1);
    let encrypted = encrypted_names(archive.archive());
    if is_blank && !encrypted.is_empty() {
        return Attempt::Wrong { has_walked: false };
    }
    let mut walk = Walk {
        members,
        encrypted: &encrypted,
        is_plain_done,
        guess: Guess::Open,
        ended: Ok(()),
    };
    let walked =
        archive.for_each_entries_with_decision(|entry, reader| Ok(walk.entry(entry, reader)));
    let is_proven = encrypted.is_empty() || matches!(walk.guess, Guess::Right);
    match (walk.ended, walked) {
        (Err(trouble), _) => Attempt::Done(Err(trouble)),
        (Ok(()), _) if !is_proven => Attempt::Wrong { has_walked: true },
        (Ok(()), Ok(())) => Attempt::Done(Ok(())),
        (Ok(()), Err(error)) => Attempt::Done(Err(trouble(&error))),
    }
}

/// The names of the files that are encrypted. A block is or is not as a whole,
/// so that a name which is there twice is in most cases one or the other.
fn encrypted_names(archive: &Archive) -> HashSet<String> {
    archive
        .files
        .iter()
        .enumerate()
        .filter(|(index, _)| archive.is_file_encrypted(*index))
        .map(|(_, file)| file.name().to_owned())
        .collect()
}

/// One walk through the files.
struct Walk<'a, 'm, 'limits> {
    members: &'a mut Members<'m, 'limits>,
    encrypted: &'a HashSet<String>,
    is_plain_done: bool,
    guess: Guess,
    ended: Result<(), Trouble>,
}

impl Walk<'_, '_, '_> {
    fn entry(&mut self, entry: &ArchiveEntry, reader: &mut dyn Read) -> EntryDecision {
        if entry.is_directory() || !entry.has_stream() {
            return EntryDecision::Continue;
        }
        let is_encrypted = self.encrypted.contains(entry.name());
        if is_encrypted && matches!(self.guess, Guess::Wrong) || !is_encrypted && self.is_plain_done
        {
            return EntryDecision::SkipBlock;
        }
        let outcome = self.members.read_aside(reader);
        let is_damaged = matches!(outcome.stopped, Some(Stopped::Damaged(_)));
        if is_encrypted && matches!(self.guess, Guess::Open) {
            // A wrong password shows only in the data.
            if is_damaged {
                self.guess = Guess::Wrong;
                return EntryDecision::SkipBlock;
            }
            self.guess = Guess::Right;
        }
        // The rest of the block would have to be unpacked to come to the next.
        let is_too_long = matches!(
            outcome.stopped,
            Some(Stopped::Limit(LimitReached::MemberBytes(_)))
        );
        if is_too_long {
            self.members.record(
                entry.name(),
                IncompleteReason::Limit,
                "what follows it in its block is not looked at".to_owned(),
            );
        }
        self.ended = self.members.pass_on(entry.name(), outcome);
        match &self.ended {
            Err(_) => EntryDecision::Stop,
            Ok(()) if is_damaged || is_too_long => EntryDecision::SkipBlock,
            Ok(()) => EntryDecision::Continue,
        }
    }
}

fn asks_for_password(error: &Error) -> bool {
    matches!(error, Error::PasswordRequired | Error::MaybeBadPassword(_))
}

fn trouble(error: &Error) -> Trouble {
    let reason = match error {
        Error::PasswordRequired | Error::MaybeBadPassword(_) => IncompleteReason::Encrypted,
        Error::UnsupportedVersion { .. }
        | Error::ExternalUnsupported
        | Error::UnsupportedCompressionMethod(_)
        | Error::Unsupported(_) => IncompleteReason::Unsupported,
        Error::MaxMemLimited { .. } => IncompleteReason::Limit,
        _ => IncompleteReason::Corrupt,
    };
    Trouble {
        reason,
        description: format!("7z archive: {error}"),
    }
}
