//! The service takes rights from itself before it reads anything foreign:
//! whatever a hostile sample makes of a mistake in it, it runs no other
//! program, and writes nowhere but where the service writes anyway.
//!
//! Landlock is the kernel's check of paths, seccomp that of system calls; both
//! count for this thread and all that it starts, so this comes before the
//! first thread, and for good. Reading is left alone: signatures, certificates
//! and the resolver's files may lie anywhere.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, PathBeneath, PathFd, PathFdError,
    Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus,
};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// Rights that are asked for; an older kernel knows fewer of them.
const RIGHTS: ABI = ABI::V3;
/// What a call that is not allowed fails with, as the kernel's own refusals
/// do: libraries know what to make of it.
const REFUSED: u32 = libc::EPERM.unsigned_abs();

/// What a service that scans files never needs, and what somebody who took it
/// over would: other programs, other processes, the kernel.
const DENIED: &[libc::c_long] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_open_by_handle_at,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_syslog,
    libc::SYS_vhangup,
];

/// How far the service is locked in.
#[derive(Debug)]
pub(crate) struct Sandbox {
    landlock: Result<(), String>,
    seccomp: Result<(), String>,
}

impl Sandbox {
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
/// too.
pub(crate) fn enter(own: &[PathBuf], others: &[PathBuf]) -> Sandbox {
    for dir in own {
        // Whoever opens it says what is wrong with it.
        let _ = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    }
    let places: Vec<PathBuf> = own
        .iter()
        .cloned()
        .chain(others.iter().map(|path| place(path)))
        .collect();
    Sandbox {
        landlock: restrict_paths(&places),
        seccomp: restrict_calls().map_err(|error| error.to_string()),
    }
}

/// Returns what must be writable for `path` to be made, replaced and rotated:
/// the directory of a file. What is no file, such as a pipe, is itself.
fn place(path: &Path) -> PathBuf {
    let is_other = path.metadata().is_ok_and(|file| !file.is_file());
    match path.parent() {
        _ if is_other => path.to_owned(),
        Some(dir) if dir.as_os_str().is_empty() => PathBuf::from("."),
        Some(dir) => dir.to_owned(),
        None => path.to_owned(),
    }
}

fn restrict_paths(writable: &[PathBuf]) -> Result<(), String> {
    let root = beneath("/", AccessFs::ReadFile | AccessFs::ReadDir);
    let root = root.map_err(|error| error.to_string())?;
    let restricted = || -> Result<RulesetStatus, RulesetError> {
        let mut ruleset = Ruleset::default()
            // Without this right the kernel lets no file be moved from one
            // directory to another, which the queue does.
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::Refer)?
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(RIGHTS))?
            .create()?
            .add_rule(root)?;
        let all_but_execute = AccessFs::from_all(RIGHTS) & !AccessFs::Execute;
        let devices = [PathBuf::from("/dev/null")];
        for path in writable.iter().chain(&devices) {
            // What is not there cannot be written either.
            let Ok(beneath) = beneath(path, all_but_execute) else {
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

fn restrict_calls() -> Result<(), seccompiler::Error> {
    let rules: BTreeMap<i64, _> = DENIED.iter().map(|&call| (call, Vec::new())).collect();
    let arch = std::env::consts::ARCH.try_into()?;
    let refuse = SeccompAction::Errno(REFUSED);
    let filter: BpfProgram =
        SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch)?.try_into()?;
    // This also sees to it that no program gives the process new rights.
    seccompiler::apply_filter(&filter)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    /// What a thread can still do that locked itself in.
    #[test]
    fn a_thread_that_is_locked_in_writes_in_its_places_and_runs_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (own, logs, elsewhere) = (
            dir.path().join("data/queue"),
            dir.path().join("logs"),
            dir.path().join("elsewhere"),
        );
        for dir in [&logs, &elsewhere] {
            fs::create_dir(dir).unwrap();
        }
        fs::write(elsewhere.join("there"), "read me").unwrap();
        let root = dir.path().to_owned();
        // Only this thread: the other tests go on.
        let thread = std::thread::spawn(move || {
            let sandbox = enter(std::slice::from_ref(&own), &[logs.join("squall.log")]);
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
            assert_eq!(
                fs::read_to_string(elsewhere.join("there")).unwrap(),
                "read me"
            );
            if sandbox.landlock.is_ok() {
                for path in [
                    elsewhere.join("new"),
                    elsewhere.join("there"),
                    root.join("new"),
                ] {
                    assert!(fs::write(&path, "x").is_err(), "{path:?}");
                }
                assert!(fs::remove_file(elsewhere.join("there")).is_err());
                assert!(fs::create_dir(root.join("new")).is_err());
            }
            if sandbox.seccomp.is_ok() {
                let run = Command::new("/bin/true").status();
                assert_eq!(run.unwrap_err().raw_os_error(), Some(libc::EPERM));
            }
            let status = fs::read_to_string("/proc/thread-self/status").unwrap();
            assert!(status.contains("NoNewPrivs:\t1"), "{status}");
        });
        thread.join().unwrap();
        assert!(Command::new("/bin/true").status().is_ok());
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
        };
        assert_eq!(
            sandbox.to_string(),
            "Landlock not in force (the kernel has none), seccomp in force"
        );
        assert!(!sandbox.is_whole());
    }
}
