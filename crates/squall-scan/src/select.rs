//! Which files are looked at.

use std::path::Path;
use std::time::{Duration, SystemTime};

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

/// A glob that is none.
#[derive(Debug, thiserror::Error)]
#[error("`{pattern}` is no glob pattern")]
pub struct PatternError {
    /// The pattern.
    pub pattern: String,
    /// Why not.
    source: globset::Error,
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
    /// not begin with a slash may begin anywhere in it. `*` and `?` match no
    /// slash, `**` does.
    ///
    /// # Errors
    ///
    /// Fails if a pattern is none.
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
        let error = |source| PatternError {
            pattern: pattern.clone(),
            source,
        };
        let trimmed = match pattern.trim_end_matches('/') {
            "" => pattern,
            trimmed => trimmed,
        };
        let anchored = if trimmed.starts_with('/') || trimmed.starts_with("**/") {
            trimmed.to_owned()
        } else {
            format!("**/{trimmed}")
        };
        let glob = GlobBuilder::new(&anchored)
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .map_err(error)?;
        set.add(glob);
    }
    set.build().map_err(|source| PatternError {
        pattern: patterns.join(", "),
        source,
    })
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
