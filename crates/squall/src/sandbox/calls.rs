//! The system calls that are refused, as programs for the kernel.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule,
};

/// What a call that is not allowed fails with, as the kernel's own refusals
/// do: libraries know what to make of it.
const REFUSED: u32 = libc::EPERM.unsigned_abs();
/// What a call fails with that is to look as if the kernel had it not.
const MISSING: u32 = libc::ENOSYS.unsigned_abs();

/// What a service that scans files never needs, and what somebody who took it
/// over would: other programs, other processes, the kernel.
const DENIED: &[libc::c_long] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_process_madvise,
    libc::SYS_kcmp,
    // Of any process; threads of this one are reached by another call.
    libc::SYS_tkill,
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

/// Calls that exist on this architecture only.
#[cfg(target_arch = "x86_64")]
const DENIED_HERE: &[libc::c_long] = &[libc::SYS_fork, libc::SYS_vfork];
#[cfg(not(target_arch = "x86_64"))]
const DENIED_HERE: &[libc::c_long] = &[];

/// Calls whose first argument is the process that gets a signal. This one may
/// send itself some, to abort for instance.
const SIGNALS: [libc::c_long; 4] = [
    libc::SYS_kill,
    libc::SYS_tgkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
];

/// Flags for a world of one's own, in which one is root.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// Refuses these calls to this thread and all that it starts.
///
/// # Errors
///
/// Fails if the kernel does not take the programs.
pub(super) fn restrict() -> Result<(), Error> {
    for program in programs(std::process::id())? {
        // This also sees to it that no program gives the process new rights.
        seccompiler::apply_filter(&program)?;
    }
    Ok(())
}

/// Returns the programs for the process with that id. The kernel runs all of
/// them, and the strictest counts.
fn programs(own: u32) -> Result<Vec<BpfProgram>, Error> {
    let mut rules = BTreeMap::new();
    for &call in DENIED.iter().chain(DENIED_HERE) {
        rules.insert(call, Vec::new());
    }
    let is_other = || first(SeccompCmpOp::Ne, u64::from(own));
    for call in SIGNALS {
        rules.insert(call, vec![SeccompRule::new(vec![is_other()?])?]);
    }
    // 0 is this process.
    let limits_of_other = vec![first(SeccompCmpOp::Ne, 0)?, is_other()?];
    let limits_of_other = SeccompRule::new(limits_of_other)?;
    rules.insert(libc::SYS_prlimit64, vec![limits_of_other]);
    rules.insert(libc::SYS_clone, refused_clones()?);
    // The flags of this one are behind a pointer, which cannot be looked at.
    // The C library takes `clone` where the kernel has no such call.
    let missing = second_numbers(&rules).chain([libc::SYS_clone3]);
    let missing = missing.map(|call| (call, Vec::new())).collect();
    Ok(vec![program(rules, REFUSED)?, program(missing, MISSING)?])
}

fn program(rules: BTreeMap<i64, Vec<SeccompRule>>, errno: u32) -> Result<BpfProgram, Error> {
    let arch = std::env::consts::ARCH.try_into()?;
    let refuse = SeccompAction::Errno(errno);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch)?;
    Ok(filter.try_into()?)
}

/// Returns a condition on the first argument, of which all calls here look at
/// the lower half.
fn first(operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, Error> {
    let len = SeccompCmpArgLen::Dword;
    Ok(SeccompCondition::new(0, len, operator, value)?)
}

/// What is more than a thread of this process.
fn refused_clones() -> Result<Vec<SeccompRule>, Error> {
    let has = |flag: libc::c_int, wanted: bool| {
        let flag = u64::from(flag.unsigned_abs());
        let value = if wanted { flag } else { 0 };
        Ok::<_, Error>(SeccompRule::new(vec![first(
            SeccompCmpOp::MaskedEq(flag),
            value,
        )?])?)
    };
    let namespaces = NAMESPACES.iter().map(|&flag| has(flag, true));
    std::iter::once(has(libc::CLONE_THREAD, false))
        .chain(namespaces)
        .collect()
}

/// Returns the second set of numbers (x32) that some kernels have for the calls
/// of `rules`, and those that are in that set only. Nothing here uses any.
fn second_numbers(rules: &BTreeMap<i64, Vec<SeccompRule>>) -> impl Iterator<Item = i64> {
    const BIT: i64 = 0x4000_0000;
    const OWN: std::ops::RangeInclusive<i64> = 512..=547;
    let here = cfg!(target_arch = "x86_64");
    let calls = rules.keys().copied().chain(OWN).map(|call| call | BIT);
    calls.filter(move |_| here)
}

#[cfg(test)]
mod tests {
    use seccompiler::sock_filter;

    use super::*;

    const OWN: u32 = 4711;

    /// Runs a program as the kernel does; returns what it says of a call.
    fn run(program: &[sock_filter], call: i64, first: u64) -> u32 {
        let low = |value: u64| u32::try_from(value & u64::from(u32::MAX)).unwrap();
        let mut words = [0; 16];
        words[0] = u32::try_from(call).unwrap();
        // The programs look for it first, and end the process that has another.
        words[1] = program[1].k;
        (words[4], words[5]) = (low(first), low(first >> 32));
        let (mut at, mut value) = (0, 0);
        loop {
            let step = &program[at];
            at += 1;
            let jump = |is_so: bool| usize::from(if is_so { step.jt } else { step.jf });
            match step.code {
                0x20 => value = words[usize::try_from(step.k / 4).unwrap()],
                0x54 => value &= step.k,
                0x05 => at += usize::try_from(step.k).unwrap(),
                0x15 => at += jump(value == step.k),
                0x25 => at += jump(value > step.k),
                0x35 => at += jump(value >= step.k),
                0x06 => return step.k,
                code => panic!("what is {code:#x}?"),
            }
        }
    }

    /// Returns what a call fails with; 0 if it does not.
    fn errno(call: i64, first: u64) -> u32 {
        let programs = programs(OWN).unwrap();
        let answers = programs.iter().map(|program| run(program, call, first));
        let refused = answers.filter(|&answer| answer != libc::SECCOMP_RET_ALLOW);
        refused.map(|answer| answer & 0xffff).max().unwrap_or(0)
    }

    #[test]
    fn no_other_process_is_reached() {
        let own = u64::from(OWN);
        for call in SIGNALS {
            assert_eq!(errno(call, own), 0, "{call}");
            for other in [own + 1, 1, 0, u64::MAX, u64::from(u32::MAX)] {
                assert_eq!(errno(call, other), REFUSED, "{call} {other}");
            }
        }
        for call in [libc::SYS_tkill, libc::SYS_pidfd_send_signal] {
            assert_eq!(errno(call, own), REFUSED, "{call}");
        }
        for (pid, expected) in [(0, 0), (own, 0), (own + 1, REFUSED)] {
            assert_eq!(errno(libc::SYS_prlimit64, pid), expected, "{pid}");
        }
    }

    #[test]
    fn threads_are_made_and_nothing_more() {
        let flags = |all: &[libc::c_int]| {
            let all = all.iter().map(|flag| u64::from(flag.unsigned_abs()));
            all.fold(0, |flags, flag| flags | flag)
        };
        // As the C library makes one.
        let thread = flags(&[
            libc::CLONE_VM,
            libc::CLONE_FS,
            libc::CLONE_FILES,
            libc::CLONE_SYSVSEM,
            libc::CLONE_SIGHAND,
            libc::CLONE_THREAD,
            libc::CLONE_SETTLS,
            libc::CLONE_PARENT_SETTID,
            libc::CLONE_CHILD_CLEARTID,
        ]);
        assert_eq!(errno(libc::SYS_clone, thread), 0);
        let process = flags(&[libc::SIGCHLD]);
        let vfork = flags(&[libc::CLONE_VM, libc::CLONE_VFORK, libc::SIGCHLD]);
        for refused in [process, vfork] {
            assert_eq!(errno(libc::SYS_clone, refused), REFUSED);
        }
        for flag in NAMESPACES {
            let flag = flags(&[flag]);
            assert_eq!(errno(libc::SYS_clone, thread | flag), REFUSED, "{flag:x}");
            assert_eq!(errno(libc::SYS_clone, process | flag), REFUSED, "{flag:x}");
        }
        assert_eq!(errno(libc::SYS_clone3, 0), MISSING);
        for call in [libc::SYS_unshare, libc::SYS_setns, libc::SYS_execve] {
            assert_eq!(errno(call, 0), REFUSED, "{call}");
        }
    }

    #[test]
    fn what_the_service_does_is_left_alone() {
        for call in [
            libc::SYS_read,
            libc::SYS_openat,
            libc::SYS_getpid,
            libc::SYS_accept4,
        ] {
            assert_eq!(errno(call, 0), 0, "{call}");
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn the_other_numbers_of_a_call_are_refused_too() {
        // `execve` is 520 in the second set.
        for call in [libc::SYS_kill, libc::SYS_clone, libc::SYS_setns, 520] {
            assert_eq!(errno(call | 0x4000_0000, 0), MISSING, "{call}");
        }
    }
}
