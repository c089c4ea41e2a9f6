//! The service takes rights from itself before it reads anything foreign:
//! whatever a hostile sample makes of a mistake in it, it runs no other
//! program, reaches no other process, and reads and writes nowhere but where
//! the service does anyway.
//!
//! Landlock is the kernel's check of paths, seccomp that of system calls; both
//! count for this thread and all that it starts, so this comes before the
//! first thread, and for good.

mod calls;
mod reading;

use std::fmt;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, PathBeneath, PathFd, PathFdError,
    Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus,
};

use reading::Readable;

/// Rights that are asked for; an older kernel knows fewer of them.
const RIGHTS: ABI = ABI::V3;

/// How far the service is locked in.
#[derive(Debug)]
pub(crate) struct Sandbox {
    landlock: Result<(), String>,
    seccomp: Result<(), String>,
    /// What may be read beside what may be written.
    readable: Readable,
    /// Directories of everybody's that may be written.
    shared: Vec<PathBuf>,
}

impl Sandbox {
    /// Writes into the log what is open, and what more than it need be.
    pub(crate) fn log_places(&self) {
        if self.landlock.is_err() {
            // Then all is open, which is told already.
            return;
        }
        for dir in &self.shared {
            let dir = dir.display();
            tracing::warn!(
                "the sandbox lets all of `{dir}` be read and written, because of one file in it that \
                 a setting names: one in a directory of its own needs less"
            );
        }
        for dir in &self.readable.unfinished {
            let dir = dir.display();
            tracing::warn!("there is too much in `{dir}` to look for links, they may be refused");
        }
        let places = &self.readable.places;
        tracing::debug!("the sandbox lets these be read: {places:?}");
    }

    /// Tells whether both parts are in force.
    pub(crate) fn is_whole(&self) -> bool {
        self.landlock.is_ok() && self.seccomp.is_ok()
    }
}

impl fmt::Display for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |part: &Result<(), String>| match part {
            Ok(()) => "in force".to_owned(),
            Err(reason) => format!("not in force ({reason})"),
        };
        let (landlock, seccomp) = (told(&self.landlock), told(&self.seccomp));
        write!(f, "Landlock {landlock}, seccomp {seccomp}")
    }
}

/// Locks this thread in, and all that it starts. `own` are directories of the
/// service, which are made; `others` are files and directories that it writes
/// too, `read` what it only reads.
pub(crate) fn enter(own: &[PathBuf], others: &[PathBuf], read: &[PathBuf]) -> Sandbox {
    for dir in own {
        // Whoever opens it says what is wrong with it.
        let _ = DirBuilder::new().recursive(true).mode(0o700).create(dir);
        // The directory above may be closed from now on, and a new name is to last.
        let above = dir.parent().filter(|above| *above != Path::new(""));
        let _ = File::open(above.unwrap_or(Path::new("."))).and_then(|above| above.sync_all());
    }
    let places: Vec<PathBuf> = own
        .iter()
        .cloned()
        .chain(others.iter().map(|path| place(path)))
        .collect();
    let is_shared = |dir: &&PathBuf| dir.canonicalize().is_ok_and(|dir| reading::is_shared(&dir));
    let readable = reading::places(read);
    Sandbox {
        landlock: restrict_paths(&readable, &places),
        seccomp: calls::restrict().map_err(|error| error.to_string()),
        shared: places.iter().filter(is_shared).cloned().collect(),
        readable,
    }
}

/// Returns what must be writable for `path` to be made, replaced and rotated:
/// the directory of a file. What is no file, such as a pipe, is itself.
fn place(path: &Path) -> PathBuf {
    // What `/dev/stdout` stands for may be a file.
    let of_system = ["/dev", "/proc"].iter().any(|dir| path.starts_with(dir));
    let path = match path.canonicalize() {
        Ok(file) if of_system && file.is_file() => file,
        _ => path.to_owned(),
    };
    let is_other = path.metadata().is_ok_and(|file| !file.is_file());
    match path.parent() {
        _ if is_other => path.clone(),
        Some(dir) if dir.as_os_str().is_empty() => PathBuf::from("."),
        Some(dir) => dir.to_owned(),
        None => path,
    }
}

fn restrict_paths(readable: &Readable, writable: &[PathBuf]) -> Result<(), String> {
    let restricted = || -> Result<RulesetStatus, RulesetError> {
        let mut ruleset = Ruleset::default()
            // Without this right the kernel lets no file be moved from one
            // directory to another, which the queue does.
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::Refer)?
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(RIGHTS))?
            .create()?;
        let all_but_execute = AccessFs::from_all(RIGHTS) & !AccessFs::Execute;
        let devices = [PathBuf::from("/dev/null")];
        let written = writable.iter().chain(&devices);
        let written = written.map(|path| (path, all_but_execute));
        let reading = AccessFs::ReadFile | AccessFs::ReadDir;
        let read = readable.places.iter().map(|path| (path, reading));
        for (path, access) in written.chain(read) {
            // What is not there cannot be used either.
            let Ok(beneath) = beneath(path, access) else {
                continue;
            };
            ruleset = ruleset.add_rule(beneath)?;
        }
        Ok(ruleset.restrict_self()?.ruleset)
    };
    match restricted() {
        Ok(RulesetStatus::NotEnforced) => Err("the kernel has none".to_owned()),
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn beneath(
    path: impl AsRef<Path>,
    access: impl Into<landlock::BitFlags<AccessFs>>,
) -> Result<PathBeneath<PathFd>, PathFdError> {
    let (path, access) = (path.as_ref(), access.into());
    let access = if path.is_dir() {
        access
    } else {
        access & AccessFs::from_file(RIGHTS)
    };
    Ok(PathBeneath::new(PathFd::new(path)?, access))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::ErrorKind;
    use std::process::Command;

    use rustix::io::Errno;
    use rustix::process::{Pid, Signal, getpid, kill_process, test_kill_process};

    use super::*;

    /// Neither `root` nor `closed` can be used, and `elsewhere` can only be read.
    fn assert_closed(root: &Path, elsewhere: &Path, closed: &Path) {
        for path in [
            elsewhere.join("new"),
            elsewhere.join("there"),
            root.join("new"),
        ] {
            assert!(fs::write(&path, "x").is_err(), "{path:?}");
        }
        for path in [&closed.join("there"), closed, root] {
            let read = fs::File::open(path).map_err(|error| error.kind());
            assert_eq!(read.unwrap_err(), ErrorKind::PermissionDenied, "{path:?}");
        }
        assert!(fs::remove_file(elsewhere.join("there")).is_err());
        assert!(fs::create_dir(root.join("new")).is_err());
    }

    /// No program can be started and `other` cannot be reached; threads can be made.
    fn assert_alone(other: Pid) {
        let run = Command::new("/bin/true").status();
        assert_eq!(run.unwrap_err().raw_os_error(), Some(libc::EPERM));
        let killed = kill_process(other, Signal::KILL);
        assert_eq!(killed, Err(Errno::PERM));
        assert_eq!(test_kill_process(getpid()), Ok(()));
        // Threads go on being made.
        assert_eq!(std::thread::spawn(|| 5).join().unwrap(), 5);
    }

    /// What a thread can still do that locked itself in.
    #[test]
    fn a_thread_that_is_locked_in_writes_in_its_places_and_runs_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let [own, logs, elsewhere, closed] =
            ["data/queue", "logs", "elsewhere", "closed"].map(|name| dir.path().join(name));
        for dir in [&logs, &elsewhere, &closed] {
            fs::create_dir(dir).unwrap();
            fs::write(dir.join("there"), "read me").unwrap();
        }
        let root = dir.path().to_owned();
        let mut other = Command::new("/bin/sleep").arg("60").spawn().unwrap();
        let other_id = Pid::from_child(&other);
        // Only this thread: the other tests go on.
        let thread = std::thread::spawn(move || {
            let sandbox = enter(
                std::slice::from_ref(&own),
                &[logs.join("squall.log")],
                &[elsewhere.join("there")],
            );
            if !sandbox.is_whole() {
                eprintln!("skipped in part: {sandbox}");
            }
            // Its own places, with moves from one directory to another.
            for part in ["incoming", "files"] {
                fs::create_dir(own.join(part)).unwrap();
            }
            fs::write(own.join("incoming/1"), "x").unwrap();
            fs::rename(own.join("incoming/1"), own.join("files/1")).unwrap();
            fs::write(logs.join("squall.log"), "x").unwrap();
            fs::rename(logs.join("squall.log"), logs.join("squall.log.1")).unwrap();
            fs::remove_file(logs.join("squall.log.1")).unwrap();
            fs::write("/dev/null", "x").unwrap();
            for dir in [&elsewhere, &logs] {
                assert_eq!(fs::read_to_string(dir.join("there")).unwrap(), "read me");
            }
            assert!(fs::read("/etc/passwd").is_ok());
            if sandbox.landlock.is_ok() {
                assert_closed(&root, &elsewhere, &closed);
            }
            if sandbox.seccomp.is_ok() {
                assert_alone(other_id);
            }
            let status = fs::read_to_string("/proc/thread-self/status").unwrap();
            assert!(status.contains("NoNewPrivs:\t1"), "{status}");
        });
        thread.join().unwrap();
        assert!(Command::new("/bin/true").status().is_ok());
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }

    #[test]
    fn the_place_of_a_file_is_its_directory() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.log");
        assert_eq!(place(&file), dir.path());
        fs::write(&file, "").unwrap();
        assert_eq!(place(&file), dir.path());
        assert_eq!(place(dir.path()), dir.path());
        assert_eq!(place(Path::new("a.log")), Path::new("."));
        assert_eq!(place(Path::new("/dev/null")), Path::new("/dev/null"));
    }

    #[test]
    fn what_is_in_force_is_told() {
        let sandbox = Sandbox {
            landlock: Err("the kernel has none".to_owned()),
            seccomp: Ok(()),
            readable: Readable::default(),
            shared: Vec::new(),
        };
        assert_eq!(
            sandbox.to_string(),
            "Landlock not in force (the kernel has none), seccomp in force"
        );
        assert!(!sandbox.is_whole());
    }
}
