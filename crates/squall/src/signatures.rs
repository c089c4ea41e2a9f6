//! Loading the signature set that the settings name.

use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Context as _;
use flate2::read::DeflateDecoder;
use indicatif::{ProgressBar, ProgressStyle};
use squall_engine::{CompileOptions, Severity, SignatureSet, SourceFile, read_directory};
use squall_types::SignatureOrigin;

/// The starter rule files: for each a line `NAME<TAB>LENGTH`, then its text;
/// all of it deflated (see `build.rs`).
static STARTER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/starter.deflate"));

/// When the binary was built, in seconds since 1970-01-01 UTC.
pub(crate) const BUILD_EPOCH: &str = env!("SQUALL_BUILD_EPOCH");

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
    /// YARA rules only.
    pub(crate) pure_yara: bool,
}

/// Reads and compiles the selected signatures, with a progress bar if standard
/// error is a terminal, and logs every problem.
///
/// # Errors
///
/// Fails if a directory that the operator named cannot be read, or if no rule
/// at all is left: a service without rules would call everything clean.
pub(crate) fn load(selection: &Selection) -> anyhow::Result<SignatureSet> {
    let mut files = Vec::new();
    if selection.builtin {
        files.extend(starter_files().context("the starter signatures in the binary are damaged")?);
    }
    for path in &selection.packaged {
        read(path, SignatureOrigin::Internal, &mut files)?;
    }
    for path in &selection.custom {
        read(path, SignatureOrigin::Custom, &mut files)?;
    }
    let options = CompileOptions {
        pure_yara: selection.pure_yara,
    };
    let bar = progress_bar(files.len());
    let set = SignatureSet::compile(&files, options, |progress| {
        bar.set_position(progress.done as u64);
    })
    .context("cannot compile the signatures")?;
    bar.finish_and_clear();
    log_problems(&set);
    anyhow::ensure!(
        set.summary().rules + set.summary().iocs > 0,
        "no usable rule in {}: a service without rules would call everything clean",
        described(selection)
    );
    Ok(set)
}

/// Returns the files built into the binary.
///
/// # Errors
///
/// Fails only if the binary itself is damaged.
pub(crate) fn starter_files() -> io::Result<Vec<SourceFile>> {
    let built = BUILD_EPOCH.parse().map(Duration::from_secs).ok();
    let mut reader = BufReader::new(DeflateDecoder::new(STARTER));
    let mut files = Vec::new();
    let mut head = String::new();
    while reader.read_line(&mut head)? > 0 {
        let (name, len) = head
            .trim_end()
            .split_once('\t')
            .and_then(|(name, len)| Some((name, len.parse::<usize>().ok()?)))
            .ok_or(io::ErrorKind::InvalidData)?;
        let mut content = vec![0; len];
        reader.read_exact(&mut content)?;
        files.push(SourceFile {
            name: format!("builtin/yara/{name}"),
            content,
            origin: SignatureOrigin::Internal,
            modified: built.map(|since| UNIX_EPOCH + since),
            directory: None,
        });
        head.clear();
    }
    Ok(files)
}

fn read(path: &Path, origin: SignatureOrigin, files: &mut Vec<SourceFile>) -> anyhow::Result<()> {
    let (found, errors) = read_directory(path, origin)?;
    for error in errors {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "a signature file was skipped"
        );
    }
    if found.is_empty() {
        tracing::warn!(path = %path.display(), "no signature file (`*.yar`, `*.yara`, IOC lists) below the path");
    }
    files.extend(found);
    Ok(())
}

fn log_problems(set: &SignatureSet) {
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

fn described(selection: &Selection) -> String {
    let builtin = selection.builtin.then(|| "the starter set".to_owned());
    let directories = selection.packaged.iter().chain(&selection.custom);
    let named = directories.map(|path| format!("`{}`", path.display()));
    builtin
        .into_iter()
        .chain(named)
        .collect::<Vec<_>>()
        .join(", ")
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
