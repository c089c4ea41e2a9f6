//! Zip archives and what is built on them: packages, Office documents, apps.

use std::io::{Cursor, Read};

use squall_types::IncompleteReason;
use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use super::{Members, Trouble};

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// Passes on every file of a zip archive, trying the known passwords on the
/// encrypted ones.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    match ZipArchive::new(Cursor::new(content)) {
        Ok(mut archive) => by_directory(&mut archive, members),
        // Without its central directory, cut off say, the members can still be
        // read one after the other; that it is damaged is said in any case.
        Err(error) => {
            by_local_headers(content, members)?;
            Err(trouble("zip archive", &error))
        }
    }
}

fn by_directory(archive: &mut Archive<'_>, members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    for index in 0..archive.len() {
        members.check_time()?;
        let name = archive
            .name_for_index(index)
            .and_then(Result::ok)
            .map_or_else(|| format!("member {index}"), |name| name.into_owned());
        if name.ends_with('/') {
            continue;
        }
        let locked = match archive.by_index(index) {
            Ok(file) => {
                take(&name, file, members)?;
                false
            }
            Err(error) if asks_for_password(&error) => true,
            Err(error) => {
                record(&name, &error, members);
                false
            }
        };
        if locked {
            encrypted(archive, index, &name, members)?;
        }
    }
    Ok(())
}

fn asks_for_password(error: &ZipError) -> bool {
    match error {
        ZipError::InvalidPassword => true,
        ZipError::UnsupportedArchive(what) => *what == ZipError::PASSWORD_REQUIRED,
        _ => false,
    }
}

fn take<R: Read>(
    name: &str,
    file: ZipFile<'_, R>,
    members: &mut Members<'_, '_>,
) -> Result<(), Trouble> {
    if file.is_dir() || file.is_symlink() {
        return Ok(());
    }
    members.take(name, file)
}

/// Tries the known passwords. One that ZipCrypto's single check byte lets pass
/// by chance shows as damaged data, so the content is read before it is
/// believed.
fn encrypted(
    archive: &mut Archive<'_>,
    index: usize,
    name: &str,
    members: &mut Members<'_, '_>,
) -> Result<(), Trouble> {
    for password in members.passwords().to_vec() {
        members.check_time()?;
        let Ok(mut file) = archive.by_index_decrypt(index, password.as_bytes()) else {
            continue;
        };
        match members.read_aside(&mut file) {
            Ok(content) => return members.pass_on(name, content),
            Err(None) => {}
            Err(Some(limit)) => return Err(limit),
        }
    }
    members.record(
        name,
        IncompleteReason::Encrypted,
        "encrypted, and no known password opens it".to_owned(),
    );
    Ok(())
}

fn by_local_headers(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let mut rest = content;
    loop {
        members.check_time()?;
        match zip::read::read_zipfile_from_stream(&mut rest) {
            Ok(Some(file)) => {
                let name = file
                    .name()
                    .map_or_else(|_| "member".to_owned(), |name| name.to_string());
                take(&name, file, members)?;
            }
            Ok(None) | Err(_) => return Ok(()),
        }
    }
}

fn record(name: &str, error: &ZipError, members: &mut Members<'_, '_>) {
    let trouble = trouble("zip member", error);
    members.record(name, trouble.reason, trouble.description);
}

fn trouble(what: &str, error: &ZipError) -> Trouble {
    Trouble {
        reason: match error {
            ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => {
                IncompleteReason::Unsupported
            }
            ZipError::InvalidPassword => IncompleteReason::Encrypted,
            _ => IncompleteReason::Corrupt,
        },
        description: format!("{what}: {error}"),
    }
}
