//! Finds the files to scan and passes them on.

use std::collections::HashSet;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crossbeam_channel::Sender;
use walkdir::{DirEntry, WalkDir};

use crate::counters::Skip;
use crate::read::FileId;
use crate::run::Shared;
use crate::worker::{Message, unreadable};

/// A file to scan.
pub(crate) struct Candidate {
    /// Its absolute path.
    pub(crate) path: PathBuf,
    /// Whether the path may be that of a link to it.
    pub(crate) follow: bool,
}

/// The one thread that walks.
pub(crate) struct Walker<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) candidates: Sender<Candidate>,
    pub(crate) messages: Sender<Message>,
}

/// The scan is to end, or nobody takes files any more.
struct Ended;

impl Walker<'_> {
    /// Walks everything that was named, one after the other.
    pub(crate) fn run(&self, roots: &[PathBuf]) {
        for root in roots {
            if self.walk(root).is_err() {
                return;
            }
        }
    }

    fn walk(&self, root: &Path) -> Result<(), Ended> {
        // What was named is followed, whatever it is.
        let metadata = match std::fs::metadata(root) {
            Ok(metadata) => metadata,
            Err(error) => return self.report(root, &error),
        };
        if !metadata.is_dir() && !metadata.is_file() {
            return self.report(root, &io::Error::other("neither a file nor a directory"));
        }
        let file_systems = &self.shared.file_systems;
        if file_systems.is_pseudo(metadata.dev(), root) {
            return self.report(
                root,
                &io::Error::other("a pseudo file system holds no files"),
            );
        }
        let mut tree = Tree {
            root_device: metadata.dev(),
            seen: HashSet::new(),
        };
        let mut entries = WalkDir::new(root)
            .follow_links(self.shared.selection.follow_symlinks)
            .into_iter();
        while let Some(entry) = entries.next() {
            if self.shared.stop.requested() {
                return Err(Ended);
            }
            match entry {
                Ok(entry) if is_directory(&entry, &metadata) => {
                    if let Err(skip) = self.enter(&entry, &mut tree) {
                        self.shared.counters.count_skipped(skip);
                        entries.skip_current_dir();
                    }
                }
                Ok(entry) => self.offer(entry)?,
                Err(error) => self.failed(error, root)?,
            }
        }
        Ok(())
    }

    /// Decides whether a directory is looked into.
    fn enter(&self, entry: &DirEntry, tree: &mut Tree) -> Result<(), Skip> {
        let selection = &self.shared.selection;
        if selection.excludes(entry.path()) {
            return Err(Skip::Excluded);
        }
        // One that cannot be asked cannot be listed either, which is reported.
        let Ok(metadata) = std::fs::metadata(entry.path()) else {
            return Ok(());
        };
        let device = metadata.dev();
        if self.shared.file_systems.is_pseudo(device, entry.path()) {
            return Err(Skip::PseudoFileSystem);
        }
        if selection.one_file_system && device != tree.root_device {
            return Err(Skip::OtherFileSystem);
        }
        // Loops end by themselves, but links across can lead to a directory on
        // exponentially many ways.
        if selection.follow_symlinks && !tree.seen.insert(FileId::of(&metadata)) {
            return Err(Skip::Repeated);
        }
        Ok(())
    }

    /// Passes on a file, if it is one that was asked for.
    fn offer(&self, entry: DirEntry) -> Result<(), Ended> {
        let selection = &self.shared.selection;
        let is_root = entry.depth() == 0;
        let kind = entry.file_type();
        let skip = if selection.excludes(entry.path()) {
            Some(Skip::Excluded)
        } else if kind.is_symlink() && !is_root {
            Some(Skip::Symlink)
        } else if !kind.is_file() && !is_root {
            Some(Skip::Special)
        } else if !selection.includes(entry.path()) {
            Some(Skip::NotIncluded)
        } else {
            None
        };
        if let Some(skip) = skip {
            self.shared.counters.count_skipped(skip);
            return Ok(());
        }
        let candidate = Candidate {
            follow: is_root || entry.path_is_symlink(),
            path: entry.into_path(),
        };
        self.shared.counters.count_found();
        self.candidates.send(candidate).map_err(|_| Ended)
    }

    /// Tells of what could not be listed.
    fn failed(&self, error: walkdir::Error, root: &Path) -> Result<(), Ended> {
        if error.loop_ancestor().is_some() {
            self.shared.counters.count_skipped(Skip::Repeated);
            return Ok(());
        }
        let path = error.path().unwrap_or(root).to_owned();
        let error = io::Error::from(error);
        if error.kind() == io::ErrorKind::NotFound {
            let skip = if path.is_symlink() {
                Skip::Symlink
            } else {
                Skip::Vanished
            };
            self.shared.counters.count_skipped(skip);
            return Ok(());
        }
        self.report(&path, &error)
    }

    fn report(&self, path: &Path, error: &io::Error) -> Result<(), Ended> {
        let message = unreadable(self.shared, path, error);
        self.messages.send(message).map_err(|_| Ended)
    }
}

/// What is remembered of one walk.
struct Tree {
    root_device: u64,
    seen: HashSet<FileId>,
}

/// Tells whether an entry is a directory; what was named is what it leads to.
fn is_directory(entry: &DirEntry, root: &Metadata) -> bool {
    if entry.depth() == 0 {
        root.is_dir()
    } else {
        entry.file_type().is_dir()
    }
}
