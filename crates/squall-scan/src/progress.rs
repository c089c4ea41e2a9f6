//! The progress bar, on a terminal only.

use std::io::IsTerminal as _;

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::counters::Counters;
use crate::summary::Summary;

/// A bar on standard error, hidden where that is no terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Whether lines of findings go to a terminal too and would tear the bar.
    shared_terminal: bool,
}

impl Progress {
    pub(crate) fn start() -> Self {
        let style = ProgressStyle::with_template("{spinner} {pos}/{len} files {msg} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(0).with_style(style);
        Self {
            shared_terminal: !bar.is_hidden() && std::io::stdout().is_terminal(),
            bar,
        }
    }

    /// Shows how far the scan is. The number of all files is that of those
    /// found so far.
    pub(crate) fn show(&self, counters: &Counters, summary: &Summary) {
        if self.bar.is_hidden() {
            return;
        }
        self.bar.set_length(counters.found());
        self.bar.set_position(counters.done());
        self.bar.set_message(format!(
            "({}), {} with findings, {} not scanned completely,",
            HumanBytes(counters.bytes()),
            summary.files_with_findings(),
            summary.files_not_scanned(),
        ));
        self.bar.tick();
    }

    /// Does something with the bar out of the way.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        if self.shared_terminal {
            self.bar.suspend(write)
        } else {
            write()
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
