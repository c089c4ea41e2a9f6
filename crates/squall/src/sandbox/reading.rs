//! Where the service may read: what programs need of the system, and what its
//! settings name.
//!
//! The kernel goes by files and directories, not by their names: what a link
//! leads to, and what is put in the place of another, is allowed here, or it
//! is found closed when it is read again.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// What the C library, the resolver, TLS and the metrics of the process read.
const SYSTEM: [&str; 15] = [
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/proc",
    "/sys",
    "/usr",
    // Of SUSE, which only links there from /etc.
    "/var/lib/ca-certificates",
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
/// Directories that hold something of everybody's: they are not opened because
/// one thing in them is named.
const SHARED: [&str; 10] = [
    "/", "/home", "/media", "/mnt", "/root", "/run", "/tmp", "/var", "/var/lib", "/var/tmp",
];

/// As many links as the kernel follows on the way to a file.
const LINKS_MAX: usize = 40;
/// How deep signature directories are read.
const DEPTH_MAX: usize = 32;
/// Entries of directories that are looked at for links.
const ENTRIES_MAX: usize = 100_000;

/// Returns the files and directories that may be read, with what is below
/// them, if settings name those paths.
pub(super) fn places(named: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut reading = Reading {
        places: SYSTEM.iter().map(PathBuf::from).collect(),
        links: Vec::new(),
        entries_left: ENTRIES_MAX,
    };
    // For the names of functions, should the process panic.
    reading.places.extend(env::current_exe());
    let variables = VARIABLES.iter().filter_map(env::var_os);
    let variables: Vec<PathBuf> = variables
        .flat_map(|value| env::split_paths(&value).collect::<Vec<_>>())
        .collect();
    let linked = LINKED.iter().map(Path::new);
    let all = named.iter().chain(&variables).map(PathBuf::as_path);
    for path in all.chain(linked) {
        reading.name(path);
    }
    while let Some(link) = reading.links.pop() {
        reading.name(&link);
    }
    reading.places
}

struct Reading {
    places: BTreeSet<PathBuf>,
    /// Links in directories that are allowed, which are to be followed yet.
    links: Vec<PathBuf>,
    entries_left: usize,
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
            let above = above.filter(|above| *above != Path::new("/"));
            self.places.extend(above.map(Path::to_owned));
            return;
        };
        let is_with_its_dir = self.add_dir_of(&path);
        if path.is_dir() {
            if self.places.insert(path.clone()) {
                self.find_links_in(&path);
            }
        } else if !is_with_its_dir {
            self.places.insert(path);
        }
    }

    fn find_links_in(&mut self, dir: &Path) {
        let entries = WalkDir::new(dir).min_depth(1).max_depth(DEPTH_MAX);
        for entry in entries {
            if self.entries_left == 0 {
                return;
            }
            self.entries_left -= 1;
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
        let dir = path.parent();
        let dir = dir.filter(|dir| !SHARED.iter().any(|shared| Path::new(shared) == *dir));
        self.places.extend(dir.map(Path::to_owned));
        dir.is_some()
    }
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
        let places = places(&[root.join(named)]);
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
    fn what_is_everybodys_is_not_opened_for_one_name_in_it() {
        let none = places(&[]);
        let of = |named: &str| -> Vec<PathBuf> {
            let places = places(&[PathBuf::from(named)]);
            places.difference(&none).cloned().collect()
        };
        assert_eq!(of("/no-such-place-anywhere"), [] as [PathBuf; 0]);
        let file = tempfile::NamedTempFile::new_in("/tmp").unwrap();
        let path = file.path().to_owned();
        assert_eq!(of(&path.display().to_string()), [path]);
        for shared in SHARED {
            assert!(!none.contains(Path::new(shared)), "{shared}");
        }
    }
}
