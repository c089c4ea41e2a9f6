//! Names of files, forced to stable storage.

use std::fs::File;
use std::io;
use std::path::Path;

use squall_queue::confirm_sync;

/// Forces a directory's entries to stable storage.
///
/// One that this process may use but not read, as `/var/log` may be set up,
/// cannot be: its entries then reach the disk in the system's own time.
pub(crate) fn sync(dir: &Path) -> io::Result<()> {
    let dir = if dir.as_os_str().is_empty() {
        Path::new(".")
    } else {
        dir
    };
    match File::open(dir) {
        Ok(dir) => dir.sync_all().and_then(|()| confirm_sync(&dir)),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(error),
    }
}

/// Forces the name of a file or directory to stable storage.
pub(crate) fn sync_name(path: &Path) -> io::Result<()> {
    sync(path.parent().unwrap_or(Path::new("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_is_in_the_working_directory() {
        sync_name(Path::new("findings.log")).expect("synced");
        sync_name(Path::new("/tmp")).expect("synced");
        assert!(sync(Path::new("/no/such/directory")).is_err());
    }
}
