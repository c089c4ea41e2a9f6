//! Tests of the configuration, through the command line, the environment and
//! real files.

mod errors;
mod file;
mod layers;
mod listing;
mod login;
mod parsing;
mod secrets;

use std::error::Error;
use std::ffi::OsString;

use clap::Command;

use super::{Loaded, load_for, serve_args};

/// The name that stands for the configuration file's path in what tests see.
const FILE: &str = "squall.yml";

/// A command line, an environment and a file to load a configuration from, on
/// a machine with eight cores.
#[derive(Default)]
pub(crate) struct Case {
    flags: Vec<String>,
    variables: Vec<(OsString, OsString)>,
    file: Option<Vec<u8>>,
}

impl Case {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(|&flag| flag.to_owned()));
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    fn file(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.file = Some(text.into());
        self
    }

    /// Loads the configuration, or returns the error and its causes as the
    /// operator sees them.
    fn load(self) -> Result<Loaded, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let mut args = vec!["serve".to_owned()];
        if let Some(bytes) = self.file {
            std::fs::write(&path, bytes).unwrap();
            args.extend(["-t".to_owned(), path.to_str().unwrap().to_owned()]);
        }
        args.extend(self.flags);
        let command = Command::new("serve").args(serve_args());
        let matches = command
            .try_get_matches_from(args)
            .map_err(|error| error.to_string())?;
        let prefix = format!("{}/", dir.path().display());
        match load_for(&matches, self.variables, 8) {
            Ok(mut loaded) => {
                for warning in &mut loaded.warnings {
                    *warning = warning.replace(&prefix, "");
                }
                Ok(loaded)
            }
            Err(error) => Err(chain(&error).replace(&prefix, "")),
        }
    }

    pub(crate) fn ok(self) -> Loaded {
        self.load().unwrap()
    }

    fn error(self) -> String {
        self.load().unwrap_err()
    }
}

fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

#[test]
fn with_nothing_given_all_is_default() {
    let loaded = Case::new().ok();
    assert_eq!(loaded.warnings, Vec::<String>::new());
    let settings = loaded.settings;
    assert_eq!(settings.listen.host, "127.0.0.1");
    assert_eq!(settings.listen.port, 8080);
    assert_eq!(settings.listen.tls, None);
    assert_eq!(settings.limits.max_file_size_bytes, 200 << 20);
    assert_eq!(settings.workers.threads, 8);
    assert_eq!(settings.workers.sync_only_threads, 0);
    assert!(settings.signatures.builtin);
    assert_eq!(settings.levels, squall_types::Thresholds::default());
    assert_eq!(settings.data_dir.to_str(), Some("./squall-data"));
    assert_eq!(settings.queue.dir.to_str(), Some("./squall-data/queue"));
    assert_eq!(settings.queue.results_max, 250_000);
    assert_eq!(settings.queue.warn_samples, Some(50_000));
    assert_eq!(settings.queue.bytes_max, None);
    assert_eq!(settings.samples.dir.to_str(), Some("./squall-data/samples"));
    assert_eq!(settings.senders.resolve_timeout.as_millis(), 200);
    assert_eq!(settings.workers.scan_timeout.as_secs(), 120);
    assert_eq!(settings.workers.verdict_bytes_max, Some(64 << 20));
}
