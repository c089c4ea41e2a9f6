//! Where findings are written: the log files, the console and the spools of
//! remote receivers.

mod backlog;
mod console;
mod file;
mod log;
mod rotation;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

pub use console::Console;
pub use file::LogDurability;
pub use log::LogSink;
pub use rotation::Rotation;
use squall_findings::Findings;
use squall_output::{OutputError, Outputs};
use squall_report::forms;
pub use squall_report::forms::Form as JsonForm;
pub use squall_report::text::Options as TextOptions;
use squall_types::{LogHealth, Report};

use crate::limited::Limited;

/// Why a log could not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The file cannot be opened.
    #[error("cannot open log file `{}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The log does not answer.
    #[error("log file `{}` does not answer", path.display())]
    Hangs {
        /// The log.
        path: PathBuf,
    },
    /// A remote receiver's spool refused it.
    #[error("cannot keep findings for a receiver")]
    Output(#[from] OutputError),
    /// The log refused lines, and so did the backlog that is there for it.
    #[error("cannot write log file `{}`, nor keep its lines in `{}`", path.display(), backlog.display())]
    Backlog {
        /// The log.
        path: PathBuf,
        /// The file for lines that it refuses.
        backlog: PathBuf,
        /// Why the backlog could not take them.
        source: io::Error,
    },
}

/// Every place a finding is written to.
#[derive(Default)]
pub struct Sinks {
    /// Text lines to a file.
    pub text: Option<LogSink>,
    /// JSON lines to a file.
    pub json: Option<LogSink>,
    /// How they are written.
    pub json_form: JsonForm,
    /// The version of this program, as some forms say it.
    pub version: String,
    /// Text lines to the console.
    pub console: Option<Console>,
    /// Remote receivers.
    pub outputs: Option<Outputs>,
    /// The store that findings are searched in.
    pub findings: Option<Findings>,
    /// How text lines are written.
    pub text_options: TextOptions,
    /// Tells of refusals now and then.
    pub(crate) refused: Limited,
}

impl Sinks {
    /// Makes sinks that write text lines as `text_options` says. Further ones
    /// are added by setting the fields.
    #[must_use]
    pub fn new(text_options: TextOptions) -> Self {
        Self {
            text_options,
            ..Self::default()
        }
    }

    /// Writes what a scan said to every sink. Nothing is written for a clean
    /// sample.
    ///
    /// # Errors
    ///
    /// Fails at the first log file that has not taken it, nor its backlog, or
    /// spool of a receiver; those behind it do not have it either. It is to be written again as a whole.
    pub fn write(&self, report: &Report) -> Result<(), SinkError> {
        if report.outcome.is_clean() {
            return Ok(());
        }
        let mut lines = Vec::new();
        if let Some(sink) = &self.json {
            // Writing to memory cannot fail.
            let _ = match self.json_form {
                JsonForm::V3 => squall_report::json::write_lines(report, &mut lines),
                form => forms::write_lines(report, form, &self.version, &mut lines),
            };
            sink.append(&lines)?;
        }
        if self.text.is_some() || self.console.is_some() {
            lines.clear();
            let _ = squall_report::text::write_lines(report, &self.text_options, &mut lines);
            if let Some(sink) = &self.text {
                sink.append(&lines)?;
            }
            if let Some(console) = &self.console {
                console.print(lines);
            }
        }
        if let Some(outputs) = &self.outputs {
            outputs.offer(report)?;
        }
        // Last: it takes what the logs have, and waits for nothing.
        if let Some(findings) = &self.findings {
            findings.offer(report);
        }
        Ok(())
    }

    /// Tells whether a log file cannot take lines at the moment, nor its
    /// backlog, or a spool of a remote receiver cannot, so that scanning had
    /// better wait.
    #[must_use]
    pub fn refuse(&self) -> bool {
        self.files().any(LogSink::refuses) || self.outputs.as_ref().is_some_and(Outputs::refuse)
    }

    /// Makes what was written before as durable as promised: in the log files,
    /// or in their backlogs, and in the spools of remote receivers. Returns whether it is; the reasons were logged.
    #[must_use]
    pub fn sync(&self) -> bool {
        let mut synced = true;
        for sink in self.files() {
            if let Err(error) = sink.sync() {
                self.tell(&error);
                synced = false;
            }
        }
        if let Some(outputs) = &self.outputs
            && let Err(error) = outputs.sync()
        {
            self.tell(&error.into());
            synced = false;
        }
        synced
    }

    /// Tries again what log files refused, rotates them, and syncs what no result
    /// waits for.
    /// To be called about every second.
    pub fn tick(&self) {
        for sink in self.files() {
            sink.retry();
            sink.rotate();
        }
        if let Some(outputs) = &self.outputs {
            outputs.retry();
        }
        let _ = self.sync();
    }

    /// Opens the log files again under their names, after a rotation moved them.
    ///
    /// # Errors
    ///
    /// Returns the errors of those that cannot be opened; they go on writing
    /// to the file they have.
    pub fn reopen(&self) -> Vec<SinkError> {
        self.files()
            .filter_map(|sink| {
                let path = sink.path().to_owned();
                let reopened = sink.reopen();
                reopened
                    .err()
                    .map(|source| SinkError::Open { path, source })
            })
            .collect()
    }

    /// Logs, not too often, that a finding could not be written.
    pub(crate) fn tell(&self, error: &SinkError) {
        if let Some(suppressed) = self.refused.pass() {
            tracing::error!(
                suppressed,
                error = error as &dyn std::error::Error,
                "findings cannot be logged: no queued sample is finished until they can"
            );
        }
    }

    /// Returns how the log files fare, each with the name of its setting. One
    /// that is not written owes nothing.
    #[must_use]
    pub fn health(&self) -> Vec<(&'static str, Arc<LogHealth>)> {
        [("logfile", &self.text), ("jsonfile", &self.json)]
            .into_iter()
            .map(|(name, sink)| (name, sink.as_ref().map(|sink| Arc::clone(sink.health()))))
            .map(|(name, health)| (name, health.unwrap_or_default()))
            .collect()
    }

    fn files(&self) -> impl Iterator<Item = &LogSink> {
        [&self.text, &self.json].into_iter().flatten()
    }
}
