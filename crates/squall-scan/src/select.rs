//! Which files are looked at.

use std::path::Path;
use std::time::{Duration, SystemTime};
use std::{env, io};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// What the operator asked for.
#[derive(Clone, Debug, Default)]
pub struct SelectionOptions {
    /// Globs of the files to look at; none for all.
    pub include: Vec<String>,
    /// Globs of the files and directories to leave out.
    pub exclude: Vec<String>,
    /// How long ago a file may have been changed at most.
    pub age_max: Option<Duration>,
    /// The size of the largest file that is read, in bytes.
    pub size_bytes_max: u64,
    /// Whether symbolic links are followed.
    pub follow_symlinks: bool,
    /// Whether directories on other file systems than the one of the path that
    /// was named are left out.
    pub one_file_system: bool,
}

/// A glob that is none, or that nothing can match.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// It breaks the rules of globs.
    #[error("`{pattern}` is no glob pattern")]
    Syntax {
        /// The pattern.
        pattern: String,
        /// Why not.
        source: globset::Error,
    },
    /// There is nothing in it, as where a variable of a shell is not set.
    #[error("a glob pattern is empty")]
    Empty,
    /// It has `..` behind a name.
    #[error("`{pattern}` matches nothing: `..` can only be at the beginning of a pattern")]
    Parent {
        /// The pattern.
        pattern: String,
    },
    /// It begins at the current directory, which is gone or has a name that is
    /// no text.
    #[error("`{pattern}` begins at the current directory, which cannot be named")]
    Here {
        /// The pattern.
        pattern: String,
        /// Why not.
        source: io::Error,
    },
}

/// Which files are looked at.
#[derive(Clone, Debug)]
pub struct Selection {
    include: Option<GlobSet>,
    exclude: GlobSet,
    oldest: Option<SystemTime>,
    pub(crate) size_bytes_max: u64,
    pub(crate) follow_symlinks: bool,
    pub(crate) one_file_system: bool,
}

impl Selection {
    /// Understands the options. The age is counted from now.
    ///
    /// A pattern without a slash is matched with the name of a file or
    /// directory, one with a slash with its whole absolute path; one that does
    /// not begin with a slash may begin anywhere in it, but for `./` and `../`,
    /// which begin at the current directory. `*` and `?` match no slash, `**`
    /// does.
    ///
    /// # Errors
    ///
    /// Fails if a pattern is none, or can match nothing.
    pub fn new(options: &SelectionOptions) -> Result<Self, PatternError> {
        Ok(Self {
            include: (!options.include.is_empty())
                .then(|| globs(&options.include))
                .transpose()?,
            exclude: globs(&options.exclude)?,
            oldest: options.age_max.map(|age| {
                SystemTime::now()
                    .checked_sub(age)
                    .unwrap_or(SystemTime::UNIX_EPOCH)
            }),
            size_bytes_max: options.size_bytes_max,
            follow_symlinks: options.follow_symlinks,
            one_file_system: options.one_file_system,
        })
    }

    /// Tells whether a file, or a directory with all that is in it, is left out.
    pub(crate) fn excludes(&self, path: &Path) -> bool {
        self.exclude.is_match(path)
    }

    /// Tells whether a file is among those asked for.
    pub(crate) fn includes(&self, path: &Path) -> bool {
        self.include
            .as_ref()
            .is_none_or(|include| include.is_match(path))
    }

    /// Tells whether a file was changed too long ago. A time in the future is
    /// none of long ago.
    pub(crate) fn is_too_old(&self, modified: SystemTime) -> bool {
        self.oldest.is_some_and(|oldest| modified < oldest)
    }
}

fn globs(patterns: &[String]) -> Result<GlobSet, PatternError> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(&anchored(pattern)?)
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .map_err(|source| syntax(pattern.clone(), source))?;
        set.add(glob);
    }
    set.build()
        .map_err(|source| syntax(patterns.join(", "), source))
}

fn syntax(pattern: String, source: globset::Error) -> PatternError {
    PatternError::Syntax { pattern, source }
}

/// Returns a pattern for whole absolute paths.
fn anchored(pattern: &str) -> Result<String, PatternError> {
    if pattern.is_empty() {
        return Err(PatternError::Empty);
    }
    let names = names(pattern);
    let (begin, rest) = match names.as_slice() {
        ["", rest @ ..] => (String::new(), rest),
        ["." | "..", ..] => from_here(&names).map_err(|source| PatternError::Here {
            pattern: pattern.to_owned(),
            source,
        })?,
        ["**", rest @ ..] if !rest.is_empty() => ("**".to_owned(), rest),
        rest => ("**".to_owned(), rest),
    };
    if rest.contains(&"..") {
        return Err(PatternError::Parent {
            pattern: pattern.to_owned(),
        });
    }
    let whole = [&[begin.as_str()], rest].concat().join("/");
    Ok(if whole.is_empty() {
        "/".to_owned()
    } else {
        whole
    })
}

/// Splits a pattern at its slashes. No path that is matched has `.` in it, or two
/// slashes in a row, which variables of a shell make.
fn names(pattern: &str) -> Vec<&str> {
    let mut names: Vec<&str> = pattern.split('/').collect();
    let mut is_first = true;
    names.retain(|name| std::mem::take(&mut is_first) || !matches!(*name, "" | "."));
    names
}

/// Returns the directory that `.` or `..` at the beginning mean, as a pattern, and
/// the names behind them.
fn from_here<'a, 'b>(names: &'a [&'b str]) -> io::Result<(String, &'a [&'b str])> {
    let dots = names.iter().take_while(|name| matches!(**name, "." | ".."));
    let (dots, rest) = names.split_at(dots.count());
    let mut folder = env::current_dir()?;
    for _ in dots.iter().filter(|name| **name == "..") {
        folder.pop();
    }
    let folder = folder
        .to_str()
        .ok_or_else(|| io::Error::other("its name is no text"))?;
    let literal = globset::escape(&folder.replace('\\', "\\\\"));
    Ok((literal.trim_end_matches('/').to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    fn selection(include: &[&str], exclude: &[&str]) -> Selection {
        let owned = |globs: &[&str]| globs.iter().map(|&glob| glob.to_owned()).collect();
        Selection::new(&SelectionOptions {
            include: owned(include),
            exclude: owned(exclude),
            ..SelectionOptions::default()
        })
        .expect("patterns")
    }

    #[test]
    fn patterns_match_names_paths_and_parts_of_paths() {
        for (pattern, path, matches) in [
            ("*.php", "/var/www/a.php", true),
            ("*.php", "/var/www/a.PHP", false),
            ("*.php", "/var/a.php/x", false),
            ("node_modules", "/srv/node_modules", true),
            ("/var/www/*", "/var/www/a.php", true),
            ("/var/www/*", "/var/www/b/a.php", false),
            ("/var/www/**", "/var/www/b/a.php", true),
            ("/var/lib/", "/var/lib", true),
            ("lib/*.so", "/usr/lib/x.so", true),
            ("*.{js,ts}", "/x/a.ts", true),
            ("a?c[0-9]", "/x/abc7", true),
            ("/var//www/./*", "/var/www/a.php", true),
            ("lib//*.so", "/usr/lib/x.so", true),
            ("**", "/x/y", true),
            ("/", "/", true),
            ("/", "/x", false),
            ("\\*", "/x/*", true),
            ("\\*", "/x/y", false),
        ] {
            let selection = selection(&[], &[pattern]);
            assert_eq!(
                selection.excludes(Path::new(path)),
                matches,
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn patterns_that_begin_with_a_dot_begin_at_the_current_directory() {
        let here = env::current_dir().expect("current directory");
        let above = here.parent().expect("not the root");
        for (pattern, path, matches) in [
            ("./a", here.join("a"), true),
            (".//./*.php", here.join("a.php"), true),
            ("./a", here.join("b/a"), false),
            ("./**/a", here.join("b/a"), true),
            ("../a/", above.join("a"), true),
            ("./../a/*", above.join("a/b"), true),
            ("../a", here.join("a"), false),
            (".", here.clone(), true),
            ("..", above.to_owned(), true),
            ("..", here.clone(), false),
        ] {
            let selection = selection(&[], &[pattern]);
            assert_eq!(selection.excludes(&path), matches, "{pattern} {path:?}");
        }
        let far = "../".repeat(99);
        assert!(selection(&[], &[&format!("{far}a")]).excludes(Path::new("/a")));
        assert!(selection(&[], &[&far]).excludes(Path::new("/")));
    }

    #[test]
    fn a_pattern_that_nothing_can_match_is_refused() {
        for pattern in ["/var/../x", "a/..", "**/../x", "./a/../b", ".././a/.."] {
            let error = Selection::new(&SelectionOptions {
                include: vec![pattern.to_owned()],
                ..SelectionOptions::default()
            })
            .expect_err("nothing to match");
            assert!(error.to_string().contains(pattern), "{error}");
        }
        assert!(selection(&[], &["..a"]).excludes(Path::new("/x/..a")));
    }

    #[test]
    fn names_that_are_no_text_match_too() {
        let path = Path::new(OsStr::from_bytes(b"/x/\xff\xfe.php"));
        assert!(selection(&["*.php"], &[]).includes(path));
        assert!(!selection(&["*.exe"], &[]).includes(path));
    }

    #[test]
    fn without_include_everything_is_asked_for() {
        assert!(selection(&[], &[]).includes(Path::new("/x/y")));
        assert!(!selection(&[], &[]).excludes(Path::new("/x/y")));
    }

    #[test]
    fn a_bad_pattern_is_named() {
        let error = Selection::new(&SelectionOptions {
            exclude: vec!["a[".to_owned()],
            ..SelectionOptions::default()
        })
        .expect_err("no pattern");
        assert!(error.to_string().contains("a["), "{error}");
    }

    #[test]
    fn the_age_is_counted_in_the_past() {
        let selection = Selection::new(&SelectionOptions {
            age_max: Some(Duration::from_secs(3600)),
            ..SelectionOptions::default()
        })
        .expect("no patterns");
        let now = SystemTime::now();
        assert!(!selection.is_too_old(now));
        assert!(!selection.is_too_old(now + Duration::from_secs(9_999_999)));
        assert!(selection.is_too_old(now - Duration::from_secs(7200)));
    }
}
