//! What was compiled by an earlier run, on disk.
//!
//! One file for the rules of each set, named after their fingerprint: a change of
//! lists compiles nothing. The engine runs code
//! from these files and does not defend itself against a forged one, so the
//! directory must be the service's own and closed to others (mode 0700); with
//! any other the cache is not used. A file that is damaged or of another
//! version is removed and made again: nothing is lost with the cache.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use squall_engine::{CompileOptions, Fingerprint, SignatureSet, SourceFile};

/// How many sets are kept: the one in force, the one before, and some room for
/// going back and forth.
const KEPT_MAX: usize = 4;

/// The largest file that is read; a set of a hundred thousand rules is a tenth
/// of it.
const SIZE_MAX_BYTES: u64 = 2 * 1024 * 1024 * 1024;

const EXTENSION: &str = "sqs";

/// A directory of compiled sets.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    dir: PathBuf,
}

impl Cache {
    /// Opens the directory, making it where it is missing. `None`, with a
    /// warning, if it cannot be used; the service then compiles at each start.
    pub(crate) fn open(dir: &Path) -> Option<Self> {
        match prepare(dir) {
            Ok(()) => Some(Self {
                dir: dir.to_owned(),
            }),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    path = %dir.display(),
                    "compiled signatures cannot be kept, they are compiled at each start"
                );
                None
            }
        }
    }

    /// Returns the set that these files make, if its rules are there.
    pub(crate) fn load(
        &self,
        files: &[SourceFile],
        options: CompileOptions,
    ) -> Option<SignatureSet> {
        let path = self.path(&Fingerprint::of_rules(files));
        let bytes = match read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                discard(&path, &error);
                return None;
            }
        };
        match SignatureSet::restore(files, options, &bytes) {
            Ok(set) if set.self_test().is_ok() => Some(set),
            Ok(_) => {
                discard(&path, &io::Error::other("the set fails its self-test"));
                None
            }
            Err(error) => {
                discard(&path, &error);
                None
            }
        }
    }

    /// Keeps the rules of a set. That it cannot is logged and costs only time.
    pub(crate) fn store(&self, set: &SignatureSet) {
        let path = self.path(set.rules_fingerprint());
        if let Err(error) = write(&path, set).and_then(|()| self.prune(&path)) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                path = %path.display(),
                "the compiled signatures could not be kept"
            );
        }
    }

    fn path(&self, fingerprint: &Fingerprint) -> PathBuf {
        self.dir.join(format!("{fingerprint}.{EXTENSION}"))
    }

    /// Removes all but the sets used last, and what a crash left half written.
    fn prune(&self, newest: &Path) -> io::Result<()> {
        let mut sets = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let path = entry.path();
            let is_set = path.extension().is_some_and(|e| e == EXTENSION);
            if is_set && path != newest {
                sets.push((entry.metadata()?.modified()?, path));
            } else if path.extension().is_some_and(|e| e == "part") {
                fs::remove_file(path)?;
            }
        }
        sets.sort_unstable_by(|a, b| b.cmp(a));
        sets.iter()
            .skip(KEPT_MAX - 1)
            .try_for_each(|(_, path)| fs::remove_file(path))
    }
}

/// Makes the directory, or checks that nobody else can write to it.
fn prepare(dir: &Path) -> io::Result<()> {
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let metadata = fs::symlink_metadata(dir)?;
    if !metadata.is_dir() {
        return Err(io::Error::other("it is not a directory"));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("it belongs to somebody else"));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(io::Error::other("others can write to it"));
    }
    fs::set_permissions(dir, Permissions::from_mode(0o700))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    // A link could lead to where others write.
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_file() || metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("it is not a file of the service"));
    }
    if metadata.len() > SIZE_MAX_BYTES {
        return Err(io::Error::other("it is too large"));
    }
    let bytes = fs::read(path)?;
    // Says when it was used last, for pruning; nothing depends on it.
    let _ = File::open(path).and_then(|file| file.set_modified(SystemTime::now()));
    Ok(bytes)
}

/// Writes beside the target and renames, so that no half set is ever there.
fn write(path: &Path, set: &SignatureSet) -> io::Result<()> {
    let part = path.with_extension("part");
    let _ = fs::remove_file(&part);
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&part)?;
    let mut out = BufWriter::new(file);
    set.store(&mut out)
        .and_then(|()| out.flush())
        .and_then(|()| fs::rename(&part, path))
        .inspect_err(|_| {
            let _ = fs::remove_file(&part);
        })
}

fn discard(path: &Path, error: &dyn std::error::Error) {
    tracing::warn!(
        %error,
        path = %path.display(),
        "compiled signatures of an earlier run cannot be used and are made again"
    );
    let _ = fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use squall_engine::{Included, read_directory};
    use squall_types::SignatureOrigin;

    use super::*;

    fn files(name: &str) -> Vec<SourceFile> {
        vec![SourceFile {
            name: format!("{name}.yar"),
            content: format!("rule {name} {{ condition: true }}").into_bytes(),
            origin: SignatureOrigin::Internal,
            modified: None,
            included: Included::default(),
        }]
    }

    fn made(name: &str, cache: &Cache) -> bool {
        super::super::make(&files(name), CompileOptions::default(), Some(cache))
            .expect("a set")
            .from_cache
    }

    fn entries(dir: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(dir).expect("a directory");
        entries
            .map(|entry| entry.expect("an entry").path())
            .collect()
    }

    #[test]
    fn a_set_is_compiled_once_and_a_damaged_one_again() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let cache = Cache::open(&dir.path().join("new/cache")).expect("opens");
        assert!(!made("A", &cache));
        assert!(made("A", &cache));
        let [path] = &entries(&cache.dir)[..] else {
            panic!("not one file");
        };
        let bytes = fs::read(path).expect("readable");
        let damages: [Vec<u8>; 3] = [
            Vec::new(),
            bytes[..bytes.len() / 2].to_vec(),
            bytes.iter().map(|byte| byte ^ 1).collect(),
        ];
        for damaged in damages {
            fs::write(path, damaged).expect("writable");
            assert!(!made("A", &cache));
            assert!(made("A", &cache));
        }
        assert_eq!(fs::metadata(path).expect("there").mode() & 0o777, 0o600);
        assert_eq!(
            fs::metadata(&cache.dir).expect("there").mode() & 0o777,
            0o700
        );
    }

    #[test]
    fn only_some_sets_are_kept() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let cache = Cache::open(&dir.path().join("cache")).expect("opens");
        fs::write(cache.dir.join("torn.part"), "half").expect("writable");
        for name in ["A", "B", "C", "D", "E", "F"] {
            made(name, &cache);
        }
        assert_eq!(entries(&cache.dir).len(), KEPT_MAX);
        assert!(made("F", &cache));
        assert!(!made("A", &cache));
    }

    #[test]
    fn a_directory_or_file_that_others_could_have_written_is_not_used() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let open = dir.path().join("open");
        fs::create_dir(&open).expect("made");
        fs::set_permissions(&open, Permissions::from_mode(0o777)).expect("set");
        assert!(Cache::open(&open).is_none());
        let file = dir.path().join("file");
        fs::write(&file, "").expect("written");
        assert!(Cache::open(&file).is_none());
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&open, &link).expect("linked");
        assert!(Cache::open(&link).is_none());

        let cache = Cache::open(&dir.path().join("cache")).expect("opens");
        assert!(!made("A", &cache));
        let path = entries(&cache.dir).remove(0);
        let elsewhere = dir.path().join("elsewhere");
        fs::rename(&path, &elsewhere).expect("moved");
        std::os::unix::fs::symlink(&elsewhere, &path).expect("linked");
        assert!(!made("A", &cache), "a link is not followed");
        assert!(elsewhere.exists());
    }

    #[test]
    fn what_is_included_is_part_of_the_set() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let cache = Cache::open(&dir.path().join("cache")).expect("opens");
        let rules = dir.path().join("rules");
        fs::create_dir(&rules).expect("made");
        fs::write(rules.join("a.yar"), "include \"inner.inc\"\n").expect("written");
        let from_cache = |rule: &str| {
            let text = format!("rule {rule} {{ condition: true }}");
            fs::write(rules.join("inner.inc"), text).expect("written");
            let (files, _) = read_directory(&rules, SignatureOrigin::Custom).expect("readable");
            super::super::make(&files, CompileOptions::default(), Some(&cache))
                .expect("a set")
                .from_cache
        };
        let seen = ["A", "A", "B", "A"].map(from_cache);
        assert_eq!(seen, [false, true, false, true]);
    }
}
