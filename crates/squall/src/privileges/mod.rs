//! Who the service is once it listens.
//!
//! Ports below 1024 are root's, everything else is not: a service that root
//! started becomes the user of `run-as` as soon as it has its sockets, before it
//! reads anything but its settings. All else, certificates and keys included, is
//! read as that user, so that what can be read at the start can be read again
//! when it changes.
//!
//! The kernel's calls change one thread; those that it starts take after it. So
//! this comes before the first, like the sandbox, which comes next.

mod identity;
mod places;

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::Context as _;
use rustix::process::{Gid, Uid, getegid, geteuid, getuid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set,
    clear_ambient_capability_set, remove_capability_from_bounding_set, set_capabilities,
    set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid, set_thread_uid,
};

use crate::config::{Account, Places, Settings};
use identity::{Identity, ROOT};

/// What is told where programs that are started could get rights.
const NEW_PRIVILEGES: &str = "cannot rule out new privileges";

/// Numbers of capabilities that the kernel's calls have room for.
const CAPABILITY_NUMBERS: u32 = 64;

/// Who the service is.
#[derive(Debug)]
pub(crate) enum Privileges {
    /// Root, whom nobody told to be anybody else.
    Root,
    /// The user who started it.
    AsStarted {
        /// The capabilities that it was given, and gave up.
        given_up: CapabilitySet,
    },
    /// The user of the setting, for good.
    Dropped {
        /// That user.
        identity: Identity,
        /// Whether programs that are started could get rights back. None can be
        /// started where the sandbox is in force.
        bounded: bool,
    },
}

impl Privileges {
    /// Writes into the log who the service is.
    pub(crate) fn log(&self) {
        match self {
            Self::AsStarted { given_up } if given_up.is_empty() => {}
            Self::AsStarted { given_up } => tracing::info!(
                ?given_up,
                "privileges: as started, without the capabilities that it was started with"
            ),
            Self::Root => tracing::warn!(
                "the service runs as root: whoever takes it over by a mistake in it has the \
                 machine. Name a user in `run-as`, or start it as one, as `User=` of a systemd \
                 unit and `--user` of a container do"
            ),
            Self::Dropped { .. } => tracing::info!("privileges: {self}"),
        }
    }
}

impl fmt::Display for Privileges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("root"),
            Self::AsStarted { .. } => f.write_str("as started"),
            Self::Dropped { identity, bounded } => {
                write!(f, "{identity}, no capabilities")?;
                if *bounded {
                    return Ok(());
                }
                f.write_str(" (but their bounding set, for lack of CAP_SETPCAP)")
            }
        }
    }
}

/// Becomes the user that the settings name, if they name one, and sees to it
/// that the service can do its work as that user. Without one, root stays what
/// it is, and everybody else gives up what he was given for the ports. Called
/// with one thread only.
///
/// # Errors
///
/// Fails if there is no such user, if the process may not become it, if a place
/// that the settings name is not that user's to use, or if rights are left that
/// are to be given up.
pub(crate) fn drop_to(account: Option<&Account>, places: &Places) -> anyhow::Result<Privileges> {
    let started_as_root = geteuid().is_root() || getuid().is_root();
    let Some(account) = account else {
        set_no_new_privs(true).context(NEW_PRIVILEGES)?;
        return Ok(match started_as_root {
            true => Privileges::Root,
            false => Privileges::AsStarted {
                given_up: give_up_capabilities()?,
            },
        });
    };
    let failed = || format!("cannot run as `{account}` (`run-as`)");
    let identity = Identity::of(account).with_context(failed)?;
    if started_as_root {
        places::make_as_root(places, &identity)?;
    } else {
        is_already(&identity, account).with_context(failed)?;
    }
    only_thread().with_context(failed)?;
    let bounded = give_up_rights(&identity, started_as_root).with_context(failed)?;
    places::make_as_user(places);
    places::check(places, &identity)?;
    Ok(Privileges::Dropped { identity, bounded })
}

/// Makes the data directory, if it is missing, for the user that the service
/// becomes: a command that root runs before the first start is not to leave it
/// to root.
///
/// # Errors
///
/// Fails if there is no such user, or if it cannot be made.
pub(crate) fn make_data_dir(settings: &Settings) -> anyhow::Result<()> {
    match &settings.access.run_as {
        Some(account) if geteuid().is_root() => {
            places::make_dir(&settings.data_dir, &Identity::of(account)?)
        }
        _ => Ok(()),
    }
}

/// Becomes whom a directory belongs to, if root calls: what a command makes in
/// it must be the service's to change, and what it reads is foreign. Where it is
/// missing, whom the one belongs to that it is made in, who has a say in what
/// its name means. Called with one thread only.
///
/// # Errors
///
/// Fails if the process may not become that user.
pub(crate) fn become_owner(dir: &Path) -> anyhow::Result<()> {
    let path = std::path::absolute(dir)
        .with_context(|| format!("cannot tell where `{}` is", dir.display()))?;
    let mut above = path.ancestors();
    let owner = above.find_map(|dir| Some((dir, fs::metadata(dir).ok()?)));
    let (true, Some((dir, owner))) = (geteuid().is_root(), owner) else {
        return Ok(());
    };
    let (uid, gid) = (owner.uid(), owner.gid());
    if uid == ROOT {
        return Ok(());
    }
    let failed = || {
        format!(
            "cannot become uid {uid}, whom `{}` belongs to",
            dir.display()
        )
    };
    let account = Account {
        user: uid.to_string(),
        group: Some(gid.to_string()),
    };
    let identity = Identity::of(&account).with_context(failed)?;
    only_thread().with_context(failed)?;
    give_up_rights(&identity, true)
        .with_context(failed)
        .map(drop)
}

/// Makes sure that the process is that user: nobody but root becomes another.
fn is_already(identity: &Identity, account: &Account) -> anyhow::Result<()> {
    let (uid, euid, egid) = (getuid(), geteuid(), getegid());
    let is_user = [uid, euid].iter().all(|id| id.as_raw() == identity.uid);
    let is_group = account.group.is_none() || egid.as_raw() == identity.gid;
    anyhow::ensure!(
        is_user && is_group,
        "the service was started by uid {uid} with gid {egid}, which cannot become anybody else: \
         start it as root, or as {identity}, or leave out `run-as`"
    );
    Ok(())
}

/// Makes sure that there is no other thread: it would keep its rights.
fn only_thread() -> anyhow::Result<()> {
    // Where that cannot be looked up, it is as `drop_to` says.
    let count = fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    anyhow::ensure!(count == 1, "there are {count} threads already");
    Ok(())
}

/// Becomes a user with nothing but its groups; returns whether the bounding set
/// is empty too.
fn give_up_rights(identity: &Identity, started_as_root: bool) -> anyhow::Result<bool> {
    if started_as_root {
        empty_bounding_set();
        become_user(identity).context(
            "the system refuses; a container needs the capabilities SETUID and SETGID for it, or \
             to be started as that user",
        )?;
    }
    // The kernel took them with the user, unless it was told to keep them.
    give_up_capabilities()?;
    set_no_new_privs(true).context(NEW_PRIVILEGES)?;
    anyhow::ensure!(
        getuid().as_raw() == identity.uid && set_thread_uid(Uid::ROOT).is_err(),
        "the process could become root again"
    );
    Ok(bounding_set().next().is_none())
}

/// Gives up all capabilities, and returns those that there were.
fn give_up_capabilities() -> anyhow::Result<CapabilitySet> {
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    let had = capabilities(None).context("cannot tell what capabilities there are")?;
    if had == none {
        // Nor are there ambient ones, then.
        return Ok(CapabilitySet::empty());
    }
    clear_ambient_capability_set().context("cannot give up ambient capabilities")?;
    set_capabilities(None, none).context("cannot give up capabilities")?;
    let left = capabilities(None).context("cannot tell what capabilities are left")?;
    anyhow::ensure!(left == none, "capabilities are left: {left:?}");
    Ok(had.permitted | had.inheritable)
}

/// Changes groups, group and user, real, effective and saved ones; the user
/// last, who may not change the others.
fn become_user(identity: &Identity) -> rustix::io::Result<()> {
    let groups: Vec<_> = identity
        .groups
        .iter()
        .map(|&gid| Gid::from_raw(gid))
        .collect();
    let (uid, gid) = (Uid::from_raw(identity.uid), Gid::from_raw(identity.gid));
    set_thread_groups(&groups)?;
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)
}

/// Takes from programs that are started what they could get, if the process may
/// do that.
fn empty_bounding_set() {
    let all: Vec<_> = bounding_set().collect();
    for capability in all {
        // Whether it worked is looked at afterwards.
        let _ = remove_capability_from_bounding_set(capability);
    }
}

/// Returns the capabilities that programs that are started can get.
fn bounding_set() -> impl Iterator<Item = CapabilitySet> {
    let all = (0..CAPABILITY_NUMBERS).map(|number| CapabilitySet::from_bits_retain(1 << number));
    // The kernel does not know all of these, which is an error.
    all.filter(|capability| capability_is_in_bounding_set(*capability) == Ok(true))
}

#[cfg(test)]
mod tests;
