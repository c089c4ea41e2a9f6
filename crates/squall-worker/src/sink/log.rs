//! A log file behind a thread of its own: a disk that does not answer must stop
//! neither the scan threads nor, in the end, the service.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use squall_types::LogHealth;

use super::SinkError;
use super::file::{FileSink, LogDurability};
use super::rotation::Rotation;

/// Most reports that are handed over at a time; each scan thread waits for its
/// own, so it is the number of threads that bounds them.
const WAITING_MAX: usize = 4096;

/// A log file. Nobody waits for it for longer than [`LogHealth::PATIENCE`], but
/// [`sync`](Self::sync).
pub struct LogSink {
    file: Arc<FileSink>,
    jobs: SyncSender<Job>,
}

/// Lines to be appended. Whoever takes them out, the thread to write them or
/// the one who waited for too long, has them alone.
struct Job {
    lines: Arc<Mutex<Option<Vec<u8>>>>,
    answer: SyncSender<Result<(), SinkError>>,
}

impl LogSink {
    /// Opens the log, making it (mode 0640) where it is missing, and starts its
    /// thread. `backlog` is the file for lines that the log refuses; it exists
    /// only when there are any. What an earlier process left there goes into
    /// the log.
    ///
    /// # Errors
    ///
    /// Fails if the log cannot be opened for appending, the backlog is there
    /// and cannot be read, or the thread cannot be started.
    pub fn open(
        path: impl Into<PathBuf>,
        backlog: &Path,
        durability: LogDurability,
        rotation: Rotation,
    ) -> Result<Self, SinkError> {
        let file = Arc::new(FileSink::open(path, backlog, durability, rotation)?);
        let (jobs, waiting) = sync_channel(WAITING_MAX);
        let writer = Arc::clone(&file);
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || run(&writer, &waiting))
            .map_err(|source| SinkError::Open {
                path: file.path().to_owned(),
                source,
            })?;
        Ok(Self { file, jobs })
    }

    /// Appends whole lines. Once taken they are in the log or in the backlog.
    pub(super) fn append(&self, lines: &[u8]) -> Result<(), SinkError> {
        let appended = self.hand_over(lines);
        if appended.is_err() {
            self.health().count_unlogged();
        }
        appended
    }

    fn hand_over(&self, lines: &[u8]) -> Result<(), SinkError> {
        if self.health().write_hangs() {
            return Err(self.hangs());
        }
        let lines = Arc::new(Mutex::new(Some(lines.to_vec())));
        let (answer, answered) = sync_channel(1);
        let job = Job {
            lines: Arc::clone(&lines),
            answer,
        };
        match self.jobs.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => return Err(self.hangs()),
        }
        match answered.recv_timeout(LogHealth::PATIENCE) {
            Ok(appended) => appended,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                // Not to be written any more, unless it is being written.
                take(&lines);
                answered.try_recv().unwrap_or_else(|_| Err(self.hangs()))
            }
        }
    }

    fn hangs(&self) -> SinkError {
        SinkError::Hangs {
            path: self.path().to_owned(),
        }
    }

    /// Tells whether it cannot take lines and is not known to be better.
    pub(super) fn refuses(&self) -> bool {
        self.health().write_hangs() || self.file.refuses()
    }

    /// Makes every line that was taken before as durable as promised. Waits for
    /// the disk, however long it takes.
    pub(super) fn sync(&self) -> Result<(), SinkError> {
        self.file.sync()
    }

    /// Tries again what was refused before. To be called about every second.
    pub(super) fn retry(&self) {
        self.file.retry();
    }

    /// Renames the log and begins a new one if it is time to. To be called about
    /// every second.
    pub(super) fn rotate(&self) {
        self.file.rotate();
    }

    /// Opens the log again under its name. On an error the old one stays.
    pub(super) fn reopen(&self) -> io::Result<()> {
        self.file.reopen()
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Returns how it fares.
    pub(super) fn health(&self) -> &Arc<LogHealth> {
        self.file.health()
    }
}

fn run(file: &FileSink, waiting: &Receiver<Job>) {
    for job in waiting {
        let Some(lines) = take(&job.lines) else {
            continue;
        };
        let writing = file.health().begin_write();
        let appended = file.append(&lines);
        drop(writing);
        // Whoever waited for it may have given up.
        let _ = job.answer.send(appended);
    }
}

fn take(lines: &Mutex<Option<Vec<u8>>>) -> Option<Vec<u8>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::{Duration, Instant};

    use super::*;

    /// Opens a log that is a pipe nobody reads, which takes some lines and then
    /// nothing.
    fn pipe(dir: &Path) -> LogSink {
        let path = dir.join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo").success());
        LogSink::open(
            path,
            &dir.join("owed"),
            LogDurability::Fsync,
            Rotation::default(),
        )
        .expect("opens")
    }

    #[test]
    fn a_log_that_hangs_is_waited_for_once() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let sink = pipe(dir.path());
        let long = [vec![b'x'; 200_000], b"\n".to_vec()].concat();
        let begun = Instant::now();
        let error = sink.append(&long).expect_err("hangs");
        assert!(matches!(error, SinkError::Hangs { .. }), "{error:?}");
        assert!(begun.elapsed() >= LogHealth::PATIENCE);
        // The thread may have begun a little after it was waited for.
        let deadline = Instant::now() + Duration::from_secs(20);
        while !(sink.refuses() && sink.health().hangs()) {
            assert!(Instant::now() < deadline, "it is not known to hang");
            std::thread::sleep(Duration::from_millis(5));
        }
        let begun = Instant::now();
        sink.append(b"next\n").expect_err("hangs");
        assert!(begun.elapsed() < LogHealth::PATIENCE);
        assert_eq!(sink.health().unlogged(), 2);

        let mut reader = File::open(sink.path()).expect("opens");
        // Ends with the test.
        std::thread::spawn(move || io::copy(&mut reader, &mut io::sink()));
        let deadline = Instant::now() + Duration::from_secs(20);
        while sink.refuses() {
            assert!(Instant::now() < deadline, "it hangs for good");
            std::thread::sleep(Duration::from_millis(5));
        }
        sink.append(b"last\n").expect("takes lines again");
    }
}
