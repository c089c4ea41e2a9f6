//! Signature sets: from the files that the settings name to a set in force.
//!
//! [`Selection`] says which files, [`bundle`] reads and writes them packed into
//! one, [`cache`] keeps what was compiled, [`control`] replaces the set of the
//! running service, [`watch`] sees when files change, [`update`] asks sources for
//! something new, [`timing`] tells what rules cost, and [`administration`] answers
//! the service.

pub(crate) mod administration;
pub(crate) mod bundle;
pub(crate) mod cache;
pub(crate) mod command;
pub(crate) mod control;
mod fetch;
pub(crate) mod library;
mod starter;
pub(crate) mod store;
pub(crate) mod timing;
pub(crate) mod update;
pub(crate) mod watch;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fmt, io};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use squall_engine::{
    CompileOptions, Problem, Severity, SignatureSet, SourceError, SourceFile, Tally,
    is_signature_file, read_directory, tally_lists,
};
use squall_types::{SignatureOrigin, SignatureSummary};

use self::cache::Cache;
use self::store::{Candidate, Slot, Store};
use crate::config::{self, Settings};

pub(crate) use self::starter::BUILD_EPOCH;

/// How many problems are logged one by one; the rest is one line with a count.
const PROBLEMS_LOGGED_MAX: usize = 200;

/// Which signatures to load.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// The starter set inside the binary.
    pub(crate) builtin: bool,
    /// Packaged sets, beside or instead of it.
    pub(crate) packaged: Vec<PathBuf>,
    /// The operator's own.
    pub(crate) custom: Vec<PathBuf>,
    /// What was fetched from sources; any may not be there yet.
    pub(crate) fetched: Vec<Fetched>,
    /// The directory of what is written through the API; it may not be there.
    pub(crate) own: Option<PathBuf>,
    /// YARA rules only.
    pub(crate) pure_yara: bool,
}

/// A bundle that was fetched.
#[derive(Clone, Debug)]
pub(crate) struct Fetched {
    /// Where the one in force is kept, which gives it its name.
    pub(crate) slot: Slot,
    /// Where it is.
    pub(crate) path: PathBuf,
}

impl Selection {
    /// Returns what the settings select.
    pub(crate) fn of(settings: &Settings) -> Self {
        let wanted = &settings.signatures;
        Self {
            builtin: wanted.builtin,
            packaged: wanted.dirs.clone(),
            custom: wanted.custom.clone(),
            fetched: fetched(settings),
            own: Some(own_dir(settings)),
            pure_yara: wanted.pure_yara,
        }
    }

    /// Returns the same with bundles that are not in force yet in place of
    /// those that are.
    pub(crate) fn with(&self, candidates: &[Candidate]) -> Self {
        let mut selection = self.clone();
        for fetched in &mut selection.fetched {
            let mut candidates = candidates.iter();
            let shown = fetched.slot.current();
            if let Some(new) = candidates.find(|new| new.slot.current() == shown) {
                fetched.path.clone_from(&new.path);
            }
        }
        selection
    }

    /// Returns all paths whose change may change the set.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        let named = self.packaged.iter().chain(&self.custom);
        let fetched = self.fetched.iter().map(|fetched| fetched.slot.current());
        let named = named.cloned().chain(fetched);
        named.chain(self.own.clone()).collect()
    }

    pub(crate) fn options(&self) -> CompileOptions {
        CompileOptions {
            pure_yara: self.pure_yara,
        }
    }

    /// Reads all the files.
    ///
    /// # Errors
    ///
    /// Fails if a path that the operator named cannot be read, if what was
    /// fetched or written through the API may not be looked at, or if a fetched
    /// bundle is damaged. What cannot be read below a path is returned beside the
    /// rest.
    pub(crate) fn read(&self) -> anyhow::Result<Read> {
        self.read_what_is_whole()?.refuse_damage(&[])
    }

    /// Reads all the files, and in place of fetched bundles that are damaged those
    /// before them, if there are.
    ///
    /// # Errors
    ///
    /// Fails like [`read`](Self::read), but not for that damage.
    pub(crate) fn read_what_is_whole(&self) -> anyhow::Result<Read> {
        let mut read = Read::default();
        if self.builtin {
            let files = starter::files();
            read.files
                .extend(files.context("the starter signatures in the binary are damaged")?);
        }
        for path in &self.packaged {
            read.add(path, SignatureOrigin::Internal)?;
        }
        for fetched in &self.fetched {
            read.add_fetched(fetched)?;
        }
        for path in &self.custom {
            read.add(path, SignatureOrigin::Custom)?;
        }
        if let Some(path) = &self.own
            && is_there(path)?
        {
            let found = read_directory(path, SignatureOrigin::Custom);
            let (files, errors) = found.map_err(|error| unreadable(path, error.into()))?;
            read.files.extend(files);
            read.errors.extend(errors);
        }
        read.files = once(read.files);
        Ok(read)
    }

    /// Reads the one file that [`read`](Self::read) returns under `name`: by
    /// itself where it lies in a directory, as a whole set is megabytes.
    ///
    /// # Errors
    ///
    /// Fails if it, or what it is packed into, cannot be read.
    pub(crate) fn read_file(&self, name: &str) -> anyhow::Result<Option<SourceFile>> {
        let path = Path::new(name);
        let packaged = self
            .packaged
            .iter()
            .map(|root| (root, SignatureOrigin::Internal));
        let own = self.custom.iter().chain(&self.own);
        let mut roots = packaged.chain(own.map(|root| (root, SignatureOrigin::Custom)));
        if let Some((_, origin)) = roots.find(|(root, _)| path.starts_with(root))
            && path.is_file()
        {
            let (files, _) = read_directory(path, origin)?;
            return Ok(files.into_iter().next());
        }
        let files = self.read_what_is_whole()?.files;
        Ok(files.into_iter().find(|file| file.name == name))
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let builtin = self.builtin.then(|| "the starter set".to_owned());
        let named = self.packaged.iter().chain(&self.custom);
        let named = named.map(|path| format!("`{}`", path.display()));
        let all: Vec<_> = builtin.into_iter().chain(named).collect();
        f.write_str(&all.join(", "))
    }
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

/// Where signatures are that were written through the API.
pub(crate) fn own_dir(settings: &Settings) -> PathBuf {
    settings.data_dir.join("own-signatures")
}

/// Returns where in the data directory signatures are.
pub(crate) fn places_in_data_dir(settings: &Settings) -> [PathBuf; 2] {
    [
        own_dir(settings),
        Store::of(&settings.data_dir).dir().to_owned(),
    ]
}

/// Returns the bundles of the configured sources and the one brought by hand.
fn fetched(settings: &Settings) -> Vec<Fetched> {
    let store = Store::of(&settings.data_dir);
    let sources = settings.signatures.sources.iter();
    sources
        .map(|source| store.slot(&source.location))
        .chain([store.offline()])
        .map(|slot| Fetched {
            path: slot.current(),
            slot,
        })
        .collect()
}

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
    fn add(&mut self, path: &Path, origin: SignatureOrigin) -> anyhow::Result<()> {
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
    fn add_fetched(&mut self, fetched: &Fetched) -> anyhow::Result<()> {
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

/// A set, and where it came from.
pub(crate) struct Made {
    pub(crate) set: SignatureSet,
    /// Its rules were compiled by an earlier run.
    pub(crate) from_cache: bool,
}

/// Makes the set of these files and tests it: with rules compiled earlier where
/// the cache has them, else by compiling, with a progress bar if standard error
/// is a terminal.
///
/// # Errors
///
/// Fails if the set does not pass its self-test, or if no signature at all is
/// left: a service without rules would call everything clean.
pub(crate) fn make(
    files: &[SourceFile],
    options: CompileOptions,
    cache: Option<&Cache>,
) -> anyhow::Result<Made> {
    let made = match cache.and_then(|cache| cache.load(files, options)) {
        Some(set) => Made {
            set,
            from_cache: true,
        },
        None => Made {
            set: compile(files, options)?,
            from_cache: false,
        },
    };
    let summary = made.set.summary();
    anyhow::ensure!(
        summary.rules + summary.iocs > 0,
        "no usable rule: a service without rules would call everything clean"
    );
    made.set.self_test()?;
    if let Some(cache) = cache.filter(|_| !made.from_cache) {
        cache.store(&made.set);
    }
    Ok(made)
}

/// Compiles files, with a progress bar if standard error is a terminal.
///
/// # Errors
///
/// Fails only if the engine cannot be set up.
pub(crate) fn compile(
    files: &[SourceFile],
    options: CompileOptions,
) -> anyhow::Result<SignatureSet> {
    let bar = progress_bar(files.len());
    let set = SignatureSet::compile(files, options, |progress| {
        bar.set_position(progress.done as u64);
    })
    .context("cannot compile the signatures")?;
    bar.finish_and_clear();
    Ok(set)
}

/// Refuses a replacement that has more broken than usable signatures: files
/// that are just being written, or of another kind altogether. A start takes
/// what there is.
///
/// # Errors
///
/// Fails if that is so.
pub(crate) fn refuse_mostly_broken(summary: &SignatureSummary) -> anyhow::Result<()> {
    let usable = summary.rules + summary.iocs;
    anyhow::ensure!(
        summary.skipped <= usable,
        "{} signatures are broken and only {usable} usable",
        summary.skipped
    );
    Ok(())
}

/// Counts what the lists of fetched bundles bring, for each of them. Before the
/// set is made, so that no two tables of ten million digests are in memory.
pub(crate) fn tally_bundles(files: &[SourceFile], candidates: &[Candidate]) -> Vec<Tally> {
    let tally = |candidate: &Candidate| {
        let shown = candidate.slot.current();
        let is_inside = |file: &&SourceFile| Path::new(&file.name).starts_with(&shown);
        tally_lists(files.iter().filter(is_inside))
    };
    candidates.iter().map(tally).collect()
}

/// Refuses fetched bundles of which nothing can be used or more is broken than
/// usable, whatever else is in the set beside them. `lists` is what
/// [`tally_bundles`] counted.
///
/// # Errors
///
/// Fails if there is one.
pub(crate) fn refuse_unfit_bundles(
    set: &SignatureSet,
    candidates: &[Candidate],
    lists: &[Tally],
) -> anyhow::Result<()> {
    for (candidate, lists) in candidates.iter().zip(lists) {
        let rules = tally_rules(set, &candidate.slot.current());
        refuse_unfit(rules, *lists)
            .with_context(|| format!("of `{}`", config::public(&candidate.state.location)))?;
    }
    Ok(())
}

/// Counts the rules of a bundle that are usable and those that are broken.
fn tally_rules(set: &SignatureSet, bundle: &Path) -> Tally {
    let is_inside = |file: &str| Path::new(file).starts_with(bundle);
    let usable = set.rule_list().filter(|(file, _)| is_inside(file)).count();
    let broken = |problem: &&Problem| {
        problem.severity == Severity::Skipped
            && is_inside(&problem.file)
            // A line of a list is no rule; an included file has any name.
            && !is_list(Path::new(&problem.file))
    };
    Tally {
        usable: usable as u64,
        broken: set.problems().iter().filter(broken).count() as u64,
    }
}

/// Good lists excuse no broken rules: those are what a source of rules is for.
fn refuse_unfit(rules: Tally, lists: Tally) -> anyhow::Result<()> {
    anyhow::ensure!(
        rules.broken <= rules.usable,
        "{} rules are broken and only {} usable",
        rules.broken,
        rules.usable
    );
    let (usable, broken) = (rules.usable + lists.usable, rules.broken + lists.broken);
    anyhow::ensure!(usable > 0, "no rule and no indicator is usable");
    anyhow::ensure!(
        broken <= usable,
        "{broken} rules and lines of lists are broken and only {usable} usable"
    );
    Ok(())
}

fn is_list(path: &Path) -> bool {
    is_signature_file(path) && !is_rule_file(path)
}

fn is_rule_file(path: &Path) -> bool {
    path.extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("yar") || e.eq_ignore_ascii_case("yara"))
}

/// Logs what is wrong with a set's files.
pub(crate) fn log_problems(set: &SignatureSet) {
    let mut logged = 0;
    for problem in set.problems() {
        match problem.severity {
            Severity::Skipped if logged < PROBLEMS_LOGGED_MAX => {
                logged += 1;
                tracing::warn!("signature skipped: {problem}");
            }
            Severity::Skipped => {}
            Severity::Warning => tracing::debug!("signature warning: {problem}"),
        }
    }
    let skipped = set.summary().skipped;
    if skipped > logged as u64 {
        tracing::warn!("{} more signatures skipped", skipped - logged as u64);
    }
}

/// Hidden where standard error is not a terminal.
fn progress_bar(files: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} files")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    ProgressBar::new(files as u64)
        .with_style(style)
        .with_message("compiling signatures")
}

#[cfg(test)]
mod tests {
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
        let kept = slot.keep(bytes.get_ref(), store::SourceState::default());
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
    fn a_bundle_is_of_use_by_itself_or_refused() {
        let tally = |(usable, broken)| Tally { usable, broken };
        for (rules, lists, is_fit) in [
            ((1, 0), (0, 0), true),
            ((0, 0), (1, 0), true),
            ((5, 5), (0, 0), true),
            ((9, 0), (0, 5), true),
            ((0, 0), (0, 0), false),
            ((0, 0), (0, 5), false),
            ((1, 0), (1, 3), false),
            ((1, 2), (100, 0), false),
        ] {
            let refused = refuse_unfit(tally(rules), tally(lists));
            assert_eq!(refused.is_ok(), is_fit, "{rules:?} {lists:?}");
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
