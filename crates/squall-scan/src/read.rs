//! Opens and reads a file that others may change, replace or remove meanwhile.
//!
//! What is decided about a file is decided on the opened one, never on its name:
//! between the walk and the reading it may have become a pipe or a link. It is
//! read and not mapped, because a mapped file that shrinks ends the process.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::counters::Skip;
use crate::filesystem::FileSystems;
use crate::memory::{Memory, Taken};
use crate::select::Selection;
use crate::walk::Candidate;

/// Names a file whatever its path: its device and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

/// Why a file is not scanned.
#[derive(Debug)]
pub(crate) enum Refused {
    /// It is not to be.
    Skip(Skip),
    /// It is larger than the limit: that many bytes, or at least that many.
    TooLarge(u64),
    /// It cannot be read.
    Failed(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            // A directory above it may be gone as well, and on a network the
            // other side may have forgotten it.
            Some(Errno::NOENT | Errno::NOTDIR | Errno::STALE) => Self::Skip(Skip::Vanished),
            _ => Self::Failed(error),
        }
    }
}

/// Room beyond the size a file says it has, so that one that grows a little
/// need not be read twice.
const SLACK_BYTES: u64 = 64 * 1024;

/// What reading depends on.
pub(crate) struct Reader<'a> {
    /// Which files are looked at.
    pub(crate) selection: &'a Selection,
    /// The bound on all that is in memory.
    pub(crate) memory: &'a Memory,
    /// Which file systems hold files.
    pub(crate) file_systems: &'a FileSystems,
    /// The outputs of this scan.
    pub(crate) outputs: &'a [FileId],
}

impl<'a> Reader<'a> {
    /// Reads a file into `buffer`, which is emptied before. The bytes count as
    /// taken from the memory until what is returned is dropped.
    ///
    /// # Errors
    ///
    /// Returns why the file is not to be scanned or cannot be.
    pub(crate) fn read(
        &self,
        candidate: &Candidate,
        buffer: &mut Vec<u8>,
    ) -> Result<Taken<'a>, Refused> {
        buffer.clear();
        let mut file = open(&candidate.path, candidate.follow)?;
        let metadata = file.metadata()?;
        self.check(&metadata, &candidate.path)?;
        let room = metadata.len().saturating_add(SLACK_BYTES);
        let taken = self.memory.take(room);
        if read_up_to(&mut file, room, buffer)? {
            return self.within_limit(buffer).map(|()| taken);
        }
        // It is much larger than it said: it grows, or belongs to a file system
        // that makes it up. What is held is given back first, so that two
        // threads never wait for each other.
        drop(taken);
        buffer.clear();
        let taken = self
            .memory
            .take(self.selection.size_bytes_max.saturating_add(1));
        file.seek(SeekFrom::Start(0))?;
        read_up_to(
            &mut file,
            self.selection.size_bytes_max.saturating_add(1),
            buffer,
        )?;
        self.within_limit(buffer).map(|()| taken)
    }

    /// Decides by what the opened file is.
    fn check(&self, metadata: &Metadata, path: &Path) -> Result<(), Refused> {
        let kind = metadata.file_type();
        if !kind.is_file() {
            // It was a file when it was found.
            return Err(Refused::Skip(if kind.is_dir() {
                Skip::Vanished
            } else {
                Skip::Special
            }));
        }
        if self.outputs.contains(&FileId::of(metadata)) {
            return Err(Refused::Skip(Skip::OwnOutput));
        }
        if self.file_systems.is_pseudo(metadata.dev(), path) {
            return Err(Refused::Skip(Skip::PseudoFileSystem));
        }
        let changed = metadata.modified()?;
        if self.selection.is_too_old(changed) {
            return Err(Refused::Skip(Skip::TooOld));
        }
        if metadata.len() > self.selection.size_bytes_max {
            return Err(Refused::TooLarge(metadata.len()));
        }
        Ok(())
    }

    fn within_limit(&self, buffer: &[u8]) -> Result<(), Refused> {
        let size = buffer.len() as u64;
        if size > self.selection.size_bytes_max {
            return Err(Refused::TooLarge(size));
        }
        Ok(())
    }
}

/// Reads at most that many bytes; returns whether that was all of the file.
fn read_up_to(file: &mut File, bytes_max: u64, buffer: &mut Vec<u8>) -> io::Result<bool> {
    let count = file.take(bytes_max).read_to_end(buffer)?;
    Ok((count as u64) < bytes_max)
}

/// Opens a file for reading. A pipe nobody writes to does not block, and a name
/// that became a link in the meantime is not followed.
fn open(path: &Path, follow: bool) -> Result<File, Refused> {
    let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    if !follow {
        flags |= OFlags::NOFOLLOW;
    }
    let opened = match open_with(path, flags | untouched()) {
        // Only the owner of a file may read it without leaving a trace.
        Err(error) if is(&error, Errno::PERM) => open_with(path, flags),
        opened => opened,
    };
    opened.map_err(|error| {
        if is(&error, Errno::LOOP) && !follow {
            Refused::Skip(Skip::Symlink)
        } else if is(&error, Errno::NXIO) {
            // A socket.
            Refused::Skip(Skip::Special)
        } else {
            error.into()
        }
    })
}

/// The flag that leaves the time of the last access as it is: an investigation
/// should not change what others investigate.
#[cfg(target_os = "linux")]
const fn untouched() -> OFlags {
    OFlags::NOATIME
}

#[cfg(not(target_os = "linux"))]
const fn untouched() -> OFlags {
    OFlags::empty()
}

fn open_with(path: &Path, flags: OFlags) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::select::SelectionOptions;

    fn read(path: &Path, size_bytes_max: u64) -> Result<Vec<u8>, Refused> {
        let selection = Selection::new(&SelectionOptions {
            size_bytes_max,
            ..SelectionOptions::default()
        })
        .expect("no patterns");
        let (memory, file_systems) = (Memory::new(1 << 20), FileSystems::default());
        let reader = Reader {
            selection: &selection,
            memory: &memory,
            file_systems: &file_systems,
            outputs: &[],
        };
        let mut buffer = vec![1, 2, 3];
        let candidate = Candidate {
            path: path.to_owned(),
            follow: false,
        };
        reader.read(&candidate, &mut buffer).map(|_| buffer.clone())
    }

    fn refused(path: &Path) -> Refused {
        read(path, 1000).expect_err("refused")
    }

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("a");
        std::fs::write(&path, [7; 1000]).expect("file");
        assert_eq!(read(&path, 1000).expect("readable"), [7; 1000]);
        assert!(matches!(read(&path, 999), Err(Refused::TooLarge(1000))));
        std::fs::write(&path, []).expect("file");
        assert!(read(&path, 0).expect("readable").is_empty());
    }

    #[test]
    fn what_is_no_file_is_skipped_and_never_blocks() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = |name: &str| dir.path().join(name);
        let status = std::process::Command::new("mkfifo")
            .arg(path("fifo"))
            .status()
            .expect("mkfifo");
        assert!(status.success());
        std::os::unix::fs::symlink("/etc/passwd", path("link")).expect("link");
        let _listener = UnixListener::bind(path("socket")).expect("socket");
        for (name, skip) in [
            ("fifo", Skip::Special),
            ("socket", Skip::Special),
            ("link", Skip::Symlink),
            ("missing", Skip::Vanished),
        ] {
            let refused = refused(&path(name));
            assert!(
                matches!(refused, Refused::Skip(found) if found == skip),
                "{name}: {refused:?}"
            );
        }
        assert!(matches!(
            refused(Path::new("/dev/null")),
            Refused::Skip(Skip::Special)
        ));
        assert!(matches!(
            refused(Path::new("/proc/self/status")),
            Refused::Skip(Skip::PseudoFileSystem)
        ));
    }
}
