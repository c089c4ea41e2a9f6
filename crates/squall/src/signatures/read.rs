//! What was read of a selection of signatures, and what of it could not be.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use squall_engine::{Problem, Severity, SourceError, SourceFile, read_directory};
use squall_types::SignatureOrigin;

use super::store::Slot;
use super::{Fetched, bundle};

/// The files of a selection.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// What was read.
    pub(crate) files: Vec<SourceFile>,
    /// What could not be.
    pub(crate) errors: Vec<SourceError>,
    /// Paths with no signature file below them.
    pub(crate) empty: Vec<PathBuf>,
    /// Fetched bundles that are not what they were.
    damaged: Vec<Damaged>,
}

/// A fetched bundle that cannot be used.
#[derive(Debug)]
struct Damaged {
    slot: Slot,
    error: anyhow::Error,
    /// Whether the bundle before it is used in its place.
    is_replaced: bool,
}

impl Damaged {
    fn remedy(&self) -> &'static str {
        if self.slot.is_offline() {
            "bring it again with `squall signatures update --from FILE`"
        } else {
            "`squall signatures update` fetches it again"
        }
    }

    fn problem(&self) -> Problem {
        let used = if self.is_replaced {
            "the one before is used"
        } else {
            "nothing of it is used"
        };
        Problem {
            file: self.slot.current().display().to_string(),
            line: None,
            column: None,
            rule: None,
            severity: Severity::Skipped,
            reason: format!(
                "the bundle is damaged, {used}; {}: {:#}",
                self.remedy(),
                self.error
            ),
        }
    }
}

impl Read {
    pub(super) fn add(&mut self, path: &Path, origin: SignatureOrigin) -> anyhow::Result<()> {
        let found = if bundle::is_bundle(path) {
            bundle::read(path, origin)?
        } else {
            let (found, errors) = read_directory(path, origin)?;
            self.errors.extend(errors);
            found
        };
        if found.is_empty() {
            self.empty.push(path.to_owned());
        }
        self.files.extend(found);
        Ok(())
    }

    /// Adds a fetched bundle, which need not be there.
    pub(super) fn add_fetched(&mut self, fetched: &Fetched) -> anyhow::Result<()> {
        let Fetched { slot, path } = fetched;
        let shown = slot.current();
        if !is_there(path)? {
            return Ok(());
        }
        let error = match bundle::read_as(path, &shown, SignatureOrigin::Internal) {
            Ok(found) => {
                self.files.extend(found);
                return Ok(());
            }
            Err(error) if is_denied(&error) => return Err(unreadable(path, error)),
            // What is not in force yet is refused, not replaced.
            Err(error) if *path != shown => return Err(error),
            Err(error) => error,
        };
        let before = slot.before();
        let before =
            before.and_then(|path| bundle::read_as(&path, &shown, SignatureOrigin::Internal).ok());
        self.damaged.push(Damaged {
            slot: slot.clone(),
            error,
            is_replaced: before.is_some(),
        });
        self.files.extend(before.unwrap_or_default());
        Ok(())
    }

    /// Adds what was written through the API, which need not be there.
    pub(super) fn add_own(&mut self, path: &Path) -> anyhow::Result<()> {
        if !is_there(path)? {
            return Ok(());
        }
        let found = read_directory(path, SignatureOrigin::Custom);
        let (files, errors) = found.map_err(|error| unreadable(path, error.into()))?;
        self.files.extend(files);
        self.errors.extend(errors);
        Ok(())
    }

    /// Leaves out what was read before.
    pub(super) fn once(mut self) -> Self {
        self.files = once(self.files);
        self
    }

    /// Refuses fetched bundles that are damaged, unless that is among the `known`
    /// problems.
    ///
    /// # Errors
    ///
    /// Fails if there is one.
    pub(crate) fn refuse_damage(mut self, known: &[Problem]) -> anyhow::Result<Self> {
        let is_news = |damaged: &Damaged| !known.contains(&damaged.problem());
        let Some(news) = self.damaged.iter().position(is_news) else {
            return Ok(self);
        };
        let damaged = self.damaged.swap_remove(news);
        let remedy = damaged.remedy();
        Err(damaged
            .error
            .context(format!("a fetched bundle is damaged, {remedy}")))
    }

    /// Returns what is damaged, and what to do about it, for people.
    pub(crate) fn damage(&self) -> Vec<String> {
        let problems = self.damaged.iter().map(Damaged::problem);
        problems.map(|problem| problem.to_string()).collect()
    }

    /// Returns what could not be read, as problems of the files.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let errors = self.errors.iter();
        let problems = errors.map(|error| Problem {
            file: error.path().display().to_string(),
            line: None,
            column: None,
            rule: None,
            severity: Severity::Skipped,
            reason: match std::error::Error::source(error) {
                Some(source) => format!("cannot be read: {source}"),
                None => error.to_string(),
            },
        });
        let damaged = self.damaged.iter().map(Damaged::problem);
        damaged.chain(problems).collect()
    }

    /// Returns what is missing, a line each, for people.
    pub(crate) fn missing(&self) -> Vec<String> {
        let errors = self.errors.iter().map(|error| {
            let source = std::error::Error::source(error);
            source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
        });
        let empty = self
            .empty
            .iter()
            .map(|path| format!("no signature file below `{}`", path.display()));
        errors.chain(empty).collect()
    }

    /// Logs what could not be read.
    pub(crate) fn log(&self) {
        for damaged in &self.damaged {
            tracing::error!("{}", damaged.problem());
        }
        for error in &self.errors {
            tracing::warn!(
                error = error as &dyn std::error::Error,
                "a signature file was skipped"
            );
        }
        for path in &self.empty {
            tracing::warn!(path = %path.display(), "no signature file (`*.yar`, `*.yara`, IOC lists) below the path");
        }
    }
}

/// Leaves out what was read before, as all below `rules/own` was where `rules` is
/// named as well. It is the operator's own if any of the paths says so.
fn once(files: Vec<SourceFile>) -> Vec<SourceFile> {
    let mut places: HashMap<PathBuf, usize> = HashMap::new();
    let mut kept: Vec<SourceFile> = Vec::with_capacity(files.len());
    for file in files {
        let place = places.entry(PathBuf::from(&file.name));
        let number = *place.or_insert(kept.len());
        match kept.get_mut(number) {
            // Names that are not UTF-8 can look alike.
            Some(first) if first.content == file.content => first.origin = file.origin,
            _ => kept.push(file),
        }
    }
    kept
}
/// Tells whether something is at a path of the data directory.
///
/// # Errors
///
/// Fails if that cannot be told: signatures that may not be looked at are not
/// absent ones, without which everything would pass for clean.
fn is_there(path: &Path) -> anyhow::Result<bool> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        found => found
            .map(|_| true)
            .map_err(|error| unreadable(path, error.into())),
    }
}

/// Tells whether something may not be read, which is no damage.
fn is_denied(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref());
    causes.any(|cause: &io::Error| cause.kind() == io::ErrorKind::PermissionDenied)
}

/// Says which signatures of the data directory cannot be read, and what to do where
/// that is closed to us.
fn unreadable(path: &Path, error: anyhow::Error) -> anyhow::Error {
    let advice = if is_denied(&error) {
        ": run this as the user whom that belongs to or as root, or with another data directory \
         (`data-dir`, SQUALL_DATA_DIR)"
    } else {
        ""
    };
    let path = path.display();
    error.context(format!(
        "cannot read the signatures at `{path}` in the data directory{advice}"
    ))
}
#[cfg(test)]
mod tests {
    use super::super::Selection;
    use super::super::store::{SourceState, Store};
    use super::*;

    fn in_store(data_dir: &Path) -> Selection {
        let slot = Store::of(data_dir).offline();
        let path = slot.current();
        Selection {
            fetched: vec![Fetched { slot, path }],
            ..Selection::default()
        }
    }

    fn adopt(data_dir: &Path, text: &str) -> PathBuf {
        let file = SourceFile {
            name: "a.yar".to_owned(),
            content: text.as_bytes().to_vec(),
            origin: SignatureOrigin::Internal,
            modified: None,
            included: squall_engine::Included::default(),
        };
        let mut bytes = io::Cursor::new(Vec::new());
        bundle::write(&mut bytes, &[file], |file| file.name.clone()).expect("packed");
        let slot = Store::of(data_dir).offline();
        let kept = slot.keep(bytes.get_ref(), SourceState::default());
        let candidate = kept.expect("kept");
        candidate.adopt().expect("adopted");
        candidate.path
    }

    #[test]
    fn a_damaged_bundle_is_an_error_or_makes_way_for_the_one_before() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let selection = in_store(dir.path());
        let texts = |read: &Read| -> Vec<Vec<u8>> {
            read.files.iter().map(|file| file.content.clone()).collect()
        };
        let first = adopt(dir.path(), "first");
        std::fs::write(&first, "junk").expect("damaged");
        let read = selection.read_what_is_whole().expect("read");
        assert!(read.files.is_empty());
        let problem = read.problems()[0].to_string();
        assert!(problem.contains("nothing of it is used"), "{problem}");

        let known = read.problems();
        assert!(read.refuse_damage(&known).is_ok(), "told already");
        let error = format!("{:#}", selection.read().expect_err("refused"));
        assert!(error.contains("update --from"), "{error}");

        adopt(dir.path(), "first");
        let second = adopt(dir.path(), "second");
        assert_eq!(texts(&selection.read().expect("read")), [b"second"]);
        std::fs::remove_file(second).expect("removed");
        let read = selection.read_what_is_whole().expect("read");
        assert_eq!(texts(&read), [b"first"]);
        assert!(read.problems()[0].reason.contains("the one before is used"));
        assert!(selection.read().is_err());
    }

    #[test]
    fn what_cannot_be_looked_at_is_not_taken_for_absent() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let file = dir.path().join("file");
        std::fs::write(&file, "").expect("written");
        let own = |path| Selection {
            own: Some(path),
            ..Selection::default()
        };
        for selection in [own(dir.path().join("none")), in_store(dir.path())] {
            assert!(selection.read().expect("read").files.is_empty());
        }
        // Below a file nothing can be looked at, not even by root.
        for selection in [own(file.join("own")), in_store(&file)] {
            let error = format!("{:#}", selection.read().expect_err("refused"));
            assert!(error.contains("data directory"), "{error}");
            assert!(error.contains(&file.display().to_string()), "{error}");
        }
    }

    #[test]
    fn a_file_below_two_of_the_paths_is_read_once() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let inner = dir.path().join("own");
        std::fs::create_dir(&inner).expect("made");
        std::fs::write(dir.path().join("a.yar"), "a").expect("written");
        std::fs::write(inner.join("b.yar"), "b").expect("written");
        let selection = Selection {
            packaged: vec![dir.path().to_owned(), dir.path().to_owned()],
            custom: vec![inner],
            ..Selection::default()
        };
        let files = selection.read().expect("read").files;
        let found: Vec<_> = files
            .iter()
            .map(|file| (file.content.as_slice(), file.origin))
            .collect();
        assert_eq!(
            found,
            [
                (&b"a"[..], SignatureOrigin::Internal),
                (b"b", SignatureOrigin::Custom)
            ]
        );
    }
}
