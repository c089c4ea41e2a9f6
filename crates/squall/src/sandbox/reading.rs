//! Where the service may read: what programs need of the system, and what its
//! settings name.
//!
//! The kernel goes by files and directories, not by their names: what a link
//! leads to, and what is put in the place of another, is allowed here, or it
//! is found closed when it is read again.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};

use squall_engine::{SOURCE_DEPTH_MAX, is_hidden_source};
use walkdir::{DirEntry, WalkDir};

/// What the C library, the resolver, TLS and the metrics of the process read.
const SYSTEM: [&str; 19] = [
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/proc",
    "/sys",
    "/usr",
    // What /etc only links to: certificates of SUSE, and the resolver's files.
    "/var/lib/ca-certificates",
    "/run/NetworkManager",
    "/run/connman",
    "/run/resolvconf",
    "/run/systemd/resolve",
    "/dev/full",
    "/dev/null",
    "/dev/random",
    "/dev/tty",
    "/dev/urandom",
    "/dev/zero",
];
/// What of the system is often a link to somewhere else.
const LINKED: [&str; 4] = [
    "/etc/hosts",
    "/etc/localtime",
    "/etc/resolv.conf",
    "/etc/ssl/certs",
];
/// Variables that name certificates to trust.
const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];
/// Directories that hold something of everybody's, as do those in `/home` and
/// `/run/user`: they are not opened because one thing in them is named.
const SHARED: [&str; 17] = [
    "/",
    "/dev",
    "/home",
    "/media",
    "/mnt",
    "/opt",
    "/root",
    "/run",
    "/run/user",
    "/srv",
    "/tmp",
    "/var",
    "/var/lib",
    "/var/log",
    "/var/opt",
    "/var/spool",
    "/var/tmp",
];
/// Directories whose directories are somebody's.
const HOMES: [&str; 2] = ["/home", "/run/user"];

/// As many links as the kernel follows on the way to a file.
const LINKS_MAX: usize = 40;
/// Entries of one directory, and of those in it, that are looked at for links.
const ENTRIES_MAX: usize = 100_000;
/// Links in directories that are followed.
const FOLLOWED_MAX: usize = 10_000;

/// What may be read.
#[derive(Debug, Default)]
pub(super) struct Readable {
    /// Files and directories, with what is below them.
    pub(super) places: BTreeSet<PathBuf>,
    /// Directories with more in them than is looked at for links.
    pub(super) unfinished: BTreeSet<PathBuf>,
}

/// Returns what may be read if settings name those paths.
pub(super) fn places(named: &[PathBuf]) -> Readable {
    let mut reading = Reading::default();
    reading
        .found
        .places
        .extend(SYSTEM.iter().map(PathBuf::from));
    // For the names of functions, should the process panic.
    reading.found.places.extend(env::current_exe());
    let variables = VARIABLES.iter().filter_map(env::var_os);
    let variables: Vec<PathBuf> = variables
        .flat_map(|value| env::split_paths(&value).collect::<Vec<_>>())
        .collect();
    let linked = LINKED.iter().map(Path::new);
    let all = named.iter().chain(&variables).map(PathBuf::as_path);
    for path in all.chain(linked) {
        reading.name(path);
    }
    for _ in 0..FOLLOWED_MAX {
        let Some(link) = reading.links.pop() else {
            break;
        };
        reading.name(&link);
    }
    reading.found.unfinished.extend(reading.links);
    reading.found
}

/// Tells whether a directory holds something of everybody's.
pub(super) fn is_shared(dir: &Path) -> bool {
    let is_one_of = |dirs: &[&str], dir: &Path| dirs.iter().any(|one| Path::new(one) == dir);
    is_one_of(&SHARED, dir) || dir.parent().is_some_and(|above| is_one_of(&HOMES, above))
}

#[derive(Default)]
struct Reading {
    found: Readable,
    /// Directories that were looked through for links.
    searched: BTreeSet<PathBuf>,
    /// Links in directories that are allowed, which are to be followed yet.
    links: Vec<PathBuf>,
}

impl Reading {
    /// Allows a path, whatever it is now, and what is put in its place.
    fn name(&mut self, path: &Path) {
        let Ok(mut path) = std::path::absolute(path) else {
            return;
        };
        for _ in 0..LINKS_MAX {
            let Some(link) = first_link(&path) else {
                return self.end(&path);
            };
            let (Some(dir), Ok(target)) = (link.parent(), link.read_link()) else {
                return;
            };
            // It may lead to another one later, most often beside it.
            self.add_dir_of(&link);
            let rest = path.strip_prefix(&link).unwrap_or(Path::new(""));
            path = match rest.as_os_str().is_empty() {
                true => dir.join(target),
                false => dir.join(target).join(rest),
            };
        }
    }

    /// Allows a path that has no links in it.
    fn end(&mut self, path: &Path) {
        let Ok(path) = path.canonicalize() else {
            // Where it will be made.
            let above = path.ancestors().skip(1).find(|above| above.is_dir());
            self.found.places.extend(above.and_then(of_nobody_else));
            return;
        };
        let is_with_its_dir = self.add_dir_of(&path);
        if path.is_dir() {
            // All that there is belongs to nobody's settings.
            if path.parent().is_some() {
                self.found.places.insert(path.clone());
                self.find_links_in(&path);
            }
        } else if !is_with_its_dir {
            self.found.places.insert(path);
        }
    }

    /// Looks for links among what is read of a directory.
    fn find_links_in(&mut self, dir: &Path) {
        if !self.searched.insert(dir.to_owned()) {
            return;
        }
        let is_read = |entry: &DirEntry| !is_hidden_source(entry.file_name());
        let entries = WalkDir::new(dir).min_depth(1).max_depth(SOURCE_DEPTH_MAX);
        for (at, entry) in entries.into_iter().filter_entry(is_read).enumerate() {
            if at == ENTRIES_MAX {
                self.found.unfinished.insert(dir.to_owned());
                return;
            }
            // What cannot be looked into is told when it is to be read.
            if let Ok(entry) = entry
                && entry.path_is_symlink()
            {
                self.links.push(entry.into_path());
            }
        }
    }

    /// Allows the directory that something is in, unless it is everybody's.
    /// Tells whether it is allowed.
    fn add_dir_of(&mut self, path: &Path) -> bool {
        let dir = path.parent().and_then(of_nobody_else);
        let is_allowed = dir.is_some();
        self.found.places.extend(dir);
        is_allowed
    }
}

/// Returns a directory by its own name, unless it is everybody's.
fn of_nobody_else(dir: &Path) -> Option<PathBuf> {
    dir.canonicalize().ok().filter(|dir| !is_shared(dir))
}

/// Returns the first part of an absolute path that is a link.
fn first_link(path: &Path) -> Option<PathBuf> {
    let mut above: Vec<_> = path.ancestors().collect();
    above.reverse();
    let mut above = above.into_iter();
    above.find(|part| part.is_symlink()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// A directory without links in its path, below none that is everybody's.
    fn place() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("root");
        fs::create_dir(&root).unwrap();
        (dir, root)
    }

    /// What is allowed below a directory if a path is named.
    fn allowed(root: &Path, named: &str) -> Vec<String> {
        let places = places(&[root.join(named)]).places;
        let below = places
            .iter()
            .filter_map(|path| path.strip_prefix(root).ok());
        below.map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn what_takes_the_place_of_a_name_is_allowed_too() {
        let (_dir, root) = place();
        for dir in ["a", "b/1", "b/2", "c"] {
            fs::create_dir_all(root.join(dir)).unwrap();
        }
        fs::write(root.join("a/key.pem"), "").unwrap();
        symlink("../a/key.pem", root.join("b/key.pem")).unwrap();
        symlink("1", root.join("b/now")).unwrap();
        for (named, expected) in [
            ("a/key.pem", vec!["a"]),
            ("b/key.pem", vec!["a", "b"]),
            ("b/1", vec!["b", "b/1"]),
            ("b/now", vec!["b", "b/1"]),
            ("b/now/missing/as/well", vec!["b", "b/1"]),
            ("c/missing", vec!["c"]),
            ("c/../a/key.pem", vec!["a"]),
        ] {
            assert_eq!(allowed(&root, named), expected, "{named}");
        }
    }

    #[test]
    fn links_in_a_directory_are_followed_and_a_loop_of_them_ends() {
        let (_dir, root) = place();
        for dir in ["rules/deep", "more", "most", "closed"] {
            fs::create_dir_all(root.join(dir)).unwrap();
        }
        fs::write(root.join("most/x.yar"), "").unwrap();
        symlink(root.join("more"), root.join("rules/deep/more")).unwrap();
        symlink("../most/x.yar", root.join("more/x.yar")).unwrap();
        symlink("../rules", root.join("more/back")).unwrap();
        symlink("self", root.join("rules/self")).unwrap();
        let places = allowed(&root, "rules");
        for place in ["rules", "rules/deep", "more", "most"] {
            assert!(
                places.iter().any(|path| path == place),
                "{place}: {places:?}"
            );
        }
        assert!(!places.iter().any(|path| path == "closed"), "{places:?}");
    }

    #[test]
    fn what_is_read_is_searched_for_links_also_where_it_is_allowed_already() {
        let (_dir, root) = place();
        for dir in ["rules/deep", "rules/.git", "more", "closed"] {
            fs::create_dir_all(root.join(dir)).unwrap();
        }
        symlink(root.join("more"), root.join("rules/more")).unwrap();
        symlink(root.join("closed"), root.join("rules/.git/closed")).unwrap();
        let named = ["rules/deep", "rules"].map(|name| root.join(name));
        let places = places(&named).places;
        assert!(places.contains(&root.join("more")), "{places:?}");
        assert!(!places.contains(&root.join("closed")), "{places:?}");
    }

    #[test]
    fn what_is_everybodys_is_not_opened_for_one_name_in_it() {
        let none = places(&[]).places;
        let of = |named: &Path| -> Vec<PathBuf> {
            let places = places(&[named.to_owned()]).places;
            places.difference(&none).cloned().collect()
        };
        let nothing: [PathBuf; 0] = [];
        for missing in [
            "/no-such-place",
            "/tmp/no-such-place",
            "/home/nobody-there/x",
        ] {
            assert_eq!(of(Path::new(missing)), nothing, "{missing}");
        }
        let file = tempfile::NamedTempFile::new_in("/tmp").unwrap();
        assert_eq!(of(file.path()), [file.path()]);
        // Nor by a way around, or by a link to all of it.
        let dir = tempfile::tempdir_in("/tmp").unwrap();
        let around = dir.path().join("around");
        symlink(
            format!("../{}", file.path().file_name().unwrap().display()),
            &around,
        )
        .unwrap();
        let mut expected = [dir.path(), file.path()].map(Path::to_owned);
        expected.sort();
        assert_eq!(of(&around), expected);
        let all = dir.path().join("all");
        symlink("/", &all).unwrap();
        assert!(!of(&all).contains(&PathBuf::from("/")));
        for (dir, expected) in [
            ("/", true),
            ("/home/alice", true),
            ("/run/user/1000", true),
            ("/home/alice/rules", false),
            ("/etc/squall", false),
        ] {
            assert_eq!(is_shared(Path::new(dir)), expected, "{dir}");
        }
    }
}
