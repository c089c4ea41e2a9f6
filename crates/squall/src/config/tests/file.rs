//! Files: the original's, and hostile ones.

use std::path::Path;

use super::super::original;
use super::super::table::settings;
use super::Case;

/// A file as an installation of the original service has it.
const ORIGINAL: &str = "\
# Licence
license-path: /etc/thunderstorm
# Outputs
logfile: /var/log/thunderstorm/thunderstorm.log
appendlog: True
# Listen on all interfaces
server-host: 0.0.0.0
server-port: 8080
pure-yara: False
#server-cert: /path/to/file
server-upload-dir: /tmp/thunderstorm
server-store-samples: none
server-result-cache-size: 10000
max_file_size: 12000000
max_file_size_intense: 30000000
threads: -1
noscanid: True
max_runtime: 0
cpulimit: 95.5
action_args:
  - '%filepath%'
no-thordb: true
rebase_dir:
";

#[test]
fn the_originals_file_works_with_one_warning() {
    let loaded = Case::new().file(ORIGINAL).ok();
    assert_eq!(
        loaded.warnings,
        [
            "configuration file `squall.yml` has keys of the original scanner that mean nothing \
             here and are ignored: `license-path`, `appendlog`, `max_file_size_intense`, \
             `noscanid`, `max_runtime`, `cpulimit`, `action_args`, `no-thordb`, `rebase_dir`"
        ]
    );
    let settings = loaded.settings;
    assert_eq!(settings.listen.host, "0.0.0.0");
    assert_eq!(settings.workers.threads, 7);
    assert_eq!(settings.limits.max_file_size_bytes, 12_000_000);
    assert_eq!(settings.queue.results_max, 10_000);
    assert_eq!(
        settings.outputs.logfile.as_deref(),
        Some(Path::new("/var/log/thunderstorm/thunderstorm.log"))
    );
    assert_eq!(settings.samples.dir, Path::new("/tmp/thunderstorm"));
}

#[test]
fn a_file_with_windows_line_ends_and_byte_order_mark_works() {
    let text = format!("\u{feff}{}", ORIGINAL.replace('\n', "\r\n"));
    let loaded = Case::new().file(text).ok();
    assert_eq!(loaded.settings.listen.host, "0.0.0.0");
    assert_eq!(loaded.warnings.len(), 1);
}

#[test]
fn what_the_brief_of_the_original_needs_is_known() {
    for key in [
        "license-path",
        "noscanid",
        "max_runtime",
        "max-runtime",
        "appendlog",
        "nolog",
        "nocsv",
        "nohtml",
        "thunderstorm",
        "quick",
        "intense",
        "soft",
        "lab",
        "cpulimit",
        "minmem",
        "all-module-lookback",
        "rebase-dir",
        "min",
        "showall",
        "eventlog",
        "no-csv",
        "NoCSV",
    ] {
        assert!(original::has(key), "{key}");
    }
    assert!(!original::has("serverport"));
    assert!(!original::has(""));
}

#[test]
fn no_setting_is_also_an_ignored_key() {
    for key in original::keys() {
        assert!(!settings().any(|setting| setting.has_key(key)), "{key}");
    }
}

#[test]
fn many_ignored_keys_do_not_make_an_endless_warning() {
    let keys: Vec<&str> = original::keys().collect();
    let text: String = keys.iter().map(|key| format!("{key}: 1\n")).collect();
    let loaded = Case::new().file(text).ok();
    assert_eq!(loaded.warnings.len(), 1);
    let more = format!(" and {} more", keys.len() - 50);
    assert!(
        loaded.warnings[0].ends_with(&more),
        "{}",
        loaded.warnings[0]
    );
}

#[test]
fn a_file_without_settings_sets_none() {
    for text in ["", "# only a comment\n", "---\n", "{}\n", "~\n"] {
        let loaded = Case::new().file(text).ok();
        assert_eq!(loaded.settings, Case::new().ok().settings, "{text:?}");
    }
}

#[test]
fn text_keeps_its_spelling() {
    let loaded = Case::new()
        .file("custom-signatures: [yes, 007, 1_000, 'a # b', true, ~, 12]\n")
        .ok();
    let paths: Vec<_> = loaded.settings.signatures.custom.iter().collect();
    let expected = ["yes", "007", "1_000", "a # b", "true", "12"].map(Path::new);
    assert_eq!(paths, expected);
}

#[test]
fn a_key_without_value_is_ignored_and_said_so() {
    let loaded = Case::new().file("server-port:\nutc: ~\n").ok();
    assert_eq!(loaded.settings.listen.port, 8080);
    assert_eq!(
        loaded.warnings,
        [
            "`server-port` has no value and is ignored (squall.yml, line 1, key `server-port`)",
            "`utc` has no value and is ignored (squall.yml, line 2, key `utc`)",
        ]
    );
}

#[test]
fn hostile_files_are_errors() {
    let deep = format!("signatures: {}{}", "[".repeat(5000), "]".repeat(5000));
    let bomb = "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\n\
                c: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c]\n";
    let many = "server-port: 1\n".repeat(60_000);
    let texts: [&[u8]; 10] = [
        deep.as_bytes(),
        bomb.as_bytes(),
        many.as_bytes(),
        b"server-port: 1\n---\nserver-port: 2\n",
        b"- a\n- b\n",
        b"just text",
        b"a: b: c\n\t[",
        b"\xff\xfe\x00",
        b"\x00",
        b"? [a, b]\n: c\n",
    ];
    for text in texts {
        let error = Case::new().file(text).error();
        assert!(error.contains("squall.yml"), "{error}");
        assert!(error.len() < 600, "{error}");
    }
}

#[test]
fn arbitrary_bytes_never_panic() {
    // A small generator of its own: what matters is that no input is a panic.
    let mut state: u32 = 7;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 24
    };
    let alphabet = b"server-port:#&*!|>'\"%@`[]{},? \n\t-~0:utc<";
    for _ in 0..300 {
        let bytes: Vec<u8> = (0..next())
            .map(|_| alphabet[next() as usize % alphabet.len()])
            .collect();
        // Whether it is an error is not the point.
        let _ = Case::new().file(bytes).load();
    }
}
