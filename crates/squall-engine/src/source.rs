//! Where signatures come from: files on disk, or text built into the binary.

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use squall_types::SignatureOrigin;
use walkdir::WalkDir;

use crate::include::{Found, Included, expand_includes};
use crate::ioc::kind_of;

/// One signature file, read but not compiled.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The name problems are reported under, normally the path.
    pub name: String,
    /// The text, with that of included files in it; not necessarily valid
    /// UTF-8.
    pub content: Vec<u8>,
    /// Where the signatures in it come from.
    pub origin: SignatureOrigin,
    /// When it was last changed, where that is known.
    pub modified: Option<SystemTime>,
    /// Which parts of the text are of other files.
    pub included: Included,
}

/// Why signatures could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The path does not exist or cannot be listed.
    #[error("cannot read signatures from `{}`", path.display())]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A rule file is absurdly large.
    #[error("signature file `{}` is {size_bytes} bytes, limit is {SIZE_MAX_BYTES}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        size_bytes: u64,
    },
}

impl SourceError {
    /// Returns what could not be read.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Read { path, .. } | Self::TooLarge { path, .. } => path,
        }
    }
}

/// The largest rule file that is read; YARA Forge's full package, the largest
/// in common use, is a tenth of it.
pub(crate) const SIZE_MAX_BYTES: u64 = 256 * 1024 * 1024;

/// How deep a signature directory is searched.
pub const SOURCE_DEPTH_MAX: usize = 32;

/// Reads every signature file below `path`, or `path` itself if it is a file, in
/// the order of their paths: rules (`*.yar`, `*.yara`) and lists of indicators,
/// which a word in their names tells (`hash-iocs.txt`).
///
/// Hidden files and directories are passed over. Symbolic links are followed;
/// a loop ends at its first repetition.
///
/// # Errors
///
/// Fails if `path` cannot be read. A file below it that cannot be read is
/// returned among the errors, beside what could be.
pub fn read_directory(
    path: &Path,
    origin: SignatureOrigin,
) -> Result<(Vec<SourceFile>, Vec<SourceError>), SourceError> {
    // Asked first, so that a mistyped path is one clear error.
    std::fs::metadata(path).map_err(|source| SourceError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut files = Vec::new();
    let mut errors = Vec::new();
    let walk = WalkDir::new(path)
        .follow_links(true)
        .max_depth(SOURCE_DEPTH_MAX)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.path()));
    for entry in walk {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_signature_file(entry.path()) => {
                match read_file(entry.path(), origin) {
                    Ok(file) => files.push(file),
                    Err(error) => errors.push(error),
                }
            }
            Ok(_) => {}
            Err(error) if is_nobodys(&error) => {}
            Err(error) => errors.push(SourceError::Read {
                path: error.path().unwrap_or(path).to_owned(),
                source: error.into(),
            }),
        }
    }
    // One file fewer is not the same as nothing of all that was named.
    match errors.iter().position(|error| error.path() == path) {
        Some(whole) => Err(errors.swap_remove(whole)),
        None => Ok((files, errors)),
    }
}

fn read_file(path: &Path, origin: SignatureOrigin) -> Result<SourceFile, SourceError> {
    let read_error = |source| SourceError::Read {
        path: path.to_owned(),
        source,
    };
    let metadata = std::fs::metadata(path).map_err(read_error)?;
    if metadata.len() > SIZE_MAX_BYTES {
        return Err(SourceError::TooLarge {
            path: path.to_owned(),
            size_bytes: metadata.len(),
        });
    }
    let mut file = SourceFile {
        name: path.display().to_string(),
        content: std::fs::read(path).map_err(read_error)?,
        origin,
        modified: metadata.modified().ok(),
        included: Included::default(),
    };
    if kind_of(&file.name).is_none() {
        expand_includes(&mut file, path, &mut find);
    }
    Ok(file)
}

/// Reads a file that is to be included.
fn find(path: &Path) -> io::Result<Option<Found>> {
    let canonical = match path.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        canonical => canonical?,
    };
    // Opening a pipe would wait for somebody to write into it.
    let metadata = std::fs::metadata(&canonical)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut content = Vec::new();
    std::fs::File::open(&canonical)?
        .take(SIZE_MAX_BYTES + 1)
        .read_to_end(&mut content)?;
    Ok(Some(Found {
        name: path.display().to_string(),
        path: canonical,
        content,
        modified: metadata.modified().ok(),
    }))
}

/// Tells whether nothing is lost with what cannot be read: a loop of links, all of
/// which is read, and a hidden file. Any other name may be that of a directory of
/// rules.
fn is_nobodys(error: &walkdir::Error) -> bool {
    let is_below = error.depth() > 0;
    error.loop_ancestor().is_some() || (is_below && error.path().is_some_and(is_hidden))
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(is_hidden_source)
}

/// Tells whether a file or a directory of this name is passed over among the
/// signatures.
#[must_use]
pub fn is_hidden_source(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Tells by its name whether a file holds signatures: `*.yar`, `*.yara`, or a
/// list of indicators.
#[must_use]
pub fn is_signature_file(path: &Path) -> bool {
    let is_rule = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("yar") || e.eq_ignore_ascii_case("yara"));
    is_rule
        || path
            .file_name()
            .is_some_and(|name| kind_of(&name.to_string_lossy()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_files_are_found_in_order_and_others_passed_over() {
        let dir = tempfile::tempdir().expect("temporary directory");
        for (name, text) in [
            ("yara/b.yar", "b"),
            ("yara/a.YARA", "a"),
            ("yara/deep/er/c.yar", "c"),
            ("yara/.hidden.yar", "no"),
            (".git/d.yar", "no"),
            ("readme.txt", "no"),
        ] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("parent")).expect("directory");
            std::fs::write(path, text).expect("file");
        }
        let (files, errors) =
            read_directory(dir.path(), SignatureOrigin::Custom).expect("readable");
        let texts: Vec<_> = files.iter().map(|f| f.content.as_slice()).collect();
        assert_eq!(texts, [b"a", b"b", b"c"]);
        assert!(errors.is_empty(), "{errors:?}");
    }

    #[test]
    fn what_cannot_be_read_is_told_where_it_would_be() {
        let dir = tempfile::tempdir().expect("temporary directory");
        for name in ["lost.yar", "vendor", "vendor-1.2", ".#lost.yar"] {
            std::os::unix::fs::symlink("nowhere", dir.path().join(name)).expect("link");
        }
        std::os::unix::fs::symlink(".", dir.path().join("loop.d")).expect("link");
        let (files, errors) =
            read_directory(dir.path(), SignatureOrigin::Custom).expect("readable");
        assert!(files.is_empty());
        let names: Vec<_> = errors
            .iter()
            .map(|error| error.path().file_name())
            .collect();
        let expected =
            ["lost.yar", "vendor", "vendor-1.2"].map(|name| Some(std::ffi::OsStr::new(name)));
        assert_eq!(names, expected);
    }

    #[test]
    fn a_missing_directory_is_an_error_that_names_it() {
        let error = read_directory(Path::new("/no/such/rules"), SignatureOrigin::Custom)
            .expect_err("missing");
        assert!(error.to_string().contains("/no/such/rules"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_symlink_loop_ends() {
        let dir = tempfile::tempdir().expect("temporary directory");
        std::os::unix::fs::symlink(dir.path(), dir.path().join("again")).expect("link");
        std::fs::write(dir.path().join("a.yar"), "a").expect("file");
        let (files, errors) =
            read_directory(dir.path(), SignatureOrigin::Custom).expect("readable");
        assert_eq!(files.len(), 1);
        // All that it leads to is read.
        assert!(errors.is_empty(), "{errors:?}");
    }
}
