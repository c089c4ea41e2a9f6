//! Lines that a log file refused, in a file beside the queue until it takes
//! them: a full log disk must neither lose a finding nor stop the scanning.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use squall_queue::confirm_sync;

use crate::dirs;

/// Most bytes that wait for one log. What a log disk misses in a day of alerts
/// fits; a disk that is never looked after does not fill the other one.
const BYTES_MAX: u64 = 256 << 20;
/// Bytes read at a time on the way back, unless a line is longer.
const CHUNK_BYTES: u64 = 256 << 10;
/// How much must fit on the disk again before it is trusted with more lines.
const PROBE_BYTES: usize = 64 << 10;

/// The lines that one log file owes. The file exists only while there are any.
pub(super) struct Backlog {
    path: PathBuf,
    file: Option<File>,
    /// Bytes of whole lines in the file.
    len: u64,
    /// Those of them that the log has.
    moved: u64,
    dirty: bool,
    refused: bool,
    since: Option<SystemTime>,
}

impl Backlog {
    /// Opens what an earlier process left behind, if anything. A line that its
    /// end cut short was not relied upon by anybody.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut backlog = Self {
            path: path.to_owned(),
            file: None,
            len: 0,
            moved: 0,
            dirty: false,
            refused: false,
            since: None,
        };
        match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => {
                backlog.len = whole_lines_len(&file)?;
                let metadata = file.metadata()?;
                let bytes = metadata.len().saturating_sub(backlog.len);
                if bytes > 0 {
                    let path = path.display();
                    tracing::warn!(%path, bytes, "a line that waited for a log was cut short");
                }
                if backlog.len == 0 {
                    fs::remove_file(path)?;
                    return Ok(backlog);
                }
                backlog.since = metadata.created().or_else(|_| metadata.modified()).ok();
                backlog.file = Some(file);
                Ok(backlog)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(backlog),
            Err(error) => Err(error),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_empty(&self) -> bool {
        self.moved == self.len
    }

    /// Returns since when an earlier process let lines wait, as far as can be
    /// told.
    pub(super) fn since(&self) -> Option<SystemTime> {
        self.since
    }

    /// Bytes that the log does not have yet.
    pub(super) fn waiting_bytes(&self) -> u64 {
        self.len - self.moved
    }

    /// Tells whether it could not take lines and is not known to be better.
    pub(super) fn refuses(&self) -> bool {
        self.refused
    }

    /// Lets it be tried again.
    pub(super) fn forgive(&mut self) {
        self.refused = false;
    }

    /// Takes whole lines, all or none.
    pub(super) fn push(&mut self, lines: &[u8]) -> io::Result<()> {
        let pushed = self.try_push(lines);
        self.refused = pushed.is_err();
        pushed
    }

    fn try_push(&mut self, lines: &[u8]) -> io::Result<()> {
        let added = lines.len() as u64;
        if self.len + added > BYTES_MAX {
            return Err(io::Error::other(format!(
                "`{}` has its {BYTES_MAX} bytes",
                self.path.display()
            )));
        }
        let at = self.len;
        self.created()?.write_all_at(lines, at)?;
        self.len += added;
        self.dirty = true;
        Ok(())
    }

    fn created(&mut self) -> io::Result<&File> {
        if self.file.is_none() {
            let dir = self.path.parent().unwrap_or(Path::new("."));
            DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&self.path)?;
            self.file = Some(file);
            self.dirty = true;
        }
        self.file
            .as_ref()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Forces what was pushed to stable storage.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        let Some(file) = self.file.as_ref().filter(|_| self.dirty) else {
            return Ok(());
        };
        // The first time its length and its names are new.
        file.sync_all()?;
        confirm_sync(file)?;
        for dir in self.path.ancestors().skip(1).take(2) {
            dirs::sync(dir)?;
        }
        self.dirty = false;
        Ok(())
    }

    /// Reads the next whole lines into `chunk`, replacing what it holds.
    pub(super) fn read(&self, chunk: &mut Vec<u8>) -> io::Result<()> {
        chunk.clear();
        let Some(file) = &self.file else {
            return Ok(());
        };
        loop {
            let at = self.moved + chunk.len() as u64;
            let more = (self.len - at).min(CHUNK_BYTES);
            if more == 0 {
                return Ok(());
            }
            let known = chunk.len();
            chunk.resize(known + more as usize, 0);
            file.read_exact_at(&mut chunk[known..], at)?;
            let whole = whole_lines(chunk);
            if whole > 0 {
                chunk.truncate(whole);
                return Ok(());
            }
        }
    }

    /// Notes that the log has the next `bytes`.
    pub(super) fn moved(&mut self, bytes: usize) {
        self.moved = (self.moved + bytes as u64).min(self.len);
    }

    /// Notes that nobody knows what the log has.
    pub(super) fn move_again(&mut self) {
        self.moved = 0;
    }

    /// Removes the file: the log has all of it for good.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        if self.file.take().is_some() {
            (self.len, self.moved, self.dirty) = (0, 0, false);
            self.since = None;
            fs::remove_file(&self.path)?;
        }
        Ok(())
    }

    /// Looks whether it can take lines again.
    pub(super) fn probe(&mut self) {
        if !self.refused || self.len + PROBE_BYTES as u64 > BYTES_MAX {
            return;
        }
        let at = self.len;
        let probed = self.created().and_then(|file| {
            file.write_all_at(&[0; PROBE_BYTES], at)?;
            file.sync_data()?;
            file.set_len(at)
        });
        self.refused = probed.is_err();
    }
}

/// Bytes of the whole lines at the beginning of `bytes`.
pub(super) fn whole_lines(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |last| last + 1)
}

/// Bytes of the whole lines in a file.
fn whole_lines_len(file: &File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut chunk = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(CHUNK_BYTES);
        chunk.resize((end - start) as usize, 0);
        file.read_exact_at(&mut chunk, start)?;
        let whole = whole_lines(&chunk);
        if whole > 0 {
            return Ok(start + whole as u64);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(backlog: &mut Backlog) -> Vec<u8> {
        let (mut all, mut chunk) = (Vec::new(), Vec::new());
        while !backlog.is_empty() {
            backlog.read(&mut chunk).expect("readable");
            assert!(chunk.ends_with(b"\n"));
            backlog.moved(chunk.len());
            all.extend_from_slice(&chunk);
        }
        all
    }

    #[test]
    fn what_was_pushed_is_read_after_a_restart_without_a_torn_tail() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("owed").join("text");
        let mut backlog = Backlog::open(&path).expect("opens");
        assert!(backlog.is_empty() && !path.exists());
        backlog.push(b"one\n").expect("takes");
        let long = [vec![b'x'; 600 << 10], b"\n".to_vec()].concat();
        backlog.push(&long).expect("takes");
        backlog.sync().expect("syncs");
        let end = backlog.len;
        let file = backlog.created().expect("file");
        file.write_all_at(b"torn", end).expect("writes");
        drop(backlog);
        let mut backlog = Backlog::open(&path).expect("opens");
        backlog.push(b"two\n").expect("takes");
        let all = read_all(&mut backlog);
        assert_eq!(all, [b"one\n".to_vec(), long, b"two\n".to_vec()].concat());
        backlog.clear().expect("removes");
        assert!(backlog.is_empty() && !path.exists());
    }

    #[test]
    fn a_file_that_is_one_torn_line_holds_nothing() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("text");
        std::fs::write(&path, vec![b'x'; 600 << 10]).expect("file");
        let backlog = Backlog::open(&path).expect("opens");
        assert!(backlog.is_empty() && !path.exists());
    }

    #[test]
    fn it_refuses_what_is_beyond_its_bound() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let mut backlog = Backlog::open(&dir.path().join("text")).expect("opens");
        backlog.push(b"one\n").expect("takes");
        backlog.len = BYTES_MAX - 2;
        assert!(backlog.push(b"two\n").is_err());
        assert!(backlog.refuses());
        backlog.probe();
        assert!(backlog.refuses(), "there is no room yet");
        backlog.len = 4;
        backlog.probe();
        assert!(!backlog.refuses());
        assert_eq!(read_all(&mut backlog), b"one\n");
    }
}
