//! What was fetched from the configured sources, on disk.
//!
//! ```text
//! <data-dir>/signatures/<source>/current.zip   link to the bundle in force
//! <data-dir>/signatures/<source>/<sha256>.zip  that bundle and the one before
//! <data-dir>/signatures/<source>/state.json    what the source said of it
//! ```
//!
//! `<source>` is derived from the source's address; `offline` is for bundles
//! brought by hand. A bundle is never changed, and putting another in force is
//! one rename of a link, so a crash leaves the one before or the new one.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The slot for bundles brought by hand.
pub(crate) const OFFLINE: &str = "offline";

const CURRENT: &str = "current.zip";
const STATE: &str = "state.json";

/// All slots.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    dir: PathBuf,
}

/// The place for the bundles of one source.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    dir: PathBuf,
}

/// What a source said of its bundle, for asking it whether there is another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SourceState {
    /// Where it came from.
    pub(crate) location: String,
    /// The bundle's SHA-256, in hexadecimal digits.
    pub(crate) sha256: String,
    /// The header `ETag`.
    pub(crate) etag: Option<String>,
    /// The header `Last-Modified`.
    pub(crate) last_modified: Option<String>,
}

/// A bundle that was fetched and is not in force yet.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) slot: Slot,
    /// The bundle.
    pub(crate) path: PathBuf,
    pub(crate) state: SourceState,
}

/// Held by whoever changes the store; the service and a command must not do so
/// at the same time.
pub(crate) struct StoreLock {
    _file: File,
}

impl Store {
    /// Names the store of a data directory; makes nothing.
    pub(crate) fn of(data_dir: &Path) -> Self {
        Self {
            dir: data_dir.join("signatures"),
        }
    }

    /// Where all slots are.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the slot of a source.
    pub(crate) fn slot(&self, location: &str) -> Slot {
        let name = hex(&Sha256::digest(location.as_bytes())[..8]);
        self.named(&name)
    }

    /// Returns the slot for bundles brought by hand.
    pub(crate) fn offline(&self) -> Slot {
        self.named(OFFLINE)
    }

    fn named(&self, name: &str) -> Slot {
        Slot {
            dir: self.dir.join(name),
        }
    }

    /// Makes sure that nobody else changes the store.
    ///
    /// # Errors
    ///
    /// Fails if somebody does, or if the store cannot be made.
    pub(crate) fn lock(&self) -> anyhow::Result<StoreLock> {
        let path = self.dir.join(".lock");
        let open = || -> io::Result<File> {
            private_dir(&self.dir)?;
            OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&path)
        };
        let file = open().with_context(|| format!("cannot open `{}`", path.display()))?;
        file.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => {
                anyhow::anyhow!("the signatures are being updated by another process")
            }
            fs::TryLockError::Error(error) => error.into(),
        })?;
        Ok(StoreLock { _file: file })
    }
}

impl Slot {
    /// Returns the name of the bundle in force, which may not exist.
    pub(crate) fn current(&self) -> PathBuf {
        self.dir.join(CURRENT)
    }

    /// Tells whether it is for bundles brought by hand.
    pub(crate) fn is_offline(&self) -> bool {
        self.dir.file_name().is_some_and(|name| name == OFFLINE)
    }

    /// Returns what the source said of its newest bundle.
    pub(crate) fn state(&self) -> Option<SourceState> {
        // Without a bundle in force it is worth nothing, and where that is damaged
        // the source must not be asked for what is newer.
        self.target().filter(|path| is_whole(path))?;
        self.stored_state()
    }

    fn stored_state(&self) -> Option<SourceState> {
        let text = fs::read(self.dir.join(STATE)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Keeps a bundle, not in force.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be written.
    pub(crate) fn keep(&self, bundle: &[u8], mut state: SourceState) -> io::Result<Candidate> {
        private_dir(&self.dir)?;
        state.sha256 = hex(&Sha256::digest(bundle));
        let path = self.dir.join(format!("{}.zip", state.sha256));
        write_whole(&path, bundle)?;
        Ok(Candidate {
            slot: self.clone(),
            path,
            state,
        })
    }

    /// Returns the bundle that is in force, where it really is.
    pub(crate) fn target(&self) -> Option<PathBuf> {
        let target = fs::read_link(self.current()).ok()?;
        Some(self.dir.join(target.file_name()?))
    }

    /// Returns the bundle that was in force before the one that is, if it is
    /// whole. One that was rolled back is none.
    pub(crate) fn before(&self) -> Option<PathBuf> {
        self.before_but(None)
    }

    /// The same beside a bundle that is `new`.
    fn before_but(&self, new: Option<&Path>) -> Option<PathBuf> {
        let newest = self.stored_state().map(|state| state.sha256);
        let is_newest = |path: &Path| {
            let stem = path.file_stem();
            stem.is_some_and(|stem| {
                newest
                    .as_ref()
                    .is_some_and(|newest| stem == newest.as_str())
            })
        };
        let target = self.target();
        let entries = fs::read_dir(&self.dir).ok()?.filter_map(Result::ok);
        entries
            .map(|entry| entry.path())
            .filter(|path| Some(path) != target.as_ref() && Some(path.as_path()) != new)
            .find(|path| !is_newest(path) && is_whole(path))
    }

    /// Puts a bundle of this slot in force, or none.
    ///
    /// # Errors
    ///
    /// Fails if the link cannot be replaced; what was in force stays.
    pub(crate) fn put_in_force(&self, bundle: Option<&Path>) -> io::Result<()> {
        let Some(name) = bundle.and_then(Path::file_name) else {
            return fs::remove_file(self.current());
        };
        let link = self.dir.join("next.zip");
        let _ = fs::remove_file(&link);
        symlink(name, &link)?;
        fs::rename(&link, self.current())?;
        File::open(&self.dir)?.sync_all()
    }

    /// Removes all bundles but these two.
    fn prune(&self, keep: [Option<&Path>; 2]) -> io::Result<()> {
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            let is_bundle = path.extension().is_some_and(|e| e == "zip")
                && path.file_name().is_some_and(|name| name != CURRENT);
            if (is_bundle && !keep.contains(&Some(&path)))
                || path.extension().is_some_and(|e| e == "part")
            {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

impl Candidate {
    /// Puts the bundle in force and forgets all but the one before; returns
    /// that one.
    ///
    /// # Errors
    ///
    /// Fails if the link cannot be replaced.
    pub(crate) fn adopt(&self) -> io::Result<Option<PathBuf>> {
        // What is damaged, or the same as this, is nothing to go back to.
        let target = self.slot.target();
        let target = target.filter(|target| *target != self.path && is_whole(target));
        let before = target.or_else(|| self.slot.before_but(Some(&self.path)));
        self.slot.put_in_force(Some(&self.path))?;
        let state = serde_json::to_vec_pretty(&self.state)?;
        write_whole(&self.slot.dir.join(STATE), &state)?;
        self.slot.prune([Some(&self.path), before.as_deref()])?;
        Ok(before)
    }

    /// Forgets a bundle that is not fit, unless it is the one in force.
    pub(crate) fn discard(&self) {
        if self.slot.target().as_deref() != Some(&self.path) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Tells whether a bundle is what its name says.
fn is_whole(path: &Path) -> bool {
    let digest = || -> io::Result<String> {
        let mut hash = Sha256::new();
        let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
        loop {
            let piece = file.fill_buf()?;
            if piece.is_empty() {
                break;
            }
            hash.update(piece);
            let read = piece.len();
            file.consume(read);
        }
        Ok(hex(&hash.finalize()))
    };
    let is_bundle = path.extension().is_some_and(|e| e == "zip");
    is_bundle && digest().is_ok_and(|digest| path.file_stem().is_some_and(|stem| *stem == *digest))
}

/// Makes a directory that is closed to others, with those above it.
fn private_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Writes a file so that it is there whole or not at all, also after a crash.
fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    let _ = fs::remove_file(&part);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&part)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&part, path)
}

/// Writes bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(slot: &Slot, content: &[u8]) -> Candidate {
        let state = SourceState {
            location: "https://example.com/x.zip".to_owned(),
            etag: Some("\"a\"".to_owned()),
            ..SourceState::default()
        };
        slot.keep(content, state).expect("kept")
    }

    #[test]
    fn bundles_are_put_in_force_and_the_one_before_is_kept() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let slot = Store::of(dir.path()).slot("https://example.com/x.zip");
        assert_eq!(slot.state(), None);
        let first = keep(&slot, b"first");
        assert_eq!(slot.target(), None, "keeping is not adopting");
        assert_eq!(first.adopt().expect("adopted"), None);
        assert_eq!(fs::read(slot.current()).expect("there"), b"first");
        assert_eq!(slot.state().as_ref(), Some(&first.state));
        let second = keep(&slot, b"second");
        assert_eq!(second.adopt().expect("adopted"), Some(first.path.clone()));
        let third = keep(&slot, b"third");
        assert_eq!(third.adopt().expect("adopted"), Some(second.path.clone()));
        assert!(!first.path.exists() && second.path.exists());
        slot.put_in_force(Some(&second.path)).expect("rolled back");
        assert_eq!(fs::read(slot.current()).expect("there"), b"second");
    }

    #[test]
    fn a_bundle_that_is_not_fit_is_forgotten_unless_it_is_in_force() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let slot = Store::of(dir.path()).offline();
        let good = keep(&slot, b"good");
        good.adopt().expect("adopted");
        let bad = keep(&slot, b"bad");
        bad.discard();
        good.discard();
        assert!(!bad.path.exists());
        assert_eq!(fs::read(slot.current()).expect("there"), b"good");
    }

    #[test]
    fn a_damaged_bundle_has_no_state_and_the_one_before_is_known() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let slot = Store::of(dir.path()).slot("https://example.com/x.zip");
        let first = keep(&slot, b"first");
        first.adopt().expect("adopted");
        assert_eq!(slot.before(), None);
        let second = keep(&slot, b"second");
        second.adopt().expect("adopted");
        assert_eq!(slot.before().as_ref(), Some(&first.path));
        fs::write(&second.path, "junk").expect("damaged");
        assert_eq!(slot.state(), None, "it is to be fetched again");
        assert_eq!(slot.before().as_ref(), Some(&first.path));
        let before = keep(&slot, b"second").adopt().expect("adopted again");
        assert_eq!(
            before.as_ref(),
            Some(&first.path),
            "a roll-back leads there"
        );
        assert_eq!(slot.state().as_ref(), Some(&second.state));
        assert_eq!(slot.before().as_ref(), Some(&first.path), "still there");
        fs::write(&first.path, "junk").expect("damaged");
        assert_eq!(slot.before(), None, "it is no better");
        fs::remove_file(&second.path).expect("removed");
        assert_eq!(slot.state(), None);
    }

    #[test]
    fn the_last_whole_bundle_is_kept_and_not_the_damaged_one() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let slot = Store::of(dir.path()).slot("https://example.com/x.zip");
        let first = keep(&slot, b"first");
        first.adopt().expect("adopted");
        let second = keep(&slot, b"second");
        second.adopt().expect("adopted");
        fs::write(&second.path, "junk").expect("damaged");
        let third = keep(&slot, b"third");
        assert_eq!(third.adopt().expect("adopted"), Some(first.path.clone()));
        assert!(first.path.exists() && !second.path.exists());
    }

    #[test]
    fn a_bundle_that_was_rolled_back_keeps_its_state_and_is_not_the_one_before() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let slot = Store::of(dir.path()).offline();
        let first = keep(&slot, b"first");
        first.adopt().expect("adopted");
        let second = keep(&slot, b"second");
        second.adopt().expect("adopted");
        slot.put_in_force(Some(&first.path)).expect("rolled back");
        assert_eq!(slot.state().as_ref(), Some(&second.state));
        assert_eq!(slot.before(), None);
    }

    #[test]
    fn only_one_changes_the_store() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let store = Store::of(dir.path());
        let lock = store.lock().expect("locked");
        assert!(store.lock().is_err());
        drop(lock);
        assert!(store.lock().is_ok());
    }
}
