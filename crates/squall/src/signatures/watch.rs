//! Sees that signature files change.
//!
//! By looking, every two seconds, at names, sizes and times: that works on
//! every file system, also on those of the network and of containers whose
//! changes the kernel does not tell. Seven hundred files cost some
//! milliseconds.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use squall_access::AuditLog;
use squall_engine::SOURCE_DEPTH_MAX;
use walkdir::WalkDir;

use super::control::{Control, Trigger};
use crate::acts;

/// The shortest time between two looks.
const PAUSE_MIN: Duration = Duration::from_secs(2);

/// A look may take this part of the time at most; with very many files there
/// are fewer looks.
const SHARE: u32 = 50;

/// What the files below some paths look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look(u64);

impl Look {
    /// Looks at all files below the paths, whatever their names: a rule may
    /// include any file.
    pub(crate) fn at(paths: &[PathBuf]) -> Self {
        let mut hash = DefaultHasher::new();
        for path in paths {
            let walk = WalkDir::new(path)
                .follow_links(true)
                .max_depth(SOURCE_DEPTH_MAX)
                .sort_by_file_name();
            for entry in walk {
                let metadata = entry.and_then(|entry| {
                    let metadata = entry.metadata()?;
                    Ok((entry, metadata))
                });
                match metadata {
                    Ok((entry, metadata)) if !metadata.is_dir() => {
                        entry.path().hash(&mut hash);
                        (metadata.ino(), metadata.len()).hash(&mut hash);
                        (metadata.mtime(), metadata.mtime_nsec()).hash(&mut hash);
                    }
                    Ok(_) => {}
                    Err(error) => error.path().hash(&mut hash),
                }
            }
        }
        Self(hash.finish())
    }
}

/// Watches the paths on a thread of its own until the program ends.
///
/// A change is acted upon once two looks in a row see the same: by then
/// whoever writes the files has probably finished. What comes of it is an act,
/// and goes into `audit`, unless the signatures are the same after all.
///
/// # Errors
///
/// Fails if the thread cannot be started.
pub(crate) fn start(
    paths: Vec<PathBuf>,
    control: Control,
    audit: Option<Arc<AuditLog>>,
) -> std::io::Result<()> {
    // Before the first set is read, so that no change falls between.
    let mut loaded = Look::at(&paths);
    let watch = move || {
        let mut last = loaded;
        loop {
            let begun = Instant::now();
            let look = Look::at(&paths);
            // Without the time that what comes of it takes: compiling may take long.
            let looked = begun.elapsed();
            if look != loaded && look == last {
                loaded = look;
                reload(&control, audit.as_deref());
            }
            last = look;
            std::thread::sleep(PAUSE_MIN.max(looked * SHARE));
        }
    };
    std::thread::Builder::new()
        .name("signature-watch".to_owned())
        .spawn(watch)
        .map(drop)
}

/// Has the files read again, and waits for it, so that the next look is after.
fn reload(control: &Control, audit: Option<&AuditLog>) {
    let before = control.state().changed;
    // Without an answer the service is stopping.
    let Ok(loaded) = control.load(Trigger::Files).blocking_recv() else {
        return;
    };
    if loaded.is_err() || control.state().changed != before {
        let (who, from) = ("watcher", "watch-signatures");
        acts::write_down_blocking(audit, who, from, "signatures reload", loaded.is_ok());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_change_is_seen() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = |name: &str| dir.path().join(name);
        let paths = [dir.path().to_owned(), path("missing")];
        std::fs::create_dir(path("sub")).expect("made");
        std::fs::write(path("a.yar"), "a").expect("written");
        let mut last = Look::at(&paths);
        assert_eq!(last, Look::at(&paths));
        let changes: [(&str, &dyn Fn()); 6] = [
            ("a longer file", &|| {
                std::fs::write(path("a.yar"), "ab").expect("written");
            }),
            ("a file of the same size put in its place", &|| {
                std::fs::write(path("b"), "cd").expect("written");
                std::fs::rename(path("b"), path("a.yar")).expect("renamed");
            }),
            ("a new file", &|| {
                std::fs::write(path("sub/new.inc"), "").expect("written");
            }),
            ("a renamed file", &|| {
                std::fs::rename(path("sub/new.inc"), path("sub/old.inc")).expect("renamed");
            }),
            ("a removed file", &|| {
                std::fs::remove_file(path("a.yar")).expect("removed");
            }),
            ("a directory that appears", &|| {
                std::fs::create_dir(path("missing")).expect("made");
            }),
        ];
        for (what, change) in changes {
            change();
            let look = Look::at(&paths);
            assert_ne!(look, last, "{what}");
            last = look;
        }
    }
}
