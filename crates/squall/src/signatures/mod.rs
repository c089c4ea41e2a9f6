//! Signature sets: from the files that the settings name to a set in force.
//!
//! [`Selection`] says which files, [`read`] what came of reading them, [`fitness`]
//! whether they may be put in force, [`bundle`] reads and writes them packed into
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
mod fitness;
pub(crate) mod library;
mod read;
mod starter;
pub(crate) mod store;
pub(crate) mod timing;
pub(crate) mod update;
pub(crate) mod watch;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use squall_engine::{CompileOptions, Severity, SignatureSet, SourceFile, read_directory};
use squall_types::SignatureOrigin;

use self::cache::Cache;
use self::store::{Candidate, Slot, Store};
use crate::config::Settings;

pub(crate) use self::fitness::{refuse_mostly_broken, refuse_unfit_bundles, tally_bundles};
pub(crate) use self::read::Read;
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
        if let Some(path) = &self.own {
            read.add_own(path)?;
        }
        Ok(read.once())
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
