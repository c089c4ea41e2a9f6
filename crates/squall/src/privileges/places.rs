//! The places that settings name, for a user who is not root.
//!
//! Directories that are missing are made and given to the user. What is there
//! is left as it is: whose it is is nothing to be changed behind anybody's back,
//! least of all for all that is in it. If it does not fit, the start fails, with
//! the command that helps.

use std::fs::{self, DirBuilder, FileType};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::fs::{Access, CWD, Mode, OFlags, access, fchown, fstat, mkdirat, openat};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use walkdir::WalkDir;

use super::Identity;
use super::identity::ROOT;
use crate::config::{Place, Places};

/// How far directories of the service's own are looked through for what is
/// somebody else's: that is left from another user, and all of it then.
const DEPTH_MAX: usize = 2;
const ENTRIES_MAX: usize = 10_000;

/// Directories that only their owner can look into.
const DIR_MODE: u32 = 0o700;

/// Makes directories that are missing, for the user, as root.
pub(super) fn make_as_root(places: &Places, identity: &Identity) -> anyhow::Result<()> {
    dirs(places)
        .iter()
        .try_for_each(|dir| make_dir(dir, identity))
}

/// Makes what is missing yet, as the user. What cannot be made is found missing
/// by [`check`].
pub(super) fn make_as_user(places: &Places) {
    for dir in dirs(places) {
        let mut builder = DirBuilder::new();
        let _ = builder.recursive(true).mode(DIR_MODE).create(dir);
    }
}

/// Returns all directories that have to be there.
fn dirs(places: &Places) -> Vec<PathBuf> {
    let others = places.others.iter();
    let of_others = others.filter_map(|place| Some(place.path.parent()?.to_owned()));
    let all = places.own_dirs().into_iter().chain(of_others);
    all.filter(|dir| !dir.as_os_str().is_empty()).collect()
}

/// Makes a directory if it is missing, and those above it, as root and for the
/// user. Where anybody but root has a say in what a path means, nothing is made:
/// it could be made to mean any place.
///
/// # Errors
///
/// Fails if one cannot be made or given to the user.
pub(super) fn make_dir(dir: &Path, identity: &Identity) -> anyhow::Result<()> {
    let failed = || {
        let (dir, user) = (dir.display(), &identity.user);
        format!("cannot make `{dir}` for user `{user}` (`run-as`)")
    };
    let path = std::path::absolute(dir).with_context(failed)?;
    let mut missing = Vec::new();
    let mut there = None;
    for above in path.ancestors() {
        match (above.symlink_metadata(), above.file_name()) {
            (Ok(found), _) if found.uid() != ROOT => return Ok(()),
            (Ok(_), _) => {
                there.get_or_insert(above);
            }
            (Err(_), Some(name)) => missing.push(name),
            (Err(_), None) => return Ok(()),
        }
    }
    let Some(there) = there.filter(|_| !missing.is_empty()) else {
        return Ok(());
    };
    let open = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let made = || -> rustix::io::Result<()> {
        let mut at: OwnedFd = openat(CWD, there, open, Mode::empty())?;
        for name in missing.into_iter().rev() {
            match mkdirat(&at, name, Mode::from_raw_mode(DIR_MODE)) {
                // Somebody was quicker, and it is theirs.
                Err(Errno::EXIST) => return Ok(()),
                made => made?,
            }
            // Once the one above is the user's, so is what stands there.
            let dir = openat(&at, name, open | OFlags::NOFOLLOW, Mode::empty())?;
            if fstat(&dir)?.st_uid != ROOT {
                return Err(Errno::EXIST);
            }
            let owner = Uid::from_raw(identity.uid);
            fchown(&dir, Some(owner), Some(Gid::from_raw(identity.gid)))?;
            at = dir;
        }
        Ok(())
    };
    made().with_context(failed)
}

/// Makes sure, as the user, that all places can be used as they are meant.
///
/// # Errors
///
/// Fails at the first that cannot, and says what to do.
pub(super) fn check(places: &Places, identity: &Identity) -> anyhow::Result<()> {
    for place in &places.own {
        check_own(place, identity)?;
    }
    for place in &places.own_files {
        // Other files are made beside it.
        check_dir_of(place, identity)?;
    }
    for place in places.own_files.iter().chain(&places.others) {
        check_written(place, identity)?;
    }
    for place in &places.read {
        check_read(place, identity)?;
    }
    Ok(())
}

/// A directory of the service's own, and what is in it.
fn check_own(place: &Place, identity: &Identity) -> anyhow::Result<()> {
    let refused = |path: &Path| {
        let found = refusal(place, path, "written", identity);
        let (owner, dir) = (identity.owner(), place.path.display());
        anyhow::anyhow!(
            "{found}: give the directory and all that is in it to that user, by `chown -R {owner} \
             {dir}`, or name another one"
        )
    };
    if !may(&place.path, Access::READ_OK | Access::WRITE_OK) {
        return Err(refused(&place.path));
    }
    let entries = WalkDir::new(&place.path).min_depth(1).max_depth(DEPTH_MAX);
    for entry in entries.into_iter().take(ENTRIES_MAX) {
        // What is gone meanwhile is nobody's.
        let Ok(entry) = entry else { continue };
        let is_link = entry.path_is_symlink();
        if !is_link && !may(entry.path(), Access::READ_OK | Access::WRITE_OK) {
            return Err(refused(entry.path()));
        }
    }
    Ok(())
}

/// A file that is written, or made where it is missing.
fn check_written(place: &Place, identity: &Identity) -> anyhow::Result<()> {
    let path = &place.path;
    let Ok(found) = fs::metadata(path) else {
        return check_dir_of(place, identity);
    };
    // Nobody reads a pipe that is written.
    let is_stream = |kind: FileType| kind.is_fifo() || kind.is_char_device();
    let wanted = match is_stream(found.file_type()) {
        true => Access::WRITE_OK,
        false => Access::READ_OK | Access::WRITE_OK,
    };
    anyhow::ensure!(
        may(path, wanted),
        "{}: give it to that user, by `chown {} {}`, or name another one",
        refusal(place, path, "written", identity),
        identity.owner(),
        path.display()
    );
    Ok(())
}

/// The directory that a file is made in.
fn check_dir_of(place: &Place, identity: &Identity) -> anyhow::Result<()> {
    let dir = place
        .path
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty());
    let dir = dir.unwrap_or(Path::new("."));
    anyhow::ensure!(
        may(dir, Access::WRITE_OK),
        "{}: name a file in a directory of that user's, such as one made by `install -d -m 700 -o \
         {} -g {} DIRECTORY`",
        refusal(place, dir, "written", identity),
        identity.user,
        identity.group
    );
    Ok(())
}

/// A file or directory that is read, now and when it changes.
fn check_read(place: &Place, identity: &Identity) -> anyhow::Result<()> {
    let path = &place.path;
    match access(path, Access::READ_OK) {
        // Not there, an address, or a word with a meaning: whoever reads it says so.
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
        Ok(()) if !path.is_dir() || may(path, Access::READ_OK) => return Ok(()),
        _ => {}
    }
    let closed = closed_dir(path);
    let at = closed.as_deref().unwrap_or(path);
    let found = refusal(place, at, "read", identity);
    let group = &identity.group;
    let help = match at.is_dir() {
        true => format!("chgrp {group} {0} && chmod g+rx {0}", at.display()),
        false => format!("chgrp {group} {0} && chmod g+r {0}", at.display()),
    };
    anyhow::bail!(
        "{found}: the service reads it as that user, now and when it changes. Let the user's group \
         read it, by `{help}`, or keep a copy that it may read"
    )
}

/// Returns the first directory above a path that lets the user not in.
fn closed_dir(path: &Path) -> Option<PathBuf> {
    let mut above: Vec<_> = path.ancestors().skip(1).collect();
    above.reverse();
    let mut above = above.into_iter().filter(|dir| !dir.as_os_str().is_empty());
    above
        .find(|dir| access(*dir, Access::EXEC_OK).is_err())
        .map(Path::to_owned)
}

/// Tells whether the user may do something with a file or directory; with a
/// directory, reach what is in it as well.
fn may(path: &Path, wanted: Access) -> bool {
    let wanted = match path.is_dir() {
        true => wanted | Access::EXEC_OK,
        false => wanted,
    };
    access(path, wanted).is_ok()
}

/// Says what the user cannot do with a path, and whose it is.
fn refusal(place: &Place, path: &Path, done: &str, identity: &Identity) -> String {
    let whose = match fs::metadata(path) {
        Ok(found) => format!(
            " (it belongs to uid {}, gid {}, mode {:04o})",
            found.uid(),
            found.gid(),
            found.mode() & 0o7777
        ),
        Err(_) => String::new(),
    };
    format!(
        "`{}` (`{}`) cannot be {done} by user `{}` (`run-as`){whose}",
        path.display(),
        place.setting,
        identity.user
    )
}
