//! Which settings name places that the service writes.

use std::path::{Path, PathBuf};

use super::Loaded;
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

/// The places that the service writes.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Directories of its own.
    pub(crate) own: Vec<PathBuf>,
    /// Files and directories of others.
    pub(crate) others: Vec<PathBuf>,
}

/// Returns the places that a configuration has the service write.
pub(crate) fn places(loaded: &Loaded) -> Places {
    let mut places = Places::default();
    for in_force in loaded.values.iter() {
        let name = in_force.setting.name;
        let paths = match &in_force.value {
            Value::Path(path) => std::slice::from_ref(path),
            Value::Paths(paths) => paths.as_slice(),
            _ => continue,
        };
        for path in paths {
            let dir = path.parent().filter(|dir| *dir != Path::new(""));
            match (name, dir) {
                (name, _) if READ.contains(&name) => {}
                (name, _) if OWN.contains(&name) => places.own.push(path.clone()),
                (name, Some(dir)) if FILES_IN_OWN.contains(&name) => places.own.push(dir.into()),
                _ => places.others.push(path.clone()),
            }
        }
    }
    places
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
        let mut places = places(&loaded);
        places.own.sort();
        assert_eq!(places.own, ["/d", "/f", "/q"].map(PathBuf::from));
        assert_eq!(places.others, [PathBuf::from("/l/a.log")]);
    }
}
