//! Why a configuration is refused, and where a setting came from.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// The longest piece of foreign text that a message repeats, in characters.
const EXCERPT_LEN_MAX: usize = 120;

/// Where the value of a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody set it.
    Default,
    /// The configuration file.
    File {
        /// The file.
        path: PathBuf,
        /// The key as it is spelled there.
        key: String,
        /// The line of the key, from 1.
        line: u64,
    },
    /// An environment variable.
    Env {
        /// Its name.
        variable: String,
    },
    /// A flag on the command line.
    Flag {
        /// Its name, with the dashes.
        flag: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, key, line } => {
                write!(f, "{}, line {line}, key {}", path.display(), quoted(key))
            }
            Self::Env { variable } => write!(f, "environment variable {}", quoted(variable)),
            Self::Flag { flag } => write!(f, "flag {}", quoted(flag)),
        }
    }
}

/// Why a configuration is refused. All but [`ConfigError::Inconsistent`] are
/// the operator's to mend.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read configuration file `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is too large to be a configuration.
    #[error("configuration file `{}` is larger than {limit_bytes} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest size that is read.
        limit_bytes: u64,
    },
    /// The file is not text.
    #[error("configuration file `{}` is not UTF-8 text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a mapping in YAML.
    #[error("cannot read configuration file `{}` as YAML", path.display())]
    Yaml {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: Box<serde_saphyr::Error>,
    },
    /// The file has a key that means nothing.
    #[error(
        "unknown setting {} in configuration file `{}`, line {line}; the nearest known one is `{nearest}`",
        quoted(key), path.display()
    )]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// Its line, from 1.
        line: u64,
        /// The known key that is spelled most like it.
        nearest: &'static str,
    },
    /// A value is not what the setting takes.
    #[error(
        "cannot use {} for `{setting}` ({origin}): expected {expected}",
        quoted(value)
    )]
    Value {
        /// The setting.
        setting: &'static str,
        /// Who gave the value.
        origin: Origin,
        /// The value.
        value: String,
        /// What it should be.
        expected: String,
    },
    /// A setting is given twice in one place, under two of its names.
    #[error("`{setting}` is set twice: {first}; {second}")]
    SetTwice {
        /// The setting.
        setting: &'static str,
        /// One place.
        first: Box<Origin>,
        /// The other.
        second: Box<Origin>,
    },
    /// Two settings contradict each other.
    #[error("{problem} ({origin}): {remedy}")]
    Contradiction {
        /// What contradicts what.
        problem: String,
        /// Who set the one that is more likely wrong.
        origin: Origin,
        /// What to do.
        remedy: &'static str,
    },
    /// The table of settings contradicts the code that reads it: our bug.
    #[error("the table of settings has no usable `{setting}`, which is a bug")]
    Inconsistent {
        /// The setting.
        setting: &'static str,
    },
}

/// Puts foreign text in backticks, on one line and cut to a sensible length,
/// so that a file cannot forge lines of a log.
pub(crate) fn quoted(text: &str) -> String {
    let mut excerpt: String = text.chars().take(EXCERPT_LEN_MAX).collect();
    if excerpt.len() < text.len() {
        excerpt.push('…');
    }
    let escaped: String = excerpt
        .chars()
        .flat_map(|character| {
            let escape = character.is_control();
            escape
                .then(|| character.escape_default())
                .into_iter()
                .flatten()
                .chain((!escape).then_some(character))
        })
        .collect();
    format!("`{escaped}`")
}
