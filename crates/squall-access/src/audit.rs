//! The audit log: who did what, from where, and how it ended.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use serde::Serialize;

use crate::private;
use crate::role::Role;
use crate::token::TokenId;

/// Most characters of a text that is written.
const TEXT_CHARS_MAX: usize = 1024;
/// The same of what somebody may not: it is any text, of somebody weak.
const REFUSED_CHARS_MAX: usize = 256;

/// Length at which the file is set aside for a new one: where nobody rotates
/// it, it does not grow for ever.
const FILE_LEN_MAX: u64 = 64 << 20;
/// How many files that were set aside are kept.
const ASIDE_MAX: u32 = 8;

/// How an act ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    Done,
    /// Whoever asked may not.
    Refused,
    /// It could not be done, or made no sense.
    Failed,
}

/// An administrative act.
#[derive(Clone, Debug, Serialize)]
pub struct Act {
    /// Who did it: the name of a token or a client certificate, or a user of
    /// this machine.
    pub who: String,
    /// The token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// The SHA-256 of the client certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// What the provider knows whoever logged in there by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What whoever did it may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// From where: an address, or a word such as `command line`.
    pub from: String,
    /// What was done: a request, or a command.
    pub what: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The status of the answer, if it was a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// A file with a line of JSON for each act. It is opened for each line, so
/// that it can be rotated at any time.
#[derive(Debug)]
pub struct AuditLog {
    path: PathBuf,
    turn: Mutex<()>,
    failures: AtomicU64,
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    #[serde(flatten)]
    act: &'a Act,
}

impl AuditLog {
    /// Names the file; it is made with the first line.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            turn: Mutex::default(),
            failures: AtomicU64::new(0),
        }
    }

    /// Returns where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns how many lines could not be written.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Writes a line, and returns once it is on the disk.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written, and counts that.
    pub fn write(&self, act: &Act) -> io::Result<()> {
        self.append(act).inspect_err(|_| {
            self.failures.fetch_add(1, Ordering::Relaxed);
        })
    }

    fn append(&self, act: &Act) -> io::Result<()> {
        let what_max = match act.outcome {
            Outcome::Refused => REFUSED_CHARS_MAX,
            Outcome::Done | Outcome::Failed => TEXT_CHARS_MAX,
        };
        let act = Act {
            who: cut(&act.who, TEXT_CHARS_MAX),
            from: cut(&act.from, TEXT_CHARS_MAX),
            what: cut(&act.what, what_max),
            ..act.clone()
        };
        let line = Line {
            time: Timestamp::now().to_string(),
            act: &act,
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        let _turn = crate::lock(&self.turn);
        if let Some(dir) = self.path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            private::make_dir(dir)?;
        }
        if self.is_full() {
            self.set_aside()?;
        }
        let mut file = private::append(&self.path)?;
        // One call, so that lines of two programs do not mix.
        file.write_all(&text)?;
        file.sync_data()
    }

    fn is_full(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|file| file.len() >= FILE_LEN_MAX)
    }

    /// Moves the file out of the way, and each that was moved before one place
    /// further; the last goes.
    fn set_aside(&self) -> io::Result<()> {
        // A command may be about to do the same, or have done it.
        let full = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        full.lock()?;
        if !self.is_full() {
            return Ok(());
        }
        let aside = |number: u32| self.path.with_added_extension(number.to_string());
        let last = aside(ASIDE_MAX);
        if last.exists() {
            tracing::warn!(path = %last.display(), "the oldest file of the audit log is deleted, since nobody rotates it");
        }
        for number in (1..ASIDE_MAX).rev() {
            match fs::rename(aside(number), aside(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(&self.path, aside(1))?;
        tracing::warn!(path = %self.path.display(), to = %aside(1).display(), "the audit log is full and is set aside, since nobody rotates it");
        Ok(())
    }
}

fn cut(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_is_a_line_whatever_it_is_called() {
        let dir = tempfile::tempdir().unwrap();
        let log = AuditLog::new(dir.path().join("logs/audit.log"));
        let act = Act {
            who: "a\nb\"".to_owned(),
            token: Token::parse(&format!("sqt_0123abcd_{}", "0f".repeat(20))).map(|t| t.id()),
            certificate: Some("ab".to_owned()),
            subject: Some("s-1".to_owned()),
            role: Some(Role::Admin),
            from: "10.0.0.1".to_owned(),
            what: format!("DELETE /{}", "x".repeat(5000)),
            outcome: Outcome::Refused,
            status: Some(403),
        };
        log.write(&act).unwrap();
        std::fs::rename(log.path(), dir.path().join("rotated")).unwrap();
        log.write(&act).unwrap();
        log.write(&act).unwrap();
        let text = std::fs::read_to_string(log.path()).unwrap();
        assert_eq!(text.lines().count(), 2);
        let line: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(line["who"], "a\nb\"");
        assert_eq!(line["token"], "0123abcd");
        assert_eq!(line["certificate"], "ab");
        assert_eq!(line["subject"], "s-1");
        assert_eq!(line["outcome"], "refused");
        assert_eq!(line["what"].as_str().unwrap().len(), REFUSED_CHARS_MAX);
        assert!(line["time"].as_str().unwrap().parse::<Timestamp>().is_ok());
    }

    fn act() -> Act {
        Act {
            who: "a".to_owned(),
            token: None,
            certificate: None,
            subject: None,
            role: None,
            from: String::new(),
            what: String::new(),
            outcome: Outcome::Done,
            status: None,
        }
    }

    #[test]
    fn what_cannot_be_written_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        let log = AuditLog::new(dir.path().join("audit.log"));
        log.write(&act()).unwrap();
        assert_eq!(log.failures(), 0);
        fs::remove_file(log.path()).unwrap();
        std::os::unix::fs::symlink("/dev/full", log.path()).unwrap();
        assert!(log.write(&act()).is_err());
        assert_eq!(log.failures(), 1);
    }

    #[test]
    fn a_file_that_nobody_rotates_is_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        let log = AuditLog::new(dir.path().join("audit.log"));
        let act = act();
        let aside = |number: u32| dir.path().join(format!("audit.log.{number}"));
        for round in 1..=ASIDE_MAX + 2 {
            let full = File::create(log.path()).unwrap();
            // Told apart by their length.
            full.set_len(FILE_LEN_MAX + u64::from(round)).unwrap();
            log.write(&act).unwrap();
            assert!(fs::metadata(log.path()).unwrap().len() < 1000);
            for number in 1..=ASIDE_MAX {
                let found = fs::metadata(aside(number)).map(|file| file.len()).ok();
                let wanted = (round + 1).checked_sub(number).filter(|&round| round > 0);
                let wanted = wanted.map(|round| FILE_LEN_MAX + u64::from(round));
                assert_eq!(found, wanted, "{number} after {round}");
            }
        }
        assert!(!aside(ASIDE_MAX + 1).exists());
    }

    use crate::token::Token;
}
