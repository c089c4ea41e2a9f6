//! The parts of a file's name on the sender.
//!
//! The name is data from a stranger: it may use the separators of any
//! platform, and nothing here touches this machine's file system.

/// The parts of a name that rules can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    /// The last component.
    pub(crate) base: &'a str,
    /// Everything before it, without the separator; `/` for a file in the root.
    pub(crate) directory: &'a str,
}

impl<'a> Name<'a> {
    /// Splits a name at its last `/` or `\`.
    pub(crate) fn of(path: &'a str) -> Self {
        match path.rfind(['/', '\\']) {
            None => Self {
                base: path,
                directory: "",
            },
            Some(at) => Self {
                base: &path[at + 1..],
                directory: if at == 0 { &path[..1] } else { &path[..at] },
            },
        }
    }

    /// Returns the extension in lower case with its dot; empty when there is none.
    ///
    /// A leading dot makes a hidden file, not an extension.
    pub(crate) fn extension(&self) -> String {
        match self.base.rfind('.') {
            None | Some(0) => String::new(),
            Some(at) if at + 1 == self.base.len() => String::new(),
            Some(at) => self.base[at..].to_lowercase(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_both_platforms_are_split() {
        for (path, directory, base, extension) in [
            ("/var/www/a.php", "/var/www", "a.php", ".php"),
            ("C:\\Users\\x\\A.EXE", "C:\\Users\\x", "A.EXE", ".exe"),
            ("a.tar.gz", "", "a.tar.gz", ".gz"),
            ("/a", "/", "a", ""),
            ("/home/u/.bashrc", "/home/u", ".bashrc", ""),
            ("dir/", "dir", "", ""),
            ("ends.", "", "ends.", ""),
            ("", "", "", ""),
            ("x/ünï.Ü", "x", "ünï.Ü", ".ü"),
        ] {
            let name = Name::of(path);
            assert_eq!(name.directory, directory, "{path}");
            assert_eq!(name.base, base, "{path}");
            assert_eq!(name.extension(), extension, "{path}");
        }
    }
}
