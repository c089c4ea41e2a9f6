//! Log files that begin anew when they are large or old: the old one is renamed,
//! and of the old ones only so many are kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// When a log file begins anew. Without a size and an age it never does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Bytes of a file from which on it is rotated.
    pub bytes: Option<u64>,
    /// Time since it was begun.
    pub age: Option<Duration>,
    /// How many old ones are kept; `None` for all.
    pub kept: Option<usize>,
}

/// The form of the time in the name of an old one: it sorts like the time, and
/// `squall findings rebuild` finds names of this form.
const TIME: &str = "%Y%m%dT%H%M%SZ";
const TIME_LEN: usize = "20261130T081500Z".len();

impl Rotation {
    /// Tells whether a log of that size, begun at that time, is to be rotated.
    pub(super) fn is_due(&self, bytes: u64, begun: SystemTime) -> bool {
        let is_large = self.bytes.is_some_and(|bytes_max| bytes >= bytes_max);
        let is_old = self
            .age
            .is_some_and(|age| begun.elapsed().is_ok_and(|elapsed| elapsed >= age));
        bytes > 0 && (is_large || is_old)
    }

    /// Removes the oldest of a log's old files beyond the number kept.
    pub(super) fn remove_old(&self, log: &Path) -> io::Result<()> {
        let Some(kept) = self.kept else {
            return Ok(());
        };
        let mut old = old_files(log)?;
        let surplus = old.len().saturating_sub(kept);
        for path in old.drain(..surplus) {
            fs::remove_file(path)?;
        }
        Ok(())
    }
}

/// Returns a name for what a log is now that no file has, and that sorts behind
/// those of its old files.
pub(super) fn free_name(log: &Path, now: Timestamp) -> PathBuf {
    let time = now.strftime(TIME).to_string();
    let named = |suffix: &str| {
        let mut name = log.file_name().unwrap_or_default().to_owned();
        name.push(format!("-{time}{suffix}"));
        log.with_file_name(name)
    };
    // Those of the same second may be gone in part: their names are not given
    // again, or the newest would be taken for the oldest.
    let old = numbered(log).unwrap_or_default();
    let same = old.iter().filter(|(begun, _, _)| *begun == time);
    let highest = same.map(|(_, number, _)| *number).max();
    let first = highest.is_none().then(|| named(""));
    let beyond = (highest.unwrap_or_default() + 1..).map(|number| named(&format!(".{number}")));
    let mut names = first.into_iter().chain(beyond);
    // Of endless names one is free.
    names
        .find(|name| !name.exists())
        .unwrap_or_else(|| named(""))
}

/// Returns the old files of a log, oldest first: those with names of ours, packed
/// by somebody or not. Others are nobody's business here.
fn old_files(log: &Path) -> io::Result<Vec<PathBuf>> {
    let old = numbered(log)?.into_iter();
    Ok(old.map(|(_, _, path)| path).collect())
}

/// Returns them with the time and the number in their names.
fn numbered(log: &Path) -> io::Result<Vec<(String, u64, PathBuf)>> {
    let dir = match log.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    let name = log.file_name().unwrap_or_default().to_string_lossy();
    let mut old = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let found = entry.file_name();
        let rest = found
            .to_str()
            .and_then(|found| found.strip_prefix(&*name)?.strip_prefix('-'));
        if let Some((time, suffix)) = rest.and_then(|rest| rest.split_at_checked(TIME_LEN))
            && is_time(time)
        {
            let suffix = suffix.strip_suffix(".gz").unwrap_or(suffix);
            let number = suffix.strip_prefix('.').map(str::parse::<u64>);
            match number {
                None if suffix.is_empty() => old.push((time.to_owned(), 0, entry.path())),
                Some(Ok(number)) => old.push((time.to_owned(), number, entry.path())),
                _ => {}
            }
        }
    }
    old.sort();
    Ok(old)
}

fn is_time(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_ours_are_old_files() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let log = dir.path().join("squall.json");
        for name in [
            "squall.json",
            "squall.json-20261130T081500Z",
            "squall.json-20261130T081500Z.2",
            "squall.json-20261130T081500Z.10.gz",
            "squall.json-20251130T081500Z.gz",
            "squall.json-20261130T081500Z.bak",
            "squall.json-20261130",
            "squall.json.1",
            "other.json-20261130T081500Z",
            "squall.json-important-notes",
        ] {
            fs::write(dir.path().join(name), "x").expect("written");
        }
        let names = || -> Vec<_> {
            let old = old_files(&log).expect("listed");
            let name = |path: PathBuf| path.file_name().expect("name").to_owned();
            old.into_iter().map(name).collect()
        };
        assert_eq!(
            names(),
            [
                "squall.json-20251130T081500Z.gz",
                "squall.json-20261130T081500Z",
                "squall.json-20261130T081500Z.2",
                "squall.json-20261130T081500Z.10.gz",
            ]
        );
        let rotation = Rotation {
            kept: Some(1),
            ..Rotation::default()
        };
        rotation.remove_old(&log).expect("removed");
        assert_eq!(names(), ["squall.json-20261130T081500Z.10.gz"]);
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 7);
    }

    #[test]
    fn a_name_that_is_taken_is_passed_over() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let log = dir.path().join("squall.log");
        let now = Timestamp::UNIX_EPOCH;
        let first = free_name(&log, now);
        assert!(first.ends_with("squall.log-19700101T000000Z"));
        fs::write(&first, "x").expect("written");
        assert!(free_name(&log, now).ends_with("squall.log-19700101T000000Z.1"));
    }

    #[test]
    fn size_and_age_make_it_due() {
        let now = SystemTime::now();
        let never = Rotation::default();
        assert!(!never.is_due(u64::MAX, SystemTime::UNIX_EPOCH));
        let sized = Rotation {
            bytes: Some(100),
            ..never
        };
        assert!(sized.is_due(100, now) && !sized.is_due(99, SystemTime::UNIX_EPOCH));
        let aged = Rotation {
            age: Some(Duration::from_secs(60)),
            ..never
        };
        assert!(!aged.is_due(1, now));
        assert!(aged.is_due(1, now - Duration::from_secs(61)));
        // An empty one stays what it is.
        assert!(!aged.is_due(0, SystemTime::UNIX_EPOCH));
    }
}
