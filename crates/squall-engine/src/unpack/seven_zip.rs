//! 7z archives.

use std::io::Cursor;

use sevenz_rust2::{ArchiveReader, Error, Password};
use squall_types::IncompleteReason;

use super::{Members, Trouble};

/// The most memory for a header, a dictionary or a model, in KiB.
const MEMORY_MAX_KIB: usize = 128 * 1024;

/// Passes on every file of a 7z archive, trying the known passwords.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let passwords: Vec<Password> = std::iter::once(Password::empty())
        .chain(members.passwords().iter().map(|p| Password::new(p)))
        .collect();
    for password in passwords {
        members.check_time()?;
        match read(content, password, members) {
            Attempt::Done(ended) => return ended,
            Attempt::WrongPassword => {}
        }
    }
    Err(Trouble {
        reason: IncompleteReason::Encrypted,
        description: "encrypted, and no known password opens it".to_owned(),
    })
}

enum Attempt {
    Done(Result<(), Trouble>),
    /// Nothing was passed on yet.
    WrongPassword,
}

fn read(content: &[u8], password: Password, members: &mut Members<'_, '_>) -> Attempt {
    let opened =
        ArchiveReader::new_with_memory_limit(Cursor::new(content), password, MEMORY_MAX_KIB);
    let mut archive = match opened {
        Ok(archive) => archive,
        Err(error) if asks_for_password(&error) => return Attempt::WrongPassword,
        Err(error) => return Attempt::Done(Err(trouble(&error))),
    };
    archive.set_thread_count(1);
    let encrypted =
        (0..archive.archive().files.len()).any(|index| archive.archive().is_file_encrypted(index));
    let mut ended = Ok(());
    let mut taken = 0;
    let mut suspect = false;
    let walked = archive.for_each_entries(|entry, reader| {
        if entry.is_directory() || !entry.has_stream() {
            return Ok(true);
        }
        if encrypted && taken == 0 {
            // A wrong password shows only in the data: it is tried on the first
            // file before anything of it is passed on.
            ended = match members.read_aside(reader) {
                Ok(content) => members.pass_on(entry.name(), content),
                Err(Some(limit)) => Err(limit),
                Err(None) => {
                    suspect = true;
                    return Ok(false);
                }
            };
            taken += 1;
            return Ok(ended.is_ok());
        }
        taken += 1;
        ended = members.take(entry.name(), reader);
        Ok(ended.is_ok())
    });
    if taken == 0 && (suspect || walked.as_ref().is_err_and(asks_for_password)) {
        return Attempt::WrongPassword;
    }
    Attempt::Done(match (ended, walked) {
        (Err(trouble), _) => Err(trouble),
        (Ok(()), Ok(_)) => Ok(()),
        (Ok(()), Err(error)) => Err(trouble(&error)),
    })
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
