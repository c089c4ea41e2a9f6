//! Which settings name places that the service writes, and which it reads.

use std::path::{Path, PathBuf};

use super::Loaded;
use super::build::{BUILT_IN, NO_DATABASE, SELF_SIGNED};
use super::settings::SignatureSource;
use super::value::Value;

/// Directories that are the service's own; it makes them.
const OWN: [&str; 4] = [
    "data-dir",
    "queue-storage",
    "server-upload-dir",
    "signature-cache-dir",
];
/// Files whose directories it makes.
const FILES_IN_OWN: [&str; 2] = ["findings-db", "audit-log"];
/// What is only read. Every other path may be written, so that a new setting
/// cannot be forgotten here.
const READ: [&str; 12] = [
    "server-cert",
    "server-key",
    "client-ca",
    "client-crl",
    "oidc-client-secret-file",
    "oidc-ca",
    "signatures",
    "custom-signatures",
    "signature-sources",
    "signature-public-key",
    "webhook-secret-file",
    "output-ca",
];

/// A path, and the setting that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The name of the setting.
    pub(crate) setting: &'static str,
    /// The path.
    pub(crate) path: PathBuf,
}

/// The places that settings name.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Directories of the service's own, which it makes.
    pub(crate) own: Vec<Place>,
    /// Files of its own, whose directories it makes.
    pub(crate) own_files: Vec<Place>,
    /// Other files and directories that it writes.
    pub(crate) others: Vec<Place>,
    /// What it only reads.
    pub(crate) read: Vec<Place>,
}

impl Places {
    /// Returns the directories that the service makes.
    pub(crate) fn own_dirs(&self) -> Vec<PathBuf> {
        let of_files = self.own_files.iter();
        let of_files = of_files.filter_map(|file| Some(file.path.parent()?.to_owned()));
        let own = self.own.iter().map(|dir| dir.path.clone());
        own.chain(of_files).collect()
    }

    /// Returns what else it writes.
    pub(crate) fn other_paths(&self) -> Vec<PathBuf> {
        self.others.iter().map(|place| place.path.clone()).collect()
    }

    /// Returns what it only reads.
    pub(crate) fn read_paths(&self) -> Vec<PathBuf> {
        self.read.iter().map(|place| place.path.clone()).collect()
    }
}

/// Returns the places that a configuration names.
pub(crate) fn places(loaded: &Loaded) -> Places {
    let mut places = Places::default();
    for in_force in loaded.values.iter() {
        let setting = in_force.setting.name;
        let paths = match &in_force.value {
            Value::Path(path) => std::slice::from_ref(path),
            Value::Paths(paths) => paths.as_slice(),
            _ => continue,
        };
        for path in paths.iter().flat_map(|path| named_paths(setting, path)) {
            let place = Place {
                setting,
                path: path.clone(),
            };
            let has_dir = path.parent().is_some_and(|dir| dir != Path::new(""));
            let kind = if READ.contains(&setting) {
                &mut places.read
            } else if OWN.contains(&setting) {
                &mut places.own
            } else if FILES_IN_OWN.contains(&setting) && has_dir {
                &mut places.own_files
            } else {
                &mut places.others
            };
            kind.push(place);
        }
    }
    places
}

/// Returns the paths that the value of a setting names: none if it is a word or
/// an address.
fn named_paths(setting: &str, value: &Path) -> Vec<PathBuf> {
    let word = match setting {
        "findings-db" => NO_DATABASE,
        "server-cert" => SELF_SIGNED,
        "signatures" => BUILT_IN,
        "signature-sources" => {
            let source = SignatureSource::parse(&value.to_string_lossy());
            let source = source.filter(|source| !source.is_address());
            return source.map_or_else(Vec::new, |source| {
                let signature = Some(source.signature_path()).filter(|path| path.exists());
                [source.location.into()]
                    .into_iter()
                    .chain(signature)
                    .collect()
            });
        }
        _ => "",
    };
    match value == Path::new(word) {
        true => Vec::new(),
        false => vec![value.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::settings;
    use super::super::tests::Case;
    use super::*;

    #[test]
    fn every_name_is_a_setting() {
        for name in OWN.iter().chain(&FILES_IN_OWN).chain(&READ) {
            assert!(settings().any(|setting| setting.name == *name), "{name}");
        }
    }

    #[test]
    fn what_is_written_is_named_and_what_is_read_is_not() {
        let loaded = Case::new()
            .flags(&[
                "--data-dir",
                "/d",
                "--queue-storage",
                "/q",
                "--findings-db",
                "/f/x.db",
            ])
            .flags(&[
                "--logfile",
                "/l/a.log",
                "--signatures",
                "/s",
                "--cert",
                "/c",
            ])
            .flags(&["--server-key", "/k"])
            .flags(&["--output-ca", "/ca", "--webhook-secret-file", "/w"])
            .ok();
        let places = places(&loaded);
        let mut dirs = places.own_dirs();
        dirs.sort();
        assert_eq!(dirs, ["/d", "/f", "/q"].map(PathBuf::from));
        assert_eq!(places.other_paths(), [PathBuf::from("/l/a.log")]);
        let mut read: Vec<_> = places.read.iter().map(|place| place.setting).collect();
        read.sort_unstable();
        let expected = [
            "output-ca",
            "server-cert",
            "server-key",
            "signatures",
            "webhook-secret-file",
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn a_word_and_an_address_are_no_places() {
        let pinned = format!("/b.zip#sha256={}", "0a".repeat(32));
        let loaded = Case::new()
            .flags(&["--findings-db", "none", "--server-cert", "auto"])
            .flags(&["--signatures", "built-in", "--signatures", "/s"])
            .flags(&["--signature-sources", "https://example.com/a.zip"])
            .flags(&["--signature-sources", &pinned])
            .ok();
        let places = places(&loaded);
        assert_eq!(places.read_paths(), ["/s", "/b.zip"].map(PathBuf::from));
        assert_eq!((places.own_files, places.others), (Vec::new(), Vec::new()));
    }
}
