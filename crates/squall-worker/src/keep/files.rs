//! File system calls of the directory of kept samples.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::place::{self, Digest, Kept, Token};
use super::{KeepError, io_failed};
use crate::dirs;

/// A file of a kept sample.
pub(super) struct Found {
    pub(super) digest: Digest,
    pub(super) is_sidecar: bool,
    pub(super) bytes: u64,
    /// In milliseconds since 1970-01-01 UTC.
    pub(super) modified_ms: u64,
}

/// Makes the directory of all samples, and those above it, that only the owner
/// may enter.
pub(super) fn make_dir(path: &Path) -> Result<(), KeepError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(io_failed("make directory", path))
}

/// Makes a directory in that one, where it is missing; returns whether it was.
/// Anything else of its name is an error, also a link: what that leads to is
/// not ours.
pub(super) fn make_folder(path: &Path) -> Result<bool, KeepError> {
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_dir()) {
        return Ok(false);
    }
    DirBuilder::new()
        .mode(0o700)
        .create(path)
        .map_err(io_failed("make directory", path))?;
    Ok(true)
}

/// Removes an empty folder; what prevents it is of no consequence.
pub(super) fn remove_folder(path: &Path) {
    let _ = fs::remove_dir(path);
}

/// Tells whether there is anything under this name, or that cannot be told.
pub(super) fn exists(path: &Path) -> bool {
    !matches!(fs::symlink_metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

/// Tells whether the file is there with that length.
pub(super) fn has_len(path: &Path, len: u64) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.len() == len)
}

/// Writes a file that only the owner may read and nobody execute: under
/// another name, then renamed, so that it is whole or not there.
pub(super) fn write(
    path: &Path,
    content: &[u8],
    token: Token,
    fsync: bool,
) -> Result<(), KeepError> {
    let incomplete = place::incomplete(path, token);
    let written =
        write_new(&incomplete, content, fsync).and_then(|()| fs::rename(&incomplete, path));
    if written.is_err() {
        // The next start would, too.
        let _ = fs::remove_file(&incomplete);
    }
    written.map_err(io_failed("write", path))
}

fn write_new(path: &Path, content: &[u8], fsync: bool) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    if fsync {
        squall_queue::sync_data(&file)?;
    }
    Ok(())
}

/// Reads a file of at most `len_max` bytes; `None` if that cannot be.
pub(super) fn read(path: &Path, len_max: u64) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    let file = File::open(path).ok()?;
    file.take(len_max + 1).read_to_end(&mut content).ok()?;
    (content.len() as u64 <= len_max).then_some(content)
}

/// Removes a file; one that does not exist is as good as removed.
pub(super) fn remove(path: &Path) -> Result<(), KeepError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io_failed("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Forces a directory's entries to stable storage.
pub(super) fn sync_dir(path: &Path) -> Result<(), KeepError> {
    dirs::sync(path).map_err(io_failed("sync directory", path))
}

/// Forces a directory's own name to stable storage.
pub(super) fn sync_name(path: &Path) -> Result<(), KeepError> {
    dirs::sync_name(path).map_err(io_failed("sync the name of", path))
}

/// Bytes that are free for this process on the file system of `path`.
pub(super) fn free_bytes(path: &Path) -> Result<u64, KeepError> {
    let disk = rustix::fs::statvfs(path).map_err(io::Error::from);
    let disk = disk.map_err(io_failed("examine the disk of", path))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Calls `visit` with every file of a kept sample below `dir`, and removes
/// those that were cut short by a crash: all that are not being written under
/// `token`. Returns the last error, if any.
pub(super) fn walk(
    dir: &Path,
    token: Token,
    mut visit: impl FnMut(Found),
) -> Result<(), KeepError> {
    let mut result = Ok(());
    for folder in fs::read_dir(dir).map_err(io_failed("list", dir))? {
        let folder = folder.map_err(io_failed("list", dir))?;
        let name = folder.file_name();
        // Links are not followed: what they lead to is not ours.
        let is_dir = folder.file_type().is_ok_and(|kind| kind.is_dir());
        if let Some(name) = name.to_str()
            && is_dir
            && place::is_folder(name)
            && let Err(error) = walk_folder(&folder.path(), name, token, &mut visit)
        {
            result = Err(error);
        }
    }
    result
}

fn walk_folder(
    path: &Path,
    folder: &str,
    token: Token,
    visit: &mut impl FnMut(Found),
) -> Result<(), KeepError> {
    for entry in fs::read_dir(path).map_err(io_failed("list", path))? {
        let entry = entry.map_err(io_failed("list", path))?;
        let name = entry.file_name();
        let Some(kept) = name.to_str().and_then(|name| place::kept(folder, name)) else {
            continue;
        };
        let metadata = match entry.metadata() {
            Ok(metadata) if metadata.is_file() => metadata,
            // Not ours, or removed meanwhile.
            _ => continue,
        };
        let (digest, is_sidecar) = match kept {
            Kept::Sample(digest) => (digest, false),
            Kept::Sidecar(digest) => (digest, true),
            Kept::Incomplete(of) => {
                if of != Some(token) {
                    remove(&entry.path())?;
                }
                continue;
            }
        };
        let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
        let since_1970 = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        visit(Found {
            digest,
            is_sidecar,
            bytes: metadata.len(),
            modified_ms: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
        });
    }
    Ok(())
}
