//! Events that a receiver refused for good, in a file for a person to look at.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::link::webhook;

const NAME: &str = "dead-letters.json";

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PutAside {
    /// It is in the file, on the disk.
    Done,
    /// The file is as large as it may become.
    NoRoom,
}

/// The file, one JSON object a line: `event_id`, `reason` and the `event` as it
/// was sent. It is bounded; what finds no room is only counted and logged.
#[derive(Debug)]
pub(crate) struct DeadLetters {
    path: PathBuf,
    bytes_max: u64,
}

impl DeadLetters {
    /// The file in the directory of a spool, of at most `bytes_max` bytes.
    pub(crate) fn new(dir: &Path, bytes_max: u64) -> Self {
        Self {
            path: dir.join(NAME),
            bytes_max,
        }
    }

    /// Returns where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds an event, if there is room.
    ///
    /// # Errors
    ///
    /// Fails if the disk refuses; the file is as it was then.
    pub(crate) fn push(&self, record: &[u8], reason: &str) -> io::Result<PutAside> {
        let (event_id, event) = webhook::parts(record);
        // Built by hand, so that the event stays byte for byte what it was.
        let mut line = format!(
            "{{\"event_id\":{},\"reason\":{},\"event\":",
            text(event_id),
            text(reason)
        )
        .into_bytes();
        line.extend(event);
        line.extend(b"}\n");
        let mut file = self.open()?;
        let len = whole_len(&file)?;
        if len < file.metadata()?.len() {
            file.set_len(len)?;
        }
        if len + line.len() as u64 > self.bytes_max {
            return Ok(PutAside::NoRoom);
        }
        let written = file.write_all(&line).and_then(|()| file.sync_data());
        if written.is_err() {
            // If this fails too, it is done the next time.
            let _ = file.set_len(len);
        }
        written.map(|()| PutAside::Done)
    }

    fn open(&self) -> io::Result<File> {
        OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)
    }
}

/// Returns where the last whole line ends. What is behind it, of a write that was
/// cut short, is in the spool still, and would spoil the next line.
fn whole_len(file: &File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut chunk = [0; 4096];
    while end > 0 {
        let len = usize::try_from(end).map_or(chunk.len(), |end| end.min(chunk.len()));
        let begin = end - len as u64;
        file.read_exact_at(&mut chunk[..len], begin)?;
        if let Some(at) = chunk[..len].iter().rposition(|&byte| byte == b'\n') {
            return Ok(begin + at as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

/// Returns text as a string of JSON; it is a word of ours or an id.
fn text(text: &str) -> String {
    let escaped = text.chars().flat_map(char::escape_default);
    let safe = escaped.filter(|c| *c != '\\' && *c != '"');
    format!("\"{}\"", safe.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        "{\"event_id\":\"AAEC-0\",\"reason\":\"answered with 400\",\"event\":{\"a\":1}}\n";

    fn push(letters: &DeadLetters) -> io::Result<PutAside> {
        let record = webhook::record("AAEC-0", b"{\"a\":1}");
        letters.push(&record, "answered with 400")
    }

    #[test]
    fn events_are_added_until_there_is_no_room() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let letters = DeadLetters::new(dir.path(), 150);
        for expected in [PutAside::Done, PutAside::Done, PutAside::NoRoom] {
            assert_eq!(push(&letters).expect("a disk"), expected);
        }
        let written = std::fs::read_to_string(letters.path()).expect("a file");
        assert_eq!(written, LINE.repeat(2));
    }

    #[test]
    fn what_is_left_of_a_write_spoils_no_line() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let letters = DeadLetters::new(dir.path(), 1 << 20);
        for torn in [LINE.trim_end().to_owned(), "x".repeat(5000)] {
            for before in ["", LINE] {
                std::fs::write(letters.path(), format!("{before}{torn}")).expect("writes");
                assert_eq!(push(&letters).expect("a disk"), PutAside::Done);
                let written = std::fs::read_to_string(letters.path()).expect("a file");
                assert_eq!(written, format!("{before}{LINE}"));
            }
        }
    }

    #[test]
    fn a_disk_that_refuses_is_not_a_file_without_room() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let letters = DeadLetters::new(dir.path(), 1 << 20);
        std::os::unix::fs::symlink("/dev/full", letters.path()).expect("links");
        let refused = push(&letters).expect_err("the disk is full");
        assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
    }
}
