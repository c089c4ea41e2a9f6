//! Events that a receiver refused for good, in a file for a person to look at.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::link::webhook;

const NAME: &str = "dead-letters.json";

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

    /// Adds an event.
    ///
    /// # Errors
    ///
    /// Fails if there is no room, or the disk refuses.
    pub(crate) fn push(&self, record: &[u8], reason: &str) -> io::Result<()> {
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
        if file.metadata()?.len() + line.len() as u64 > self.bytes_max {
            return Err(io::Error::other(format!(
                "it has its {} bytes",
                self.bytes_max
            )));
        }
        file.write_all(&line)?;
        file.sync_data()
    }

    fn open(&self) -> io::Result<File> {
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)
    }
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

    #[test]
    fn events_are_added_until_there_is_no_room() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let letters = DeadLetters::new(dir.path(), 150);
        let record = webhook::record("AAEC-0", b"{\"a\":1}");
        letters.push(&record, "answered with 400").expect("room");
        letters.push(&record, "answered with 400").expect("room");
        assert!(letters.push(&record, "answered with 400").is_err());
        let written = std::fs::read_to_string(letters.path()).expect("a file");
        let expected =
            "{\"event_id\":\"AAEC-0\",\"reason\":\"answered with 400\",\"event\":{\"a\":1}}\n";
        assert_eq!(written, expected.repeat(2));
    }
}
