//! Where findings are written: the log files and the console.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};

pub use squall_report::text::Options as TextOptions;
use squall_types::Report;

/// Why a log could not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The file cannot be opened for appending.
    #[error("cannot open log file `{}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write log file `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Every place a finding is written to.
#[derive(Default)]
pub struct Sinks {
    /// Text lines to a file.
    pub text: Option<FileSink>,
    /// v3 JSON lines to a file.
    pub json: Option<FileSink>,
    /// Text lines to the console.
    pub console: Option<Console>,
    /// How text lines are written.
    pub text_options: TextOptions,
}

impl Sinks {
    /// Writes what a scan said to every sink. Nothing is written for a clean
    /// sample.
    ///
    /// # Errors
    ///
    /// Returns the errors of the sinks that could not take it; the others have
    /// it.
    pub fn write(&self, report: &Report) -> Vec<SinkError> {
        let mut errors = Vec::new();
        if report.outcome.is_clean() {
            return errors;
        }
        if self.text.is_some() || self.console.is_some() {
            let mut lines = Vec::new();
            // Writing to memory cannot fail.
            let _ = squall_report::text::write_lines(report, &self.text_options, &mut lines);
            errors.extend(
                self.text
                    .iter()
                    .filter_map(|sink| sink.append(&lines).err()),
            );
            if let Some(console) = &self.console {
                console.print(lines);
            }
        }
        if let Some(sink) = &self.json {
            let mut lines = Vec::new();
            let _ = squall_report::json::write_lines(report, &mut lines);
            errors.extend(sink.append(&lines).err());
        }
        errors
    }

    /// Opens the log files again under their names, after a rotation moved them.
    ///
    /// # Errors
    ///
    /// Returns the errors of those that cannot be opened; they go on writing
    /// to the file they have.
    pub fn reopen(&self) -> Vec<SinkError> {
        [&self.text, &self.json]
            .into_iter()
            .flatten()
            .filter_map(|sink| sink.reopen().err())
            .collect()
    }
}

/// A log file that lines are appended to.
pub struct FileSink {
    path: PathBuf,
    file: Mutex<File>,
}

impl FileSink {
    /// Opens the file, making it (mode 0640) where it is missing.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be opened for appending.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, SinkError> {
        let path = path.into();
        let file = open_log(&path)?;
        Ok(Self {
            path,
            file: Mutex::new(file),
        })
    }

    /// Appends whole lines in one write, so that lines of two threads never mix.
    fn append(&self, lines: &[u8]) -> Result<(), SinkError> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(lines).map_err(|source| SinkError::Write {
            path: self.path.clone(),
            source,
        })
    }

    fn reopen(&self) -> Result<(), SinkError> {
        let reopened = open_log(&self.path)?;
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = reopened;
        Ok(())
    }
}

fn open_log(path: &Path) -> Result<File, SinkError> {
    let open = || -> io::Result<File> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o640)
            .open(path)?;
        end_torn_line(&mut file)?;
        Ok(file)
    };
    open().map_err(|source| SinkError::Open {
        path: path.to_owned(),
        source,
    })
}

/// Ends a line that a crash cut short, so that the next one stands alone.
fn end_torn_line(file: &mut File) -> io::Result<()> {
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() == 0 {
        return Ok(());
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    if last != *b"\n" {
        file.write_all(b"\n")?;
    }
    Ok(())
}

/// How many blocks of lines wait for a slow terminal before further ones are
/// left out of it.
const CONSOLE_WAITING_MAX: usize = 1024;

/// Prints lines from a thread of its own: a terminal that is stopped, or a pipe
/// nobody reads, must not stop the scanning.
pub struct Console {
    sender: SyncSender<Vec<u8>>,
    dropped: AtomicU64,
}

impl Console {
    /// Starts the thread that writes to standard output.
    ///
    /// # Errors
    ///
    /// Fails if the thread cannot be started.
    pub fn start() -> io::Result<Self> {
        let (sender, receiver) = sync_channel::<Vec<u8>>(CONSOLE_WAITING_MAX);
        std::thread::Builder::new()
            .name("console".to_owned())
            .spawn(move || {
                for lines in receiver {
                    // Nothing can be told to a console that is gone.
                    let mut stdout = io::stdout().lock();
                    let _ = stdout.write_all(&lines).and_then(|()| stdout.flush());
                }
            })?;
        Ok(Self {
            sender,
            dropped: AtomicU64::new(0),
        })
    }

    fn print(&self, lines: Vec<u8>) {
        match self.sender.try_send(lines) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                let dropped = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
                if dropped.is_power_of_two() {
                    tracing::warn!(dropped, "the console is too slow, findings left out of it");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_is_ended_when_the_file_is_opened() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("findings.log");
        std::fs::write(&path, "whole\ntorn").expect("file");
        let sink = FileSink::open(&path).expect("opens");
        sink.append(b"next\n").expect("writes");
        assert_eq!(
            std::fs::read_to_string(&path).expect("readable"),
            "whole\ntorn\nnext\n"
        );
    }

    #[test]
    fn reopening_writes_to_the_new_file() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("findings.log");
        let sink = FileSink::open(&path).expect("opens");
        sink.append(b"one\n").expect("writes");
        std::fs::rename(&path, dir.path().join("rotated")).expect("renames");
        sink.append(b"two\n").expect("writes");
        sink.reopen().expect("reopens");
        sink.append(b"three\n").expect("writes");
        let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).expect("readable");
        assert_eq!(read("rotated"), "one\ntwo\n");
        assert_eq!(read("findings.log"), "three\n");
    }

    #[test]
    fn an_unwritable_path_is_named() {
        let error = FileSink::open("/no/such/dir/x.log").err().expect("fails");
        assert!(error.to_string().contains("/no/such/dir/x.log"));
    }
}
