use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use super::places::make_dir;
use super::*;
use crate::config::Place;

/// Nobody, with a group more.
fn nobody() -> Identity {
    Identity {
        user: "nobody".to_owned(),
        uid: 65_534,
        group: "nogroup".to_owned(),
        gid: 65_534,
        groups: vec![4, 65_534],
    }
}

/// Runs `scene` on a thread of its own, the only one that changes; only root
/// can set it.
fn on_a_thread(scene: impl FnOnce() + Send + 'static) {
    if !geteuid().is_root() {
        eprintln!("skipped: only root becomes somebody else");
        return;
    }
    if let Err(panic) = std::thread::spawn(scene).join() {
        std::panic::resume_unwind(panic);
    }
}

fn place(setting: &'static str, path: PathBuf) -> Place {
    Place { setting, path }
}

/// A directory that everybody can look into.
fn open_dir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

#[test]
fn nothing_is_left_of_root() {
    on_a_thread(|| {
        give_up_rights(&nobody(), true).unwrap();
        let status = fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = |name: &str| {
            let mut lines = status.lines();
            let line = lines.find_map(|line| line.strip_prefix(name));
            line.unwrap()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(line("Uid:"), "65534 65534 65534 65534");
        assert_eq!(line("Gid:"), "65534 65534 65534 65534");
        assert_eq!(line("Groups:"), "4 65534");
        assert_eq!(line("NoNewPrivs:"), "1");
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
            assert_eq!(line(set), "0".repeat(16), "{set}");
        }
        assert!(fs::write("/etc/squall-test", "").is_err());
    });
    // This thread is who it was.
    assert_eq!(geteuid(), getuid());
}

#[test]
fn directories_are_made_for_the_user_and_others_stay_as_they_are() {
    on_a_thread(|| {
        let dir = open_dir();
        let at = |name: &str| dir.path().join(name);
        let owner = |path: &Path| fs::symlink_metadata(path).unwrap().uid();
        make_dir(&at("a/b/c"), &nobody()).unwrap();
        for made in ["a", "a/b", "a/b/c"] {
            assert_eq!(owner(&at(made)), 65_534, "{made}");
            assert_eq!(fs::metadata(at(made)).unwrap().mode() & 0o777, 0o700);
        }
        fs::create_dir(at("roots")).unwrap();
        make_dir(&at("roots"), &nobody()).unwrap();
        assert_eq!(owner(&at("roots")), 0);
        // A user could have it mean any place.
        symlink(at("roots"), at("a/link")).unwrap();
        std::os::unix::fs::lchown(at("a/link"), Some(65_534), None).unwrap();
        make_dir(&at("a/link/new"), &nobody()).unwrap();
        assert!(!at("roots/new").exists());
    });
}

/// A directory with what is root's alone beside what is the user's.
fn mixed_dir() -> tempfile::TempDir {
    let dir = open_dir();
    let at = |name: &str| dir.path().join(name);
    let key = at("key.pem");
    fs::write(&key, "").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    for name in ["closed", "roots"] {
        fs::create_dir(at(name)).unwrap();
    }
    fs::write(at("closed/cert.pem"), "").unwrap();
    fs::set_permissions(at("closed"), fs::Permissions::from_mode(0o700)).unwrap();
    make_dir(&at("data"), &nobody()).unwrap();
    make_dir(&at("partly"), &nobody()).unwrap();
    fs::create_dir_all(at("partly/queue/spool")).unwrap();
    std::os::unix::fs::chown(at("partly/queue"), Some(65_534), None).unwrap();
    fs::write(at("squall.log"), "").unwrap();
    fs::write(at("readable.pem"), "").unwrap();
    dir
}

#[test]
fn what_the_user_cannot_use_is_told_with_what_helps() {
    on_a_thread(|| {
        let dir = mixed_dir();
        let at = |name: &str| dir.path().join(name);
        give_up_rights(&nobody(), true).unwrap();
        let told = |change: Change, setting, name: &str| {
            let mut places = Places::default();
            places.own.push(place("data-dir", at("data")));
            places.read.push(place("server-cert", at("readable.pem")));
            places.read.push(place("server-cert", at("not-there.pem")));
            change(&mut places, place(setting, at(name)));
            places::check(&places, &nobody())
                .map_or_else(|error| format!("{error:#}"), |()| String::new())
        };
        for (change, setting, name, expected) in CASES {
            let told =
                told(change, setting, name).replace(&dir.path().display().to_string(), "ROOT");
            assert_eq!(
                told.is_empty(),
                expected.is_empty(),
                "{setting} {name}: {told}"
            );
            assert!(told.contains(expected), "{setting} {name}: {told}");
        }
    });
}

type Change = fn(&mut Places, Place);

const NOTHING: Change = |_, _| {};
const OWN: Change = |places, place| places.own.push(place);
const OWN_FILE: Change = |places, place| places.own_files.push(place);
const OTHER: Change = |places, place| places.others.push(place);
const READ: Change = |places, place| places.read.push(place);

/// What is named beside places that are as they should be, the setting that
/// names it, and what is told.
const CASES: [(Change, &str, &str, &str); 9] = [
    (NOTHING, "", "", ""),
    (
        OWN,
        "queue-storage",
        "roots",
        "chown -R nobody:nogroup ROOT/roots",
    ),
    (OWN, "queue-storage", "missing", MISSING),
    (OWN, "data-dir", "partly", PARTLY),
    (
        OTHER,
        "logfile",
        "squall.log",
        "chown nobody:nogroup ROOT/squall.log",
    ),
    (
        OTHER,
        "logfile",
        "new.log",
        "`ROOT` (`logfile`) cannot be written",
    ),
    (
        OWN_FILE,
        "findings-db",
        "roots/x.db",
        "`ROOT/roots` (`findings-db`) cannot be written",
    ),
    (
        READ,
        "server-key",
        "key.pem",
        "chgrp nogroup ROOT/key.pem && chmod g+r ROOT/key.pem",
    ),
    (
        READ,
        "server-cert",
        "closed/cert.pem",
        "chgrp nogroup ROOT/closed && chmod g+rx ROOT/closed",
    ),
];

const MISSING: &str = "`ROOT/missing` (`queue-storage`) cannot be written by user `nobody`";
const PARTLY: &str = "`ROOT/partly/queue/spool` (`data-dir`) cannot be written by user `nobody` (`run-as`) (it belongs to uid 0";

#[test]
fn who_is_not_root_is_only_who_it_is() {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    let account = |group: Option<&str>| Account {
        user: uid.to_string(),
        group: group.map(str::to_owned),
    };
    let own = Identity {
        uid,
        gid,
        ..nobody()
    };
    assert!(is_already(&own, &account(Some("own"))).is_ok());
    let other = Identity {
        uid: uid + 1,
        ..own.clone()
    };
    let refused = is_already(&other, &account(None)).unwrap_err().to_string();
    assert!(
        refused.contains(&format!("started by uid {uid}")),
        "{refused}"
    );
    // Another group counts only where one was named.
    let elsewhere = Identity {
        gid: gid + 1,
        ..own
    };
    assert!(is_already(&elsewhere, &account(None)).is_ok());
    assert!(is_already(&elsewhere, &account(Some("other"))).is_err());
}
