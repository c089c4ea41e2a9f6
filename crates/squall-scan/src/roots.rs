//! The paths that were named, as they are shown and matched.

use std::fs;
use std::io;
use std::path::{self, Component, Path, PathBuf};

use crate::read::FileId;

/// Returns an absolute path without `..` and doubled slashes: globs and
/// signatures look at paths, and have neither.
///
/// One that leads nowhere stays as it is, for the message about it.
///
/// # Errors
///
/// Fails if the current directory is gone, so that a relative path means nothing.
pub(crate) fn absolute(root: &Path) -> io::Result<PathBuf> {
    let named = path::absolute(root)?;
    match without_parents(&named) {
        // Links of `/proc` lead into other containers, where no path leads.
        Ok(plain) if is_same_file(&plain, &named) => Ok(plain),
        _ => Ok(named),
    }
}

/// What is above a link is above what it leads to, so a link in front of `..` is
/// replaced. All others stay as they were named.
fn without_parents(named: &Path) -> io::Result<PathBuf> {
    let mut plain = PathBuf::new();
    for component in named.components() {
        if component != Component::ParentDir {
            plain.push(component);
            continue;
        }
        if plain.is_symlink() {
            plain = fs::canonicalize(&plain)?;
        }
        plain.pop();
    }
    Ok(plain)
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let id = |path| fs::metadata(path).map(|metadata| FileId::of(&metadata));
    matches!((id(one), id(other)), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A directory whose own path has no links: `x/y/a.txt`, and `link` to `x/y`.
    fn tree() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("temporary directory");
        let base = fs::canonicalize(dir.path()).expect("there");
        fs::create_dir_all(base.join("x/y")).expect("directories");
        fs::write(base.join("x/y/a.txt"), "a").expect("file");
        symlink("x/y", base.join("link")).expect("link");
        (dir, base)
    }

    fn shown(base: &Path, named: &str) -> String {
        let root = absolute(&base.join(named)).expect("absolute");
        let shown = root.strip_prefix(base).expect("below");
        shown.to_str().expect("text").to_owned()
    }

    #[test]
    fn what_is_above_is_resolved_as_the_system_does() {
        let (_dir, base) = tree();
        for (named, plain) in [
            ("x/../x/y", "x/y"),
            ("x/y/../../x/y/a.txt", "x/y/a.txt"),
            ("x/./y/", "x/y"),
            ("x//y", "x/y"),
            // Not the directory that the link is in.
            ("link/..", "x"),
            ("link/../y/a.txt", "x/y/a.txt"),
        ] {
            assert_eq!(shown(&base, named), plain, "{named}");
        }
    }

    #[test]
    fn a_link_keeps_its_name_where_it_can() {
        let (_dir, base) = tree();
        for named in ["link", "link/a.txt", "x/../link", "x/../link/a.txt"] {
            let plain = named.trim_start_matches("x/../");
            assert_eq!(shown(&base, named), plain, "{named}");
        }
    }

    #[test]
    fn what_leads_nowhere_stays_as_it_is() {
        let (_dir, base) = tree();
        symlink("nowhere", base.join("dangling")).expect("link");
        for named in ["no/../x", "x/y/a.txt/../a.txt", "dangling/../x", "x/../no"] {
            assert_eq!(shown(&base, named), named, "{named}");
        }
    }

    #[test]
    fn the_root_has_nothing_above_it() {
        assert_eq!(
            absolute(Path::new("/..")).expect("absolute"),
            Path::new("/")
        );
        let doubled = absolute(Path::new("//etc")).expect("absolute");
        assert_eq!(doubled.to_str(), Some("/etc"));
    }
}
