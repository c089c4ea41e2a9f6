//! The one table of settings. Flags, environment names, keys of the file,
//! headings of `--help` and the listing of `check-config` all derive from it,
//! so that none of them can lack a setting the others have.

mod access;
mod findings;
mod intake;
mod output;
mod scan;

use super::kind::Kind;

/// A setting of the service.
#[derive(Debug)]
pub(crate) struct Setting {
    /// The name: the long flag and the key in the file.
    pub(crate) name: &'static str,
    /// Other spellings, as good as the name everywhere.
    pub(crate) aliases: &'static [&'static str],
    /// What newer versions of the original scanner call it; good in the file.
    pub(crate) file_aliases: &'static [&'static str],
    /// Which values it takes.
    pub(crate) kind: Kind,
    /// The default, written as in the file; empty for none.
    pub(crate) default: &'static str,
    /// What it does, in a sentence or two.
    pub(crate) help: &'static str,
}

/// Settings that belong together.
#[derive(Debug)]
pub(crate) struct Section {
    /// The heading in `--help` and in listings.
    pub(crate) heading: &'static str,
    /// The settings, in the order they are shown.
    pub(crate) settings: &'static [Setting],
}

/// All settings, in the order they are shown.
pub(crate) static SECTIONS: [Section; 11] = [
    intake::LISTENING,
    access::ACCESS,
    intake::SENDERS,
    intake::LIMITS,
    scan::WORKERS,
    scan::SIGNATURES,
    scan::UNPACKING,
    scan::LEVELS,
    intake::STORAGE,
    output::OUTPUTS,
    findings::FINDINGS,
];

/// Returns every setting, in the order they are shown.
pub(crate) fn settings() -> impl Iterator<Item = &'static Setting> {
    SECTIONS.iter().flat_map(|section| section.settings)
}

impl Setting {
    /// Makes a setting without aliases.
    const fn new(
        name: &'static str,
        kind: Kind,
        default: &'static str,
        help: &'static str,
    ) -> Self {
        Self {
            name,
            aliases: &[],
            file_aliases: &[],
            kind,
            default,
            help,
        }
    }

    /// Adds other spellings.
    const fn or(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// Adds the names that newer versions of the original scanner use.
    const fn or_in_file(mut self, file_aliases: &'static [&'static str]) -> Self {
        self.file_aliases = file_aliases;
        self
    }

    /// Returns the name and the aliases, which are good everywhere.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// Tells whether `key` of a file names this setting. Dashes and
    /// underscores are the same there, because the original's own files mix
    /// them.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        let key = key.replace('_', "-");
        self.spellings()
            .chain(self.file_aliases.iter().copied())
            .any(|spelling| spelling.replace('_', "-") == key)
    }
}

/// Returns the environment variable for a spelling of a setting.
pub(crate) fn env_name(spelling: &str) -> String {
    format!("SQUALL_{}", spelling.replace('-', "_").to_uppercase())
}
