//! File system calls whose errors name the path.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use rustix::{fs::XattrFlags, io::Errno};

use crate::StorageError;

/// Says nothing; setting it does.
const SYNCED_ATTRIBUTE: &str = "user.squall.synced";

/// Makes the error of `operation` on `path`.
pub(crate) fn failed(operation: &str, path: &Path) -> impl FnOnce(io::Error) -> StorageError {
    let text = format!("{operation} `{}`", path.display());
    move |error| StorageError::new(text, error)
}

/// Makes a directory, and those above it, that only the owner may enter.
pub(crate) fn create_dir(path: &Path) -> Result<(), StorageError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(failed("create directory", path))
}

/// Makes a new file that only the owner may read and write.
pub(crate) fn create_new(path: &Path) -> Result<File, StorageError> {
    create_new_raw(path).map_err(failed("create file", path))
}

/// Like [`create_new`], with the plain error.
pub(crate) fn create_new_raw(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Opens a file for reading and writing, and makes it when it does not exist.
pub(crate) fn open_or_create(path: &Path) -> Result<File, StorageError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(failed("open file", path))
}

/// Opens a file for reading.
pub(crate) fn open(path: &Path) -> Result<File, StorageError> {
    File::open(path).map_err(failed("open file", path))
}

/// Forces a directory's entries to stable storage.
pub(crate) fn sync_dir(path: &Path) -> Result<(), StorageError> {
    File::open(path)
        .and_then(|dir| dir.sync_all().and_then(|()| confirm_sync(&dir)))
        .map_err(failed("sync directory", path))
}

/// Forces a file's bytes, and all that was forced before on its file system, to
/// stable storage.
///
/// When ext4 gives up (`errors=remount-ro`), the transaction that was being
/// written is thrown away, and an `fdatasync` that comes a moment later finds
/// nothing left to wait for and succeeds. But no change can begin from then on,
/// so one is tried afterwards: an extended attribute gets the value that it has,
/// which costs microseconds and no flush. Where there are none, nothing is tried.
///
/// # Errors
///
/// Fails if the bytes may not be there after a power cut.
pub fn sync_data(file: &File) -> io::Result<()> {
    file.sync_data()?;
    confirm_sync(file)
}

/// Confirms that a sync of this file or directory, which succeeded a moment ago,
/// is to be believed: see [`sync_data`].
///
/// # Errors
///
/// Fails if it is not.
pub fn confirm_sync(file: &File) -> io::Result<()> {
    match rustix::fs::fsetxattr(file, SYNCED_ATTRIBUTE, b"1", XattrFlags::empty()) {
        Err(error @ (Errno::ROFS | Errno::IO)) => Err(error.into()),
        _ => Ok(()),
    }
}

/// Renames a file.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), StorageError> {
    fs::rename(from, to).map_err(failed("rename file to", to))
}

/// Removes a file; one that does not exist is as good as removed.
pub(crate) fn remove(path: &Path) -> Result<(), StorageError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed("remove file", path)(error))
        }
        _ => Ok(()),
    }
}

/// Names and lengths of the files in a directory.
pub(crate) fn list(path: &Path) -> Result<Vec<(String, u64)>, StorageError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(failed("list directory", path))? {
        let entry = entry.map_err(failed("list directory", path))?;
        let meta = entry.metadata().map_err(failed("examine file in", path))?;
        if meta.is_file() {
            files.push((entry.file_name().to_string_lossy().into_owned(), meta.len()));
        }
    }
    Ok(files)
}

/// Size in bytes of the file system that `path` is on, or will be on once it is
/// made.
pub(crate) fn disk_bytes(path: &Path) -> io::Result<u64> {
    let mut existing = path.ancestors().filter(|path| !path.as_os_str().is_empty());
    let stat = existing
        .find_map(|path| rustix::fs::statvfs(path).ok())
        .map_or_else(|| rustix::fs::statvfs("."), Ok)?;
    Ok(stat.f_blocks.saturating_mul(stat.f_frsize))
}

/// Bytes that are free for this process on the file system of `path`.
pub(crate) fn free_bytes(path: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}
