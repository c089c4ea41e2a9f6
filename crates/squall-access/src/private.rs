//! Files that nobody but their owner reads, written whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::Path;

/// Makes a directory that only its owner can look into, and those above it.
pub(crate) fn make_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    give_to_owner_of_parent(dir)
}

/// Replaces a file by `bytes`, in one step.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let partial = path.with_extension("new");
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)?;
    file.write_all(bytes)?;
    give_to_owner_of_parent(&partial)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    match path.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

/// Opens a file to append to, making it if need be.
pub(crate) fn append(path: &Path) -> io::Result<File> {
    let is_new = !path.exists();
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    if is_new {
        give_to_owner_of_parent(path)?;
    }
    Ok(file)
}

/// What root makes in the directory of the service's user is to be the
/// service's: it could not read it otherwise.
fn give_to_owner_of_parent(path: &Path) -> io::Result<()> {
    let Some(parent) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) else {
        return Ok(());
    };
    let (wanted, is) = (fs::metadata(parent)?, fs::symlink_metadata(path)?);
    if (wanted.uid(), wanted.gid()) == (is.uid(), is.gid()) {
        return Ok(());
    }
    match chown(path, Some(wanted.uid()), Some(wanted.gid())) {
        // Whoever is not root may own a file in another's directory.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_replaced_and_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("a/b");
        make_dir(&own).unwrap();
        let path = own.join("x.json");
        for text in ["one", "two"] {
            replace(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&own), mode(&path)), (0o700, 0o600));
        assert_eq!(fs::read_dir(&own).unwrap().count(), 1);
    }

    #[test]
    fn what_is_made_belongs_to_whom_the_directory_belongs() {
        let dir = tempfile::tempdir().unwrap();
        if chown(dir.path(), Some(65_534), Some(65_534)).is_err() {
            // Only root can set the scene.
            return;
        }
        let own = dir.path().join("access");
        make_dir(&own).unwrap();
        let path = own.join("x.json");
        replace(&path, b"").unwrap();
        append(&own.join("log")).unwrap();
        for path in [&own, &path, &own.join("log")] {
            assert_eq!(fs::metadata(path).unwrap().uid(), 65_534, "{path:?}");
        }
    }
}
